//! Which key of a set verifies which token.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gatepass_core::Algorithm;
use gatepass_core::KeySet;
use gatepass_core::KeySource;
use gatepass_core::{
    Error, ErrorCode, KeyCache, Now, Operation, Preset, Reason, Reply, Step, Verdict, Verified, Verifier,
    VerifierConfig,
};
use serde_json::{Value, json};
use support::issuer::{Key, key_set};
use support::{NOW, answer, claims, decide};

const ISSUER: &str = "https://issuer.example";
const AUDIENCE: &str = "https://receiver.example";

fn config(keys: KeySource) -> VerifierConfig {
    VerifierConfig {
        issuers: vec![ISSUER.into()],
        audiences: AUDIENCE.into(),
        algorithms: vec![Algorithm::EdDsa, Algorithm::Rs256, Algorithm::Es256],
        keys,
        ..VerifierConfig::default()
    }
}

fn verify(keys: &Value, token: &str) -> Result<Verified, Error> {
    decide(&Verifier::new(config(KeySource::Static(keys.to_string()))).unwrap(), token)
}

fn token(key: &Key) -> String {
    key.token(&claims(ISSUER, AUDIENCE).to_string())
}

/// A token of this key that does not name it.
fn token_without_kid(key: &Key) -> String {
    key.token_with_header(&json!({"alg": key.alg()}), &claims(ISSUER, AUDIENCE).to_string())
}

fn without_kid(mut jwk: Value) -> Value {
    jwk.as_object_mut().unwrap().remove("kid");
    jwk
}

#[test]
fn a_token_without_a_key_id_is_for_the_only_key_that_fits() {
    let (key, other, ec) = (Key::eddsa("a", 1), Key::eddsa("b", 2), Key::es256());
    let good = token_without_kid(&key);
    for keys in [
        json!({"keys": [key.jwk()]}),
        json!({"keys": [key.jwk(), ec.jwk(), {"kty": "oct"}]}),
        json!({"keys": [without_kid(key.jwk())]}),
        json!({"keys": [key.jwk(), key.jwk(), without_kid(key.jwk())]}),
    ] {
        assert!(verify(&keys, &good).is_ok(), "{keys}");
        let error = verify(&keys, &token_without_kid(&other)).unwrap_err();
        assert_eq!(error.code(), ErrorCode::BadSignature);
    }
    for keys in [json!({"keys": [key.jwk(), other.jwk()]}), json!({"keys": [ec.jwk()]}), json!({"keys": []})]
    {
        let error = verify(&keys, &good).unwrap_err();
        assert_eq!((error.code(), error.claim()), (ErrorCode::UnknownKey, Some("kid")), "{keys}");
        assert_eq!(error.reason(), Some(Reason::Missing));
    }
    let empty = key.token_with_header(&json!({"alg": "EdDSA", "kid": ""}), "{}");
    assert_eq!(verify(&json!({"keys": [key.jwk()]}), &empty).unwrap_err().code(), ErrorCode::UnknownKey);
    // A token that names a key is not for a key without a name.
    let unnamed = json!({"keys": [without_kid(key.jwk())]});
    assert_eq!(verify(&unnamed, &token(&key)).unwrap_err().code(), ErrorCode::UnknownKey);
}

#[test]
fn without_key_ids_a_rotation_is_found_by_a_signature_that_does_not_fit() {
    let (old, new) = (Key::eddsa("a", 1), Key::eddsa("b", 2));
    let verifier = Verifier::new(config(KeySource::Url(format!("{ISSUER}/keys")))).unwrap();
    let now = Now::steady(NOW);
    let fetch = |keys: &Key, token: &str| {
        let Verdict::NeedsKeys(mut fetch) = verifier.check(token, now) else { panic!("nobody was chosen") };
        assert!(matches!(fetch.resume(now, Reply::Start), Step::Send(_)));
        assert!(matches!(
            answer(&mut fetch, NOW, &key_set([keys]).to_string(), "max-age=3600"),
            Step::Done(())
        ));
    };
    fetch(&old, &token_without_kid(&old));
    assert!(matches!(verifier.check(&token_without_kid(&old), now), Verdict::Accepted(..)));
    fetch(&new, &token_without_kid(&new));
    assert!(matches!(verifier.check(&token_without_kid(&new), now), Verdict::Accepted(..)));
    // And not again and again.
    for _ in 0..3 {
        assert!(matches!(verifier.check(&token_without_kid(&old), now), Verdict::Rejected(_)));
    }
}

#[test]
fn a_key_that_is_listed_twice_is_one_key_and_two_keys_of_one_id_are_ambiguous() {
    let (key, mut other) = (Key::eddsa("a", 1), Key::eddsa("b", 2).jwk());
    let mut without_alg = key.jwk();
    without_alg.as_object_mut().unwrap().remove("alg");
    for keys in [json!({"keys": [key.jwk(), key.jwk()]}), json!({"keys": [key.jwk(), without_alg]})] {
        assert!(verify(&keys, &token(&key)).is_ok(), "{keys}");
    }
    other["kid"] = json!("a");
    let error = verify(&json!({"keys": [key.jwk(), other]}), &token(&key)).unwrap_err();
    assert_eq!(error.code(), ErrorCode::KeyUnusable);
    assert!(error.to_string().contains("more than one key"), "{error}");
}

#[test]
fn a_set_is_bounded_in_bytes_and_not_in_keys() {
    let keys: Vec<_> = (0..1000).map(|n| Key::eddsa(&n.to_string(), n)).collect();
    assert!(verify(&key_set(&keys), &token(&keys[999])).is_ok());
    let mut large = key_set(&keys);
    large["padding"] = json!("x".repeat(256 * 1024));
    let error = KeySet::parse(&large.to_string()).unwrap_err();
    assert!(error.to_string().contains("expected at most 262144"), "{error}");
}

#[test]
fn one_key_of_ones_own_issuer_is_a_set_of_one() {
    let key = Key::es256();
    let mut anonymous = key.jwk();
    anonymous.as_object_mut().unwrap().remove("kid");
    assert!(verify(&key.jwk(), &token(&key)).is_ok());
    let error = verify(&anonymous, &token(&key)).unwrap_err();
    assert_eq!(error.code(), ErrorCode::UnknownKey, "the token names a key, and this one has no name");
}

#[test]
fn one_key_in_place_of_a_presets_set_is_named() {
    let key = Key::es256();
    let config = VerifierConfig {
        preset: Some(Preset::Google),
        audiences: AUDIENCE.into(),
        keys: KeySource::Static(key.jwk().to_string()),
        ..VerifierConfig::default()
    };
    let mut open = Verifier::open(config, &KeyCache::default());
    let _ = open.resume(Now::steady(NOW), Reply::Start);
    let Step::Done(opened) = open.resume(Now::steady(NOW), Reply::Env(Vec::new())) else {
        panic!("not made")
    };
    let warning = &opened.warnings[0];
    assert!(warning.contains("a single JWK, expected it in a set: {\"keys\":[…]}"), "{warning}");
}

#[test]
fn one_key_that_an_issuer_publishes_in_place_of_a_set_is_named() {
    let key = Key::es256();
    let verifier = Verifier::new(config(KeySource::Url(format!("{ISSUER}/keys")))).unwrap();
    let now = Now::steady(NOW);
    let Verdict::NeedsKeys(mut fetch) = verifier.check(&token(&key), now) else { panic!("not asked") };
    assert!(matches!(fetch.resume(now, Reply::Start), Step::Send(_)));
    let Step::Fail(error) = answer(&mut fetch, NOW, &key.jwk().to_string(), "") else { panic!("taken") };
    assert!(error.to_string().contains("a single JWK"), "{error}");
}

#[test]
fn a_token_that_is_too_long_is_refused_for_that_alone() {
    let key = Key::eddsa("a", 1);
    let verifier = Verifier::new(config(KeySource::Static(key_set([&key]).to_string()))).unwrap();
    let header = URL_SAFE_NO_PAD.encode(json!({"alg": "EdDSA", "kid": "a"}).to_string());
    for length in [16 * 1024 + 1, 10_000_000] {
        let long = format!("{header}.{}", "A".repeat(length - header.len() - 1));
        assert_eq!(decide(&verifier, &long).unwrap_err().code(), ErrorCode::TokenTooLarge);
        let gatepass_core::Recall::New(digest) = verifier.recall(long.as_bytes(), Now::steady(NOW)) else {
            panic!("remembered")
        };
        assert_eq!(format!("{digest:?}"), "TokenDigest(None)", "it was hashed");
        let Verdict::Rejected(error) = verifier.check_new(&long, digest, Now::steady(NOW)) else {
            panic!("not refused")
        };
        assert_eq!(error.code(), ErrorCode::TokenTooLarge);
    }
}
