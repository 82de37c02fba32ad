//! Reads the files of tests/vectors for the Rust runners next to this crate.
#![allow(clippy::panic)]

pub mod host;

use std::path::Path;

use serde_json::Value;

/// What begins or is a secret in the vectors: tokens, the test key, a refresh token, client and AWS secrets.
const SECRETS: [&str; 7] = ["eyJ", "ya29.", "MIIEv", "1//refresh", "s3cret", "SECRETDEMO", "SESSDEMO"];

/// The JSON document at `path`, relative to tests/vectors.
///
/// # Panics
/// When the file is missing or not JSON: a vector that cannot be read is a failed test.
pub fn read(path: &str) -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    // A Rust string holds no lone surrogate; a host hands one over as the replacement character.
    let text = text.replace(r"\ud800", r"\ufffd");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// The cases of every JSON file in the folder `path`, in the files' order; where `VECTORS_ONLY` names a file, of that
/// one only (see tests/vectors/mutations.py).
///
/// # Panics
/// When the folder holds no case.
pub fn read_all(path: &str) -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<_> = names.filter(|name| name.ends_with(".json") && name != "schema.json").collect();
    names.sort();
    if let Ok(only) = std::env::var("VECTORS_ONLY") {
        names.retain(|name| *name == only);
    }
    let documents = names.iter().map(|name| read(&format!("{path}/{name}")));
    let cases: Vec<_> =
        documents.filter_map(|d| d.get("cases").and_then(Value::as_array).cloned()).flatten().collect();
    assert!(!cases.is_empty(), "no case in {}", folder.display());
    cases
}

/// Compares a step with the expected one: exactly, but for errors, of which only what is in the vector.
///
/// # Panics
/// When they differ.
pub fn assert_step(found: &str, expected: &Value, place: &Value) {
    let found: Value = serde_json::from_str(found).unwrap_or_else(|error| panic!("{place}: {error}"));
    match expected.pointer("/error").and_then(Value::as_object) {
        None => assert_eq!(&found, expected, "{place}"),
        Some(error) => {
            for secret in SECRETS {
                assert!(!found.to_string().contains(secret), "{place}: the error shows {secret}");
            }
            for (name, value) in error {
                assert_eq!(found.pointer(&format!("/error/{name}")), Some(value), "{place}: {found}");
            }
        }
    }
}
