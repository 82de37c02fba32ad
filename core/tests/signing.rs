//! Signatures that a host makes, for a core that computes none: an answer is worth what the core has asked, once.
#![cfg(all(feature = "by-step", not(any(feature = "ring", feature = "aws-lc-rs"))))]
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use gatepass_core::{
    CredentialsFrom, DataToSign, ErrorCode, HostFailure, HttpRequest, Lookup, Now, Operation, Reply, Secret,
    SourceConfig, Step, TokenKey, TokenSource,
};
use gatepass_core::{Millis, Preferences};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey,
};
use serde_json::{Value, json};

const NOW: Millis = Millis::from_secs(1_800_000_000);
/// TEST KEY, NOT A SECRET.
const PEM: &str = include_str!("../../tests/vectors/acquire/test_key.pem");
/// TEST KEY, NOT A SECRET: the scalar is the SHA-256 of "a test key of gatepass" (tests/vectors/generate.py).
const EC_PEM: &str = "-----BEGIN EC PRIVATE KEY-----\n\
    MHcCAQEEIAliGuMbLZkvGQAJsI0wsZ0cyzRioBTDdNwCoCC/+OCyoAoGCCqGSM49\n\
    AwEHoUQDQgAEQddx5UDsNmXFni9WQwsA3lKl6iI/vF+AwrmVnB1h1ROD+6b/yUW8\n\
    xnVttFMRWqNMze6HN8/5EgDBf1kvUowb4Q==\n\
    -----END EC PRIVATE KEY-----";

fn account() -> TokenSource {
    source(json!({
        "type": "service_account", "client_email": "o@shop.example", "private_key": PEM, "private_key_id": "1",
    }))
}

fn of_gdch() -> TokenSource {
    source(json!({
        "type": "gdch_service_account", "format_version": "1", "project": "shop", "name": "orders",
        "private_key_id": "k", "private_key": EC_PEM, "token_uri": "https://gdc.example/token",
    }))
}

fn source(file: Value) -> TokenSource {
    let preferences =
        Preferences { gdch_audience: Some("https://api.example".into()), ..Preferences::default() };
    let credentials = CredentialsFrom::Json(file.to_string().into());
    TokenSource::new(SourceConfig { credentials, preferences, ..SourceConfig::default() })
}

fn access_token() -> TokenKey {
    TokenKey::access_token("https://www.googleapis.com/auth/cloud-platform").unwrap()
}

fn self_signed() -> TokenKey {
    TokenKey::self_signed_jwt("https://pubsub.googleapis.com/").unwrap()
}

/// The operation of a fetch, and its first step after the environment.
fn begin(
    source: &TokenSource,
    key: &TokenKey,
) -> (impl Operation<Output = gatepass_core::Token> + use<>, Fetch) {
    let Lookup::Fetch(mut fetch) = source.lookup(key, Now::steady(NOW)) else { panic!("no fetch") };
    let mut step = fetch.resume(Now::steady(NOW), Reply::Start);
    while let Step::ReadEnv { .. } = step {
        let trusted = ("GATEPASS_TRUSTED_ENDPOINTS".to_owned(), Secret::from("gdc.example"));
        step = fetch.resume(Now::steady(NOW), Reply::Env(vec![trusted]));
    }
    (fetch, step)
}

type Fetch = Step<gatepass_core::Token>;

#[track_caller]
fn asked<T>(step: Step<T>) -> DataToSign {
    match step {
        Step::Sign(question) => question,
        Step::Fail(error) => panic!("failed: {error}"),
        _ => panic!("no signature was asked for"),
    }
}

#[track_caller]
fn failed<T>(step: Step<T>) -> gatepass_core::Error {
    match step {
        Step::Fail(error) => error,
        _ => panic!("it has not failed"),
    }
}

#[track_caller]
fn sent<T>(step: Step<T>) -> HttpRequest {
    match step {
        Step::Send(request) => request,
        Step::Fail(error) => panic!("failed: {error}"),
        _ => panic!("nothing is sent"),
    }
}

/// A host that signs with ring.
fn signed(question: &DataToSign) -> Reply {
    reply(&signature(question))
}

fn reply(signature: &[u8]) -> Reply {
    Reply::Signed { signature: STANDARD.encode(signature).into() }
}

fn signature(question: &DataToSign) -> Vec<u8> {
    let (key, data) = (decoded(question.key.expose()), decoded(question.data.expose()));
    let random = SystemRandom::new();
    match question.alg {
        "RS256" => {
            let key = RsaKeyPair::from_pkcs8(&key).unwrap();
            let mut signature = vec![0; key.public().modulus_len()];
            key.sign(&RSA_PKCS1_SHA256, &random, &data, &mut signature).unwrap();
            signature
        }
        "ES256" => {
            let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &key, &random).unwrap();
            key.sign(&random, &data).unwrap().as_ref().to_vec()
        }
        other => panic!("{other}"),
    }
}

fn decoded(base64: &str) -> Vec<u8> {
    STANDARD.decode(base64).unwrap()
}

/// The field of a form.
fn field(request: &HttpRequest, name: &str) -> String {
    let body = request.body.as_ref().unwrap().expose();
    let value = body.split('&').find_map(|field| field.strip_prefix(&format!("{name}="))).unwrap();
    value.to_owned()
}

fn claims(jwt: &str) -> Value {
    let payload = jwt.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

/// Whether the JWT is signed by this key.
fn is_signed_by(jwt: &str, question: &DataToSign) -> bool {
    let (message, signature) = jwt.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let key = decoded(question.key.expose());
    let random = SystemRandom::new();
    let verified = match question.alg {
        "RS256" => {
            let key = RsaKeyPair::from_pkcs8(&key).unwrap();
            UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public_key())
                .verify(message.as_bytes(), &signature)
        }
        _ => {
            let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &key, &random).unwrap();
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.public_key())
                .verify(message.as_bytes(), &signature)
        }
    };
    verified.is_ok()
}

#[test]
fn an_assertion_is_what_the_core_has_written_and_the_host_has_signed() {
    for (source, alg, name) in [(account(), "RS256", "assertion"), (of_gdch(), "ES256", "subject_token")] {
        let (mut fetch, step) = begin(&source, &access_token());
        let question = asked(step);
        assert_eq!(question.alg, alg);
        let shown = format!("{question:?}");
        assert!(
            !shown.contains(question.key.expose().as_str())
                && !shown.contains(question.data.expose().as_str())
        );
        let request = sent(fetch.resume(Now::steady(NOW), signed(&question)));
        let jwt = field(&request, name);
        assert!(jwt.starts_with(std::str::from_utf8(&decoded(question.data.expose())).unwrap()));
        assert!(is_signed_by(&jwt, &question));
    }
}

#[test]
fn each_attempt_is_signed_anew() {
    let (mut fetch, step) = begin(&account(), &access_token());
    let first = asked(step);
    sent(fetch.resume(Now::steady(NOW), signed(&first)));
    let unavailable = Reply::Response { status: 503, headers: Vec::new(), body: Secret::default() };
    assert!(matches!(fetch.resume(Now::steady(NOW), unavailable), Step::Wait { .. }));
    let later = NOW.plus(2_000);
    let second = asked(fetch.resume(Now::steady(later), Reply::Elapsed));
    let request = sent(fetch.resume(Now::steady(later), signed(&second)));
    let jwt = field(&request, "assertion");
    assert!(is_signed_by(&jwt, &second));
    assert_eq!(claims(&jwt)["iat"], later.as_secs());
}

#[test]
fn a_jwt_that_is_itself_the_credential_and_bytes_are_signed_so_as_well() {
    let source = account();
    let (mut fetch, step) = begin(&source, &self_signed());
    let question = asked(step);
    let Step::Done(token) = fetch.resume(Now::steady(NOW), signed(&question)) else { panic!("no token") };
    let jwt = token.header().strip_prefix("Bearer ").unwrap();
    assert!(is_signed_by(jwt, &question));
    assert_eq!(claims(jwt)["aud"], "https://pubsub.googleapis.com/");

    let mut op = source.sign_bytes(b"bytes".to_vec());
    let question = asked(op.resume(Now::steady(NOW), Reply::Start));
    assert_eq!(decoded(question.data.expose()), b"bytes");
    let Step::Done(made) = op.resume(Now::steady(NOW), signed(&question)) else { panic!("no signature") };
    assert_eq!((made.key_id.as_deref(), made.bytes), (Some("1"), signature(&question)));
}

#[test]
fn an_answer_of_another_kind_ends_the_operation() {
    let others = || {
        [
            Reply::Start,
            Reply::Env(Vec::new()),
            Reply::Text("c2ln".into()),
            Reply::Response { status: 200, headers: Vec::new(), body: Secret::new(b"c2ln".to_vec()) },
            Reply::Checked { is_valid: true },
            Reply::Elapsed,
        ]
    };
    for key in [access_token(), self_signed()] {
        for other in others() {
            let (mut fetch, step) = begin(&account(), &key);
            let question = asked(step);
            assert_eq!(failed(fetch.resume(Now::steady(NOW), other)).code(), ErrorCode::ApiMisuse);
            let late = fetch.resume(Now::steady(NOW), signed(&question));
            assert_eq!(failed(late).code(), ErrorCode::ApiMisuse, "it has ended");
        }
    }
    // Nor is a signature an answer to what has asked for none.
    let any = || reply(&[1; 256]);
    let Lookup::Fetch(mut fetch) = account().lookup(&access_token(), Now::steady(NOW)) else {
        panic!("no fetch")
    };
    assert_eq!(failed(fetch.resume(Now::steady(NOW), any())).code(), ErrorCode::ApiMisuse);
    let mut principal = account().principal();
    assert_eq!(failed(principal.resume(Now::steady(NOW), any())).code(), ErrorCode::ApiMisuse);
}

#[test]
fn an_answer_counts_once() {
    let (mut fetch, step) = begin(&account(), &access_token());
    let question = asked(step);
    sent(fetch.resume(Now::steady(NOW), signed(&question)));
    let again = failed(fetch.resume(Now::steady(NOW), signed(&question)));
    assert_eq!(again.code(), ErrorCode::ApiMisuse, "the response is what is waited for");

    let source = account();
    let (mut fetch, step) = begin(&source, &self_signed());
    let question = asked(step);
    assert!(matches!(fetch.resume(Now::steady(NOW), signed(&question)), Step::Done(_)));
    assert_eq!(failed(fetch.resume(Now::steady(NOW), signed(&question))).code(), ErrorCode::ApiMisuse);
}

/// Each operation holds its own bytes: what a host signs for one is no token of another's.
#[test]
fn an_answer_to_another_operation_makes_no_token_that_anybody_accepts() {
    let source = account();
    let other = TokenKey::self_signed_jwt("https://storage.googleapis.com/").unwrap();
    let (mut one, step) = begin(&source, &self_signed());
    let of_one = asked(step);
    let (mut two, step) = begin(&source, &other);
    let of_two = asked(step);
    let Step::Done(token) = one.resume(Now::steady(NOW), signed(&of_two)) else { panic!("no token") };
    let jwt = token.header().strip_prefix("Bearer ").unwrap();
    assert_eq!(claims(jwt)["aud"], "https://pubsub.googleapis.com/");
    assert!(!is_signed_by(jwt, &of_one));
    let Step::Done(token) = two.resume(Now::steady(NOW), signed(&of_two)) else { panic!("no token") };
    assert!(is_signed_by(token.header().strip_prefix("Bearer ").unwrap(), &of_two), "it is not disturbed");
}

/// The times of a token are those at which it was written, however long the host takes: nobody gains by waiting.
#[test]
fn a_late_answer_prolongs_nothing() {
    let source = account();
    let (mut fetch, step) = begin(&source, &self_signed());
    let question = asked(step);
    let late = NOW.plus(7_200_000);
    let Step::Done(token) = fetch.resume(Now::steady(late), signed(&question)) else { panic!("no token") };
    assert_eq!(token.expires_at(), NOW.plus(3_600_000));
    assert!(
        matches!(source.lookup(&self_signed(), Now::steady(late)), Lookup::Fetch(_)),
        "it is not handed out"
    );
}

#[test]
fn a_signature_of_another_length_is_none() {
    for (source, length) in [(account as fn() -> TokenSource, 256), (of_gdch, 64)] {
        for other in [0, 1, length - 1, length + 1, 512, 100_000] {
            let (mut fetch, step) = begin(&source(), &access_token());
            let _ = asked(step);
            let error = failed(fetch.resume(Now::steady(NOW), reply(&vec![7; other])));
            assert_eq!(error.code(), ErrorCode::ApiMisuse);
            assert!(error.to_string().contains(&format!("{other} bytes, expected {length}")), "{error}");
        }
    }
    for text in ["!", "AAA", "AAAA=", "A A ", "____"] {
        let (mut fetch, step) = begin(&account(), &access_token());
        let _ = asked(step);
        let error = failed(fetch.resume(Now::steady(NOW), Reply::Signed { signature: text.into() }));
        assert_eq!(error.code(), ErrorCode::ApiMisuse);
        assert!(error.to_string().contains("is not base64"), "{error}");
    }
}

#[test]
fn a_host_that_does_not_sign_is_named_and_shows_no_key() {
    for (kind, code) in [
        (HostFailure::Unsupported, ErrorCode::Unsupported),
        (HostFailure::Other, ErrorCode::CredentialsFileInvalid),
        (HostFailure::Timeout, ErrorCode::CredentialsFileInvalid),
    ] {
        for key in [access_token(), self_signed()] {
            let source = account();
            let (mut fetch, step) = begin(&source, &key);
            let question = asked(step);
            let message = format!("DataError: {}", question.key.expose());
            let error = failed(fetch.resume(Now::steady(NOW), Reply::Failed { kind, message }));
            assert_eq!(error.code(), code);
            assert!(error.to_string().contains("RS256"), "{error}");
            assert!(!error.to_string().contains(&question.key.expose()[..40]), "{error}");
            assert_eq!(
                failed(fetch.resume(Now::steady(NOW), signed(&question))).code(),
                ErrorCode::ApiMisuse
            );
            drop(fetch);
            assert!(
                matches!(source.lookup(&key, Now::steady(NOW)), Lookup::Fetch(_)),
                "the flight is given up"
            );
        }
    }
}
