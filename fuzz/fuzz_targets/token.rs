//! Any text as a token: none is accepted, because nobody can sign it.
#![no_main]

use std::sync::LazyLock;

use gatepass_bridge::{Verdict, Verifier};
use gatepass_fuzz::{NOW, keys, verifier};
use libfuzzer_sys::fuzz_target;

static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| verifier(&keys()).expect("a verifier"));

fuzz_target!(|token: &[u8]| {
    match VERIFIER.check(token, NOW) {
        Err(failure) => {
            // No message holds the signature. What is shorter, or no signature, may be a word of ours.
            let error = failure.to_json();
            let signature = token.rsplit(|b| *b == b'.').next().unwrap_or_default();
            let is_signature = signature.len() >= 32 && signature.iter().all(u8::is_ascii_alphanumeric);
            let held =
                is_signature && error.as_bytes().windows(signature.len()).any(|part| part == signature);
            assert!(!held, "{error}");
        }
        Ok(Verdict::Accepted(..)) => panic!("accepted"),
        Ok(_) => panic!("the keys are static, and more were asked for"),
    }
});
