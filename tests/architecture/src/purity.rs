//! The core touches nothing: time, randomness, files and the network are the host's.

use crate::Violations;
use crate::source::{SourceFile, Tests, Token};

/// Modules of the standard library that reach outside the process or start something in it.
const OUTSIDE: &[&str] = &["env", "fs", "net", "os", "process", "thread"];

/// Types that read a clock.
const CLOCKS: &[&str] = &["Instant", "SystemTime"];

/// Finds what reaches outside in the Rust files, test code left out.
pub fn check(files: &[SourceFile]) -> Violations {
    files.iter().flat_map(check_file).collect()
}

fn check_file(file: &SourceFile) -> Violations {
    let tokens = match file.rust_tokens(Tests::LeftOut) {
        Ok(tokens) => tokens,
        Err(error) => return vec![error],
    };
    let complain = |token: &Token, name: &str| {
        format!("{}:{}: the core names {name}; ask the host with a Step instead", file.path, token.line)
    };
    let mut violations = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let rest = tokens.get(at + 1..).unwrap_or_default();
        if CLOCKS.contains(&token.text.as_str()) {
            violations.push(complain(token, &token.text));
        } else if token.text == "std" {
            violations.extend(named_in_std(rest).into_iter().map(|(token, name)| complain(token, &name)));
        }
    }
    violations
}

/// Gives what of [`OUTSIDE`] follows after `std`, alone or within braces. Another name for `std` would hide it, so
/// that counts too.
fn named_in_std(rest: &[Token]) -> Vec<(&Token, String)> {
    let is_outside = |token: &&Token| OUTSIDE.contains(&token.text.as_str());
    let name = |token| (token, format!("std::{}", token_text(token)));
    match rest {
        [renamed, ..] if renamed.text == "as" => vec![(renamed, "std by another name".to_owned())],
        [colon, _, brace, inside @ ..] if colon.text == ":" && brace.text == "{" => {
            outermost(inside).into_iter().filter(is_outside).map(name).collect()
        }
        [colon, _, module, ..] if colon.text == ":" => {
            Some(module).filter(is_outside).map(name).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

fn token_text(token: &Token) -> &str {
    &token.text
}

/// Gives the first token of every branch of a `use` tree, up to its closing brace.
fn outermost(inside: &[Token]) -> Vec<&Token> {
    let mut depth = 0_usize;
    let mut starts_branch = true;
    let mut found = Vec::new();
    for token in inside {
        match token.text.as_str() {
            "}" if depth == 0 => break,
            "{" => depth += 1,
            "}" => depth -= 1,
            "," if depth == 0 => starts_branch = true,
            _ if starts_branch => {
                found.push(token);
                starts_branch = false;
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::source::read_all;
    use crate::testing::{assert_complains, assert_none, repository};

    #[test]
    fn the_core_touches_nothing() {
        let files = read_all(repository(), "core/src", &["rs"]).unwrap();
        assert!(!files.is_empty());
        assert_none(&check(&files));
    }

    #[test]
    fn whatever_reaches_outside_is_found() {
        let complaints = [
            ("fn home() { std::env::var_os(\"HOME\"); }", "std::env"),
            ("use std::fs;", "std::fs"),
            ("use std::{fmt, net::TcpStream};", "std::net"),
            ("use std::{collections::{BTreeMap, HashMap}, process};", "std::process"),
            ("use ::std::thread::spawn;", "std::thread"),
            ("use std as s;", "std by another name"),
            ("use web_time::Instant;", "Instant"),
            ("fn now() { std::time::SystemTime::now(); }", "SystemTime"),
            (
                "#[cfg(test)] mod tests {}\nfn f() { std::thread::yield_now(); }",
                "a.rs:2: the core names std::thread",
            ),
        ];
        for (bad, about) in complaints {
            assert_complains(&check(&[SourceFile::new("a.rs", bad)]), about);
        }
    }

    #[test]
    fn names_that_only_look_alike_are_not() {
        let fine = [
            "use std::{fmt, collections::{hash_map as net, BTreeMap}};",
            "/// Like [`std::fs`], on no file.\nfn read() -> &'static str { \"std::env::var\" }",
            "mod process { fn thread() {} }\nuse crate::process::thread;",
            "#[cfg(test)]\nmod tests { use std::fs; }",
        ];
        for good in fine {
            assert_none(&check(&[SourceFile::new("a.rs", good)]));
        }
    }
}
