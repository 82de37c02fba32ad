//! Any bytes as the DER of a certificate and of a public key, in a map of PEM.
#![no_main]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gatepass_bridge::Verdict;
use gatepass_fuzz::{NOW, sign, verifier};
use libfuzzer_sys::fuzz_target;
use serde_json::json;

fuzz_target!(|der: &[u8]| {
    let pem =
        |label: &str| format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der));
    let Some(verifier) = verifier(&json!({"a": pem("CERTIFICATE"), "b": pem("PUBLIC KEY")}).to_string())
    else {
        return;
    };
    for kid in ["a", "b"] {
        let token = sign(format!(r#"{{"alg":"ES256","kid":"{kid}"}}"#).as_bytes(), b"{}");
        assert!(!matches!(verifier.check(token.as_bytes(), NOW), Ok(Verdict::Accepted(..))));
    }
});
