//! The control API.

use std::time::Duration;

use gatepass_emulator::Emulator;
use gatepass_emulator::http::Response;
use serde_json::{Value, json};

use super::{NOW, Token, emulator, get, parsed, post, text};

const DISCOVERY: &str = "/.well-known/openid-configuration";

fn mint(emulator: &Emulator, order: &Value) -> String {
    let response = post(emulator, "/emulator/v1/mint", order);
    assert_eq!(response.status, 200, "{}", text(&response));
    parsed(&response)["token"].as_str().unwrap().to_owned()
}

fn order_fault(emulator: &Emulator, order: &Value) {
    let response = post(emulator, "/emulator/v1/fault", order);
    assert_eq!(response.status, 200, "{}", text(&response));
}

fn error(response: &Response) -> String {
    assert_eq!(response.status, 400);
    parsed(response)["error"].as_str().unwrap().to_owned()
}

#[test]
fn requests_are_counted_by_path_and_the_control_api_is_not() {
    let emulator = emulator();
    get(&emulator, DISCOVERY);
    get(&emulator, "/unknown?a=1");
    get(&emulator, "/unknown?a=2");
    let requests = parsed(&get(&emulator, "/emulator/v1/requests"));
    assert_eq!(requests, json!({ "counts": { DISCOVERY: 1, "/unknown": 2 }, "total": 3 }));

    post(&emulator, "/emulator/v1/requests:reset", &json!({}));
    assert_eq!(parsed(&get(&emulator, "/emulator/v1/requests")), json!({ "counts": {}, "total": 0 }));
}

#[test]
fn an_order_for_an_audience_gets_the_token_that_google_would_issue() {
    let emulator = emulator();
    let token = mint(&emulator, &json!({ "claims": { "aud": "https://receiver.example" } }));
    let token = Token::google(&token, &emulator);
    let account = &emulator.config().service_account;
    assert_eq!(token.claims["iss"], "https://accounts.google.com");
    assert_eq!(token.claims["email"], account.email());
    assert_eq!(token.claims["sub"], account.unique_id());
    assert_eq!((&token.claims["iat"], &token.claims["exp"]), (&json!(NOW.0), &json!(NOW.0 + 3600)));
}

#[test]
fn an_order_may_change_claims_header_and_times() {
    let emulator = emulator();
    let order = json!({
        "claims": { "aud": ["a", "b"], "email": "caller@p.iam.gserviceaccount.com", "email_verified": false },
        "omit": ["azp"],
        "header": { "typ": "at+jwt" },
        "issued_at": 1_000_000,
        "lifetime": 60,
    });
    let token = mint(&emulator, &order);
    let token = Token::google(&token, &emulator);
    assert_eq!(token.header["typ"], "at+jwt");
    let caller: gatepass_emulator::ServiceAccount = "caller@p.iam.gserviceaccount.com".parse().unwrap();
    assert_eq!(
        token.claims,
        json!({
            "iss": "https://accounts.google.com",
            "aud": ["a", "b"],
            "sub": caller.unique_id(),
            "email": caller.email(),
            "email_verified": false,
            "iat": 1_000_000,
            "exp": 1_000_060,
        })
    );
}

#[test]
fn an_iap_token_is_signed_with_es256() {
    let emulator = emulator();
    let audience = "/projects/1/global/backendServices/2";
    let token = mint(&emulator, &json!({ "key": "iap", "claims": { "aud": audience } }));
    let token = Token::verify(&token, &emulator, "/iap/verify/public_key-jwk");
    let account = &emulator.config().service_account;
    assert_eq!(token.header["alg"], "ES256");
    assert_eq!(token.claims["iss"], "https://cloud.google.com/iap");
    assert_eq!(token.claims["aud"], audience);
    assert_eq!(token.claims["sub"], format!("accounts.google.com:{}", account.unique_id()));
    assert_eq!(token.claims["email"], account.email());
    assert_eq!(token.claims["hd"], "emulator.iam.gserviceaccount.com");
}

#[test]
fn a_signature_can_be_removed_as_cloud_run_does() {
    let token = mint(&emulator(), &json!({ "claims": { "aud": "a" }, "strip_signature": true }));
    assert_eq!(Token::read(&token).signature, "SIGNATURE_REMOVED_BY_GOOGLE");
}

#[test]
fn an_order_that_makes_no_sense_is_refused_with_the_reason() {
    let mint = |order: &Value| error(&post(&emulator(), "/emulator/v1/mint", order));
    assert!(mint(&json!({})).contains("claims.aud"));
    assert!(mint(&json!({ "clams": {} })).contains("unknown field `clams`"));
    assert!(mint(&json!({ "key": "azure" })).contains("azure"));
    assert!(error(&post(&emulator(), "/emulator/v1/fault", &json!({ "status": 500 }))).contains("path"));
    let unknown = get(&emulator(), "/emulator/v1/mint");
    assert_eq!(unknown.status, 404);
    assert!(text(&unknown).contains("GET /emulator/v1/mint"));
}

#[test]
fn a_token_without_an_audience_can_be_had_by_saying_so() {
    let token = mint(&emulator(), &json!({ "omit": ["aud"] }));
    assert!(Token::read(&token).claims.get("aud").is_none());
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
