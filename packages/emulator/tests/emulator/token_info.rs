//! What `/tokeninfo` says of tokens.

use gatepass_emulator::ServiceAccount;
use gatepass_emulator::http::Request;
use gatepass_emulator::mint::AccessToken;
use gatepass_emulator::time::UnixSeconds;
use serde_json::{Value, json};

use super::{NOW, emulator, get, parsed, post};

const EMAIL: &str = "sa@project.iam.gserviceaccount.com";

fn access_token(principal: &str) -> Value {
    let token = AccessToken::new(principal, "openid email", UnixSeconds(NOW.0 + 60)).encode();
    parsed(&get(&emulator(), &format!("/tokeninfo?access_token={token}")))
}

#[test]
fn an_access_token_of_a_service_account() {
    let id = EMAIL.parse::<ServiceAccount>().unwrap().unique_id();
    assert_eq!(
        access_token(EMAIL),
        json!({
            "azp": id,
            "aud": id,
            "email": EMAIL,
            "email_verified": "true",
            "scope": "openid email",
            "exp": (NOW.0 + 60).to_string(),
            "expires_in": "60",
            "access_type": "online",
        })
    );
}

#[test]
fn an_access_token_of_a_person_or_a_federated_identity() {
    let person = access_token("jane@example.com");
    assert_eq!(person["email"], "jane@example.com");
    assert_eq!(person["aud"], "gatepass-emulator.apps.googleusercontent.com");

    let name = "principal://iam.googleapis.com/locations/global/workforcePools/p/subject/jane@example.com";
    let federated = access_token(name);
    assert_eq!((&federated["sub"], federated.get("email")), (&json!(name), None));
}

#[test]
fn an_id_token_is_shown_as_strings() {
    let emulator = emulator();
    let order = json!({ "claims": { "aud": "a", "email": EMAIL } });
    let minted = parsed(&post(&emulator, "/emulator/v1/mint", &order));
    let path = format!("/tokeninfo?id_token={}", minted["token"].as_str().unwrap());
    let info = parsed(&get(&emulator, &path));
    assert_eq!((&info["aud"], &info["email"]), (&json!("a"), &json!(EMAIL)));
    assert_eq!((&info["email_verified"], &info["alg"]), (&json!("true"), &json!("RS256")));
    assert_eq!(info["exp"], (NOW.0 + 3600).to_string());

    let late = emulator.handle(&Request::get(&path), UnixSeconds(NOW.0 + 3600));
    assert_eq!(late.status, 400);
    let forged = get(&emulator, &path.replace("id_token=", "id_token=e"));
    assert_eq!(forged.status, 400);
}

#[test]
fn an_unknown_token_is_refused() {
    let emulator = emulator();
    let expired = AccessToken::new(EMAIL, "openid", NOW).encode();
    for query in ["", "access_token=ya29.other", "id_token=a.b.c", &format!("access_token={expired}")] {
        let response = get(&emulator, &format!("/tokeninfo?{query}"));
        assert_eq!((response.status, &parsed(&response)["error"]), (400, &json!("invalid_token")), "{query}");
    }
}
