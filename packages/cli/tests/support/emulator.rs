//! An emulator with TLS, and the program as its user runs it.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use super::{Running, gatepass, text};

pub(crate) struct Emulator {
    running: Running,
    pub(crate) url: String,
    pub(crate) mtls_url: String,
}

impl Emulator {
    pub(crate) fn start() -> Self {
        let running = Running::start(&["--mtls-port", "0"]);
        let mtls_url =
            running.lines.iter().find_map(|line| line.strip_prefix("# mTLS on ")).unwrap().to_owned();
        Self { url: running.url(), mtls_url, running }
    }

    /// Prepares `gatepass` with nothing in its environment but what the emulator printed.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = gatepass(arguments);
        command.envs(self.running.exports());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    pub(crate) fn succeed(&self, arguments: &[&str]) -> String {
        succeeded(&self.run(arguments))
    }

    /// Verifies an ID token, and gives what `gatepass verify --json` says of it.
    pub(crate) fn verify(&self, token: &str, audience: &str) -> String {
        let keys_url = format!("{}/oauth2/v3/certs", self.url);
        self.succeed(&["verify", token, "--audience", audience, "--keys-url", &keys_url, "--json"])
    }
}

/// Gives what a program that succeeded has printed.
pub(crate) fn succeeded(output: &Output) -> String {
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout).trim().to_owned()
}

/// Makes an empty folder for the files of one test.
pub(crate) fn empty_folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    fs::create_dir_all(&folder).unwrap();
    folder
}
