//! Faults: what a test can order to happen, and that it does.

use std::time::Duration;

use gatepass_emulator::credential_file::authorized_user;
use gatepass_emulator::http::{Request, Response};
use gatepass_emulator::mint::AccessToken;
use gatepass_emulator::time::UnixSeconds;
use gatepass_emulator::{Emulator, User};
use serde_json::{Value, json};

use super::{BASE_URL, NOW, Token, emulator, form, get, parsed, post, text};

const DISCOVERY: &str = "/.well-known/openid-configuration";
const IDENTITY: &str = "/computeMetadata/v1/instance/service-accounts/default/identity";
const ACCESS_TOKEN: &str = "/computeMetadata/v1/instance/service-accounts/default/token";

fn order_fault(emulator: &Emulator, order: &Value) {
    let response = post(emulator, "/emulator/v1/fault", order);
    assert_eq!(response.status, 200, "{}", text(&response));
}

fn metadata_at(emulator: &Emulator, target: &str, now: UnixSeconds) -> Response {
    emulator.handle(&Request::get(target).with_header("Metadata-Flavor", "Google"), now)
}

/// Fetches an ID token from the metadata server.
fn identity(emulator: &Emulator) -> String {
    text(&metadata_at(emulator, &format!("{IDENTITY}?audience=a"), NOW)).to_owned()
}

#[test]
fn faults_meet_the_next_requests_for_their_path_in_order() {
    let emulator = emulator();
    order_fault(
        &emulator,
        &json!({ "path": DISCOVERY, "status": 503, "headers": { "Retry-After": "1" }, "body": "<html>", "times": 2 }),
    );
    order_fault(&emulator, &json!({ "path": DISCOVERY, "status": 302, "headers": { "Location": "/" } }));
    for _ in 0..2 {
        let response = get(&emulator, DISCOVERY);
        assert_eq!((response.status, text(&response)), (503, "<html>"));
        assert_eq!(response.headers, [("Retry-After".to_owned(), "1".to_owned())]);
        assert_eq!(get(&emulator, "/oauth2/v3/certs").status, 200);
    }
    let response = get(&emulator, DISCOVERY);
    assert_eq!((response.status, response.header("Location"), text(&response)), (302, Some("/"), ""));
    assert_eq!(get(&emulator, DISCOVERY).status, 200);
    let requests = parsed(&get(&emulator, "/emulator/v1/requests"));
    assert_eq!(requests["counts"][DISCOVERY], 4, "a request that meets a fault counts");
}

#[test]
fn a_fault_may_be_a_body_of_any_size_or_json() {
    let emulator = emulator();
    order_fault(&emulator, &json!({ "path": DISCOVERY, "status": 200, "body_bytes": 10_000_000 }));
    order_fault(
        &emulator,
        &json!({ "path": DISCOVERY, "status": 400, "body": { "error": "invalid_grant" } }),
    );
    let response = get(&emulator, DISCOVERY);
    assert_eq!((response.status, response.body.len()), (200, 10_000_000));
    assert_eq!(parsed(&get(&emulator, DISCOVERY)), json!({ "error": "invalid_grant" }));
}

#[test]
fn a_delay_alone_keeps_the_real_answer() {
    let emulator = emulator();
    order_fault(&emulator, &json!({ "path": DISCOVERY, "delay_ms": 250 }));
    order_fault(&emulator, &json!({ "path": DISCOVERY, "delay_ms": 250, "status": 500 }));
    let late = get(&emulator, DISCOVERY);
    assert_eq!((late.status, late.delay), (200, Duration::from_millis(250)));
    assert!(parsed(&late).get("issuer").is_some());
    let failed = get(&emulator, DISCOVERY);
    assert_eq!((failed.status, failed.delay), (500, Duration::from_millis(250)));
    assert_eq!(get(&emulator, DISCOVERY).delay, Duration::ZERO);
}

#[test]
fn a_connection_can_be_dropped() {
    let emulator = emulator();
    order_fault(&emulator, &json!({ "path": DISCOVERY, "drop": true }));
    assert!(get(&emulator, DISCOVERY).hang_up);
    assert!(!get(&emulator, DISCOVERY).hang_up);
}

#[test]
fn waiting_faults_can_be_cleared() {
    let emulator = emulator();
    order_fault(&emulator, &json!({ "path": DISCOVERY, "status": 500, "times": 9 }));
    post(&emulator, "/emulator/v1/fault:clear", &json!({}));
    assert_eq!(get(&emulator, DISCOVERY).status, 200);
}

#[test]
fn an_id_token_can_be_wrong_in_one_way() {
    let emulator = emulator();
    let right = identity(&emulator);
    for id_token in [
        json!({ "header": { "kid": "unknown" } }),
        json!({ "strip_signature": true }),
        json!({ "claims": { "email_verified": false } }),
        json!({ "omit": ["email"] }),
    ] {
        order_fault(&emulator, &json!({ "path": IDENTITY, "id_token": id_token }));
    }
    assert_eq!(Token::read(&identity(&emulator)).header["kid"], "unknown");
    assert_eq!(Token::read(&identity(&emulator)).signature, "SIGNATURE_REMOVED_BY_GOOGLE");
    assert_eq!(Token::google(&identity(&emulator), &emulator).claims["email_verified"], false);
    assert_eq!(Token::google(&identity(&emulator), &emulator).claims.get("email"), None);
    assert_eq!(identity(&emulator), right, "the metadata server has kept the right one");
}

#[test]
fn every_endpoint_that_issues_id_tokens_can_be_told_to_change_them() {
    let emulator = emulator();
    let path = "/v1/projects/-/serviceAccounts/sa@p.iam.gserviceaccount.com:generateIdToken";
    order_fault(&emulator, &json!({ "path": path, "id_token": { "header": { "kid": "unknown" } } }));
    let request = Request::post(path, r#"{"audience": "a"}"#)
        .with_header("Authorization", &super::iam_credentials::bearer());
    let answer = parsed(&emulator.handle(&request, NOW));
    assert_eq!(Token::read(answer["token"].as_str().unwrap()).header["kid"], "unknown");

    let path = "/emulator/v1/subject-token";
    order_fault(&emulator, &json!({ "path": path, "id_token": { "claims": { "sub": "other" } } }));
    let answer = emulator.handle(&Request::get(path).with_header("Metadata", "true"), NOW);
    assert_eq!(Token::read(text(&answer)).claims["sub"], "other");
}

#[test]
fn a_token_can_live_for_a_short_time() {
    let emulator = emulator();
    order_fault(&emulator, &json!({ "path": ACCESS_TOKEN, "lifetime": 5 }));
    order_fault(&emulator, &json!({ "path": IDENTITY, "lifetime": 5 }));
    assert_eq!(parsed(&metadata_at(&emulator, ACCESS_TOKEN, NOW))["expires_in"], 5);
    assert_eq!(Token::read(&identity(&emulator)).claims["exp"], NOW.0 + 5);

    let path = "/v1/projects/-/serviceAccounts/sa@p.iam.gserviceaccount.com:generateAccessToken";
    order_fault(&emulator, &json!({ "path": path, "lifetime": 5 }));
    let request = Request::post(path, r#"{"scope": ["a"], "lifetime": "3600s"}"#)
        .with_header("Authorization", &super::iam_credentials::bearer());
    let answer = parsed(&emulator.handle(&request, NOW));
    let token = AccessToken::decode(answer["accessToken"].as_str().unwrap()).unwrap();
    assert_eq!(token.expires_at, UnixSeconds(NOW.0 + 5));
}

#[test]
fn the_same_answer_can_be_given_again() {
    let emulator = emulator();
    order_fault(&emulator, &json!({ "path": ACCESS_TOKEN, "same_answer": true, "times": 2 }));
    let later = UnixSeconds(NOW.0 + 3599);
    let first = metadata_at(&emulator, ACCESS_TOKEN, NOW).body;
    assert_eq!(metadata_at(&emulator, ACCESS_TOKEN, later).body, first);
    assert_ne!(metadata_at(&emulator, ACCESS_TOKEN, later).body, first);
}

#[test]
fn a_refresh_token_can_be_replaced() {
    let emulator = emulator();
    let file: Value = serde_json::from_str(&authorized_user(&User::default(), BASE_URL)).unwrap();
    let refresh = |token: &Value| {
        let fields = json!({
            "grant_type": "refresh_token",
            "client_id": file["client_id"],
            "client_secret": file["client_secret"],
            "refresh_token": token,
        });
        emulator.handle(&Request::post("/token", form(&fields)), NOW)
    };
    let first = &file["refresh_token"];
    assert_eq!(parsed(&refresh(first)).get("refresh_token"), None);

    order_fault(&emulator, &json!({ "path": "/token", "rotate_refresh_token": true }));
    let second = &parsed(&refresh(first))["refresh_token"];
    assert_eq!(refresh(second).status, 200);
    let revoked = refresh(first);
    assert_eq!((revoked.status, &parsed(&revoked)["error"]), (400, &json!("invalid_grant")));
}

#[test]
fn the_clock_can_be_wrong() {
    let emulator = emulator();
    for offset in [600, -600, 0] {
        let order = json!({ "offset_seconds": offset });
        assert_eq!(post(&emulator, "/emulator/v1/clock", &order).status, 200);
        let target = format!("{IDENTITY}?audience={offset}");
        let token = metadata_at(&emulator, &target, NOW);
        let issued_at = Token::read(text(&token)).claims["iat"].as_i64().unwrap();
        assert_eq!(issued_at - i64::try_from(NOW.0).unwrap(), offset);
    }
    let refused = post(&emulator, "/emulator/v1/clock", &json!({ "offset": 1 }));
    assert_eq!(refused.status, 400);
    assert!(text(&refused).contains("offset_seconds"));
}

#[test]
fn keys_can_be_rotated() {
    let emulator = emulator();
    let kids = |path: &str| {
        let keys = parsed(&get(&emulator, path));
        keys["keys"].as_array().unwrap().iter().map(|key| key["kid"].clone()).collect::<Vec<_>>()
    };
    let before = identity(&emulator);
    let (google, iap) = (kids("/oauth2/v3/certs"), kids("/iap/verify/public_key-jwk"));
    assert_eq!(post(&emulator, "/emulator/v1/keys:rotate", &json!({})).status, 200);

    let after = identity(&emulator);
    let kid = Token::google(&after, &emulator).header["kid"].clone();
    assert!(!google.contains(&kid), "a verifier has to ask for the keys again");
    Token::google(&before, &emulator);
    assert_eq!(kids("/oauth2/v3/certs"), [kid, google[0].clone()]);
    assert_eq!(kids("/iap/verify/public_key-jwk")[1], iap[0]);

    assert_eq!(post(&emulator, "/emulator/v1/keys:rotate", &json!({})).status, 200);
    let published = kids("/oauth2/v3/certs");
    assert!(!published.contains(&Token::read(&before).header["kid"]), "the token outlived its key");
}
