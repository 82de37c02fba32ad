//! Sources and verifiers against the emulator.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::sync::{Arc, Barrier};
use std::thread;

use gatepass::{
    Call, CallToken, CredentialsFrom, ErrorCode, ErrorKind, Host, KeySource, SourceConfig, TokenHeader,
    TokenHeaders, TokenKey, TokenSource, Transport, Verifier, VerifierConfig, explain,
};
use gatepass_emulator::ServiceAccount;
use support::Served;

const PLAIN_HTTP_REFUSED: Transport = Transport::Http { allow_plain_http: false };
const AUDIENCE: &str = "https://orders.example";

impl Served {
    fn source(&self) -> TokenSource {
        let key = ServiceAccount::default().key_file(&self.url()).unwrap();
        TokenSource::with(SourceConfig {
            credentials: CredentialsFrom::Json(key.into()),
            trusted_endpoints: vec![self.address.to_string()],
            ..SourceConfig::default()
        })
    }

    fn verifier(&self) -> Verifier {
        Verifier::new(VerifierConfig {
            audiences: AUDIENCE.into(),
            keys: KeySource::Url(format!("{}/oauth2/v3/certs", self.url())),
            ..VerifierConfig::default()
        })
        .unwrap()
    }
}

/// Has eight threads do the same at once.
fn together<T: Send + 'static>(work: impl Fn() -> T + Send + Sync + 'static) -> Vec<T> {
    let (work, barrier) = (Arc::new(work), Arc::new(Barrier::new(8)));
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let (work, barrier) = (Arc::clone(&work), Arc::clone(&barrier));
            thread::spawn(move || {
                barrier.wait();
                work()
            })
        })
        .collect();
    threads.into_iter().map(|thread| thread.join().unwrap()).collect()
}

#[test]
fn all_threads_get_one_token_and_one_key_set() {
    let served = Served::start();
    let (source, verifier) = (served.source(), served.verifier());
    served.order_fault(r#"{"path": "/token", "delay_ms": 200}"#);
    served.order_fault(r#"{"path": "/oauth2/v3/certs", "delay_ms": 200}"#);
    let tokens = together(move || source.id_token(AUDIENCE).unwrap());
    let token = tokens[0].value().to_owned();
    assert!(tokens.iter().all(|other| other.value() == token));
    let claims = together(move || verifier.verify(&token).unwrap());
    assert!(claims.iter().all(|claims| claims.email() == Some("default@emulator.iam.gserviceaccount.com")));
    assert_eq!((served.requests("/token"), served.requests("/oauth2/v3/certs")), (1, 1));
}

#[test]
fn verifiers_of_one_url_share_its_keys() {
    let served = Served::start();
    let token = served.source().id_token(AUDIENCE).unwrap();
    let verifiers = [served.verifier(), served.verifier()];
    for verifier in &verifiers {
        verifier.verify(token.value()).unwrap();
    }
    assert_eq!(served.requests("/oauth2/v3/certs"), 1);
}

#[test]
fn a_failure_reaches_all_who_wait() {
    let served = Served::start();
    let source = served.source();
    served.order_fault(
        r#"{"path": "/token", "status": 400, "body": {"error": "invalid_grant"}, "delay_ms": 200}"#,
    );
    let errors = together(move || source.id_token(AUDIENCE).unwrap_err());
    assert!(
        errors
            .iter()
            .all(|error| error.code() == errors[0].code() && error.code().kind() == ErrorKind::Credentials)
    );
}

#[test]
fn a_token_that_was_refused_is_replaced_once() {
    let served = Served::start();
    let source = served.source();
    let key = TokenKey::id_token(AUDIENCE).unwrap();
    let first = source.token(&key).unwrap();
    assert!(!source.retry_after_refusal(&key, first.header(), 403));
    assert!(source.retry_after_refusal(&key, first.header(), 401));
    let second = source.token(&key).unwrap();
    assert_eq!(served.requests("/token"), 2);
    assert!(!source.invalidate(&key, second.header()), "at most one forced refresh a minute");
}

#[test]
fn a_call_carries_its_token_where_it_is_told_to() {
    let served = Served::start();
    let source = served.source();
    let token = CallToken::IdToken { audience: Some(AUDIENCE) };
    let call = |url, token_header| Call { url, token, token_header, transport: PLAIN_HTTP_REFUSED };
    let headers = source.headers(&call("https://orders.example/v1", TokenHeader::Both)).unwrap();
    let names: Vec<_> = headers.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["authorization", "x-serverless-authorization"]);
    assert!(headers.iter().all(|(_, value)| value.starts_with("Bearer ey")));
    let plain = source.headers(&call("http://plain.example", TokenHeader::Authorization)).unwrap_err();
    assert_eq!(plain.code(), ErrorCode::InvalidOption);
}

#[test]
fn what_is_wrong_is_said_in_one_line_or_in_many() {
    let served = Served::start();
    let verifier = served.verifier();
    let token = served.source().id_token("https://other.example").unwrap();
    let error = verifier.verify(token.value()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::BadAudience);
    assert!(!error.to_string().contains(token.value()));
    let now = gatepass::driver::now().unix;
    let question = explain::Question { token: token.value(), now, ..explain::Question::default() };
    assert_eq!(verifier.explain(&question).accepted, Some(false));
    let missing = verifier.verify_headers(&TokenHeaders::default()).unwrap_err();
    assert_eq!(missing.code(), ErrorCode::TokenMissing);
}

#[test]
fn nothing_shows_a_token() {
    let served = Served::start();
    let source = served.source();
    let token = source.id_token(AUDIENCE).unwrap();
    let claims = served.verifier().verify(token.value()).unwrap();
    let shown = format!("{source:?} {token:?} {claims:?} {:?}", served.verifier());
    assert!(!shown.contains("eyJ") && !shown.contains("emulator.iam"), "{shown}");
}

#[test]
fn a_supplier_is_asked_for_subject_tokens() {
    use gatepass_emulator::credential_file::{ExternalAccount, Source};
    let served = Served::start();
    let mut account = ExternalAccount::new(Source::Supplier { name: "workload".to_owned() });
    account.target = Some(ServiceAccount::default());
    let config = || SourceConfig {
        credentials: CredentialsFrom::Json(account.file(&served.url()).into()),
        trusted_endpoints: vec![served.address.to_string()],
        ..SourceConfig::default()
    };
    let host = Host::default().with_supplier("workload", |request| Ok(format!("for {}", request.audience)));
    assert!(TokenSource::on(host, config()).id_token(AUDIENCE).is_ok());
    let host = Host::default().with_supplier("workload", |_| Err("the vault is sealed".to_owned()));
    let error = TokenSource::on(host, config()).id_token(AUDIENCE).unwrap_err();
    assert!(error.to_string().contains("the vault is sealed"), "{error}");
    let error = TokenSource::with(config()).id_token(AUDIENCE).unwrap_err();
    assert!(error.to_string().contains("register one"), "{error}");
}
