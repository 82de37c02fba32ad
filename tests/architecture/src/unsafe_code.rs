//! `unsafe` is at the three borders that cannot do without: the C ABI, JNI, and the module for wazero.

use crate::Violations;
use crate::source::{SourceFile, Tests};

/// Where `unsafe` may be.
const BORDERS: &[&str] = &["bindings/c/", "bindings/jni/", "bindings/wazero/"];

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
    let complain = |line| format!("{}:{line}: `unsafe` is used outside {}", file.path, BORDERS.join(" and "));
    found.map(|token| complain(token.line)).collect()
}

/// How far above a block its argument may begin.
const LINES_ABOVE: usize = 6;

/// Finds blocks of `unsafe` without a comment right above that begins with `SAFETY:`.
pub fn check_arguments(files: &[SourceFile]) -> Violations {
    files.iter().flat_map(without_argument).collect()
}

fn without_argument(file: &SourceFile) -> Violations {
    let lines: Vec<&str> = file.text.lines().collect();
    let tokens = match file.rust_tokens(Tests::LeftOut) {
        Ok(tokens) => tokens,
        Err(error) => return vec![error],
    };
    let blocks = tokens.windows(2).filter_map(|pair| match pair {
        [word, brace] if word.text == "unsafe" && brace.text == "{" => Some(word.line),
        _ => None,
    });
    let has_argument = |line: &usize| {
        let above = line.saturating_sub(1 + LINES_ABOVE)..*line;
        lines.get(above).unwrap_or_default().iter().any(|line| line.trim_start().starts_with("// SAFETY: "))
    };
    let missing = blocks.filter(|line| !has_argument(line));
    missing.map(|line| format!("{}:{line}: no SAFETY comment says why this is sound", file.path)).collect()
}

/// The page with the inventory.
pub const INVENTORY: &str = "docs/threat-model.md";

/// Compares the inventory with the files that have `unsafe` in them, tests left out.
pub fn check_inventory(page: &SourceFile, files: &[SourceFile]) -> Violations {
    let listed: Vec<&str> =
        page.text.lines().filter_map(|line| line.strip_prefix("| `bindings/")?.split('`').next()).collect();
    let is_listed =
        |file: &SourceFile| file.path.strip_prefix("bindings/").is_some_and(|path| listed.contains(&path));
    let has_unsafe = |file: &SourceFile| {
        file.rust_tokens(Tests::LeftOut).is_ok_and(|tokens| tokens.iter().any(|token| token.text == "unsafe"))
    };
    let unlisted = files.iter().filter(|file| has_unsafe(file) && !is_listed(file));
    let unlisted = unlisted.map(|file| format!("{}: its `unsafe` is not in {INVENTORY}", file.path));
    let is_there =
        |path: &str| files.iter().any(|file| file.path == format!("bindings/{path}") && has_unsafe(file));
    let gone = listed.iter().filter(|path| !is_there(path));
    unlisted.chain(gone.map(|path| format!("{INVENTORY}: bindings/{path} has no `unsafe`"))).collect()
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

    #[test]
    fn every_unsafe_is_in_the_inventory_and_argued_for() {
        let files = read_all(repository(), "bindings", &["rs"]).unwrap();
        let files: Vec<_> = files.into_iter().filter(|file| !file.is_test()).collect();
        let pages = read_all(repository(), "docs", &["md"]).unwrap();
        let page = pages.iter().find(|page| page.path == INVENTORY).unwrap();
        assert_none(&check_inventory(page, &files));
        assert_none(&check_arguments(&files));
    }

    #[test]
    fn an_unsafe_that_is_not_listed_or_not_argued_for_is_found() {
        let page = SourceFile::new(INVENTORY, "| `bindings/c/src/a.rs` | why | how |\n");
        let file = |path, text| SourceFile::new(path, text);
        let argued = "fn f() {\n    // SAFETY: the caller's promise.\n    unsafe { g() }\n}";
        let listed = file("bindings/c/src/a.rs", argued);
        assert_none(&check_inventory(&page, std::slice::from_ref(&listed)));
        assert_none(&check_arguments(std::slice::from_ref(&listed)));
        let other = file("bindings/jni/src/b.rs", "fn f() { unsafe { g() } }");
        assert_complains(&check_inventory(&page, &[listed, other.clone()]), "jni/src/b.rs: its `unsafe`");
        assert_complains(&check_inventory(&page, &[]), "bindings/c/src/a.rs has no `unsafe`");
        assert_complains(&check_arguments(&[other]), "b.rs:1: no SAFETY comment");
    }
}
