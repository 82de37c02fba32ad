//! Every interleaving of the threads that share a source or a verifier (loom): one flight, and nobody waits for ever.
//!
//! `cargo xtask test` runs them; by hand:
//! `RUSTFLAGS="--cfg loom" cargo test --release --package gatepass-core --test interleavings`
#![cfg(loom)]
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use gatepass_core::adc::Explicit;
use gatepass_core::{
    Lookup, Millis, Operation, Refresh, Reply, Secret, SourceConfig, Step, Token, TokenKey, TokenSource,
    Verdict, Verifier, VerifierConfig,
};
use loom::thread;

const NOW: Millis = Millis(1_800_000_000_000);

/// Counts what a model's threads were chosen for. Counting is no part of what is modelled.
#[derive(Default)]
struct Chosen(AtomicUsize);

impl Chosen {
    fn note(&self) {
        self.0.fetch_add(1, SeqCst);
    }

    fn times(&self) -> usize {
        self.0.load(SeqCst)
    }
}

/// A person's credentials: nothing is computed, so a model runs thousands of times in a second.
fn source() -> TokenSource {
    let file = r#"{"type":"authorized_user","client_id":"c","client_secret":"s","refresh_token":"r"}"#;
    TokenSource::new(SourceConfig {
        credentials: Explicit::Json(Secret::from(file)),
        ..SourceConfig::default()
    })
}

fn key() -> TokenKey {
    TokenKey::access_token("a").unwrap()
}

fn response(body: &str) -> Reply {
    Reply::Response { status: 200, headers: Vec::new(), body: Secret::new(body.as_bytes().to_vec()) }
}

/// Carries a refresh out, to its end.
fn finish(mut refresh: Refresh, now: Millis) -> Token {
    let mut reply = Reply::Start;
    for _ in 0..8 {
        reply = match refresh.resume(now, reply) {
            Step::ReadEnv { .. } => Reply::Env(Vec::new()),
            Step::Send(_) => response(r#"{"access_token":"ya29.token","expires_in":3600}"#),
            Step::Done(token) => return token,
            other => panic!("{other:?}"),
        };
    }
    panic!("no end");
}

/// Looks until there is a token, as a driver does. Waiting is the host's; here it is to let others run.
fn token(source: &TokenSource, now: Millis, fetches: &Chosen) -> Token {
    loop {
        match source.lookup(&key(), now) {
            Lookup::Fresh(token) | Lookup::Stale(token, None) => return token,
            Lookup::Stale(token, Some(refresh)) => {
                fetches.note();
                finish(refresh, now);
                return token;
            }
            Lookup::Fetch(refresh) => {
                fetches.note();
                return finish(refresh, now);
            }
            Lookup::Join(_) => thread::yield_now(),
        }
    }
}

#[test]
fn a_cold_source_is_filled_by_one() {
    loom::model(|| {
        let (source, fetches) = (source(), Arc::new(Chosen::default()));
        let (theirs, noted) = (source.clone(), Arc::clone(&fetches));
        let other = thread::spawn(move || token(&theirs, NOW, &noted).expires_at());
        let ours = token(&source, NOW, &fetches).expires_at();
        assert_eq!((ours, other.join().unwrap()), (NOW.plus(3_600_000), NOW.plus(3_600_000)));
        assert_eq!(fetches.times(), 1);
    });
}

#[test]
fn a_stale_token_is_refreshed_by_one() {
    loom::model(|| {
        let (source, fetches) = (source(), Arc::new(Chosen::default()));
        let first = token(&source, NOW, &Chosen::default());
        let stale = first.fresh_until();
        let (theirs, noted) = (source.clone(), Arc::clone(&fetches));
        let other = thread::spawn(move || token(&theirs, stale, &noted).expires_at());
        let ours = token(&source, stale, &fetches).expires_at();
        assert!(ours >= first.expires_at() && other.join().unwrap() >= first.expires_at());
        assert_eq!(fetches.times(), 1);
    });
}

#[test]
fn a_fetch_that_is_given_up_blocks_nobody() {
    loom::model(|| {
        let (source, fetches) = (source(), Chosen::default());
        let theirs = source.clone();
        // Chosen or not, this thread does nothing and goes away.
        let other = thread::spawn(move || drop(theirs.lookup(&key(), NOW)));
        assert_eq!(token(&source, NOW, &fetches).expires_at(), NOW.plus(3_600_000));
        assert_eq!(fetches.times(), 1);
        other.join().unwrap();
    });
}

fn verifier() -> Arc<Verifier> {
    let config =
        VerifierConfig { audiences: vec!["https://receiver.example".into()], ..VerifierConfig::google() };
    Arc::new(Verifier::new(config).unwrap())
}

/// Checks until there is a verdict. The key set that is published has none of the keys that tokens name.
fn verdict(verifier: &Verifier, token: &str, now: Millis, fetches: &Chosen) -> Verdict {
    loop {
        match verifier.check(token, now) {
            Verdict::NeedsKeys(mut fetch) => {
                fetches.note();
                let _request = fetch.resume(now, Reply::Start);
                let step = fetch.resume(now, response(r#"{"keys":[]}"#));
                assert!(matches!(step, Step::Done(()) | Step::Fail(_)));
            }
            Verdict::Join(_) => thread::yield_now(),
            verdict => return verdict,
        }
    }
}

/// `{"alg":"RS256","kid":"a"}` and `{}`, with a signature that nobody looks at.
const TOKEN: &str = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImEifQ.e30.AA";

#[test]
fn cold_keys_are_fetched_by_one() {
    loom::model(|| {
        let (verifier, fetches) = (verifier(), Arc::new(Chosen::default()));
        let (theirs, noted) = (Arc::clone(&verifier), Arc::clone(&fetches));
        let other = thread::spawn(move || {
            assert!(matches!(verdict(&theirs, TOKEN, NOW, &noted), Verdict::Rejected(_)));
        });
        assert!(matches!(verdict(&verifier, TOKEN, NOW, &fetches), Verdict::Rejected(_)));
        other.join().unwrap();
        assert_eq!(fetches.times(), 1);
    });
}

#[test]
fn a_key_fetch_that_is_given_up_blocks_nobody() {
    loom::model(|| {
        let (verifier, fetches) = (verifier(), Chosen::default());
        let theirs = Arc::clone(&verifier);
        let other = thread::spawn(move || drop(theirs.check(TOKEN, NOW)));
        assert!(matches!(verdict(&verifier, TOKEN, NOW, &fetches), Verdict::Rejected(_)));
        other.join().unwrap();
    });
}
