//! Every algorithm verifies with the keys that are meant for it, and with no others, whoever checks signatures.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeSet;

use gatepass_core::Algorithm;
use gatepass_core::KeySource;
use gatepass_core::{Millis, Now, Verdict, Verifier, VerifierConfig};
use gatepass_vectors::host::CORE_COMPUTES;
use serde_json::Value;

#[test]
fn algorithms() {
    let vectors = gatepass_vectors::read("algorithms/algorithms.json");
    let (mut wrong, mut asked) = (Vec::new(), BTreeSet::new());
    for case in vectors["cases"].as_array().unwrap() {
        let by_host = decide(&vectors, case, |verifier, token, now| {
            let (verdict, keys) = gatepass_vectors::host::check(verifier, token, now);
            asked.extend(keys);
            verdict
        });
        if CORE_COMPUTES {
            let by_core = decide(&vectors, case, |verifier, token, now| verifier.check(token, now));
            assert_eq!(by_core, by_host, "{}", case["name"]);
        }
        if case["expected"] != by_host {
            wrong.push(format!("{}: {by_host}, expected {}", case["name"], case["expected"]));
        }
    }
    assert!(asked.len() >= 4, "a host is asked for signatures of every type of key: {asked:?}");
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// `accept`, or the code of the refusal.
fn decide(vectors: &Value, case: &Value, check: impl FnOnce(&Verifier, &str, Now) -> Verdict) -> String {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let algorithms = case["algorithms"].as_array().unwrap().iter();
    let verifier = Verifier::new(VerifierConfig {
        issuers: vec![text(&vectors["issuer"])],
        audiences: vectors["audience"].as_str().unwrap().into(),
        algorithms: algorithms.map(|name| Algorithm::from_name(name.as_str().unwrap()).unwrap()).collect(),
        keys: KeySource::Static(case["keys"].to_string()),
        ..VerifierConfig::default()
    });
    let now = Now::steady(Millis::from_secs(vectors["now"].as_u64().unwrap()));
    match check(&verifier.unwrap(), case["token"].as_str().unwrap(), now) {
        Verdict::Accepted(..) => "accept".into(),
        Verdict::Rejected(error) => error.code().to_string(),
        _ => "asked for keys".into(),
    }
}
