//! `include/gatepass.h` is what cbindgen makes of the sources. `UPDATE=1` writes it.
#![allow(clippy::unwrap_used)]

use std::path::Path;

#[test]
fn the_header_matches_the_sources() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let made = cbindgen::Builder::new()
        .with_config(cbindgen::Config::from_file(root.join("cbindgen.toml")).unwrap())
        .with_src(root.join("src/memory.rs"))
        .with_src(root.join("src/lib.rs"))
        .generate()
        .unwrap();
    let mut text = Vec::new();
    made.write(&mut text);
    let text = String::from_utf8(text).unwrap();
    let header = root.join("include/gatepass.h");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&header, &text).unwrap();
    }
    let checked_in = std::fs::read_to_string(&header).unwrap();
    assert!(checked_in == text, "include/gatepass.h is out of date: run UPDATE=1 cargo test -p gatepass-c");
}
