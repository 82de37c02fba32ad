//! A secret where another value belongs: the program shows it nowhere. Which options, arguments and variables there are, the
//! program's own help and the core say, so that a new one cannot be forgotten.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::thread;

use support::{gatepass, text};

const TOKEN: &str =
    "eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.eyJzdWIiOiIxMDc2OTUwMzE2NTgifQ.c2lnbmF0dXJlLW9mLWEtdG9rZW4";
const RANDOM: &str = "q7Wm2ZxVt9LkRb4HdYcN8sJfGpEa3uTi6oQvXyBn1wKMlPzC0rUhSgDeAjOF5I";
const KEY: &str = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj";

/// What people have pasted where another value belongs, and what must not be seen of it.
fn secrets() -> [(String, Vec<&'static str>); 5] {
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{KEY}\n-----END PRIVATE KEY-----\n");
    let file = serde_json::json!({"type": "service_account", "private_key": pem, "client_email": "a@b"});
    [
        (pem, middle(KEY)),
        (file.to_string(), middle(KEY)),
        (TOKEN.to_owned(), TOKEN.split('.').collect()),
        (RANDOM.to_owned(), middle(RANDOM)),
        ("https://orders:hunter2@orders.example".to_owned(), vec!["hunter2"]),
    ]
}

fn middle(secret: &'static str) -> Vec<&'static str> {
    vec![secret.get(16..32).unwrap(), secret.get(32..48).unwrap()]
}

/// What each subcommand is given besides; those that are not here need nothing.
fn others(path: &str) -> &'static [&'static str] {
    match path {
        "token" => &["--audience=https://a.example"],
        "verify" => &["--audience=https://a.example", "--keys=/dev/null", TOKEN],
        "explain" => &["--offline", TOKEN],
        "decode" => &[TOKEN],
        "emulator" => &["--port=0", "--exit-with-stdin"],
        "emulator push" => &["--to=http://127.0.0.1:1", "--as=cloud_tasks"],
        "emulator run" => &["--to=http://127.0.0.1:1", "--port=0", "--exit-with-stdin"],
        _ => &[],
    }
}

#[test]
fn in_an_option_or_an_argument() {
    let mut options = 0;
    for (path, names) in commands() {
        for name in names {
            options += 1;
            for (secret, parts) in secrets() {
                let is_option = name.starts_with("--");
                // What is given in its place, and what it excludes, is left out.
                let others = others(&path).iter().filter(|other| {
                    let other_name = other.split('=').next().unwrap();
                    other_name != name
                        && (is_option || other.starts_with("--"))
                        && !excludes(&name, other_name)
                });
                let mut command = gatepass(&path.split(' ').chain(others.copied()).collect::<Vec<_>>());
                command.arg(if is_option { format!("{name}={secret}") } else { secret });
                assert_hidden(&mut command, &path, &parts, &format!("{path} {name}"));
            }
        }
    }
    assert!(options > 60, "only {options}");
}

fn excludes(name: &str, other: &str) -> bool {
    matches!(
        (name, other),
        ("--scope" | "--self-signed", "--audience") | ("--keys-url", "--keys" | "--offline")
    )
}

#[test]
fn in_a_variable() {
    // Side by side: what cannot be reached is tried again after a while.
    thread::scope(|scope| {
        for name in variables() {
            for (secret, parts) in secrets() {
                let name = name.clone();
                scope.spawn(move || {
                    for path in ["token", "adc", "verify"] {
                        // Without keys, so that they are fetched.
                        let others = others(path).iter().filter(|other| !other.starts_with("--keys"));
                        let mut command = gatepass(&[path]);
                        command.args(others).envs([
                            ("GCE_METADATA_HOST", "127.0.0.1:1"),
                            ("https_proxy", "http://127.0.0.1:1"),
                            (&name, &secret),
                        ]);
                        assert_hidden(&mut command, path, &parts, &name);
                    }
                });
            }
        }
    });
}

/// Runs the program until it ends or listens.
fn assert_hidden(command: &mut Command, path: &str, parts: &[&str], place: &str) {
    let folder = env!("CARGO_TARGET_TMPDIR");
    // Options may name files that are written.
    command.current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let stdout = BufReader::new(child.stdout.take().unwrap());
    let mut shown = String::new();
    for line in stdout.lines().map(Result::unwrap) {
        let is_listening = line.starts_with("# listening");
        // What these print is what they were asked for: claims, files, variables.
        if !path.starts_with("emulator") && path != "decode" {
            shown += &line;
        }
        if is_listening {
            break;
        }
    }
    drop(child.stdin.take());
    shown += text(&child.wait_with_output().unwrap().stderr);
    for part in parts {
        assert!(!shown.contains(part), "{place} is a secret, and shown: {shown}");
    }
}

/// The subcommands, each with its options that take a value and its positional arguments.
fn commands() -> BTreeMap<String, Vec<String>> {
    let mut found = BTreeMap::new();
    let mut paths = vec![String::new()];
    while let Some(path) = paths.pop() {
        let words = path.split_ascii_whitespace().collect::<Vec<_>>();
        let output = gatepass(&words).arg("--help").output().unwrap();
        let help = text(&output.stdout).to_owned();
        let section = |title: &str| {
            let after = help.split_once(&format!("\n{title}:\n")).map_or("", |(_, after)| after);
            after.lines().take_while(|line| line.starts_with("  ") || line.is_empty()).map(str::to_owned)
        };
        let names = section("Commands").filter(|line| line.starts_with("  ") && !line.starts_with("   "));
        for name in names.filter_map(|line| line.split_ascii_whitespace().next().map(str::to_owned)) {
            if name != "help" {
                paths.push(format!("{path} {name}").trim().to_owned());
            }
        }
        let mut options: Vec<String> = help
            .lines()
            .filter_map(|line| line.trim_start().strip_prefix("--").filter(|_| line.starts_with("      --")))
            .filter_map(|option| option.split_once(" <").map(|(name, _)| format!("--{name}")))
            .collect();
        options
            .extend(section("Arguments").filter(|line| line.starts_with("  ") && !line.starts_with("   ")));
        found.insert(path, options);
    }
    assert!(
        found["verify"].contains(&"--keys-url".to_owned()) && found["emulator key"].len() > 10,
        "{found:?}"
    );
    found.remove("");
    found
}

/// The variables that the core reads, and those of the store of trusted certificates.
fn variables() -> BTreeSet<String> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../core/src/environment.rs");
    let code = fs::read_to_string(file).unwrap();
    let words = code.split("#[cfg(test)]").next().unwrap().split('"').skip(1).step_by(2).map(str::to_owned);
    let is_name = |word: &String| {
        let of_names = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        word.len() > 3
            && word.bytes().all(of_names)
            && (word.to_uppercase() == *word || word.ends_with("_proxy"))
    };
    let mut found: BTreeSet<_> = words.filter(is_name).collect();
    assert!(found.len() > 30 && found.contains("https_proxy"), "{found:?}");
    found.extend(["SSL_CERT_FILE", "SSL_CERT_DIR"].map(str::to_owned));
    found
}
