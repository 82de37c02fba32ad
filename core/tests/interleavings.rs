//! Every interleaving of the threads that share a source or a verifier (loom): one flight, and nobody waits for ever.
//!
//! Models of two threads are exhaustive; those of three are bounded to two preemptions.
//! `cargo xtask test` runs them; by hand, with a target folder of their own:
//! `RUSTFLAGS="--cfg loom" cargo test --release --package gatepass-core --test interleavings --target-dir …`
#![cfg(loom)]
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use gatepass_core::{
    Callers, CredentialsFrom, ErrorCode, FlightId, Lookup, Millis, Now, Operation, Preset, Refresh, Reply,
    Secret, SourceConfig, Step, Token, TokenKey, TokenSource, Verdict, Verifier, VerifierConfig,
};
use loom::sync::{Condvar, Mutex};
use loom::thread;

const NOW: Millis = Millis(1_800_000_000_000);

/// What a host keeps: which flights have ended. Who joins one waits here, as on a latch; that nobody waits for ever is
/// what loom shows, for it ends a model that can go no further.
#[derive(Default)]
struct Host {
    landed: Mutex<HashSet<FlightId>>,
    one_landed: Condvar,
    /// Counting is no part of what is modelled.
    fetches: AtomicUsize,
}

impl Host {
    fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Notes that a caller was chosen.
    fn departed(&self) {
        self.fetches.fetch_add(1, SeqCst);
    }

    fn landed(&self, flight: Option<FlightId>) {
        self.landed.lock().unwrap().extend(flight);
        self.one_landed.notify_all();
    }

    fn wait_for(&self, flight: FlightId) {
        let mut landed = self.landed.lock().unwrap();
        while !landed.contains(&flight) {
            landed = self.one_landed.wait(landed).unwrap();
        }
    }

    fn fetches(&self) -> usize {
        self.fetches.load(SeqCst)
    }
}

/// A person's credentials: nothing is computed, so a model runs thousands of times in a second.
fn source() -> TokenSource {
    let file = r#"{"type":"authorized_user","client_id":"c","client_secret":"s","refresh_token":"r"}"#;
    TokenSource::new(SourceConfig {
        credentials: CredentialsFrom::Json(Secret::from(file)),
        ..SourceConfig::default()
    })
}

fn key() -> TokenKey {
    TokenKey::access_token("a").unwrap()
}

/// Models of more than two threads, or of two fetches one after the other: without a bound they take minutes.
fn two_preemptions(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(model);
}

fn response(body: &str) -> Reply {
    Reply::Response { status: 200, headers: Vec::new(), body: Secret::new(body.as_bytes().to_vec()) }
}

/// Carries a refresh out, to its end.
fn finish(mut refresh: Refresh, now: Millis, host: &Host) -> Token {
    host.departed();
    let flight = refresh.flight();
    let mut reply = Reply::Start;
    for _ in 0..8 {
        reply = match refresh.resume(Now::steady(now), reply) {
            Step::ReadEnv { .. } => Reply::Env(Vec::new()),
            Step::Send(_) => response(r#"{"access_token":"ya29.token","expires_in":3600}"#),
            Step::Done(token) => {
                host.landed(flight);
                return token;
            }
            other => panic!("{other:?}"),
        };
    }
    panic!("no end");
}

/// Looks until there is a token, as a driver does.
fn token(source: &TokenSource, now: Millis, host: &Host) -> Token {
    loop {
        match source.lookup(&key(), Now::steady(now)) {
            Lookup::Fresh(token) | Lookup::Stale(token, None) => return token,
            Lookup::Stale(token, Some(refresh)) => {
                finish(refresh, now, host);
                return token;
            }
            Lookup::Fetch(refresh) => return finish(refresh, now, host),
            Lookup::Join(flight) => host.wait_for(flight),
        }
    }
}

/// Looks once; chosen or not, does nothing and goes away.
fn give_up(source: &TokenSource, host: &Host) {
    if let Lookup::Fetch(refresh) = source.lookup(&key(), Now::steady(NOW)) {
        let flight = refresh.flight();
        drop(refresh);
        host.landed(flight);
    }
}

#[test]
fn a_cold_source_is_filled_by_one() {
    loom::model(|| {
        let (source, host) = (source(), Host::new());
        let (theirs, shared) = (source.clone(), Arc::clone(&host));
        let other = thread::spawn(move || token(&theirs, NOW, &shared).expires_at());
        let ours = token(&source, NOW, &host).expires_at();
        assert_eq!((ours, other.join().unwrap()), (NOW.plus(3_600_000), NOW.plus(3_600_000)));
        assert_eq!(host.fetches(), 1);
    });
}

#[test]
fn a_cold_source_is_filled_by_one_of_three() {
    two_preemptions(|| {
        let (source, host) = (source(), Host::new());
        let others = [(); 2].map(|()| {
            let (theirs, shared) = (source.clone(), Arc::clone(&host));
            thread::spawn(move || token(&theirs, NOW, &shared).expires_at())
        });
        assert_eq!(token(&source, NOW, &host).expires_at(), NOW.plus(3_600_000));
        for other in others {
            assert_eq!(other.join().unwrap(), NOW.plus(3_600_000));
        }
        assert_eq!(host.fetches(), 1);
    });
}

#[test]
fn a_stale_token_is_refreshed_by_one() {
    loom::model(|| {
        let (source, host) = (source(), Host::new());
        let first = token(&source, NOW, &Host::default());
        let stale = first.fresh_until().unix;
        let (theirs, shared) = (source.clone(), Arc::clone(&host));
        let other = thread::spawn(move || token(&theirs, stale, &shared).expires_at());
        let ours = token(&source, stale, &host).expires_at();
        assert!(ours >= first.expires_at() && other.join().unwrap() >= first.expires_at());
        assert_eq!(host.fetches(), 1);
    });
}

#[test]
fn a_fetch_that_is_given_up_blocks_nobody() {
    loom::model(|| {
        let (source, host) = (source(), Host::new());
        let (theirs, shared) = (source.clone(), Arc::clone(&host));
        let other = thread::spawn(move || give_up(&theirs, &shared));
        assert_eq!(token(&source, NOW, &host).expires_at(), NOW.plus(3_600_000));
        other.join().unwrap();
        assert_eq!(host.fetches(), 1);
    });
}

fn verifier() -> Arc<Verifier> {
    let config = VerifierConfig {
        preset: Some(Preset::Google),
        audiences: "https://receiver.example".into(),
        callers: Callers::Any,
        ..VerifierConfig::default()
    };
    Arc::new(Verifier::new(config).unwrap())
}

/// A modulus of 2048 bits that nobody has factors for: its key signs nothing here.
fn key_set() -> String {
    let modulus = format!("{}w", "_".repeat(341));
    format!(r#"{{"keys":[{{"kty":"RSA","kid":"b","n":"{modulus}","e":"AQAB"}}]}}"#)
}

/// Checks until there is a verdict, or a fetch of keys that failed.
fn verdict(verifier: &Verifier, now: Millis, keys: &str, host: &Host) -> Verdict {
    loop {
        match verifier.check(TOKEN, Now::steady(now)) {
            Verdict::NeedsKeys(mut fetch) => {
                host.departed();
                let flight = fetch.flight();
                assert!(matches!(fetch.resume(Now::steady(now), Reply::Start), Step::Send(_)));
                let end = fetch.resume(Now::steady(now), response(keys));
                host.landed(flight);
                if let Step::Fail(error) = end {
                    return Verdict::Rejected(error);
                }
            }
            Verdict::Join(flight) => host.wait_for(flight),
            verdict => return verdict,
        }
    }
}

/// The refusal; each token here gets one.
fn refusal(verdict: Verdict) -> ErrorCode {
    match verdict {
        Verdict::Rejected(error) => error.code(),
        _ => panic!("no refusal"),
    }
}

/// `{"alg":"RS256","kid":"a"}` and `{}`, with a signature that nobody looks at: no key set has its key.
const TOKEN: &str = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImEifQ.e30.AA";

/// Keys are fetched because there are none, and once more, whoever asks, because none of them is the token's.
const FOR_THE_COLD_AND_FOR_THE_UNKNOWN: usize = 2;

#[test]
fn cold_keys_are_fetched_by_one() {
    two_preemptions(|| {
        let (verifier, host) = (verifier(), Host::new());
        let (theirs, shared) = (Arc::clone(&verifier), Arc::clone(&host));
        let other = thread::spawn(move || refusal(verdict(&theirs, NOW, &key_set(), &shared)));
        let ours = refusal(verdict(&verifier, NOW, &key_set(), &host));
        assert_eq!((ours, other.join().unwrap()), (ErrorCode::UnknownKey, ErrorCode::UnknownKey));
        assert_eq!(host.fetches(), FOR_THE_COLD_AND_FOR_THE_UNKNOWN);
    });
}

#[test]
fn cold_keys_are_fetched_by_one_of_three() {
    two_preemptions(|| {
        let (verifier, host) = (verifier(), Host::new());
        let others = [(); 2].map(|()| {
            let (theirs, shared) = (Arc::clone(&verifier), Arc::clone(&host));
            thread::spawn(move || refusal(verdict(&theirs, NOW, &key_set(), &shared)))
        });
        assert_eq!(refusal(verdict(&verifier, NOW, &key_set(), &host)), ErrorCode::UnknownKey);
        for other in others {
            assert_eq!(other.join().unwrap(), ErrorCode::UnknownKey);
        }
        assert_eq!(host.fetches(), FOR_THE_COLD_AND_FOR_THE_UNKNOWN);
    });
}

#[test]
fn an_unknown_key_id_is_asked_for_by_one() {
    loom::model(|| {
        let (verifier, host) = (verifier(), Host::new());
        let _first = verdict(&verifier, NOW, &key_set(), &Host::default());
        let later = NOW.plus(30_000);
        let (theirs, shared) = (Arc::clone(&verifier), Arc::clone(&host));
        let other = thread::spawn(move || refusal(verdict(&theirs, later, &key_set(), &shared)));
        let ours = refusal(verdict(&verifier, later, &key_set(), &host));
        assert_eq!((ours, other.join().unwrap()), (ErrorCode::UnknownKey, ErrorCode::UnknownKey));
        assert_eq!(host.fetches(), 1);
    });
}

#[test]
fn a_failure_to_fetch_keys_ends_everybodys_wait() {
    loom::model(|| {
        let (verifier, host) = (verifier(), Host::new());
        let (theirs, shared) = (Arc::clone(&verifier), Arc::clone(&host));
        let other = thread::spawn(move || refusal(verdict(&theirs, NOW, "<html>", &shared)));
        let ours = refusal(verdict(&verifier, NOW, "<html>", &host));
        assert_eq!((ours, other.join().unwrap()), (ErrorCode::KeysUnavailable, ErrorCode::KeysUnavailable));
        // A first failure costs nothing: who waited asks once more.
        assert!((1..=2).contains(&host.fetches()));
    });
}

#[test]
fn a_key_fetch_that_is_given_up_blocks_nobody() {
    loom::model(|| {
        let (verifier, host) = (verifier(), Host::new());
        let (theirs, shared) = (Arc::clone(&verifier), Arc::clone(&host));
        let other = thread::spawn(move || {
            if let Verdict::NeedsKeys(fetch) = theirs.check(TOKEN, Now::steady(NOW)) {
                let flight = fetch.flight();
                drop(fetch);
                shared.landed(flight);
            }
        });
        assert_eq!(refusal(verdict(&verifier, NOW, &key_set(), &host)), ErrorCode::UnknownKey);
        other.join().unwrap();
        assert_eq!(host.fetches(), FOR_THE_COLD_AND_FOR_THE_UNKNOWN);
    });
}

#[test]
fn the_end_of_an_abandoned_flight_ends_no_other() {
    loom::model(|| {
        let verifier = verifier();
        let Verdict::NeedsKeys(abandoned) = verifier.check(TOKEN, Now::steady(NOW)) else {
            panic!("no fetch")
        };
        verifier.abandon_flights();
        let other = thread::spawn(move || drop(abandoned));
        let Verdict::NeedsKeys(ours) = verifier.check(TOKEN, Now::steady(NOW)) else {
            panic!("still in flight")
        };
        let joined = matches!(verifier.check(TOKEN, Now::steady(NOW)), Verdict::Join(flight) if Some(flight) == ours.flight());
        assert!(joined, "two fly");
        other.join().unwrap();
        let joined = matches!(verifier.check(TOKEN, Now::steady(NOW)), Verdict::Join(flight) if Some(flight) == ours.flight());
        assert!(joined, "the abandoned flight ended this one");
    });
}
