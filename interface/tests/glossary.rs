//! Every name of the glossary is declared by its language's package, and every option is in the glossary.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use gatepass_interface::{read, repository};

const LANGUAGES: [Language; 5] = [
    Language { name: "python", folder: "packages/python/src", extension: ".py", declares: in_python },
    Language { name: "js", folder: "packages/js", extension: ".d.ts", declares: in_javascript },
    Language { name: "go", folder: "packages/go", extension: ".go", declares: in_go },
    Language { name: "java", folder: "packages/java", extension: ".java", declares: in_java },
    Language { name: "rust", folder: "", extension: ".rs", declares: in_rust },
];

struct Language {
    name: &'static str,
    folder: &'static str,
    extension: &'static str,
    /// Whether a line of code declares the name for users.
    declares: fn(&str, &str) -> bool,
}

fn starts(line: &str, beginnings: &[&str], name: &str) -> bool {
    let ends = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    beginnings.iter().any(|beginning| {
        line.strip_prefix(beginning).and_then(|rest| rest.strip_prefix(name)).is_some_and(ends)
    })
}

fn in_python(line: &str, name: &str) -> bool {
    starts(line, &["def ", "async def ", "class "], name)
        || line.strip_prefix(name).is_some_and(|rest| rest.starts_with(": "))
        || line.contains(&format!("(self, {name}: "))
}

fn in_javascript(line: &str, name: &str) -> bool {
    let line = line.trim_start_matches("readonly ").trim_start_matches("export ");
    let beginnings =
        ["class ", "interface ", "type ", "function ", "const ", "abstract class ", "declare class "];
    starts(line, &beginnings, name)
        || line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['?', ':', '(', '<']))
}

fn in_go(line: &str, name: &str) -> bool {
    let method = line.strip_prefix("func (").and_then(|rest| rest.split_once(") ")).map(|(_, rest)| rest);
    starts(line, &["func ", "type "], name)
        || method.is_some_and(|method| starts(method, &[""], name))
        || line.strip_prefix(name).is_some_and(|rest| rest.starts_with(' ') && !rest.contains('('))
}

fn in_java(line: &str, name: &str) -> bool {
    let is_public = line.starts_with("public ");
    let words = || line.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    is_public && words().any(|word| word == name)
}

fn in_rust(line: &str, name: &str) -> bool {
    let beginnings =
        ["pub fn ", "pub const fn ", "pub struct ", "pub enum ", "pub type ", "pub ", "pub const "];
    // A variant of a public enum is on a line of its own.
    starts(line, &beginnings, name)
        || line == format!("{name},")
        || line.starts_with(&format!("{name}("))
        || line.starts_with(&format!("pub mod {name}"))
}

fn lines(language: &Language, folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let is_other = ["node_modules", "target", "tests", "test", "internal", "build", "_driver"]
            .contains(&name.as_str());
        if path.is_dir() && !is_other && !name.starts_with('.') {
            lines(language, &path, found);
        } else if name.ends_with(language.extension) && !name.ends_with("_test.go") {
            let text = fs::read_to_string(&path).unwrap();
            found.extend(text.lines().map(|line| line.trim().to_owned()));
        }
    }
}

/// What the language's package declares, as the trimmed lines of its files.
fn declarations(language: &Language) -> Vec<String> {
    let mut found = Vec::new();
    let folders: &[&str] =
        if language.name == "rust" { &["packages/rust/src", "core/src"] } else { &[language.folder] };
    for folder in folders {
        lines(language, &repository().join(folder), &mut found);
    }
    assert!(!found.is_empty(), "{}", language.name);
    found
}

/// The rows: the concept, and a cell for each language.
fn rows() -> Vec<(String, Vec<Option<String>>)> {
    let text = fs::read_to_string(repository().join("interface/glossary.md")).unwrap();
    let cells = |line: &str| -> Vec<String> {
        line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
    };
    let is_row =
        |line: &&str| line.starts_with("| ") && !line.starts_with("| ---") && !line.starts_with("| concept");
    let name = |cell: &String| match cell.as_str() {
        "–" => None,
        cell => Some(cell.strip_prefix('`').and_then(|cell| cell.strip_suffix('`')).expect(cell).to_owned()),
    };
    let rows: Vec<_> = text
        .lines()
        .filter(is_row)
        .map(cells)
        .map(|cells| {
            assert_eq!(cells.len(), LANGUAGES.len() + 2, "{cells:?}");
            (cells[0].clone(), cells[1..=LANGUAGES.len()].iter().map(name).collect())
        })
        .collect();
    assert!(rows.len() > 40, "{}", rows.len());
    rows
}

#[test]
fn every_name_is_declared() {
    let rows = rows();
    let mut missing = Vec::new();
    for (column, language) in LANGUAGES.iter().enumerate() {
        let declared = declarations(language);
        for (concept, names) in &rows {
            let Some(name) = &names[column] else { continue };
            if !declared.iter().any(|line| (language.declares)(line, name)) {
                missing.push(format!("{}: {name} ({concept}) is not declared", language.name));
            }
        }
    }
    assert!(missing.is_empty(), "\n{}", missing.join("\n"));
}

#[test]
fn every_option_has_a_row() {
    let concepts: BTreeSet<String> = rows().into_iter().map(|(concept, _)| concept).collect();
    for schema in ["source_options", "verifier_options"] {
        let schema = read(&format!("{schema}.schema.json")).unwrap();
        for option in schema["properties"].as_object().unwrap().keys() {
            assert!(concepts.contains(option), "{option} has no row");
        }
    }
}

#[test]
fn a_name_that_nobody_declares_is_found() {
    for (language, line) in LANGUAGES.iter().zip([
        "class Fetcher(Base):",
        "export class Fetcher {",
        "type Fetcher struct {",
        "public final class Fetcher {",
        "pub struct Fetcher {",
    ]) {
        assert!((language.declares)(line, "Fetcher"), "{}", language.name);
        assert!(!(language.declares)(line, "Fetch"), "{}", language.name);
        assert!(!(language.declares)("// Fetcher", "Fetcher"), "{}", language.name);
    }
}
