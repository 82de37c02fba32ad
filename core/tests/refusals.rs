//! What a refusal says: in words, and as data.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use gatepass_core::{Callers, Error, ErrorCode, Preset, Reason, Texts, Verifier, VerifierConfig};
use serde_json::{Value, json};
use support::{CALLER, claims, decide, keys, token};

const GOOGLE: &str = "https://accounts.google.com";
const AUDIENCE: &str = "https://svc-abc-uc.a.run.app";

fn verifier() -> Verifier {
    Verifier::new(VerifierConfig {
        preset: Some(Preset::Google),
        audiences: AUDIENCE.into(),
        callers: Callers::Emails(vec![CALLER.into(), "other@project.iam.gserviceaccount.com".into()]),
        keys: keys(),
        ..VerifierConfig::default()
    })
    .unwrap()
}

fn refused(text: &str) -> Error {
    decide(&verifier(), text).unwrap_err()
}

fn refused_with(name: &str, value: Value) -> Error {
    let mut claims = claims(GOOGLE, AUDIENCE);
    match value {
        Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
        value => claims[name] = value,
    }
    refused(&token(&claims))
}

fn one(text: &str) -> Option<Texts> {
    Some(Texts::One(text.into()))
}

fn many(texts: &[&str]) -> Option<Texts> {
    Some(Texts::Many(texts.iter().map(|text| (*text).into()).collect()))
}

#[test]
fn found_and_expected_are_said_and_given_as_data() {
    let issuers = many(&["https://accounts.google.com", "accounts.google.com"]);
    let emails = many(&[CALLER, "other@project.iam.gserviceaccount.com"]);
    let audiences = many(&[AUDIENCE]);
    use ErrorCode::*;
    use Reason::*;
    let cases = [
        ("iss", json!("https://a.example"), BadIssuer, Mismatch, one("https://a.example"), issuers.clone()),
        ("iss", json!(7), BadIssuer, Invalid, None, issuers),
        ("iss", Value::Null, MissingClaim, Missing, None, None),
        (
            "aud",
            json!("https://b.example"),
            BadAudience,
            Mismatch,
            one("https://b.example"),
            audiences.clone(),
        ),
        ("aud", json!(["a", "b"]), BadAudience, Mismatch, many(&["a", "b"]), audiences.clone()),
        ("aud", json!([]), BadAudience, Mismatch, many(&[]), audiences.clone()),
        ("aud", json!(7), BadAudience, Invalid, None, audiences),
        ("aud", json!([7]), BadAudience, Invalid, None, one("a string or an array of strings")),
        ("email", json!("c@d"), EmailNotAllowed, NotAllowed, one("c@d"), emails.clone()),
        ("email", Value::Null, EmailNotAllowed, Missing, None, emails.clone()),
        ("email", json!(7), EmailNotAllowed, Invalid, None, emails),
        ("email_verified", json!(false), EmailNotVerified, Invalid, one("false"), one("true")),
        ("email_verified", Value::Null, EmailNotVerified, Missing, None, one("true")),
        ("email_verified", json!("true"), EmailNotVerified, Invalid, None, one("true")),
        ("sub", json!(""), BadClaimType, Invalid, None, one("a string that is not empty")),
        (
            "exp",
            json!(1_799_990_000),
            TokenExpired,
            Invalid,
            one("2027-01-15T05:13:20Z"),
            one("after 2027-01-15T08:00:00Z"),
        ),
        (
            "iat",
            json!(1_800_000_100),
            TokenIssuedInFuture,
            Invalid,
            one("2027-01-15T08:01:40Z"),
            one("not after 2027-01-15T08:00:00Z"),
        ),
        (
            "nbf",
            json!(1_800_000_100),
            TokenNotYetValid,
            Invalid,
            one("2027-01-15T08:01:40Z"),
            one("not after 2027-01-15T08:00:00Z"),
        ),
    ];
    for (name, value, code, reason, found, expected) in cases {
        let error = refused_with(name, value.clone());
        assert_eq!((error.code(), error.claim()), (code, Some(name)), "{name} {value}");
        assert_eq!(error.reason(), Some(reason), "{error}");
        assert_eq!((error.found(), error.expected()), (found.as_ref(), expected.as_ref()), "{error}");
        for text in found.iter().flat_map(|texts| texts.as_slice()).filter(|text| !text.contains("after")) {
            assert!(error.to_string().contains(text), "{text}: {error}");
        }
    }
}

#[test]
fn mistakes_that_can_be_recognised_are_named() {
    let good = token(&claims(GOOGLE, AUDIENCE));
    let with = |iss: &str, aud: &str| token(&claims(iss, aud));
    let cases = [
        (format!("Bearer {good}"), ErrorCode::TokenMalformed, "the text begins with Bearer"),
        (format!("{good}\n"), ErrorCode::TokenMalformed, "white space before or after the token"),
        (format!("\"{good}\""), ErrorCode::TokenMalformed, "quotes around the token"),
        (format!("{good}=="), ErrorCode::TokenMalformed, "a part of the token ends in ="),
        ("ya29.c.b0AXv".into(), ErrorCode::TokenMalformed, "a Google access token, expected an ID token"),
        (String::new(), ErrorCode::TokenMalformed, "the text is empty"),
        ("1//0ghush".into(), ErrorCode::TokenMalformed, "looks like a refresh token"),
        ("{\"a\":1}".into(), ErrorCode::TokenMalformed, "it is JSON"),
        (with(GOOGLE, "https://svc-abc-uc.a.run.app/"), ErrorCode::BadAudience, "the slash at the end"),
        (with(GOOGLE, "http://svc-abc-uc.a.run.app"), ErrorCode::BadAudience, "http:// in place of https://"),
        (with(GOOGLE, "https://other.example"), ErrorCode::BadAudience, "\"https://other.example\""),
        (with("https://cloud.google.com/iap", AUDIENCE), ErrorCode::BadIssuer, "which preset iap verifies"),
        (
            with("a@p.iam.gserviceaccount.com", "https://oauth2.googleapis.com/token"),
            ErrorCode::BadIssuer,
            "a service account's own assertion",
        ),
    ];
    for (text, code, hint) in cases {
        let error = refused(&text);
        assert_eq!(error.code(), code, "{error}");
        assert!(error.to_string().contains(hint), "expected {hint}: {error}");
        assert!(!error.to_string().contains("hush") && !error.to_string().contains("eyJ"), "{error}");
    }
}

#[test]
fn the_claimed_email_is_for_the_log_only_and_unverified() {
    let mut forged = token(&claims(GOOGLE, AUDIENCE));
    forged.replace_range(forged.len() - 8.., "AAAAAAAA");
    let error = refused(&forged);
    assert_eq!((error.code(), error.claimed_email()), (ErrorCode::BadSignature, Some(CALLER)));
    assert!(!error.to_string().contains(CALLER), "nothing proves it: {error}");
    assert_eq!(refused_with("email", Value::Null).claimed_email(), None);
    assert_eq!(refused("a.b.c").claimed_email(), None);
    let error = refused_with("email", json!("Bearer eyJhbGciOiJSUzI1NiJ9"));
    assert_eq!(error.claimed_email(), Some("[redacted]"));
}

#[test]
fn a_claim_that_holds_a_credential_is_not_shown() {
    for secret in ["eyJhbGciOiJSUzI1NiJ9.e30.AA", "ya29.hush", "-----BEGIN PRIVATE KEY-----"] {
        for name in ["iss", "aud", "email"] {
            let error = refused_with(name, json!(secret));
            let shown = format!("{error} {error:?} {}", error.explain());
            assert!(!shown.contains(secret), "{name}: {shown}");
        }
    }
    // Long ones are cut.
    let error = refused_with("aud", json!("a".repeat(5000)));
    assert!(error.to_string().len() < 600, "{error}");
}
