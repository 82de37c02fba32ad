//! Runs one hot path many times, for a profiler that counts instructions: `hot_path JOB TIMES`.
//!
//! `recall`: a token that was verified before; `new`: one that was not; `header`: the header of a warm token. `digest`: the
//! SHA-256 that the first two begin with; `signature`: the check of the token's signature, its own SHA-256 included. These
//! are ring's, and differ from processor to processor.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::hint::black_box;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gatepass_core::CredentialsFrom;
use gatepass_core::{KeySource, Preset};
use gatepass_core::{
    Lookup, Millis, Now, Operation, Recall, Reply, Secret, SourceConfig, Step, TokenKey, TokenSource,
    Verdict, Verifier, VerifierConfig,
};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde_json::Value;

const CORPUS: &str = include_str!("../../tests/vectors/verify/attack_corpus.json");

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [job, times] = arguments.as_slice() else { panic!("expected a job and how many times") };
    let times: u64 = times.parse().unwrap();
    match job.as_str() {
        "recall" => recall(times),
        "new" => new(times),
        "signature" => signature(times),
        "digest" => digest(times),
        "header" => header(times),
        _ => panic!("expected recall, new, digest, signature or header"),
    }
}

/// The first token of the corpus that Google's preset accepts, and the moment.
fn token(corpus: &Value) -> (&str, Now) {
    let is_good = |case: &&Value| {
        case["profile"] == "google" && case["expected"] == "accept" && case["jwks"] == "google"
    };
    let case = corpus["cases"].as_array().unwrap().iter().find(is_good).unwrap();
    let now = Now::steady(Millis::from_secs(case["now"].as_u64().unwrap()));
    (case["token"].as_str().unwrap(), now)
}

/// A verifier of Google's tokens that remembers so many bytes of them.
fn verifier(corpus: &Value, remembered_bytes: u64) -> Verifier {
    let config = VerifierConfig {
        preset: Some(Preset::Google),
        audiences: corpus["profiles"]["google"]["audience"].as_str().unwrap().into(),
        keys: KeySource::Static(corpus["jwks"]["google"].to_string()),
        remembered_bytes,
        ..VerifierConfig::default()
    };
    Verifier::new(config).unwrap()
}

fn recall(times: u64) {
    let corpus: Value = serde_json::from_str(CORPUS).unwrap();
    let (token, now) = token(&corpus);
    let verifier = verifier(&corpus, VerifierConfig::default().remembered_bytes);
    assert!(matches!(verifier.check(token, now), Verdict::Accepted(..)));
    for _ in 0..times {
        assert!(matches!(verifier.recall(black_box(token).as_bytes(), black_box(now)), Recall::Known(_)));
    }
}

/// Each time as if it came for the first time: nothing is remembered.
fn new(times: u64) {
    let corpus: Value = serde_json::from_str(CORPUS).unwrap();
    let (token, now) = token(&corpus);
    let verifier = verifier(&corpus, 0);
    for _ in 0..times {
        assert!(matches!(verifier.check(black_box(token), black_box(now)), Verdict::Accepted(..)));
    }
}

fn signature(times: u64) {
    let corpus: Value = serde_json::from_str(CORPUS).unwrap();
    let (token, _) = token(&corpus);
    let decoded = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
    let (message, signature) = token.rsplit_once('.').unwrap();
    let (header, signature) = (message.split('.').next().unwrap(), decoded(signature));
    let header: Value = serde_json::from_slice(&decoded(header)).unwrap();
    let keys = corpus["jwks"]["google"]["keys"].as_array().unwrap();
    let key = keys.iter().find(|key| key["kid"] == header["kid"]).unwrap();
    let number = |name: &str| decoded(key[name].as_str().unwrap());
    let key = RsaPublicKeyComponents { n: number("n"), e: number("e") };
    for _ in 0..times {
        key.verify(&RSA_PKCS1_2048_8192_SHA256, black_box(message).as_bytes(), &signature).unwrap();
    }
}

fn digest(times: u64) {
    let corpus: Value = serde_json::from_str(CORPUS).unwrap();
    let (token, _) = token(&corpus);
    for _ in 0..times {
        black_box(ring::digest::digest(&ring::digest::SHA256, black_box(token).as_bytes()));
    }
}

fn header(times: u64) {
    let now = Now::steady(Millis::from_secs(1_800_000_000));
    let file = r#"{"type":"authorized_user","client_id":"c","client_secret":"s","refresh_token":"r"}"#;
    let credentials = CredentialsFrom::Json(Secret::from(file));
    let source = TokenSource::new(SourceConfig { credentials, ..SourceConfig::default() });
    let key = TokenKey::access_token("a").unwrap();
    let Lookup::Fetch(mut fetch) = source.lookup(&key, now) else { panic!("no fetch") };
    let _env = fetch.resume(now, Reply::Start);
    let _request = fetch.resume(now, Reply::Env(Vec::new()));
    let body = br#"{"access_token":"ya29.token","expires_in":3600}"#.to_vec();
    let step =
        fetch.resume(now, Reply::Response { status: 200, headers: Vec::new(), body: Secret::new(body) });
    assert!(matches!(step, Step::Done(_)));
    for _ in 0..times {
        let Lookup::Fresh(token) = source.lookup(black_box(&key), black_box(now)) else {
            panic!("not fresh")
        };
        black_box(token.header());
    }
}
