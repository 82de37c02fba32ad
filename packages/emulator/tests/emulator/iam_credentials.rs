//! The IAM Credentials API.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use gatepass_emulator::ServiceAccount;
use gatepass_emulator::http::{Request, Response};
use gatepass_emulator::keys::SigningKey;
use gatepass_emulator::mint::AccessToken;
use gatepass_emulator::time::UnixSeconds;
use serde_json::{Value, json};

use super::{NOW, Token, emulator, form, parsed};

const EMAIL: &str = "sa@project.iam.gserviceaccount.com";
const CLOUD_PLATFORM: &str = "https://www.googleapis.com/auth/cloud-platform";

fn caller(scope: &str, expires_at: u64) -> String {
    let principal = "caller@project.iam.gserviceaccount.com".to_owned();
    let token = AccessToken::new(principal, scope, UnixSeconds(expires_at));
    format!("Bearer {}", token.encode())
}

/// The authorization of a caller who may do everything.
pub(crate) fn bearer() -> String {
    caller(CLOUD_PLATFORM, NOW.0 + 1)
}

fn call(method: &str, body: &Value) -> Response {
    let path = format!("/v1/projects/-/serviceAccounts/{EMAIL}:{method}");
    let request = Request::post(&path, body.to_string()).with_header("Authorization", &bearer());
    emulator().handle(&request.with_header("Content-Type", "application/json"), NOW)
}

fn assert_refused(response: &Response, status: u16, name: &str) {
    let body = parsed(response);
    assert_eq!((response.status, &body["error"]["status"]), (status, &json!(name)), "{body}");
    assert_eq!(body["error"]["code"], status);
    assert!(body["error"]["message"].as_str().is_some_and(|message| !message.is_empty()));
}

fn id_token(response: &Response) -> Value {
    assert_eq!(response.status, 200, "{}", super::text(response));
    let body = parsed(response);
    let emulator = emulator();
    Token::google(body["token"].as_str().unwrap(), &emulator).claims
}

#[test]
fn an_id_token_has_the_email_when_asked_for() {
    let order = json!({ "audience": "https://receiver.example", "delegates": null });
    let claims = id_token(&call("generateIdToken", &order));
    let account: ServiceAccount = EMAIL.parse().unwrap();
    assert_eq!(
        claims,
        json!({
            "iss": "https://accounts.google.com",
            "aud": "https://receiver.example",
            "azp": account.unique_id(),
            "sub": account.unique_id(),
            "iat": NOW.0,
            "exp": NOW.0 + 3600,
        })
    );
    for yes in [json!(true), json!("true")] {
        let order = json!({ "audience": "a", "includeEmail": yes, "useEmailAzp": yes });
        let claims = id_token(&call("generateIdToken", &order));
        assert_eq!((&claims["email"], &claims["email_verified"]), (&json!(EMAIL), &json!(true)));
        assert_eq!(claims["azp"], EMAIL);
    }
}

#[test]
fn a_form_will_do_as_well() {
    let path = format!("/v1/projects/-/serviceAccounts/{}:generateIdToken", EMAIL.replace('@', "%40"));
    let fields = json!({ "audience": "https://receiver.example", "includeEmail": "true" });
    let request = Request::post(&path, form(&fields))
        .with_header("Authorization", &bearer())
        .with_header("Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
    assert_eq!(id_token(&emulator().handle(&request, NOW))["email"], EMAIL);
}

#[test]
fn an_access_token_has_the_scopes_and_the_lifetime() {
    for (lifetime, seconds, expires) in [
        (json!("3600s"), 3600, "2027-01-15T09:00:00Z"),
        (json!("43200s"), 43_200, "2027-01-15T20:00:00Z"),
        (Value::Null, 3600, "2027-01-15T09:00:00Z"),
    ] {
        let order = json!({
            "scope": ["a", "b"],
            "lifetime": lifetime,
            "delegates": ["x@p.iam.gserviceaccount.com", "projects/-/serviceAccounts/y@p.iam.gserviceaccount.com"],
        });
        let body = parsed(&call("generateAccessToken", &order));
        assert_eq!(body["expireTime"], expires);
        let content = AccessToken::new(EMAIL, "a b", UnixSeconds(NOW.0 + seconds));
        assert_eq!(AccessToken::decode(body["accessToken"].as_str().unwrap()), Some(content));
    }
}

#[test]
fn an_order_that_makes_no_sense_is_an_invalid_argument() {
    for (method, order) in [
        ("generateIdToken", json!({})),
        ("generateIdToken", json!({ "audience": "" })),
        ("generateIdToken", json!({ "audience": 5 })),
        ("generateIdToken", json!({ "audience": "a", "includeEmail": "yes" })),
        ("generateIdToken", json!({ "audience": "a", "delegates": ["nobody"] })),
        ("generateIdToken", json!([])),
        ("generateAccessToken", json!({})),
        ("generateAccessToken", json!({ "scope": [1] })),
        ("generateAccessToken", json!({ "scope": ["a"], "lifetime": "43201s" })),
        ("generateAccessToken", json!({ "scope": ["a"], "lifetime": "0s" })),
        ("generateAccessToken", json!({ "scope": ["a"], "lifetime": 3600 })),
        ("signBlob", json!({ "payload": "~" })),
        ("signJwt", json!({ "payload": "[]" })),
    ] {
        assert_refused(&call(method, &order), 400, "INVALID_ARGUMENT");
    }
}

#[test]
fn signatures_are_those_of_the_account() {
    let account: ServiceAccount = EMAIL.parse().unwrap();
    let key = account.key().unwrap();
    let file: Value = serde_json::from_str(&account.key_file("http://localhost").unwrap()).unwrap();

    let blob = parsed(&call("signBlob", &json!({ "payload": BASE64_STANDARD.encode("message") })));
    let signature = BASE64_STANDARD.decode(blob["signedBlob"].as_str().unwrap()).unwrap();
    assert!(key.verifies(b"message", &signature));
    assert_eq!(blob["keyId"], file["private_key_id"]);

    let claims = json!({ "iss": EMAIL, "sub": "user@example.com" });
    let signed = parsed(&call("signJwt", &json!({ "payload": claims.to_string() })));
    let token = Token::read(signed["signedJwt"].as_str().unwrap());
    assert!(key.verifies(token.signing_input.as_bytes(), &super::base64url(token.signature)));
    assert_eq!((&token.claims, &token.header["kid"]), (&claims, &signed["keyId"]));
}

/// Domain-wide delegation without a key file: the account acts for a user.
#[test]
fn a_signed_jwt_is_an_assertion_for_the_token_endpoint() {
    let claims = json!({
        "iss": EMAIL,
        "sub": "user@example.com",
        "scope": "openid",
        "aud": "https://oauth2.googleapis.com/token",
        "iat": NOW.0,
        "exp": NOW.0 + 3600,
    });
    let signed = parsed(&call("signJwt", &json!({ "payload": claims.to_string() })));
    let grant = json!({
        "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "assertion": signed["signedJwt"],
    });
    let body = parsed(&emulator().handle(&Request::post("/token", form(&grant)), NOW));
    let token = AccessToken::decode(body["access_token"].as_str().unwrap()).unwrap();
    assert_eq!(token.principal, "user@example.com");
}

#[test]
fn a_caller_needs_an_access_token_with_a_scope_for_the_api() {
    let path = format!("/v1/projects/-/serviceAccounts/{EMAIL}:generateIdToken");
    let ask = |authorization: Option<String>| {
        let request = Request::post(&path, r#"{"audience": "a"}"#);
        let request = match authorization {
            Some(value) => request.with_header("Authorization", &value),
            None => request,
        };
        emulator().handle(&request, NOW)
    };
    for (authorization, status, name) in [
        (None, 401, "UNAUTHENTICATED"),
        (Some("Bearer ya29.another".to_owned()), 401, "UNAUTHENTICATED"),
        (Some(bearer().replace("Bearer", "Basic")), 401, "UNAUTHENTICATED"),
        (Some(caller(CLOUD_PLATFORM, NOW.0)), 401, "UNAUTHENTICATED"),
        (Some(caller("openid email", NOW.0 + 1)), 403, "PERMISSION_DENIED"),
    ] {
        assert_refused(&ask(authorization), status, name);
    }
    let iam = "openid https://www.googleapis.com/auth/iam";
    assert_eq!(ask(Some(caller(iam, NOW.0 + 1))).status, 200);
}

#[test]
fn other_paths_of_the_api_are_not_found() {
    let root = "/v1/projects/-/serviceAccounts";
    let emulator = emulator();
    for request in [
        Request::get(&format!("{root}/{EMAIL}/allowedLocations")),
        Request::get(&format!("{root}/{EMAIL}:generateIdToken")),
        Request::post(&format!("{root}/{EMAIL}:undelete"), "{}"),
        Request::post(&format!("{root}/nobody:generateIdToken"), "{}"),
    ] {
        assert_refused(
            &emulator.handle(&request.with_header("Authorization", &bearer()), NOW),
            404,
            "NOT_FOUND",
        );
    }
    let request = Request::get("/v1/locations/global/workforcePools/p/allowedLocations");
    assert_eq!(emulator.handle(&request, NOW).status, 404);
}
