//! Wycheproof's files of JSON web signatures and keys, through the public API.
//!
//! Their payloads are no claims, so none of their tokens is ever accepted. But the order of a verifier's checks is part
//! of its contract, and what the payload says comes after the signature: a refusal of the payload's content tells that
//! the signature was found good, any other refusal that it was bad or not even looked at.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::fs;
use std::path::PathBuf;

use gatepass_core::Algorithm;
use gatepass_core::KeySource;
use gatepass_core::{Error, ErrorCode, Millis, Now, Verdict, Verifier, VerifierConfig};
use serde_json::{Value, json};

const NOW: Millis = Millis::from_secs(1_800_000_000);
const SIGNATURES: &str = "json_web_signature_test.json";
const KEYS: &str = "json_web_key_test.json";

/// Vectors that are decided otherwise than Wycheproof does. The README argues for each.
const EXCEPTIONS: [(&str, &str, &[u64]); 5] = [
    (SIGNATURES, "algorithm", &[1, 321, 322, 323, 326, 327, 328, 346, 347, 348, 350, 351, 352]),
    (SIGNATURES, "algorithm", &[357, 358, 359, 372, 373, 376, 377]),
    (SIGNATURES, "no payload", &[259, 264, 268, 272, 320, 325]),
    (KEYS, "algorithm", &[2, 13, 14, 15]),
    (KEYS, "fingerprint", &[7]),
];

#[test]
fn json_web_signatures() {
    check(SIGNATURES);
}

#[test]
fn json_web_keys() {
    check(KEYS);
}

fn check(file: &str) {
    let (mut all, mut right, mut wrong) = (0, 0, Vec::new());
    let document: Value = serde_json::from_str(&read(file)).unwrap();
    for group in document["testGroups"].as_array().unwrap() {
        let key = Some(&group["public"]).filter(|key| !key.is_null()).unwrap_or(&group["private"]);
        let keys = if key["keys"].is_null() { json!({ "keys": [key] }) } else { key.clone() };
        for test in group["tests"].as_array().unwrap() {
            all += 1;
            let id = test["tcId"].as_u64().unwrap();
            let error = refusal(&keys, test["jws"].as_str().unwrap());
            let agrees = is_signature_good(&error) == (test["result"] == "valid");
            let listed = EXCEPTIONS.iter().any(|(name, _, ids)| *name == file && ids.contains(&id));
            right += usize::from(agrees);
            if agrees == listed {
                wrong.push(format!("{id} ({}): {error}", test["comment"]));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let row = format!("| {file} | {all} | {right} | {} |", all - right);
    println!("{row}");
    assert!(read("README.md").contains(&row), "the README's table has no row\n{row}");
}

/// What a verifier that allows every algorithm says.
fn refusal(keys: &Value, token: &str) -> Error {
    let verifier = Verifier::new(VerifierConfig {
        issuers: vec!["https://issuer.example".into()],
        audiences: "https://receiver.example".into(),
        algorithms: Algorithm::ALL.to_vec(),
        keys: KeySource::Static(keys.to_string()),
        ..VerifierConfig::default()
    });
    match verifier.unwrap().check(token, Now::steady(NOW)) {
        Verdict::Rejected(error) => error,
        _ => panic!("accepted, or asked for keys"),
    }
}

/// Whether the refusal is one that comes after the signature: here, that the payload is no JSON object.
fn is_signature_good(error: &Error) -> bool {
    let text = error.to_string();
    error.code() == ErrorCode::TokenMalformed
        && text.contains("the token's payload is ")
        && text.contains("expected one JSON object")
}

fn read(file: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/wycheproof");
    fs::read_to_string(folder.join(file)).unwrap_or_else(|error| panic!("tests/wycheproof/{file}: {error}"))
}
