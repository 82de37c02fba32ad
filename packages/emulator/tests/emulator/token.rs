//! The token endpoint, asked with the key of a key file. ring signs the assertions.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use gatepass_emulator::http::{Request, Response};
use gatepass_emulator::mint::AccessToken;
use gatepass_emulator::time::UnixSeconds;
use gatepass_emulator::{Emulator, ServiceAccount};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};

use super::{BASE_URL, NOW, Token, emulator, parsed};

const EMAIL: &str = "sa@project.iam.gserviceaccount.com";

/// A key file, read as a client reads it.
struct KeyFile {
    content: Value,
    key: RsaKeyPair,
}

impl KeyFile {
    fn new() -> Self {
        let account: ServiceAccount = EMAIL.parse().unwrap();
        let content: Value = serde_json::from_str(&account.key_file(BASE_URL).unwrap()).unwrap();
        let pem = pem::parse(content["private_key"].as_str().unwrap()).unwrap();
        assert_eq!(pem.tag(), "PRIVATE KEY");
        Self { key: RsaKeyPair::from_pkcs8(pem.contents()).unwrap(), content }
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let encode = |part: &Value| BASE64_URL_SAFE_NO_PAD.encode(part.to_string());
        let signing_input = format!("{}.{}", encode(header), encode(claims));
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signing_input.as_bytes(), &mut signature)
            .unwrap();
        format!("{signing_input}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }

    /// Signs the usual claims with `changes` merged into them; null takes a claim out.
    fn assertion(&self, changes: &Value) -> String {
        let header = json!({ "alg": "RS256", "typ": "JWT", "kid": self.content["private_key_id"] });
        self.sign(&header, &claims(changes))
    }
}

fn claims(changes: &Value) -> Value {
    let mut claims = json!({
        "iss": EMAIL,
        "aud": format!("{BASE_URL}/token"),
        "iat": NOW.0,
        "exp": NOW.0 + 3600,
        "target_audience": "https://receiver.example",
    });
    let claims_object = claims.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        claims_object.insert(name.clone(), value.clone());
    }
    claims_object.retain(|_, value| !value.is_null());
    claims
}

fn exchange(emulator: &Emulator, assertion: &str) -> Response {
    let form =
        format!("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion={assertion}");
    emulator.handle(&Request::post("/token", form), NOW)
}

/// Gives the error code and its description.
fn refused(response: &Response) -> (String, String) {
    assert_eq!(response.status, 400);
    assert!(response.header("Content-Type").unwrap().starts_with("application/json"));
    let body = parsed(response);
    let member = |name: &str| body[name].as_str().unwrap().to_owned();
    (member("error"), member("error_description"))
}

#[test]
fn a_key_file_has_every_field_and_says_that_it_is_a_test_key() {
    let KeyFile { content, .. } = KeyFile::new();
    assert_eq!(content["type"], "service_account");
    assert_eq!(content["gatepass_emulator"], "TEST KEY, NOT A SECRET");
    assert_eq!(content["project_id"], "project");
    assert_eq!(content["client_email"], EMAIL);
    assert_eq!(content["token_uri"], format!("{BASE_URL}/token"));
    assert_eq!(content["universe_domain"], "googleapis.com");
    for field in
        ["private_key_id", "client_id", "auth_uri", "auth_provider_x509_cert_url", "client_x509_cert_url"]
    {
        assert!(content[field].as_str().is_some_and(|value| !value.is_empty()), "{field}");
    }
}

#[test]
fn an_assertion_with_a_target_audience_gets_an_id_token() {
    let emulator = emulator();
    let response = exchange(&emulator, &KeyFile::new().assertion(&json!({})));
    assert_eq!(response.status, 200);
    assert!(response.header("Cache-Control").unwrap().contains("no-store"));
    let body = parsed(&response);
    assert_eq!(body.as_object().unwrap().len(), 1);
    let token = Token::google(body["id_token"].as_str().unwrap(), &emulator);
    assert_eq!(
        token.claims,
        json!({
            "iss": "https://accounts.google.com",
            "aud": "https://receiver.example",
            "azp": EMAIL,
            "sub": EMAIL.parse::<ServiceAccount>().unwrap().unique_id(),
            "email": EMAIL,
            "email_verified": true,
            "iat": NOW.0,
            "exp": NOW.0 + 3600,
        })
    );
}

#[test]
fn an_assertion_with_scopes_gets_an_access_token() {
    for (changes, principal) in [
        (json!({ "target_audience": null, "scope": "openid email" }), EMAIL),
        (
            json!({ "target_audience": null, "scope": "openid email", "sub": "user@example.com" }),
            "user@example.com",
        ),
    ] {
        let body = parsed(&exchange(&emulator(), &KeyFile::new().assertion(&changes)));
        assert_eq!((&body["expires_in"], &body["token_type"]), (&json!(3599), &json!("Bearer")));
        let content = AccessToken::new(principal, "openid email", UnixSeconds(NOW.0 + 3600));
        assert_eq!(AccessToken::decode(body["access_token"].as_str().unwrap()), Some(content));
    }
}

#[test]
fn assertions_as_the_libraries_send_them_are_accepted() {
    let key_file = KeyFile::new();
    let node = key_file.sign(&json!({ "alg": "RS256" }), &claims(&json!({})));
    for (library, assertion) in [
        ("Python", key_file.assertion(&json!({ "aud": "https://oauth2.googleapis.com/token" }))),
        ("Node", node),
        ("Go", key_file.assertion(&json!({ "iat": NOW.0 - 10, "exp": NOW.0 + 3590 }))),
        ("Rust", key_file.assertion(&json!({ "iat": NOW.0 - 10, "exp": NOW.0 + 3610, "sub": EMAIL }))),
    ] {
        assert_eq!(exchange(&emulator(), &assertion).status, 200, "{library}");
    }
}

#[test]
fn the_audience_may_be_the_address_that_the_client_used() {
    let assertion = KeyFile::new().assertion(&json!({ "aud": "http://emulator:8085/token" }));
    assert_eq!(refused(&exchange(&emulator(), &assertion)).0, "invalid_grant");

    let form = format!("grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion={assertion}");
    let request = Request::post("/token", form).with_header("host", "emulator:8085");
    let mut config = emulator().config().clone();
    config.host_names.push("emulator".to_owned());
    assert_eq!(Emulator::new(config).handle(&request, NOW).status, 200);
    // Under a name that nobody gave it, a web page could have sent it.
    assert_eq!(emulator().handle(&request, NOW).status, 403);
}

#[test]
fn a_bad_assertion_is_an_invalid_grant() {
    let key_file = KeyFile::new();
    let good = key_file.assertion(&json!({}));
    let (signing_input, signature) = good.rsplit_once('.').unwrap();
    let other_claims = key_file.assertion(&json!({ "target_audience": "https://other.example" }));
    let (other_input, _) = other_claims.rsplit_once('.').unwrap();
    let header = |header: Value| key_file.sign(&header, &claims(&json!({})));
    for (assertion, reason) in [
        ("rubbish".to_owned(), "not a signed JWT"),
        (format!("{signing_input}."), "JWT Signature"),
        (format!("{other_input}.{signature}"), "JWT Signature"),
        (header(json!({ "alg": "none" })), "JWT Signature"),
        (header(json!({ "alg": "RS256", "kid": "another" })), "JWT Signature"),
        (key_file.assertion(&json!({ "iss": "other@project.iam.gserviceaccount.com" })), "JWT Signature"),
        (key_file.assertion(&json!({ "iss": null })), "`iss`"),
        (key_file.assertion(&json!({ "aud": "https://elsewhere.example/token" })), "Failed audience check"),
        (key_file.assertion(&json!({ "aud": null })), "Failed audience check"),
    ] {
        let (error, description) = refused(&exchange(&emulator(), &assertion));
        assert_eq!(error, "invalid_grant");
        assert!(description.contains(reason), "{description}");
    }
}

#[test]
fn an_assertion_must_be_timely() {
    let key_file = KeyFile::new();
    let now = NOW.0;
    for (issued_at, expires_at, accepted) in [
        (Some(now), Some(now + 1), true),
        (Some(now + 60), Some(now + 3660), true),
        (Some(now + 61), Some(now + 3600), false),
        (Some(now), Some(now + 3660), true),
        (Some(now), Some(now + 3661), false),
        (Some(now - 3600), Some(now), false),
        (Some(now + 30), Some(now + 20), false),
        (Some(now), None, false),
        (None, Some(now + 3600), false),
    ] {
        let assertion = key_file.assertion(&json!({ "iat": issued_at, "exp": expires_at }));
        let response = exchange(&emulator(), &assertion);
        if accepted {
            assert_eq!(response.status, 200, "{issued_at:?} to {expires_at:?}");
        } else {
            let (error, description) = refused(&response);
            assert_eq!(error, "invalid_grant");
            assert!(description.contains("reasonable timeframe"), "{description}");
        }
    }
}

#[test]
fn an_assertion_asks_for_one_kind_of_token() {
    for changes in
        [json!({ "scope": "openid" }), json!({ "target_audience": null }), json!({ "target_audience": "" })]
    {
        let response = exchange(&emulator(), &KeyFile::new().assertion(&changes));
        assert_eq!(refused(&response).0, "invalid_scope");
    }
}

#[test]
fn a_form_that_is_not_a_jwt_bearer_grant_is_refused() {
    let ask = |form: &str| refused(&emulator().handle(&Request::post("/token", form), NOW));
    assert_eq!(ask("").0, "invalid_request");
    assert_eq!(ask("grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer").0, "invalid_request");
    assert_eq!(
        ask("grant_type=password"),
        ("unsupported_grant_type".to_owned(), "Invalid grant_type: password".to_owned())
    );
}
