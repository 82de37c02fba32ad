//! Every token of tests/vectors/verify is decided as expected, whoever checks its signature.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use gatepass_core::{Callers, KeySource, Millis, Now, Preset, Verdict, Verifier, VerifierConfig};
use gatepass_vectors::host::CORE_COMPUTES;
use serde_json::Value;

#[test]
fn attack_corpus() {
    let corpus = gatepass_vectors::read("verify/attack_corpus.json");
    let codes = gatepass_vectors::read("verify/codes.json");
    let mut wrong = Vec::new();
    let mut asked_host = 0;
    for case in corpus["cases"].as_array().unwrap() {
        let by_host = decide(&corpus, case, |verifier, token, now| {
            let (verdict, asked) = gatepass_vectors::host::check(verifier, token, now);
            asked_host += asked.len();
            verdict
        });
        if CORE_COMPUTES {
            let by_core = decide(&corpus, case, |verifier, token, now| verifier.check(token, now));
            assert_eq!(by_core, by_host, "{}", case["name"]);
        }
        let expected: Vec<&str> =
            case["reasons"].as_array().unwrap().iter().map(|r| r.as_str().unwrap()).collect();
        let right = match by_host.as_deref() {
            Ok(_) => case["expected"] == "accept",
            Err(code) => {
                case["expected"] == "reject"
                    && expected
                        .iter()
                        .any(|reason| codes[*reason].as_array().unwrap().iter().any(|c| c == code))
            }
        };
        if !right {
            wrong.push(format!("{} {}: {by_host:?}, expected {expected:?}", case["id"], case["name"]));
        }
    }
    assert!(asked_host > 0);
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// The payload, or the code of the refusal.
fn decide(
    corpus: &Value,
    case: &Value,
    check: impl FnOnce(&Verifier, &str, Now) -> Verdict,
) -> Result<String, String> {
    let profile = &corpus["profiles"][case["profile"].as_str().unwrap()];
    let keys = &corpus["jwks"][case["jwks"].as_str().unwrap()];
    let verifier = Verifier::new(VerifierConfig {
        preset: Preset::from_name(case["profile"].as_str().unwrap()),
        audiences: profile["audience"].as_str().unwrap().into(),
        keys: KeySource::Static(keys.to_string()),
        leeway_seconds: case["leeway"].as_u64().unwrap(),
        callers: case["opts"]["email"]
            .as_str()
            .map_or(Callers::Unspecified, |email| Callers::Emails(vec![email.to_owned()])),
        ..VerifierConfig::default()
    })
    .map_err(|error| format!("not made: {error}"))?;
    let now = Now::steady(Millis::from_secs(case["now"].as_u64().unwrap()));
    match check(&verifier, case["token"].as_str().unwrap(), now) {
        Verdict::Accepted(verified, None) => Ok(String::from_utf8(verified.payload().to_vec()).unwrap()),
        Verdict::Rejected(error) => Err(error.code().to_string()),
        _ => Err("asked for keys".into()),
    }
}
