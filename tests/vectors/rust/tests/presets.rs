//! A verifier takes its rules from the preset that its options name, or imply.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use gatepass_core::{
    Algorithm, KeyCache, KeySource, Millis, Now, Operation, Preset, Reply, Step, Verdict, Verifier,
    VerifierConfig,
};
use serde_json::Value;

#[test]
fn presets() {
    let vectors = gatepass_vectors::read("presets/presets.json");
    for case in vectors["cases"].as_array().unwrap() {
        assert_eq!(case["expected"], decide(&vectors, case), "{}", case["name"]);
    }
}

#[test]
fn of_an_emulator() {
    let vectors = gatepass_vectors::read("presets/emulator.json");
    for case in vectors["cases"].as_array().unwrap() {
        let config = VerifierConfig {
            audiences: vectors["audience"].as_str().unwrap().into(),
            ..VerifierConfig::default()
        };
        let mut op = Verifier::open(config, &KeyCache::default());
        let Step::ReadEnv { names } = op.resume(Now::default(), Reply::Start) else {
            panic!("no environment")
        };
        let values = case["environment"].as_object().unwrap();
        assert!(values.keys().all(|name| names.contains(&name.as_str())));
        let values =
            values.iter().map(|(name, value)| (name.clone(), value.as_str().unwrap().into())).collect();
        match op.resume(Now::default(), Reply::Env(values)) {
            Step::Done(_) => assert_eq!(case["expected"], "accept", "{}", case["name"]),
            Step::Fail(error) => {
                assert_eq!(case["expected"], error.code().as_str(), "{}: {error}", case["name"]);
                assert!(error.to_string().contains(case["found"].as_str().unwrap()), "{error}");
            }
            _ => panic!("another step"),
        }
    }
}

/// `accept`, or the code of the refusal.
fn decide(vectors: &Value, case: &Value) -> String {
    let list = |name: &str| case[name].as_array().cloned().unwrap_or_default();
    let issuers = case["issuers"].as_array();
    let issuers = issuers.map(|list| list.iter().map(|issuer| issuer.as_str().unwrap().to_owned()).collect());
    let issuers = match VerifierConfig::parse_issuers(issuers) {
        Ok(issuers) => issuers,
        Err(refused) => return refused.code().to_string(),
    };
    let made = Verifier::new(VerifierConfig {
        preset: case["preset"].as_str().map(|name| Preset::from_name(name).unwrap()),
        issuers,
        algorithms: list("algorithms")
            .iter()
            .map(|n| Algorithm::from_name(n.as_str().unwrap()).unwrap())
            .collect(),
        audiences: case["audience"].as_str().unwrap().into(),
        keys: KeySource::Static(vectors["keys"].to_string()),
        ..VerifierConfig::default()
    });
    let verifier = match made {
        Ok(verifier) => verifier,
        Err(refused) => return refused.code().to_string(),
    };
    let now = Now::steady(Millis::from_secs(vectors["now"].as_u64().unwrap()));
    match gatepass_vectors::host::check(&verifier, case["token"].as_str().unwrap(), now).0 {
        Verdict::Accepted(..) => "accept".into(),
        Verdict::Rejected(error) => error.code().to_string(),
        _ => "asked for keys".into(),
    }
}
