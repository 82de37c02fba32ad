//! The table of docs/credentials.md says what tests/vectors/credentials/matrix.json has every language prove.
//!
//! `UPDATE=1 cargo test --package gatepass-vectors --test credentials_table` writes it anew.
#![allow(missing_docs, clippy::unwrap_used)]

use std::path::Path;
use std::{env, fs};

use serde_json::Value;

const LANGUAGES: [&str; 4] = ["Python", "Node", "Go", "Java"];
const BEGIN: &str = "<!-- begin: written by tests/vectors/rust/tests/credentials_table.rs -->\n";
const END: &str = "<!-- end -->\n";

#[test]
fn the_table_says_what_is_proven() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let page = root.join("docs/credentials.md");
    let text = fs::read_to_string(&page).unwrap();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let matrix = fs::read_to_string(root.join("tests/vectors/credentials/matrix.json")).unwrap();
    let expected = format!("{before}{BEGIN}{}{END}{after}", table(&serde_json::from_str(&matrix).unwrap()));
    if env::var_os("UPDATE").is_some() {
        fs::write(&page, &expected).unwrap();
    }
    assert_eq!(fs::read_to_string(&page).unwrap(), expected, "run it with UPDATE=1");
}

fn table(matrix: &Value) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let head: Vec<String> =
        ["credentials"].into_iter().chain(LANGUAGES).chain(["`gatepass token`"]).map(str::to_owned).collect();
    let mut text = line(&head) + &line(&vec!["---".to_owned(); head.len()]);
    for row in matrix.get("rows").unwrap().as_array().unwrap() {
        let cell = format!("{} · {}", outcome(row, "id_token"), outcome(row, "access_token"));
        let program =
            if row.get("supplier").is_some() { "has no functions to ask".to_owned() } else { cell.clone() };
        let name = row.get("name").unwrap().as_str().unwrap().to_owned();
        text += &line(&[vec![name], vec![cell; LANGUAGES.len()], vec![program]].concat());
    }
    text
}

/// A token, or the code of the error that says why there is none.
fn outcome(row: &Value, kind: &str) -> String {
    let name = if kind == "id_token" { "ID" } else { "access" };
    match row.get(kind).and_then(|expected| expected.get("error")).and_then(Value::as_str) {
        None => name.to_owned(),
        Some(code) => format!("~~{name}~~ `{code}`"),
    }
}
