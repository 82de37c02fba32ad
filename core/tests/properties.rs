//! What holds for every token and all claims. Seeds are fixed: each run tests the same.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::sync::LazyLock;

use gatepass_core::Algorithm;
use gatepass_core::KeySource;
use gatepass_core::{Now, Verdict, Verifier, VerifierConfig};
use proptest::collection::{hash_map, vec};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::{Map, Value, json};
use support::issuer::{Key, key_set};
use support::{NOW, claims};

const ISSUER: &str = "https://issuer.example";
const AUDIENCE: &str = "https://receiver.example";

static KEYS: LazyLock<[Key; 4]> =
    LazyLock::new(|| [Key::rs256(), Key::ps256(), Key::es256(), Key::eddsa("ed", 0)]);

fn seeded(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        rng_seed: RngSeed::Fixed(5),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

fn verifier(keys: KeySource) -> Verifier {
    let config = VerifierConfig {
        issuers: vec![ISSUER.into()],
        audiences: AUDIENCE.into(),
        algorithms: Algorithm::ALL.to_vec(),
        keys,
        ..VerifierConfig::default()
    };
    Verifier::new(config).unwrap()
}

/// A verifier of tokens by any of [`KEYS`].
fn verifier_of_all() -> Verifier {
    verifier(KeySource::Static(key_set(&*KEYS).to_string()))
}

fn accepts(verifier: &Verifier, token: &str) -> bool {
    matches!(verifier.check(token, Now::steady(NOW)), Verdict::Accepted(..))
}

/// The token with this bit turned over, as a host hands it on that has texts only.
fn turned(token: &str, bit: usize) -> String {
    let mut bytes = token.as_bytes().to_vec();
    bytes[bit / 8] ^= 1 << (bit % 8);
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn every_single_bit_counts() {
    for key in &*KEYS {
        let (verifier, token) = (verifier_of_all(), key.token(&claims(ISSUER, AUDIENCE).to_string()));
        assert!(accepts(&verifier, &token), "{}", key.kid);
        for bit in 0..token.len() * 8 {
            assert!(!accepts(&verifier, &turned(&token, bit)), "{}: bit {bit} does not count", key.kid);
        }
        assert!(accepts(&verifier, &token), "{}", key.kid);
    }
}

/// Any JSON within the depth that a payload may have.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        proptest::num::f64::NORMAL.prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            hash_map(any::<String>(), inner, 0..4).prop_map(|members| members.into_iter().collect()),
        ]
    })
}

/// Claims that are accepted, with any others next to them.
fn any_claims() -> impl Strategy<Value = Value> {
    (hash_map(any::<String>(), any_json(), 0..6), "\\PC{1,40}", 0u64..3600, 1u64..3600).prop_map(
        |(others, sub, age, left)| {
            let mut all: Map<String, Value> = others.into_iter().collect();
            all.remove("nbf");
            let (iat, exp) = (NOW.as_secs() - age, NOW.as_secs() + left);
            let ours = json!({"iss": ISSUER, "aud": AUDIENCE, "sub": sub, "iat": iat, "exp": exp});
            all.extend(ours.as_object().unwrap().clone());
            Value::Object(all)
        },
    )
}

proptest! {
    #![proptest_config(seeded(128))]

    #[test]
    fn what_was_signed_is_what_is_verified(claims in any_claims(), key in 0..KEYS.len()) {
        let payload = claims.to_string();
        let token = KEYS[key].token(&payload);
        let verifier = verifier_of_all();
        // Twice: the second time it is remembered.
        for _ in 0..2 {
            let Verdict::Accepted(verified, None) = verifier.check(&token, Now::steady(NOW)) else { panic!("{claims}") };
            prop_assert_eq!(verified.payload(), payload.as_bytes());
            prop_assert_eq!(Some(verified.expires_at().as_secs()), claims["exp"].as_u64());
        }
    }

    #[test]
    fn any_bit_of_any_token_counts(claims in any_claims(), key in 0..KEYS.len(), place in 0.0..1.0f64) {
        let token = KEYS[key].token(&claims.to_string());
        let verifier = verifier_of_all();
        prop_assert!(accepts(&verifier, &token));
        let bit = (place * (token.len() * 8) as f64) as usize;
        prop_assert!(!accepts(&verifier, &turned(&token, bit)), "bit {}", bit);
    }
}
