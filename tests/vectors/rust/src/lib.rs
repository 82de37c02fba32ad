//! Reads the files of tests/vectors for the Rust runners beside this crate.
#![allow(clippy::panic)]

use std::path::Path;

use serde_json::Value;

/// The JSON document at `path`, relative to tests/vectors.
///
/// # Panics
/// When the file is missing or not JSON: a vector that cannot be read is a failed test.
pub fn read(path: &str) -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}
