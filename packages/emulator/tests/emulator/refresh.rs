//! The refresh-token grant, asked with what is in the credential files.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use gatepass_emulator::http::{Request, Response};
use gatepass_emulator::mint::AccessToken;
use gatepass_emulator::time::UnixSeconds;
use gatepass_emulator::{User, credential_file};
use serde_json::{Value, json};

use super::{BASE_URL, NOW, emulator, form, parsed};

const PERSON: &str = "jane@example.com";
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

fn person() -> User {
    PERSON.parse().unwrap()
}

/// Sends what a client makes of an `authorized_user` file, with `changes` merged in.
fn at_google(changes: &Value) -> Response {
    let file: Value = serde_json::from_str(&credential_file::authorized_user(&person(), BASE_URL)).unwrap();
    assert_eq!(file["token_uri"], format!("{BASE_URL}/token"));
    let mut fields = json!({ "grant_type": "refresh_token" });
    for name in ["client_id", "client_secret", "refresh_token"] {
        fields[name] = file[name].clone();
    }
    fields.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    emulator().handle(&Request::post("/token", form(&fields)), NOW)
}

/// Sends what a client makes of an `external_account_authorized_user` file.
fn at_sts(secret: Option<&str>) -> Response {
    let file = credential_file::external_account_authorized_user(&person(), BASE_URL);
    let file: Value = serde_json::from_str(&file).unwrap();
    assert_eq!(file["token_url"], format!("{BASE_URL}/v1/oauthtoken"));
    let fields =
        json!({ "grant_type": "refresh_token", "refresh_token": file["refresh_token"], "scope": SCOPE });
    let request = Request::post("/v1/oauthtoken", form(&fields));
    let id = file["client_id"].as_str().unwrap();
    let request = match secret {
        Some(secret) => {
            let basic = BASE64_STANDARD.encode(format!("{id}:{secret}"));
            request.with_header("authorization", &format!("Basic {basic}"))
        }
        None => request,
    };
    emulator().handle(&request, NOW)
}

fn assert_refused(response: &Response, status: u16, error: &str) {
    assert_eq!((response.status, &parsed(response)["error"]), (status, &json!(error)));
}

#[test]
fn a_person_gets_an_access_token() {
    let response = at_google(&json!({ "scope": "a b" }));
    assert_eq!(response.status, 200);
    assert!(response.header("Cache-Control").unwrap().contains("no-store"));
    let body = parsed(&response);
    assert_eq!(
        (&body["expires_in"], &body["token_type"], &body["scope"]),
        (&json!(3599), &json!("Bearer"), &json!("a b"))
    );
    let content = AccessToken::new(PERSON, "a b", UnixSeconds(NOW.0 + 3600));
    assert_eq!(AccessToken::decode(body["access_token"].as_str().unwrap()), Some(content));
}

#[test]
fn without_a_scope_it_is_all_that_the_person_granted() {
    let body = parsed(&at_google(&json!({})));
    assert!(body["scope"].as_str().unwrap().split(' ').any(|scope| scope == SCOPE));
}

#[test]
fn a_refresh_token_of_somebody_else_is_an_invalid_grant() {
    for token in ["1//somebody-elses", "1//gatepass-emulator.AAAA"] {
        assert_refused(&at_google(&json!({ "refresh_token": token })), 400, "invalid_grant");
    }
}

#[test]
fn a_refresh_token_is_good_at_one_endpoint_only() {
    let file = credential_file::external_account_authorized_user(&person(), BASE_URL);
    let file: Value = serde_json::from_str(&file).unwrap();
    let response = at_google(&json!({ "refresh_token": file["refresh_token"] }));
    assert_refused(&response, 400, "invalid_grant");
}

#[test]
fn another_client_is_an_invalid_client() {
    assert_refused(&at_google(&json!({ "client_secret": "another" })), 401, "invalid_client");
    assert_refused(&at_google(&json!({ "client_id": "another" })), 401, "invalid_client");
    assert_refused(&at_google(&json!({ "client_id": "" })), 400, "invalid_request");
}

#[test]
fn a_person_of_a_workforce_pool_authenticates_by_header() {
    let response = at_sts(Some("TEST-CLIENT-NOT-A-SECRET"));
    assert_eq!(response.status, 200);
    let token = AccessToken::decode(parsed(&response)["access_token"].as_str().unwrap()).unwrap();
    assert!(token.principal.starts_with("principal://iam.googleapis.com/locations/global/workforcePools/"));
    assert!(token.principal.ends_with("/subject/jane@example.com"));
    assert_refused(&at_sts(Some("another")), 401, "invalid_client");
    assert_refused(&at_sts(None), 401, "invalid_client");
}
