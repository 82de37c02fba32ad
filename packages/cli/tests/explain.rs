//! `gatepass explain` of the tokens that people ask about, most of them the emulator's.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::io::Write;
use std::process::{Output, Stdio};
use std::sync::LazyLock;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use support::emulator::{Emulator, empty_folder};
use support::{gatepass, text};

const SERVICE: &str = "https://orders-abc-uc.a.run.app";

/// The emulator of all tests here. It ends with the test process.
static EMULATOR: LazyLock<Emulator> = LazyLock::new(Emulator::start);

#[test]
fn a_good_token_is_accepted_by_its_url() {
    let output = explain(&id_token(SERVICE), &["--url", &format!("{SERVICE}/v1?a=b")]);
    assert_eq!(output.status.code(), Some(0));
    let shown = text(&output.stdout);
    assert!(
        shown.starts_with("This is a Google ID token.\n  iss   \"https://accounts.google.com\"\n"),
        "{shown}"
    );
    assert!(shown.ends_with("It is accepted.\n"), "{shown}");
}

#[test]
fn a_tag_url_in_the_audience() {
    let found = refused(&id_token("https://green---orders-abc-uc.a.run.app"), &["--audience", SERVICE]);
    found.is("BAD_AUDIENCE", "traffic_tag");
    found.says("A traffic tag belongs into the URL that is called");
}

#[test]
fn a_path_in_the_audience() {
    let found =
        refused(&id_token(&format!("{SERVICE}/v1/orders")), &["--url", &format!("{SERVICE}/v1/orders")]);
    found.is("BAD_AUDIENCE", "path");
    found.says("has a path, a port or a query after the host");
}

#[test]
fn a_slash_at_the_end_of_the_audience() {
    let found = refused(&id_token(&format!("{SERVICE}/")), &["--audience", SERVICE]);
    found.is("BAD_AUDIENCE", "trailing_slash");
    found.says("the two differ by the slash at the end");
}

#[test]
fn an_access_token_where_an_id_token_is_wanted() {
    let scope = "https://www.googleapis.com/auth/cloud-platform";
    let found = refused(&EMULATOR.succeed(&["token", "--scope", scope]), &["--audience", SERVICE]);
    found.is("TOKEN_MALFORMED", "access_token");
    found.says("This is a Google access token.\nIt is refused.\n");
    found.says("fetch_id_token(audience)");
}

#[test]
fn a_self_signed_assertion_that_was_never_exchanged() {
    let file = empty_folder("explain").join("key.json").into_os_string().into_string().unwrap();
    let email = "caller@emulator.iam.gserviceaccount.com";
    EMULATOR.succeed(&["emulator", "key", "--email", email, "--emulator", &EMULATOR.url, "--out", &file]);
    let endpoint = "https://oauth2.googleapis.com/token";
    let assertion = EMULATOR.succeed(&["token", "--credentials", &file, "--self-signed", endpoint]);
    let found = refused(&assertion, &["--audience", SERVICE]);
    found.is("BAD_ISSUER", "self_signed_assertion");
    found.says("This assertion was never exchanged for a token");
}

#[test]
fn a_signature_that_cloud_run_has_removed() {
    let token = mint(&json!({ "claims": { "aud": SERVICE }, "strip_signature": true }));
    let found = refused(&token, &["--audience", SERVICE]);
    assert_eq!(found.0["findings"][0]["code"], "SIGNATURE_STRIPPED", "{}", found.0);
    found.says("Have the caller send one token in X-Serverless-Authorization");
}

#[test]
fn a_clock_that_is_off() {
    let ahead = now() + 600;
    let found = refused(
        &mint(&json!({ "claims": { "aud": SERVICE }, "issued_at": ahead })),
        &["--audience", SERVICE, "--now", &(ahead - 600).to_string()],
    );
    found.is("TOKEN_ISSUED_IN_FUTURE", "clock");
    found.says("10 min after now");
    found.says("Set the clocks (NTP)");
}

#[test]
fn an_email_that_is_missing_because_the_format_was_standard() {
    let path = "/computeMetadata/v1/instance/service-accounts/default/identity";
    let url = format!("{}{path}?audience={SERVICE}&format=standard", EMULATOR.url);
    let answer = ureq::get(&url).header("Metadata-Flavor", "Google").call().unwrap();
    let token = answer.into_body().read_to_string().unwrap();

    let email = "default@emulator.iam.gserviceaccount.com";
    let found = refused(&token, &["--audience", SERVICE, "--email", email]);
    found.is("EMAIL_NOT_ALLOWED", "email_missing");
    found.says("format=full from the metadata server");

    // A receiver that takes any caller accepts it, and hears of it all the same.
    let output = explain(&token, &["--audience", SERVICE, "--json"]);
    assert_eq!(output.status.code(), Some(0));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&found["accepted"], &found["findings"][0]["cause"]), (&json!(true), &json!("email_missing")));
    assert_eq!(found["findings"][0]["level"], "warning");
}

#[test]
fn everything_that_is_wrong_is_named() {
    let token = mint(&json!({ "claims": { "aud": "other" }, "issued_at": now() - 7200 }));
    let found = refused(&forged(&token), &["--audience", SERVICE]);
    let codes: Vec<_> = found.0["findings"].as_array().unwrap().iter().map(|each| &each["code"]).collect();
    assert_eq!(codes, ["BAD_SIGNATURE", "BAD_AUDIENCE", "TOKEN_EXPIRED"]);
}

#[test]
fn what_is_not_known_has_an_exit_code_of_its_own() {
    let token = id_token(SERVICE);
    for (options, cause) in [
        (&["--keys-url", &keys_url()][..], "audience_not_compared"),
        (&["--offline", "--audience", SERVICE], "signature_not_checked"),
        (&["--keys-url", "http://127.0.0.1:1/keys", "--audience", SERVICE], "signature_not_checked"),
    ] {
        let output = run(&["explain", &token, "--json"], options, "");
        assert_eq!(output.status.code(), Some(3), "{options:?}: {}", text(&output.stdout));
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((&found["accepted"], &found["findings"][0]["cause"]), (&Value::Null, &json!(cause)));
    }
    let away =
        run(&["explain", &token, "--keys-url", "http://127.0.0.1:1/keys", "--audience", SERVICE], &[], "");
    assert!(text(&away.stderr).starts_with("gatepass: KEYS_UNAVAILABLE: "), "{}", text(&away.stderr));
}

#[test]
fn keys_are_read_from_a_file() {
    let file = empty_folder("explain-keys").join("keys.json").into_os_string().into_string().unwrap();
    let keys = ureq::get(&keys_url()).call().unwrap().into_body().read_to_string().unwrap();
    std::fs::write(&file, keys).unwrap();
    let options = ["--keys", &file, "--audience", SERVICE];
    let output = run(&["explain", &id_token(SERVICE)], &options, "");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
}

#[test]
fn a_token_comes_through_a_pipe_and_the_header_is_looked_at() {
    let token = format!("{}\n", id_token(SERVICE));
    let keys_url = keys_url();
    let options = ["--keys-url", &keys_url, "--audience", SERVICE];
    assert_eq!(run(&["explain"], &options, &token).status.code(), Some(0));
    assert_eq!(run(&["explain", "-"], &options, &token).status.code(), Some(0));

    let output = run(&["explain", "--header", "X-Token", "--json"], &options, &token);
    assert_eq!(output.status.code(), Some(1));
    let found = Found(serde_json::from_slice(&output.stdout).unwrap());
    found.is("TOKEN_MISSING", "wrong_header");
}

#[test]
fn what_is_no_token_is_not_shown() {
    let output = explain("1//secret-refresh-token", &["--audience", SERVICE]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("looks like a refresh token"), "{}", text(&output.stdout));
    assert!(!text(&output.stdout).contains("secret-refresh-token"));
}

#[test]
fn wrong_options_are_usage_errors() {
    for (options, word) in [
        (&["--preset", "gogle"][..], "cloud_scheduler"),
        (&["--offline", "--keys-url", "https://keys.example"], "--offline"),
        (&["--url", "not a URL"], "URL"),
        (&["--any-caller", "--email", "a@b"], "--any-caller"),
        (&["--preset", "oidc"], "issuer"),
    ] {
        let output = run(&["explain", "a.b.c"], options, "");
        assert_eq!(output.status.code(), Some(2), "{options:?}: {}", text(&output.stdout));
        assert!(text(&output.stderr).contains(word), "{options:?}: {}", text(&output.stderr));
    }
}

/// What `gatepass explain --json` found.
struct Found(Value);

impl Found {
    fn is(&self, code: &str, cause: &str) {
        let first = &self.0["findings"][0];
        assert_eq!((&first["code"], &first["cause"]), (&json!(code), &json!(cause)), "{}", self.0);
    }

    fn says(&self, words: &str) {
        let shown = self.0["text"].as_str().unwrap();
        assert!(shown.contains(words), "{shown}");
    }
}

/// What counts against a token, whose signature the output never shows.
fn refused(token: &str, options: &[&str]) -> Found {
    let output = explain(token, &[options, &["--json"]].concat());
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
    assert_eq!(text(&output.stderr), "");
    assert!(!text(&output.stdout).contains(token), "the token is shown");
    Found(serde_json::from_slice(&output.stdout).unwrap())
}

/// Explains a token with the keys of the emulator.
fn explain(token: &str, options: &[&str]) -> Output {
    run(&["explain", token, "--keys-url", &keys_url()], options, "")
}

fn run(arguments: &[&str], options: &[&str], input: &str) -> Output {
    let mut child = gatepass(arguments)
        .args(options)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that is given its token does not read its input.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn keys_url() -> String {
    format!("{}/oauth2/v3/certs", EMULATOR.url)
}

fn id_token(audience: &str) -> String {
    EMULATOR.succeed(&["token", "--audience", audience])
}

fn mint(order: &Value) -> String {
    let answer = ureq::post(&format!("{}/emulator/v1/mint", EMULATOR.url)).send(order.to_string()).unwrap();
    let answer: Value = serde_json::from_str(&answer.into_body().read_to_string().unwrap()).unwrap();
    answer["token"].as_str().unwrap().to_owned()
}

/// The token with the signature of another one.
fn forged(token: &str) -> String {
    let (signed, _) = token.rsplit_once('.').unwrap();
    let other = id_token("https://other.example");
    format!("{signed}.{}", other.rsplit('.').next().unwrap())
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}
