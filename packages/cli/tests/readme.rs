//! The lines of the README's shell snippet, run against the emulator.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::fs;
use std::path::Path;
use std::process::Command;

use support::Running;

mod support;

#[test]
fn every_line_of_the_shell_snippet_runs() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md")).unwrap();
    let (_, snippet) = readme.split_once("**Shell**\n```sh\n").unwrap();
    let lines: Vec<_> = snippet.split("```").next().unwrap().lines().collect();
    assert!(lines.len() > 3);
    let emulator = Running::start(&[]);
    let programs = Path::new(env!("CARGO_BIN_EXE_gatepass")).parent().unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    for line in lines {
        // It would run until it is stopped; that it starts is shown above.
        if line.starts_with("gatepass emulator") {
            continue;
        }
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", line]).env_clear().env("PATH", &path).envs(emulator.exports());
        let output = shell.output().unwrap();
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(!output.stdout.is_empty(), "{line}");
    }
}
