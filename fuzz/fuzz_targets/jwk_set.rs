//! Any text as a key set, and a token whose signature belongs to none of its keys.
#![no_main]

use gatepass_bridge::Verdict;
use gatepass_fuzz::{NOW, sign, verifier};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|keys: &str| {
    let Some(verifier) = verifier(keys) else { return };
    for alg in ["RS256", "ES256"] {
        let token = sign(format!(r#"{{"alg":"{alg}","kid":"other"}}"#).as_bytes(), b"{}");
        assert!(!matches!(verifier.check(token.as_bytes(), NOW), Ok(Verdict::Accepted(..))));
    }
});
