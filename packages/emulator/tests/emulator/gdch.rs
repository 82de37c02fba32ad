//! The token endpoint of Google Distributed Cloud.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use gatepass_emulator::gdch::ServiceIdentity;
use gatepass_emulator::http::{Request, Response};
use gatepass_emulator::keys::SigningKey;
use gatepass_emulator::mint::AccessToken;
use gatepass_emulator::time::UnixSeconds;
use serde_json::{Value, json};

use super::{NOW, emulator, form, parsed};

const HOST: &str = "127.0.0.1:8443";
const PRINCIPAL: &str = "system:serviceaccount:project:orders";

fn assertion(signer: &str, changes: &Value) -> String {
    let key = ServiceIdentity { project: "project".to_owned(), name: signer.to_owned() }.key().unwrap();
    let mut claims = json!({
        "iss": PRINCIPAL,
        "sub": PRINCIPAL,
        "aud": format!("https://{HOST}/authenticate"),
        "iat": NOW.0,
        "exp": NOW.0 + 3600,
    });
    claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    let encode = |part: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(part);
    let header = json!({ "alg": "ES256", "kid": key.kid(), "typ": "JWT" });
    let input =
        format!("{}.{}", encode(header.to_string().as_bytes()), encode(claims.to_string().as_bytes()));
    format!("{input}.{}", encode(&key.sign(input.as_bytes()).unwrap()))
}

fn fields(assertion: &str) -> Value {
    json!({
        "grant_type": "urn:ietf:params:oauth:token-type:token-exchange",
        "audience": "https://api.example",
        "requested_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "subject_token": assertion,
        "subject_token_type": "urn:k8s:params:oauth:token-type:serviceaccount",
    })
}

fn ask(body: String) -> Response {
    emulator().handle(&Request::post("/authenticate", body).with_header("Host", HOST), NOW)
}

#[test]
fn an_assertion_gets_an_access_token_in_json_and_in_a_form() {
    let fields = fields(&assertion("orders", &json!({})));
    for body in [fields.to_string(), form(&fields)] {
        let answer = parsed(&ask(body));
        assert_eq!((&answer["token_type"], &answer["expires_in"]), (&json!("Bearer"), &json!(3599)));
        let token = AccessToken::decode(answer["access_token"].as_str().unwrap()).unwrap();
        let expected = AccessToken::new(PRINCIPAL, "https://api.example", UnixSeconds(NOW.0 + 3600));
        assert_eq!(token, expected);
    }
}

#[test]
fn an_assertion_that_is_wrong_is_an_invalid_grant() {
    for assertion in [
        "anything".to_owned(),
        assertion("another", &json!({})),
        assertion("orders", &json!({ "sub": "system:serviceaccount:project:another" })),
        assertion("orders", &json!({ "aud": "https://another.example/authenticate" })),
        assertion("orders", &json!({ "exp": NOW.0 })),
    ] {
        let response = ask(fields(&assertion).to_string());
        assert_eq!((response.status, &parsed(&response)["error"]), (400, &json!("invalid_grant")));
    }
}

#[test]
fn a_request_that_lacks_a_parameter_is_told_which() {
    for name in ["grant_type", "audience", "requested_token_type", "subject_token", "subject_token_type"] {
        let mut fields = fields("anything");
        fields.as_object_mut().unwrap().remove(name);
        let answer = parsed(&ask(fields.to_string()));
        assert_eq!(answer["error"], "invalid_request");
        assert!(answer["error_description"].as_str().unwrap().ends_with(name));
    }
}
