//! `gatepass verify` decides the whole attack corpus, one token a line.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use support::emulator::Emulator;

mod support;

#[test]
fn the_attack_corpus_line_by_line() {
    let corpus = read("attack_corpus.json");
    let codes = read("codes.json");
    let mut groups: BTreeMap<Vec<String>, Vec<&Value>> = BTreeMap::new();
    for case in corpus["cases"].as_array().unwrap() {
        groups.entry(options(&corpus, case)).or_default().push(case);
    }
    let folder = tempdir("corpus");
    let mut wrong = Vec::new();
    for (options, cases) in &groups {
        let keys = folder.join("keys.json");
        std::fs::write(&keys, corpus["jwks"][cases[0]["jwks"].as_str().unwrap()].to_string()).unwrap();
        // A line cannot hold a line's end: such a token comes as the argument.
        let (as_argument, as_line): (Vec<&Value>, Vec<&Value>) =
            cases.iter().partition(|case| case["token"].as_str().unwrap().contains('\n'));
        let lines: String =
            as_line.iter().map(|case| format!("{}\n", case["token"].as_str().unwrap())).collect();
        let mut results = Vec::new();
        if !as_line.is_empty() {
            let output = verify(options, &keys, "-", &lines);
            let answers = String::from_utf8(output.stdout).unwrap();
            assert_eq!(answers.lines().count(), as_line.len(), "one answer a line");
            let all_accepted = as_line.iter().all(|case| case["expected"] == "accept");
            assert_eq!(output.status.code(), Some(i32::from(!all_accepted)));
            results.extend(as_line.into_iter().zip(answers.lines().map(str::to_owned).collect::<Vec<_>>()));
        }
        for case in as_argument {
            let output = verify(options, &keys, case["token"].as_str().unwrap(), "");
            results.push((case, String::from_utf8(output.stdout).unwrap()));
        }
        wrong.extend(
            results
                .iter()
                .filter(|(case, answer)| !is_right(case, answer, &codes))
                .map(|(c, a)| format!("{} {a}", c["id"])),
        );
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn an_emulator_is_trusted_where_the_environment_may_say_so() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/presets/emulator.json");
    let vectors: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    for case in vectors["cases"].as_array().unwrap() {
        let environment = case["environment"].as_object().unwrap();
        let environment = environment.iter().map(|(name, value)| (name, value.as_str().unwrap()));
        let arguments = ["verify", "--audience", vectors["audience"].as_str().unwrap(), "no token"];
        let output = support::gatepass(&arguments).envs(environment).output().unwrap();
        let said = support::text(&output.stderr);
        if case["expected"] == "accept" {
            // The options are, the token is not.
            assert_eq!(output.status.code(), Some(1), "{}: {said}", case["name"]);
        } else {
            assert_eq!(output.status.code(), Some(2), "{}: {said}", case["name"]);
            for words in ["expected", "found"].map(|member| case[member].as_str().unwrap()) {
                assert!(said.contains(words), "{}: {said}", case["name"]);
            }
        }
    }
}

#[test]
fn without_an_audience_nothing_is_verified() {
    let output = run(&["verify", "-", "--json"], "");
    assert_eq!(output.status.code(), Some(2));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("no audience is given"), "{message}");
}

/// People paste a token where something else belongs.
#[test]
fn no_message_repeats_a_secret_from_the_command_line() {
    let key = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----\n";
    let token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxMDc2OTUwMzE2NTgifQ.c2lnbmF0dXJlLW9mLWEtdG9rZW4";
    let random = "q7Wm2ZxVt9LkRb4HdYcN8sJfGpEa3uTi6oQvXyBn1wKMlPzC0rUhSgDeAjOF5I";
    for secret in [key, token, random] {
        let with_equals = format!("--audiance={secret}");
        for arguments in [
            vec![secret],
            vec!["token", &with_equals],
            vec!["verify", "x", secret, "--audience", "a"],
            vec!["verify", "x", "--audience", "a", "--preset", secret],
            vec!["verify", "x", "--audience", "a", "--algorithm", secret],
            vec!["verify", "x", "--audience", "a", "--leeway", secret],
            vec!["verify", "x", "--audience", "a", "--keys", secret],
            vec!["verify", "x", "--audience", "a", "--keys-url", secret],
            vec!["verify", "x", "--audience", "a", "--preset", "oidc", "--issuer", secret],
            vec!["token", "--audience", "a", "--credentials", secret],
            vec!["token", "--audience", "a", "--impersonate", secret],
            vec!["token", "--audience", "a", "--expect-type", secret],
            vec!["adc", "--explain", "--credentials", secret],
            vec!["decode", secret],
            vec!["emulator", "--email", secret],
            vec!["emulator", "--fault", secret],
            vec!["emulator", "key", "--email", secret],
            vec!["emulator", "key", "--email", "a@b", "--emulator", secret],
            vec!["emulator", "run", "--service", secret, "--to", secret],
            vec!["emulator", "push", "--as", secret, "--to", secret],
        ] {
            let output = Command::new(env!("CARGO_BIN_EXE_gatepass"))
                .args(&arguments)
                .env_clear()
                .env("METADATA_SERVER_DETECTION", "none")
                .output()
                .unwrap();
            let shown = String::from_utf8_lossy(&output.stderr).into_owned();
            for word in secret.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| word.len() > 15) {
                assert!(!shown.contains(word), "{arguments:?}: {shown}");
            }
        }
    }
}

/// `gatepass token … | gatepass verify - … && deploy` must not deploy when the first command has failed.
#[test]
fn nothing_checked_is_no_success() {
    for command in ["verify", "decode"] {
        let options = if command == "verify" { &["--audience", "a"][..] } else { &[] };
        let output = run(&[&[command, "-"], options].concat(), "");
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{command}");
        assert!(message.contains("there is nothing on standard input"), "{message}");
        assert_eq!(run(&[&[command, "-"], options].concat(), "\n").status.code(), Some(1), "{command}");
    }
}

#[test]
fn what_could_not_be_decided_is_not_what_was_refused() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let keys_url = format!("http://{nobody}/certs");
    let corpus = read("attack_corpus.json");
    let good = corpus["cases"].as_array().unwrap().iter().find(|case| case["expected"] == "accept").unwrap();
    let token = good["token"].as_str().unwrap();
    let verify = |token: &str, input: &str, more: &[&str]| {
        let base = ["verify", token, "--audience", "a", "--keys-url", &keys_url];
        let output = run(&[&base, more].concat(), input);
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (status, line) = verify(token, "", &[]);
    assert!(status == Some(3) && line.starts_with("undecided: KEYS_UNAVAILABLE: "), "{status:?} {line}");
    let (status, line) = verify(token, "", &["--json"]);
    let answer: Value = serde_json::from_str(&line).unwrap();
    assert_eq!((status, &answer["ok"], &answer["retryable"]), (Some(3), &false.into(), &true.into()));
    // One that is refused says more than one that is not decided.
    assert_eq!(verify("-", &format!("{token}\nrubbish\n"), &[]).0, Some(1));
}

#[test]
fn what_was_found_and_expected_is_data() {
    let corpus = read("attack_corpus.json");
    let good = corpus["cases"].as_array().unwrap().iter().find(|case| case["expected"] == "accept").unwrap();
    let folder = tempdir("data");
    let keys = folder.join("keys.json");
    std::fs::write(&keys, corpus["jwks"][good["jwks"].as_str().unwrap()].to_string()).unwrap();
    let now = good["now"].to_string();
    let options =
        ["verify", good["token"].as_str().unwrap(), "--json", "--audience", "https://other.example"];
    let output = run(&[&options[..], &["--now", &now, "--keys", keys.to_str().unwrap()]].concat(), "");
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        (&answer["code"], &answer["claim"], &answer["reason"]),
        (&"BAD_AUDIENCE".into(), &"aud".into(), &"mismatch".into())
    );
    assert!(answer["expected"].to_string().contains("https://other.example"), "{answer}");
    assert!(!answer["found"].is_null(), "{answer}");
}

#[test]
fn under_the_emulators_environment_its_tokens_are_accepted_with_a_warning() {
    let emulator = Emulator::start();
    let token = emulator.succeed(&["token", "--audience", "https://orders.example"]);
    let output = emulator.run(&["verify", &token, "--audience", "https://orders.example"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let warning = String::from_utf8(output.stderr).unwrap();
    assert!(warning.contains("warning: GATEPASS_DANGEROUSLY_TRUST_EMULATOR is set"), "{warning}");
    let on_cloud_run = emulator
        .command(&["verify", &token, "--audience", "https://orders.example"])
        .env("K_SERVICE", "orders")
        .output()
        .unwrap();
    assert_eq!(on_cloud_run.status.code(), Some(2));
}

#[test]
fn a_missing_key_file_is_named() {
    let output = run(&["verify", "-", "--audience", "a", "--keys", "/no/such/file"], "");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("/no/such/file"));
}

#[test]
fn callers_are_named_by_email_or_by_subject_or_left_open_by_a_word() {
    let emulator = Emulator::start();
    let token = emulator.succeed(&["token", "--audience", "https://orders.example"]);
    let keys_url = format!("{}/oauth2/v3/certs", emulator.url);
    let verify = |options: &[&str]| {
        let base =
            ["verify", &token, "--audience", "https://orders.example", "--keys-url", &keys_url, "--json"];
        let output = run(&[&base, options].concat(), "");
        let answer = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
        (output.status.code(), answer, String::from_utf8(output.stderr).unwrap())
    };
    let (_, answer, _) = verify(&[]);
    let subject = answer["claims"]["sub"].as_str().unwrap();
    let email = answer["claims"]["email"].as_str().unwrap();

    for sender in ["cloud_run", "pubsub", "cloud_tasks", "cloud_scheduler", "eventarc"] {
        let (status, _, message) = verify(&["--preset", sender]);
        assert_eq!(status, Some(2), "{sender}");
        assert!(message.contains("needs `--email` or `--subject`"), "{message}");
        for options in [&["--any-caller"][..], &["--email", email], &["--subject", subject]] {
            assert_eq!(verify(&[&["--preset", sender], options].concat()).0, Some(0), "{sender} {options:?}");
        }
    }
    for (options, code) in [
        (&["--subject", "1"][..], "SUBJECT_NOT_ALLOWED"),
        (&["--subject", subject, "--email", "a@b"], "EMAIL_NOT_ALLOWED"),
    ] {
        let (status, answer, _) = verify(options);
        assert_eq!((status, &answer["code"]), (Some(1), &code.into()), "{options:?}");
    }
}

#[test]
fn an_algorithm_that_the_issuer_never_signs_with_is_a_mistake() {
    let output = run(&["verify", "-", "--audience", "a", "--algorithm", "ES256"], "");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("ES256"));
    let output = run(&["verify", "-", "--audience", "a", "--algorithm", "HS256"], "");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("RS256, RS384"));
}

#[test]
fn decode_shows_claims_and_no_signature() {
    let corpus = read("attack_corpus.json");
    let token = corpus["cases"][0]["token"].as_str().unwrap();
    let output = run(&["decode", "-"], token);
    let shown = String::from_utf8(output.stdout).unwrap();
    let document: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(
        (&document["verified"], &document["claims"]["iss"]),
        (&false.into(), &"https://accounts.google.com".into())
    );
    assert!(!shown.contains(token.rsplit('.').next().unwrap()));
}

fn options(corpus: &Value, case: &Value) -> Vec<String> {
    let profile = case["profile"].as_str().unwrap();
    let audience = corpus["profiles"][profile]["audience"].as_str().unwrap();
    let mut options = vec!["--preset", profile, "--audience", audience, "--json"];
    let (now, leeway) = (case["now"].to_string(), case["leeway"].to_string());
    options.extend(["--now", &now, "--leeway", &leeway]);
    options.extend(case["opts"]["email"].as_str().into_iter().flat_map(|email| ["--email", email]));
    let mut options: Vec<String> = options.into_iter().map(str::to_owned).collect();
    // Cases with another key set are another group; the name is not an option of the program.
    options.push(format!("jwks:{}", case["jwks"].as_str().unwrap()));
    options
}

fn verify(options: &[String], keys: &Path, token: &str, input: &str) -> Output {
    let options = options.iter().map(String::as_str).filter(|option| !option.starts_with("jwks:"));
    let arguments: Vec<&str> = ["verify", "--keys", keys.to_str().unwrap()]
        .into_iter()
        .chain(options)
        .chain(["--", token])
        .collect();
    run(&arguments, input)
}

fn run(arguments: &[&str], input: &str) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_gatepass"));
    let program = program.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = program.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    // A program that refuses its options does not read its input.
    let _ = writer.join().unwrap();
    output
}

fn is_right(case: &Value, answer: &str, codes: &Value) -> bool {
    let answer: Value = serde_json::from_str(answer).unwrap_or_else(|error| panic!("{answer}: {error}"));
    if case["expected"] == "accept" {
        return answer["ok"] == true && answer["claims"]["sub"].is_string();
    }
    let mut allowed = case["reasons"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|r| codes[r.as_str().unwrap()].as_array().unwrap());
    answer["ok"] == false && answer["message"].is_string() && allowed.any(|code| *code == answer["code"])
}

fn read(name: &str) -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/verify").join(name);
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

fn tempdir(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
