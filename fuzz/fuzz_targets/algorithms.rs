//! Members of a key, a header and a payload, a line each; signed by a P-256 key and by an Ed25519 key. What is accepted
//! names the algorithm of the key that signed it, and the key was meant for it.
#![no_main]

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gatepass_bridge::{Verdict, Verifier};
use gatepass_fuzz::{AUDIENCE, ISSUER, NOW, keys, sign};
use libfuzzer_sys::fuzz_target;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};

const CLAIMS: &str = r#"{"iss":"https://issuer.example","aud":"https://receiver.example","sub":"1","iat":1799999940,"exp":1800003540}"#;

fuzz_target!(|text: &str| {
    let mut lines = text.splitn(3, '\n');
    let Some(Ok(Value::Object(members))) = lines.next().map(serde_json::from_str) else { return };
    let header = lines.next().unwrap_or_default();
    let payload = lines.next().filter(|payload| !payload.is_empty()).unwrap_or(CLAIMS);

    let mut p256: Value = serde_json::from_str(&keys()).expect("a key set");
    let p256 = p256["keys"][0].take();
    // TEST KEY, NOT A SECRET.
    let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a seed");
    let ed25519 =
        json!({"kty": "OKP", "crv": "Ed25519", "kid": "k", "x": URL_SAFE_NO_PAD.encode(pair.public_key())});
    let input = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let by_ed25519 = format!("{input}.{}", URL_SAFE_NO_PAD.encode(pair.sign(input.as_bytes())));
    let by_p256 = sign(header.as_bytes(), payload.as_bytes());

    for (alg, mut key, token) in [("ES256", p256, by_p256), ("EdDSA", ed25519, by_ed25519)] {
        for (name, value) in &members {
            key[name] = value.clone();
        }
        if let Some(verifier) = verifier(&json!({ "keys": [key] }).to_string()) {
            if let Ok(Verdict::Accepted(..)) = verifier.check(token.as_bytes(), NOW) {
                let header: Value = serde_json::from_str(header).expect("an accepted header is JSON");
                assert_eq!(header["alg"], alg, "{key}");
                // Without one, the only key that fits is meant.
                assert!(header.get("kid").is_none_or(|kid| *kid == key["kid"]), "{key}");
                assert!(key["alg"] == alg || key.get("alg").is_none(), "{key}");
                assert!(key["use"] == "sig" || key.get("use").is_none(), "{key}");
            }
        }
    }
});

/// A verifier that allows every algorithm.
fn verifier(keys: &str) -> Option<Verifier> {
    let algorithms = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"];
    let options =
        json!({"issuers": [ISSUER], "algorithms": algorithms, "audiences": [AUDIENCE], "keys": keys});
    Verifier::new(&options.to_string()).ok()
}
