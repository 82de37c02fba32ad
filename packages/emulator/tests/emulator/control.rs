//! The control API.

use std::sync::Arc;

use gatepass_emulator::http::{Request, Response};
use gatepass_emulator::{Config, Emulator};
use serde_json::{Value, json};

use super::{NOW, Token, emulator, get, parsed, post, text};

const DISCOVERY: &str = "/.well-known/openid-configuration";

fn mint(emulator: &Emulator, order: &Value) -> String {
    let response = post(emulator, "/emulator/v1/mint", order);
    assert_eq!(response.status, 200, "{}", text(&response));
    parsed(&response)["token"].as_str().unwrap().to_owned()
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
fn the_page_sees_what_was_asked_what_was_answered_and_what_waits() {
    let emulator = emulator();
    get(&emulator, "/oauth2/v3/certs?secret=hush");
    post(&emulator, "/token", &json!({ "grant_type": "unheard of" }));
    post(&emulator, "/emulator/v1/fault", &json!({ "path": "/token", "status": 503, "times": 2 }));
    post(&emulator, "/emulator/v1/fault", &json!({ "path": "/token", "delay_ms": 10 }));
    post(&emulator, "/emulator/v1/keys:rotate", &json!({}));
    post(&emulator, "/emulator/v1/clock", &json!({ "offset_seconds": 5 }));
    let seen = parsed(&get(&emulator, "/emulator/v1/activity?after=0"));
    let exchanges = seen["exchanges"].as_array().unwrap();
    assert_eq!(exchanges.len(), 2);
    let expected = json!({ "number": 1, "at": NOW.0, "method": "GET", "path": "/oauth2/v3/certs", "status": 200, "reason": null, "is_fault": false });
    assert_eq!(exchanges[0], expected);
    assert_eq!((&exchanges[1]["path"], &exchanges[1]["status"]), (&json!("/token"), &json!(400)));
    assert!(exchanges[1]["reason"].as_str().unwrap().contains("grant_type"), "{}", exchanges[1]);
    let faults = json!([
        { "path": "/token", "times": 2, "effect": "answers 503" },
        { "path": "/token", "times": 1, "effect": "answers 10 ms late" },
    ]);
    assert_eq!(seen["faults"], faults);
    assert_eq!(seen["key_rotations"], 1);
    assert_eq!(seen["clock"], json!({ "now": NOW.0 + 5, "offset_seconds": 5 }));
    let later = parsed(&get(&emulator, "/emulator/v1/activity?after=2"));
    assert_eq!(later["exchanges"], json!([]));
}

#[test]
fn browsers_get_the_page_and_programs_the_metadata_server() {
    let emulator = emulator();
    let ask = |headers: &[(&str, &str)]| {
        let request =
            headers.iter().fold(Request::get("/"), |request, (name, value)| request.with_header(name, value));
        emulator.handle(&request, NOW)
    };
    let page = ask(&[("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")]);
    let policy = page.header("Content-Security-Policy").unwrap();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    assert_eq!(page.header("Metadata-Flavor"), None);
    let html = text(&page);
    for path in ["/emulator/base.css", "/emulator/page.css", "/emulator/page.js"] {
        assert!(html.contains(path));
        let asset = get(&emulator, path);
        assert_eq!((asset.status, asset.header("Content-Security-Policy")), (200, Some(policy)), "{path}");
    }
    for program in [&[][..], &[("Accept", "*/*")], &[("Accept", "text/html"), ("Metadata-Flavor", "Google")]]
    {
        assert_eq!(ask(program).header("Metadata-Flavor"), Some("Google"), "{program:?}");
    }
}

#[test]
fn the_page_that_explains_tokens_is_served_where_it_is_there() {
    let browser = Request::get("/").with_header("Accept", "text/html");
    let without = emulator();
    assert!(text(&without.handle(&browser, NOW)).contains("start it with --inspector FOLDER"));
    assert_eq!(get(&without, "/emulator/inspector/").status, 404);

    let mut config = Config::new("http://127.0.0.1:8085");
    let files = [("index.html", "<p>"), ("gatepass/src/a.js", "a"), ("a.txt", "a")];
    config.inspector = Arc::new(files.map(|(path, text)| (path.to_owned(), text.into())).into());
    let emulator = Emulator::new(config);
    assert!(text(&emulator.handle(&browser, NOW)).contains(r#"href="/emulator/inspector/""#));
    let page = get(&emulator, "/emulator/inspector/");
    assert_eq!((text(&page), page.header("Content-Type")), ("<p>", Some("text/html; charset=utf-8")));
    let policy = page.header("Content-Security-Policy").unwrap();
    assert!(policy.contains("connect-src 'none'") && policy.contains("script-src 'self' 'wasm-unsafe-eval'"));
    let script = get(&emulator, "/emulator/inspector/gatepass/src/a.js");
    assert_eq!((script.status, script.header("Content-Type")), (200, Some("text/javascript; charset=utf-8")));
    for path in ["/emulator/inspector/b.js", "/emulator/inspector/../page.js", "/emulator/inspector/a.txt"] {
        assert_eq!(get(&emulator, path).status, 404, "{path}");
    }
}
