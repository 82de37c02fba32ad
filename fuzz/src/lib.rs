//! What the fuzz targets share. They go through the border that every language uses, where nothing may panic: a
//! panic there ends the fuzzer.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gatepass_bridge::{Op, Verifier};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};

/// 2027-01-15T08:00:00Z
pub const NOW_MS: u64 = 1_800_000_000_000;
/// The same, by both clocks.
pub const NOW: gatepass_bridge::Now = gatepass_bridge::now(NOW_MS, NOW_MS);
pub const AUDIENCE: &str = "https://receiver.example";
pub const ISSUER: &str = "https://issuer.example";

/// More steps than any operation takes.
const STEPS: usize = 64;

/// TEST KEY, NOT A SECRET: the scalar is 1, 2, 3 … 32.
static KEY: LazyLock<EcdsaKeyPair> = LazyLock::new(|| {
    let scalar: Vec<u8> = (1..=32).collect();
    let point = URL_SAFE_NO_PAD.decode(POINT).expect("base64url");
    EcdsaKeyPair::from_private_key_and_public_key(
        &ECDSA_P256_SHA256_FIXED_SIGNING,
        &scalar,
        &point,
        &SystemRandom::new(),
    )
    .expect("a key")
});
const POINT: &str = "BFFcPW6545a5BNP-yn9U_c0MwemXvzddylFa0KbDtANfRTa-OlDzGPv5pUdZAqIhUCvvDVfgjFOyzApW8X2fk1Q";

/// The key set that [`sign`] signs for.
pub fn keys() -> String {
    let point = KEY.public_key().as_ref();
    let part = |range| URL_SAFE_NO_PAD.encode(point.get(range).expect("a coordinate"));
    json!({"keys": [{"kty": "EC", "crv": "P-256", "kid": "k", "use": "sig", "alg": "ES256", "x": part(1..33), "y": part(33..65)}]}).to_string()
}

/// A token with this header and payload, whatever they are, and a good signature.
pub fn sign(header: &[u8], payload: &[u8]) -> String {
    let input = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let signature = KEY.sign(&SystemRandom::new(), input.as_bytes()).expect("a signature");
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
}

/// A verifier with these keys, as the options of the border put it.
pub fn verifier(keys: &str) -> Option<Verifier> {
    let options =
        json!({"issuers": [ISSUER], "algorithms": ["RS256", "ES256"], "audiences": [AUDIENCE], "keys": keys});
    Verifier::new(&options.to_string()).ok()
}

/// Answers each step with the next line of `script` that is a reply, and with a failure when there is none left.
pub fn drive(op: &mut Op, script: &str) {
    let mut lines = script.lines();
    let mut reply = r#"{"reply":"start"}"#.to_owned();
    for turn in 0..STEPS {
        let step = op.resume(gatepass_bridge::now(NOW_MS + turn as u64, turn as u64), &reply);
        let step: Value = serde_json::from_str(&step).expect("a step is JSON");
        match step["step"].as_str().expect("a step has a name") {
            "done" | "fail" => return,
            "wait" => reply = r#"{"reply":"elapsed"}"#.to_owned(),
            "read_env" => {
                reply = json!({"reply": "env", "values": {"HOME": "/", "AWS_REGION": "x"}}).to_string()
            }
            "read_file" => {
                reply = json!({"reply": "text", "text": lines.next().unwrap_or_default()}).to_string()
            }
            "send" => {
                let body = lines.next().unwrap_or_default();
                reply = json!({"reply": "response", "status": 200, "headers": [["metadata-flavor", "Google"]], "body": body}).to_string();
            }
            "run" => {
                reply = json!({"reply": "exited", "status": 0, "stdout": lines.next().unwrap_or_default()})
                    .to_string()
            }
            _ => {
                reply =
                    json!({"reply": "failed", "kind": "other", "message": lines.next().unwrap_or_default()})
                        .to_string()
            }
        }
    }
    panic!("an operation did not end within {STEPS} steps");
}
