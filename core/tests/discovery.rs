//! Any OpenID Connect issuer, by its discovery document.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use gatepass_core::Algorithm;
use gatepass_core::Preset;
use gatepass_core::{
    ErrorCode, KeyFetch, Millis, Now, Operation, Reply, Step, Verdict, Verifier, VerifierConfig,
};
use serde_json::{Value, json};
use support::{NOW, answer, claims, respond, token};

const ISSUER: &str = "https://issuer.example/tenant";
const DISCOVERY_URL: &str = "https://issuer.example/tenant/.well-known/openid-configuration";
const KEYS_URL: &str = "https://keys.issuer.example/jwks";
const AUDIENCE: &str = "https://receiver.example";

fn config(issuer: &str) -> VerifierConfig {
    VerifierConfig {
        preset: Some(Preset::Oidc),
        issuers: vec![issuer.into()],
        audiences: AUDIENCE.into(),
        ..VerifierConfig::default()
    }
}

fn verifier() -> Verifier {
    Verifier::new(config(ISSUER)).unwrap()
}

fn document() -> Value {
    json!({
        "issuer": ISSUER,
        "jwks_uri": KEYS_URL,
        "id_token_signing_alg_values_supported": ["none", "HS256", "RS256", "ES512"],
    })
}

fn good_token() -> String {
    token(&claims(ISSUER, AUDIENCE))
}

fn needs_keys(verifier: &Verifier, now: Millis) -> KeyFetch {
    let Verdict::NeedsKeys(fetch) = verifier.check(&good_token(), Now::steady(now)) else {
        panic!("no keys were asked for")
    };
    fetch
}

fn refreshes_keys(verifier: &Verifier, now: Millis) -> KeyFetch {
    let Verdict::Accepted(_, Some(fetch)) = verifier.check(&good_token(), Now::steady(now)) else {
        panic!("nobody was chosen to refresh the keys")
    };
    fetch
}

fn asks_for<T>(step: Step<T>, url: &str) {
    let Step::Send(request) = step else { panic!("no request for {url}") };
    assert_eq!(request.url, url);
}

#[test]
fn keys_are_where_the_document_says() {
    let verifier = verifier();
    let mut fetch = needs_keys(&verifier, NOW);
    asks_for(fetch.resume(Now::steady(NOW), Reply::Start), DISCOVERY_URL);
    asks_for(answer(&mut fetch, NOW, &document().to_string(), "max-age=3600"), KEYS_URL);
    assert!(matches!(verifier.check(&good_token(), Now::steady(NOW)), Verdict::Join(_)));
    let Step::Done(()) = answer(&mut fetch, NOW, &support::key_set().to_string(), "max-age=100") else {
        panic!("the keys were not taken")
    };
    assert!(matches!(verifier.check(&good_token(), Now::steady(NOW)), Verdict::Accepted(..)));
}

#[test]
fn each_document_lives_as_long_as_its_own_headers_say() {
    let verifier = verifier();
    let mut fetch = needs_keys(&verifier, NOW);
    asks_for(fetch.resume(Now::steady(NOW), Reply::Start), DISCOVERY_URL);
    asks_for(answer(&mut fetch, NOW, &document().to_string(), "max-age=3000"), KEYS_URL);
    let keys = support::key_set().to_string();
    assert!(matches!(answer(&mut fetch, NOW, &keys, "max-age=2000"), Step::Done(())));

    let at = NOW.plus(2_000_000);
    let mut fetch = refreshes_keys(&verifier, at);
    asks_for(fetch.resume(Now::steady(at), Reply::Start), KEYS_URL);
    assert!(matches!(answer(&mut fetch, at, &keys, "max-age=1000"), Step::Done(())));

    let at = NOW.plus(3_000_000);
    let mut fetch = refreshes_keys(&verifier, at);
    asks_for(fetch.resume(Now::steady(at), Reply::Start), DISCOVERY_URL);
}

#[test]
fn a_failed_key_fetch_asks_for_the_document_again() {
    let verifier = verifier();
    let mut fetch = needs_keys(&verifier, NOW);
    asks_for(fetch.resume(Now::steady(NOW), Reply::Start), DISCOVERY_URL);
    asks_for(answer(&mut fetch, NOW, &document().to_string(), "max-age=3600"), KEYS_URL);
    assert!(matches!(respond(&mut fetch, NOW, 404, "", &[]), Step::Fail(_)));
    asks_for(needs_keys(&verifier, NOW).resume(Now::steady(NOW), Reply::Start), DISCOVERY_URL);
}

#[test]
fn the_document_says_which_of_the_allowed_algorithms_count() {
    let verifier = verifier();
    let mut fetch = needs_keys(&verifier, NOW);
    asks_for(fetch.resume(Now::steady(NOW), Reply::Start), DISCOVERY_URL);
    let mut document = document();
    document["id_token_signing_alg_values_supported"] = json!(["ES256", "PS256"]);
    asks_for(answer(&mut fetch, NOW, &document.to_string(), ""), KEYS_URL);
    assert!(matches!(answer(&mut fetch, NOW, &support::key_set().to_string(), ""), Step::Done(())));
    let Verdict::Rejected(error) = verifier.check(&good_token(), Now::steady(NOW)) else {
        panic!("RS256 was accepted")
    };
    assert_eq!(error.code(), ErrorCode::AlgNotAllowed);
    assert!(error.to_string().contains("expected ES256 or PS256"), "{error}");

    let only_es256 = VerifierConfig { algorithms: vec![Algorithm::Es256], ..config(ISSUER) };
    let Verdict::Rejected(error) = Verifier::new(only_es256).unwrap().check(&good_token(), Now::steady(NOW))
    else {
        panic!("keys were fetched for an algorithm that is not allowed")
    };
    assert_eq!(error.code(), ErrorCode::AlgNotAllowed);
}

#[test]
fn a_document_that_is_not_the_issuers_is_refused() {
    let with = |name: &str, value: Value| {
        let mut document = document();
        document[name] = value;
        document.to_string()
    };
    let algorithms = "id_token_signing_alg_values_supported";
    let large = with("padding", json!("x".repeat(256 * 1024)));
    let cases = [
        ("names another issuer", with("issuer", json!("https://other.example"))),
        ("names another issuer", with("issuer", json!(format!("{ISSUER}/")))),
        ("names another issuer", with("issuer", json!(null))),
        ("begins with http://", with("jwks_uri", json!("http://issuer.example/keys"))),
        ("begins with http://", with("jwks_uri", json!("http://127.0.0.1/keys"))),
        ("does not begin with https://", with("jwks_uri", json!("file:///etc/passwd"))),
        ("user information", with("jwks_uri", json!("https://issuer.example@other.example/"))),
        ("missing or no string", with("jwks_uri", json!(7))),
        ("holds none of RS256", with(algorithms, json!(["HS256", "none"]))),
        ("missing or no array", with(algorithms, json!("RS256"))),
        ("not valid JSON", "<html>".into()),
        ("not an object", "[]".into()),
        ("expected at most 262144", large),
    ];
    for (expected, body) in cases {
        let mut fetch = needs_keys(&verifier(), NOW);
        asks_for(fetch.resume(Now::steady(NOW), Reply::Start), DISCOVERY_URL);
        let Step::Fail(error) = answer(&mut fetch, NOW, &body, "") else { panic!("{expected}: taken") };
        assert_eq!((error.code(), error.is_retryable()), (ErrorCode::DiscoveryInvalid, true), "{expected}");
        assert!(error.to_string().contains(expected), "{error}");
    }
    for (status, expected, is_retryable) in [(404, "answered 404", false), (302, "answered 302", true)] {
        let mut fetch = needs_keys(&verifier(), NOW);
        asks_for(fetch.resume(Now::steady(NOW), Reply::Start), DISCOVERY_URL);
        let Step::Fail(error) = respond(&mut fetch, NOW, status, "", &[]) else {
            panic!("{expected}: taken")
        };
        assert_eq!((error.code(), error.is_retryable()), (ErrorCode::DiscoveryInvalid, is_retryable));
        assert!(error.to_string().contains(expected) && error.to_string().contains(ISSUER), "{error}");
    }
}

#[test]
fn a_discovery_that_fails_for_a_while_is_tried_again() {
    let verifier = verifier();
    let mut fetch = needs_keys(&verifier, NOW);
    asks_for(fetch.resume(Now::steady(NOW), Reply::Start), DISCOVERY_URL);
    let Step::Wait { delay_ms } = respond(&mut fetch, NOW, 503, "", &[("Retry-After", "2")]) else {
        panic!("no wait")
    };
    assert_eq!(delay_ms, 2000);
    let until = NOW.plus(delay_ms);
    asks_for(fetch.resume(Now::steady(until), Reply::Elapsed), DISCOVERY_URL);
    drop(fetch);
    drop(needs_keys(&verifier, until));
}

#[test]
fn an_issuer_on_this_machine_may_do_without_tls() {
    let issuer = "http://127.0.0.1:8080";
    let verifier = Verifier::new(config(issuer)).unwrap();
    let token = token(&claims(issuer, AUDIENCE));
    let Verdict::NeedsKeys(mut fetch) = verifier.check(&token, Now::steady(NOW)) else {
        panic!("no keys were asked for")
    };
    asks_for(
        fetch.resume(Now::steady(NOW), Reply::Start),
        "http://127.0.0.1:8080/.well-known/openid-configuration",
    );
    let mut document = document();
    document["issuer"] = json!(issuer);
    document["jwks_uri"] = json!("http://127.0.0.1:8080/keys");
    asks_for(answer(&mut fetch, NOW, &document.to_string(), ""), "http://127.0.0.1:8080/keys");
}

#[test]
fn an_issuer_with_a_slash_at_its_end_has_one_in_its_tokens_only() {
    let issuer = "https://tenant.example/";
    let verifier = Verifier::new(config(issuer)).unwrap();
    let token = token(&claims(issuer, AUDIENCE));
    let Verdict::NeedsKeys(mut fetch) = verifier.check(&token, Now::steady(NOW)) else {
        panic!("no keys were asked for")
    };
    asks_for(
        fetch.resume(Now::steady(NOW), Reply::Start),
        "https://tenant.example/.well-known/openid-configuration",
    );
}

#[test]
fn options_that_name_no_issuer_are_refused() {
    let mistakes = [
        ("expected one in `issuers`", VerifierConfig { issuers: Vec::new(), ..config(ISSUER) }),
        ("more than one issuer", VerifierConfig { issuers: vec![ISSUER.into(); 2], ..config(ISSUER) }),
        ("begins with http://", config("http://issuer.example")),
        ("does not begin with https://", config("accounts.google.com")),
        ("has a query", config("https://issuer.example?tenant=1")),
        ("has a fragment", config("https://issuer.example#1")),
    ];
    for (expected, config) in mistakes {
        let Err(error) = Verifier::new(config) else { panic!("{expected}: made") };
        assert_eq!(error.code(), ErrorCode::InvalidOption);
        assert!(error.to_string().contains(expected), "{error}");
    }
}
