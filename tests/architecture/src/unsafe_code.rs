//! `unsafe` stands at the two borders that cannot do without: the C ABI and JNI.

use crate::Violations;
use crate::source::{SourceFile, Tests};

/// Where `unsafe` may stand.
const BORDERS: &[&str] = &["bindings/c/", "bindings/jni/"];

/// Finds `unsafe` anywhere else in the Rust files, tests included.
pub fn check(files: &[SourceFile]) -> Violations {
    let elsewhere = files.iter().filter(|file| !BORDERS.iter().any(|border| file.path.starts_with(border)));
    elsewhere.flat_map(check_file).collect()
}

fn check_file(file: &SourceFile) -> Violations {
    let tokens = match file.rust_tokens(Tests::Included) {
        Ok(tokens) => tokens,
        Err(error) => return vec![error],
    };
    let found = tokens.iter().filter(|token| token.text == "unsafe");
    let complain = |line| format!("{}:{line}: `unsafe` stands outside {}", file.path, BORDERS.join(" and "));
    found.map(|token| complain(token.line)).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::source::read_all;
    use crate::testing::{assert_complains, assert_none, repository};

    #[test]
    fn unsafe_stands_at_the_borders_only() {
        let files = read_all(repository(), "", &["rs"]).unwrap();
        assert!(files.iter().any(|file| file.path == "core/src/lib.rs"));
        assert_none(&check(&files));
    }

    #[test]
    fn unsafe_elsewhere_is_found() {
        for bad in [
            "fn f() { unsafe { g() } }",
            "#[cfg(test)] mod tests { unsafe fn f() {} }",
            "#[unsafe(no_mangle)] fn f() {}",
        ] {
            assert_complains(&check(&[SourceFile::new("core/src/a.rs", bad)]), "core/src/a.rs:1");
            assert_none(&check(&[SourceFile::new("bindings/c/src/a.rs", bad)]));
        }
        let fine = "#![forbid(unsafe_code)] // unsafe\nconst A: &str = \"unsafe\";";
        assert_none(&check(&[SourceFile::new("core/src/a.rs", fine)]));
    }
}
