//! Standard output that is full or closed is an error with a message, not a panic.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::fs::OpenOptions;
use std::io::pipe;
use std::process::Stdio;

use support::emulator::Emulator;
use support::text;

#[test]
fn that_is_full_or_closed() {
    let emulator = Emulator::start();
    let token = emulator.succeed(&["token", "--audience", "https://a.example"]);
    for arguments in [
        &["token", "--audience", "https://a.example"][..],
        &["adc", "--explain"],
        &["verify", "--audience", "https://a.example", &token],
        &["explain", "--audience", "https://a.example", &token],
        &["explain", "--json", &token],
        &["decode", &token],
        &["completions", "bash"],
        &["man"],
        &["emulator", "ca"],
        &["emulator", "key", "--email", "a@b.iam.gserviceaccount.com"],
        &["emulator", "subject-token"],
    ] {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let (reader, closed) = pipe().unwrap();
        drop(reader);
        for stdout in [Stdio::from(full), Stdio::from(closed)] {
            let output = emulator.command(arguments).stdout(stdout).output().unwrap();
            let said = text(&output.stderr);
            assert!(said.contains("gatepass: cannot write to standard output: "), "{arguments:?}: {said}");
            assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        }
    }
}
