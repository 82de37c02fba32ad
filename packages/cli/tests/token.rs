//! `gatepass token` fetches from the emulator, by metadata server and by key file; `gatepass verify` accepts it.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::process::Command;

use gatepass_emulator::mint::AccessToken;

use support::emulator::Emulator;

const AUDIENCE: &str = "https://orders.example";

#[test]
fn by_metadata_server() {
    let emulator = Emulator::start();
    let token = emulator.succeed(&["token", "--audience", AUDIENCE]);
    let claims = emulator.verify(&token, AUDIENCE);
    assert!(claims.contains("\"email\":\"default@emulator.iam.gserviceaccount.com\""), "{claims}");
}

#[test]
fn by_key_file() {
    let emulator = Emulator::start();
    let file = format!("{}/orders.json", env!("CARGO_TARGET_TMPDIR"));
    let email = "orders@shop.iam.gserviceaccount.com";
    emulator.succeed(&["emulator", "key", "--email", email, "--emulator", &emulator.url, "--out", &file]);
    let token = emulator.succeed(&["token", "--audience", AUDIENCE, "--credentials", &file]);
    assert!(emulator.verify(&token, AUDIENCE).contains(email));
}

#[test]
fn a_key_file_in_another_encoding_is_named() {
    let emulator = Emulator::start();
    let file = format!("{}/utf-16.json", env!("CARGO_TARGET_TMPDIR"));
    let text: Vec<u8> = "\u{feff}{\"type\":1}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    std::fs::write(&file, text).unwrap();
    let output = emulator.run(&["token", "--audience", AUDIENCE, "--credentials", &file]);
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("CREDENTIALS_FILE_INVALID") && message.contains("UTF-16"), "{message}");
}

#[test]
fn by_a_service_identity_of_distributed_cloud() {
    let emulator = Emulator::start();
    let file = format!("{}/gdch.json", env!("CARGO_TARGET_TMPDIR"));
    emulator.succeed(&[
        "emulator",
        "key",
        "--type",
        "gdch_service_account",
        "--name",
        "orders",
        "--mtls",
        &emulator.mtls_url,
        "--out",
        &file,
    ]);
    let scope = "https://www.googleapis.com/auth/cloud-platform";
    let token = emulator.succeed(&[
        "token",
        "--scope",
        scope,
        "--credentials",
        &file,
        "--gdch-audience",
        "https://api.example",
    ]);
    let principal = AccessToken::decode(&token).unwrap().principal;
    assert_eq!(principal, "system:serviceaccount:emulator:orders");
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
