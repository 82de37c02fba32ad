//! Options of an explanation, and any text as a token: the explanation is whole, shows no signature, and agrees with the
//! verifier, of which tokens with good signatures are made, too.
#![no_main]

use std::sync::LazyLock;

use gatepass_bridge::{Verdict, Verifier, explain_token};
use gatepass_fuzz::{NOW, NOW_MS, keys, sign, verifier};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| verifier(&keys()).expect("a verifier"));

fuzz_target!(|text: &str| {
    let (options, token) = text.split_once('\n').unwrap_or(("{}", text));
    if let Ok(explanation) = explain_token(options, token, NOW_MS) {
        check(&explanation);
        let signature = token.trim().rsplit('.').next().unwrap_or_default();
        let is_signature = token.matches('.').count() == 2
            && signature.len() >= 32
            && signature.bytes().all(|b| b.is_ascii_alphanumeric())
            && !options.contains(signature);
        assert!(!is_signature || !explanation.contains(signature), "{explanation}");
    }
    agrees(token);
    agrees(&sign(br#"{"alg":"ES256","kid":"k"}"#, token.as_bytes()));
});

fn agrees(token: &str) {
    let explanation = VERIFIER.explain(token, "{}", NOW_MS).expect("options that fit");
    let explained = &check(&explanation)["accepted"];
    let accepted = matches!(VERIFIER.check(token.as_bytes(), NOW), Ok(Verdict::Accepted(..)));
    assert_eq!(explained, &Value::Bool(accepted), "{explanation}");
}

/// An explanation says why a token is refused, and names no reason for one that is accepted.
fn check(explanation: &str) -> Value {
    let explanation: Value = serde_json::from_str(explanation).expect("an explanation is JSON");
    let findings = explanation["findings"].as_array().expect("findings");
    assert!(findings.iter().all(|finding| ["title", "found", "todo"].iter().all(|name| finding[name] != "")));
    let refused = findings.iter().any(|finding| finding["level"] == "error");
    assert_eq!(refused, explanation["accepted"] == false, "{explanation}");
    explanation
}
