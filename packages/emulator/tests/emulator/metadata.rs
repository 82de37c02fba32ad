//! The metadata server.

use std::time::Duration;

use gatepass_emulator::http::{Request, Response};
use gatepass_emulator::mint::AccessToken;
use gatepass_emulator::time::UnixSeconds;
use gatepass_emulator::{Config, Emulator};
use serde_json::json;

use super::{BASE_URL, NOW, Token, emulator, parsed, text};

const ACCOUNTS: &str = "/computeMetadata/v1/instance/service-accounts";
const EMAIL: &str = "default@emulator.iam.gserviceaccount.com";

fn request(path: &str) -> Request {
    Request::get(path).with_header("Metadata-Flavor", "Google")
}

fn ask(path: &str) -> Response {
    emulator().handle(&request(path), NOW)
}

#[test]
fn the_root_tells_anyone_that_there_is_a_metadata_server() {
    let response = emulator().handle(&Request::get("/"), NOW);
    assert_eq!((response.status, text(&response)), (200, "computeMetadata/\n"));
    assert_eq!(response.header("Metadata-Flavor"), Some("Google"));
    assert_eq!(response.header("Server"), Some("Metadata Server for VM"));
}

#[test]
fn values_are_text() {
    for (path, value) in [
        ("project/project-id", "emulator"),
        ("project/numeric-project-id", "123456789012"),
        ("universe/universe-domain", "googleapis.com"),
        ("instance/region", "projects/123456789012/regions/us-central1"),
        ("instance/zone", "projects/123456789012/zones/us-central1-1"),
        ("instance/service-accounts/default/email", EMAIL),
        ("instance/service-accounts/default%40emulator.iam.gserviceaccount.com/email", EMAIL),
        ("instance/service-accounts/default/aliases", "default\n"),
        (
            "instance/service-accounts/default/scopes",
            "https://www.googleapis.com/auth/cloud-platform\nhttps://www.googleapis.com/auth/userinfo.email\n",
        ),
    ] {
        let response = ask(&format!("/computeMetadata/v1/{path}"));
        assert_eq!((response.status, text(&response)), (200, value), "{path}");
        assert_eq!(response.header("Content-Type"), Some("application/text"), "{path}");
        assert_eq!(response.header("Metadata-Flavor"), Some("Google"), "{path}");
        assert!(response.header("ETag").is_some(), "{path}");
    }
}

#[test]
fn directories_are_listed() {
    for (path, listing) in [
        ("/computeMetadata/", "v1/\n"),
        ("/computeMetadata/v1/", "instance/\nproject/\nuniverse/\n"),
        ("/computeMetadata/v1/instance/", "region\nservice-accounts/\nzone\n"),
        ("/computeMetadata/v1/instance", "region\nservice-accounts/\nzone\n"),
        ("/computeMetadata/v1/instance/service-accounts/", &format!("default/\n{EMAIL}/\n")),
        (
            "/computeMetadata/v1/instance/service-accounts/default/",
            "aliases\nemail\nidentity\nscopes\ntoken\n",
        ),
    ] {
        let response = ask(path);
        assert_eq!((response.status, text(&response)), (200, listing), "{path}");
    }
}

#[test]
fn a_directory_without_its_slash_redirects_to_the_one_with_it() {
    let response = ask(&format!("{ACCOUNTS}/default?recursive=true"));
    assert_eq!(response.status, 301);
    assert_eq!(response.header("Location"), Some(&*format!("{ACCOUNTS}/default/?recursive=true")));
}

#[test]
fn a_directory_is_given_as_json_when_asked_for_recursively() {
    let response = ask(&format!("{ACCOUNTS}/default/?recursive=true"));
    assert_eq!(response.header("Content-Type"), Some("application/json"));
    let scopes =
        ["https://www.googleapis.com/auth/cloud-platform", "https://www.googleapis.com/auth/userinfo.email"];
    let account = json!({ "aliases": ["default"], "email": EMAIL, "scopes": scopes });
    assert_eq!(parsed(&response), account);

    let everything = parsed(&ask("/computeMetadata/v1/?recursive=true"));
    assert_eq!(everything["instance"]["serviceAccounts"][EMAIL], account);
    assert_eq!(
        everything["project"],
        json!({ "numericProjectId": 123_456_789_012_u64, "projectId": "emulator" })
    );
    assert_eq!(everything["universe"]["universeDomain"], "googleapis.com");
}

#[test]
fn what_does_not_exist_is_not_found() {
    for path in [
        "/computeMetadata/v1/project/colour",
        "/computeMetadata/v1/project/project-id/",
        "/computeMetadata/v1/project/project-id/more",
        "/computeMetadata//v1/",
        "/computeMetadata/v1/instance/service-accounts/stranger@emulator.iam.gserviceaccount.com/email",
        "/computeMetadata/v1/project/%ff",
    ] {
        let response = ask(path);
        assert_eq!(response.status, 404, "{path}");
        assert!(response.header("Content-Type").unwrap().starts_with("text/html"), "{path}");
    }
}

#[test]
fn the_flavor_header_is_required() {
    for headers in [&[][..], &[("Metadata-Flavor", "Google"), ("X-Forwarded-For", "10.0.0.1")]] {
        let mut request = Request::get("/computeMetadata/v1/project/project-id");
        for (name, value) in headers {
            request = request.with_header(name, value);
        }
        let response = emulator().handle(&request, NOW);
        assert_eq!(response.status, 403);
        assert_eq!(text(&response), r#"Missing required header "Metadata-Flavor": "Google""#);
    }
    let wrong =
        Request::get("/computeMetadata/v1/project/project-id").with_header("Metadata-Flavor", "Vanilla");
    assert_eq!(emulator().handle(&wrong, NOW).status, 404);
}

#[test]
fn an_identity_token_looks_like_googles() {
    let emulator = emulator();
    let target =
        format!("{ACCOUNTS}/default/identity?audience=https%3A%2F%2Freceiver.example%2F%3Fa%3Db&format=full");
    let response = emulator.handle(&request(&target), NOW);
    assert_eq!((response.status, response.header("Content-Type")), (200, Some("text/html")));

    let token = Token::google(text(&response), &emulator);
    assert_eq!(token.header["typ"], "JWT");
    let id = emulator.config().service_account.unique_id();
    assert_eq!(
        token.claims,
        json!({
            "iss": "https://accounts.google.com",
            "aud": "https://receiver.example/?a=b",
            "azp": id,
            "sub": id,
            "email": EMAIL,
            "email_verified": true,
            "iat": NOW.0,
            "exp": NOW.0 + 3600,
        })
    );
}

#[test]
fn the_standard_format_leaves_the_email_out() {
    let response = ask(&format!("{ACCOUNTS}/{EMAIL}/identity?audience=a&format=standard"));
    let token = Token::read(text(&response));
    assert!(token.claims.get("email").is_none() && token.claims.get("email_verified").is_none());
    assert!(token.claims.get("sub").is_some());
}

#[test]
fn an_identity_token_needs_an_audience() {
    for query in ["", "?audience=", "?format=full"] {
        let response = ask(&format!("{ACCOUNTS}/default/identity{query}"));
        assert_eq!((response.status, text(&response)), (400, "non-empty audience parameter required"));
    }
}

#[test]
fn identity_tokens_are_handed_out_again_until_five_minutes_before_their_end() {
    let emulator = emulator();
    let identity = |query: &str, seconds: u64| {
        let request = request(&format!("{ACCOUNTS}/default/identity?{query}"));
        emulator.handle(&request, UnixSeconds(NOW.0 + seconds)).body
    };
    let first = identity("audience=a", 0);
    assert_eq!(identity("audience=a", 3299), first);
    assert_ne!(identity("audience=b", 0), first);
    assert_ne!(identity("audience=a&format=standard", 0), first);
    assert_ne!(identity("audience=a", 3300), first);
}

#[test]
fn an_access_token_is_for_the_scopes_asked_for() {
    let emulator = emulator();
    let token = |query: &str, seconds: u64| {
        let request = request(&format!("{ACCOUNTS}/default/token{query}"));
        let response = emulator.handle(&request, UnixSeconds(NOW.0 + seconds));
        assert_eq!(response.header("Content-Type"), Some("application/json"));
        parsed(&response)
    };
    let body = token("?scopes=openid,email", 0);
    assert_eq!((&body["expires_in"], &body["token_type"]), (&json!(3600), &json!("Bearer")));
    let content = AccessToken::new(EMAIL, "openid email", UnixSeconds(NOW.0 + 3600));
    assert_eq!(AccessToken::decode(body["access_token"].as_str().unwrap()), Some(content));

    let later = token("?scopes=openid,email", 600);
    assert_eq!((&later["access_token"], &later["expires_in"]), (&body["access_token"], &json!(3000)));
    assert_ne!(token("", 0)["access_token"], body["access_token"]);
}

#[test]
fn tokens_may_be_posted_for_and_values_may_not() {
    let post = |path: &str| {
        let request =
            Request::post(path, r#"{"certificate_chain": ""}"#).with_header("Metadata-Flavor", "Google");
        emulator().handle(&request, NOW).status
    };
    assert_eq!(post(&format!("{ACCOUNTS}/default/token")), 200);
    assert_eq!(post(&format!("{ACCOUNTS}/default/identity?audience=a")), 200);
    assert_eq!(post(&format!("{ACCOUNTS}/default/email")), 405);
}

#[test]
fn the_configuration_shows() {
    let mut config = Config::new(BASE_URL);
    config.service_account = "sa@other.iam.gserviceaccount.com".parse().unwrap();
    config.token_lifetime = Duration::from_secs(60);
    config.region = "europe-west1".to_owned();
    let emulator = Emulator::new(config);
    let ask = |path: &str| emulator.handle(&request(path), NOW);
    assert_eq!(text(&ask(&format!("{ACCOUNTS}/default/email"))), "sa@other.iam.gserviceaccount.com");
    assert!(text(&ask("/computeMetadata/v1/instance/region")).ends_with("/europe-west1"));
    let response = ask(&format!("{ACCOUNTS}/default/identity?audience=a"));
    assert_eq!(Token::read(text(&response)).claims["exp"], NOW.0 + 60);
}
