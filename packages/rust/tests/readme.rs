//! The snippets of README.md are the programs in examples/, and each runs against the emulator.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use support::Served;

#[test]
fn every_snippet_is_an_example() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let snippets: Vec<_> = readme
        .split("```rust")
        .skip(1)
        .map(|rest| rest.split_once('\n').unwrap().1.split("```").next().unwrap().to_owned())
        .collect();
    let examples: BTreeMap<_, _> = fs::read_dir(root.join("examples"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (fs::read_to_string(&path).unwrap(), path))
        .collect();
    for snippet in &snippets {
        assert!(examples.contains_key(snippet), "no file in examples/ is this snippet:\n{snippet}");
    }
    assert_eq!(snippets.len(), examples.len(), "an example is not in the README");
}

/// Runs a program of examples/ with nothing in its environment but the emulator; gives what it prints.
fn run(served: &Served, name: &str, argument: Option<&str>) -> String {
    let mut programs = std::env::current_exe().unwrap();
    programs.pop();
    programs.pop();
    let mut command = Command::new(programs.join("examples").join(name));
    command.args(argument).env_clear().envs(served.environment());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_examples_run() {
    let served = Served::start();
    let printed = run(&served, "call", Some(&format!("{}/oauth2/v3/certs", served.url())));
    assert!(printed.starts_with("200 OK\ngood until Millis("), "{printed}");
    assert!(run(&served, "credentials", None).starts_with("good until Millis("));

    let token = |audience: &str| {
        let config = served.emulator.config();
        gatepass_emulator::mint::IdToken::google(
            &config.service_account,
            audience,
            gatepass_emulator::time::UnixSeconds(gatepass::driver::now().unix.as_secs()),
            config.token_lifetime,
        )
        .sign()
        .unwrap()
    };
    let receive = |token: &str| run(&served, "receive", Some(&format!("Bearer {token}")));
    assert_eq!(receive(&token("https://orders.example")), "hello default@emulator.iam.gserviceaccount.com\n");
    assert!(receive(&token("https://other.example")).starts_with("401 BAD_AUDIENCE: "));
    assert!(receive("").starts_with("401 TOKEN_MISSING: "));
}
