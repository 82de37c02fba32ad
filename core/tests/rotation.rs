//! Threads that verify while their issuer rotates its keys, is away, or is not the one that tokens are from.
//!
//! Time is a number that the tests pass on: in each tick all threads check a few tokens, side by side, and the next tick
//! begins when all are done.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::collections::{HashMap, HashSet};
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Condvar, Mutex};
use std::thread;
use std::time::Duration;

use gatepass_core::Algorithm;
use gatepass_core::KeySource;
use gatepass_core::{
    ErrorCode, FlightId, HostFailure, KeyFetch, Millis, Now, Operation, Reply, Step, Verdict, Verifier,
    VerifierConfig,
};
use serde_json::json;
use support::issuer::{Key, key_set};
use support::{NOW, respond};

const ISSUER: &str = "https://issuer.example";
const AUDIENCE: &str = "https://receiver.example";
const THREADS: u64 = 8;
/// How long tokens with unknown key ids cause no further request.
const COOLDOWN_MS: u64 = 30_000;
/// A wait longer than this is for ever.
const PATIENCE: Duration = Duration::from_secs(600);

/// An issuer that signs with another key in each second.
struct Issuer {
    /// The seconds whose keys are published at a moment.
    published: fn(Millis) -> RangeInclusive<u64>,
    cache_control: &'static str,
    is_away: fn(Millis) -> bool,
}

impl Issuer {
    fn key(second: u64) -> Key {
        Key::eddsa(&second.to_string(), second)
    }

    /// The token of somebody who asked at this moment.
    fn token(at: Millis) -> String {
        let iat = at.as_secs();
        let claims = json!({"iss": ISSUER, "aud": AUDIENCE, "sub": "1", "iat": iat, "exp": iat + 3600});
        Self::key(iat).token(&claims.to_string())
    }

    fn key_set(&self, now: Millis) -> String {
        let keys: Vec<_> = (self.published)(now).map(Self::key).collect();
        key_set(&keys).to_string()
    }
}

/// What a host does with a verifier, and what it notes.
struct Host {
    verifier: Verifier,
    issuer: Issuer,
    landed: Mutex<HashSet<FlightId>>,
    one_landed: Condvar,
    /// Requests that are under way, and all that were made.
    under_way: AtomicUsize,
    requests: AtomicUsize,
    operations: Mutex<Vec<Fetched>>,
}

/// An operation that has ended.
#[derive(Clone, Debug)]
struct Fetched {
    from: Millis,
    to: Millis,
    is_good: bool,
}

/// An operation that somebody carries out.
struct Flight {
    fetch: KeyFetch,
    id: Option<FlightId>,
    from: Millis,
    requests: usize,
    /// Whether the issuer gave keys.
    is_good: bool,
    /// What the operation asked for last.
    /// When the pause that it has asked for ends.
    waits_until: Millis,
    step: Step<()>,
}

impl Host {
    fn new(issuer: Issuer) -> Self {
        let verifier = Verifier::new(VerifierConfig {
            issuers: vec![ISSUER.into()],
            audiences: AUDIENCE.into(),
            algorithms: vec![Algorithm::EdDsa],
            keys: KeySource::Url(format!("{ISSUER}/keys")),
            ..VerifierConfig::default()
        });
        Self {
            verifier: verifier.unwrap(),
            issuer,
            landed: Mutex::default(),
            one_landed: Condvar::new(),
            under_way: AtomicUsize::new(0),
            requests: AtomicUsize::new(0),
            operations: Mutex::default(),
        }
    }

    fn depart(&self, mut fetch: KeyFetch, now: Millis) -> Flight {
        let id = fetch.flight();
        let step = fetch.resume(Now::steady(now), Reply::Start);
        let mut flight = Flight { fetch, id, from: now, requests: 0, is_good: false, waits_until: now, step };
        self.note_request(&mut flight);
        flight
    }

    fn note_request(&self, flight: &mut Flight) {
        if let Step::Send(_) = flight.step {
            flight.requests += 1;
            assert!(flight.requests <= 4, "more attempts than an operation has");
            self.requests.fetch_add(1, SeqCst);
            assert_eq!(self.under_way.fetch_add(1, SeqCst), 0, "two requests at once");
        }
    }

    /// Takes a flight as far as it gets at this moment; tells whether it has landed.
    fn advance(&self, flight: &mut Flight, now: Millis) -> bool {
        loop {
            flight.step = match &flight.step {
                Step::Send(_) => {
                    self.under_way.fetch_sub(1, SeqCst);
                    if (self.issuer.is_away)(now) {
                        let message = "no route".into();
                        flight
                            .fetch
                            .resume(Now::steady(now), Reply::Failed { kind: HostFailure::Connect, message })
                    } else {
                        flight.is_good = true;
                        let (keys, headers) =
                            (self.issuer.key_set(now), [("Cache-Control", self.issuer.cache_control)]);
                        respond(&mut flight.fetch, now, 200, &keys, &headers)
                    }
                }
                Step::Wait { .. } if now < flight.waits_until => return false,
                Step::Wait { .. } => flight.fetch.resume(Now::steady(now), Reply::Elapsed),
                Step::Done(()) | Step::Fail(_) => {
                    let ended = Fetched { from: flight.from, to: now, is_good: flight.is_good };
                    self.operations.lock().unwrap().push(ended);
                    self.landed.lock().unwrap().extend(flight.id);
                    self.one_landed.notify_all();
                    return true;
                }
                other => panic!("{other:?}"),
            };
            if let Step::Wait { delay_ms } = flight.step {
                flight.waits_until = now.plus(delay_ms);
            }
            self.note_request(flight);
        }
    }

    /// Carries a flight out for a caller who cannot go on without it.
    fn finish(&self, mut flight: Flight, mut now: Millis) -> Step<()> {
        while !self.advance(&mut flight, now) {
            if let Step::Wait { .. } = flight.step {
                now = flight.waits_until;
            }
        }
        flight.step
    }

    fn wait_for(&self, flight: FlightId) {
        let landed = self.landed.lock().unwrap();
        let (_landed, wait) =
            self.one_landed.wait_timeout_while(landed, PATIENCE, |landed| !landed.contains(&flight)).unwrap();
        assert!(!wait.timed_out(), "joined a flight that nobody flies");
    }

    /// What a caller gets, from a driver as every language has it: the error of a fetch that it was chosen for is its
    /// own. `Some`: a refresh for the background.
    fn verify(&self, token: &str, now: Millis) -> Result<Option<Flight>, ErrorCode> {
        for _ in 0..1000 {
            match self.verifier.check(token, Now::steady(now)) {
                Verdict::Accepted(_, refresh) => return Ok(refresh.map(|fetch| self.depart(fetch, now))),
                Verdict::Rejected(error) => return Err(error.code()),
                Verdict::NeedsKeys(fetch) => match self.finish(self.depart(fetch, now), now) {
                    Step::Fail(error) => return Err(error.code()),
                    _ => continue,
                },
                Verdict::Join(flight) => self.wait_for(flight),
            }
        }
        panic!("no end");
    }

    fn requests(&self) -> usize {
        self.requests.load(SeqCst)
    }

    /// The operations, in the order of their beginnings; those that followed another too soon are wrong.
    fn operations(&self) -> Vec<Fetched> {
        let mut operations = self.operations.lock().unwrap().clone();
        operations.sort_by_key(|operation| operation.from);
        let mut failures = 0;
        for pair in operations.windows(2) {
            failures = if pair[0].is_good { 0 } else { failures + 1 };
            // With keys in hand, a second after the first failure, then twice as long each time, to half a minute.
            let pause = match failures {
                0 => 0,
                n => 1000 << (n - 1).min(5),
            };
            assert!(pair[1].from >= pair[0].to.plus(pause), "too soon after {failures} failures: {pair:?}");
        }
        // One because the keys are due, and one more at once for an unknown key id.
        for three in operations.windows(3) {
            assert!(
                three[2].from >= three[0].to.plus(COOLDOWN_MS) || !three[1].is_good,
                "too soon: {three:?}"
            );
        }
        operations
    }
}

/// Runs `work(thread, now, flights)` in all threads at once, tick by tick. `flights` is what a thread has begun before.
fn run(ticks: u64, tick_ms: u64, work: impl Fn(u64, Millis, &mut Vec<Flight>) + Sync) {
    let mut flights: Vec<Vec<Flight>> = (0..THREADS).map(|_| Vec::new()).collect();
    for now in (0..ticks).map(|tick| NOW.plus(tick * tick_ms)) {
        thread::scope(|scope| {
            for (thread, flights) in (0..THREADS).zip(&mut flights) {
                let work = &work;
                scope.spawn(move || work(thread, now, flights));
            }
        });
    }
}

/// Numbers that look random, the same in each run (SplitMix64).
fn scattered(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Ten minutes. The issuer signs with another key each second, publishes them a minute ahead, and is away for five
/// seconds of every ten.
#[test]
fn no_valid_token_is_refused_while_keys_rotate_every_second() {
    let host = Host::new(Issuer {
        published: |now| now.as_secs() - 5..=now.as_secs() + 58,
        cache_control: "max-age=60",
        is_away: |now| now.as_secs() / 5 % 2 == 1,
    });
    let checks = AtomicUsize::new(0);
    run(1_200, 500, |thread, now, flights| {
        // A refresh in the background takes a tick at least, and others check meanwhile.
        flights.retain_mut(|flight| !host.advance(flight, now));
        for n in 0..4 {
            let age = scattered(now.0 ^ thread ^ (n << 8)) % 2_000;
            match host.verify(&Issuer::token(now.minus(age)), now) {
                Ok(refresh) => flights.extend(refresh),
                Err(code) => {
                    panic!("a valid token was refused: {code}, {} ms after the start", now.since(NOW))
                }
            }
            checks.fetch_add(1, SeqCst);
        }
    });
    let operations = host.operations();
    let good = operations.iter().filter(|operation| operation.is_good).count();
    println!(
        "{checks:?} tokens, {} requests in {} operations, {good} good",
        host.requests(),
        operations.len()
    );
    assert!((10..=20).contains(&good), "a key set lives for a minute");
    assert!(host.requests() > good, "the issuer was never away when it was asked");
}

/// A hundred thousand tokens with key ids that nobody has, and good ones in between.
fn storm(is_away: fn(Millis) -> bool, refusals: &[ErrorCode]) -> Host {
    let host = Host::new(Issuer {
        published: |_| NOW.as_secs()..=NOW.as_secs(),
        cache_control: "max-age=86400",
        is_away,
    });
    let good = Issuer::token(NOW);
    assert!(host.verify(&good, NOW).is_ok());
    let good_one = |now: Millis| {
        assert!(
            matches!(host.verifier.check(&good, Now::steady(now)), Verdict::Accepted(_, None)),
            "a good token was refused or had to wait"
        );
    };
    let (_, rest) = good.split_once('.').unwrap();
    let asked = Mutex::new(HashMap::<u64, usize>::new());
    run(625, 2_000, |thread, now, _| {
        for n in 0..20 {
            let kid = scattered(now.0 * 1_000 + thread * 20 + n);
            let stranger =
                format!("{}.{rest}", support::encoded(&json!({"alg": "EdDSA", "kid": kid.to_string()})));
            match host.verifier.check(&stranger, Now::steady(now)) {
                Verdict::NeedsKeys(fetch) => {
                    *asked.lock().unwrap().entry(now.since(NOW) / COOLDOWN_MS).or_default() += 1;
                    let flight = host.depart(fetch, now);
                    good_one(now);
                    let _end = host.finish(flight, now);
                }
                Verdict::Join(flight) => host.wait_for(flight),
                Verdict::Rejected(error) => assert!(refusals.contains(&error.code()), "{error}"),
                Verdict::Accepted(..) => panic!("accepted"),
            }
        }
        good_one(now);
    });
    let most = asked.lock().unwrap().values().max().copied();
    assert_eq!(most, Some(1), "fetches in one cooldown");
    host
}

#[test]
fn a_storm_of_unknown_key_ids_is_one_request_in_each_cooldown() {
    let host = storm(|_| false, &[ErrorCode::UnknownKey]);
    let operations = host.operations();
    println!("{} requests in 1,250 seconds", host.requests());
    assert_eq!(host.requests(), operations.len(), "each operation is one request");
    assert!(operations.len() <= 2 + 1_250_000 / COOLDOWN_MS as usize);
}

#[test]
fn a_storm_while_the_issuer_is_away_is_one_operation_in_each_cooldown() {
    // Until the first fetch has failed, the key is one that the issuer does not have.
    let host = storm(|now| now > NOW, &[ErrorCode::UnknownKey, ErrorCode::KeysUnavailable]);
    let operations = host.operations();
    println!("{} requests in {} operations in 1,250 seconds", host.requests(), operations.len());
    assert!(operations.len() <= 2 + 1_250_000 / COOLDOWN_MS as usize);
}

/// An hour without the issuer, and keys that live for a minute: the old ones are good for a day.
#[test]
fn no_valid_token_is_refused_while_the_issuer_is_away() {
    let host = Host::new(Issuer {
        published: |_| NOW.as_secs()..=NOW.as_secs(),
        cache_control: "max-age=60",
        is_away: |now| now > NOW,
    });
    let token = Issuer::token(NOW);
    run(350, 10_000, |_, now, _| match host.verify(&token, now) {
        // Carried out to its end at once: whoever joins it waits within this tick.
        Ok(refresh) => drop(refresh.map(|flight| host.finish(flight, now))),
        Err(code) => panic!("a valid token was refused: {code}, {} ms after the start", now.since(NOW)),
    });
    println!("{} requests in {} operations in 3,500 seconds", host.requests(), host.operations().len());
}
