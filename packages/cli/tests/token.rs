//! `gatepass token` fetches from the emulator, by metadata server and by key file; `gatepass verify` accepts it.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};

const AUDIENCE: &str = "https://orders.example";

#[test]
fn by_metadata_server() {
    let emulator = Emulator::start();
    let token = emulator.succeed(&["token", "--audience", AUDIENCE]);
    let claims = emulator.verify(&token);
    assert!(claims.contains("\"email\":\"default@emulator.iam.gserviceaccount.com\""), "{claims}");
}

#[test]
fn by_key_file() {
    let emulator = Emulator::start();
    let file = format!("{}/orders.json", env!("CARGO_TARGET_TMPDIR"));
    let email = "orders@shop.iam.gserviceaccount.com";
    emulator.succeed(&["emulator", "key", "--email", email, "--emulator", &emulator.url, "--out", &file]);
    let token = emulator.succeed(&["token", "--audience", AUDIENCE, "--credentials", &file]);
    assert!(emulator.verify(&token).contains(email));
}

#[test]
fn a_key_file_that_leads_elsewhere_is_refused() {
    let emulator = Emulator::start();
    let file = format!("{}/elsewhere.json", env!("CARGO_TARGET_TMPDIR"));
    let elsewhere = "http://127.0.0.1:1";
    emulator.succeed(&[
        "emulator",
        "key",
        "--email",
        "a@b.iam.gserviceaccount.com",
        "--emulator",
        elsewhere,
        "--out",
        &file,
    ]);
    let output = emulator.run(&["token", "--audience", AUDIENCE, "--credentials", &file]);
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("ENDPOINT_NOT_ALLOWED") && message.contains(&file), "{message}");
}

#[test]
fn without_credentials_the_error_says_what_was_tried() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_gatepass"));
    program.args(["token", "--audience", AUDIENCE]).env_clear().env("GCE_METADATA_IP", "127.0.0.1:1");
    let output = program.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8(output.stderr).unwrap();
    for tried in
        ["CREDENTIALS_NOT_FOUND", "GOOGLE_APPLICATION_CREDENTIALS is not set", "gcloud", "127.0.0.1:1"]
    {
        assert!(message.contains(tried), "{message}");
    }
}

/// A running emulator, which ends with the test: its standard input closes.
struct Emulator {
    process: Child,
    environment: Vec<(String, String)>,
    url: String,
}

impl Emulator {
    fn start() -> Self {
        let mut program = Command::new(env!("CARGO_BIN_EXE_gatepass"));
        program
            .args(["emulator", "--port", "0", "--exit-with-stdin"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut process = program.spawn().unwrap();
        let stdout = BufReader::new(process.stdout.take().unwrap());
        let mut emulator = Self { process, environment: Vec::new(), url: String::new() };
        for line in stdout.lines().map(Result::unwrap) {
            if let Some((name, value)) = line.strip_prefix("export ").and_then(|rest| rest.split_once('=')) {
                emulator.environment.push((name.to_owned(), value.to_owned()));
            } else if let Some(url) = line.strip_prefix("# listening on ") {
                emulator.url = url.to_owned();
                return emulator;
            }
        }
        panic!("the emulator did not start")
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut program = Command::new(env!("CARGO_BIN_EXE_gatepass"));
        program.args(arguments).env_clear().envs(self.environment.iter().cloned()).output().unwrap()
    }

    fn succeed(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn verify(&self, token: &str) -> String {
        let keys_url = format!("{}/oauth2/v3/certs", self.url);
        self.succeed(&["verify", token, "--audience", AUDIENCE, "--keys-url", &keys_url, "--json"])
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}
