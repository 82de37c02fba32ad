//! A verifier that remembers tokens decides as one that does not, whatever happens to clocks, keys and issuer. Seeds are
//! fixed: each run tests the same.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use gatepass_core::Algorithm;
use gatepass_core::KeySource;
use gatepass_core::{
    HostFailure, KeyFetch, Millis, Now, Operation, Recall, Reply, Step, Verdict, Verifier, VerifierConfig,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::json;
use support::issuer::{Key, key_set};
use support::{NOW, respond};

const ISSUER: &str = "https://issuer.example";
const AUDIENCE: &str = "https://receiver.example";

fn seeded(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        rng_seed: RngSeed::Fixed(5),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

fn verifier(keys: KeySource) -> Verifier {
    let config = VerifierConfig {
        issuers: vec![ISSUER.into()],
        audiences: AUDIENCE.into(),
        algorithms: vec![Algorithm::EdDsa],
        keys,
        ..VerifierConfig::default()
    };
    Verifier::new(config).unwrap()
}

/// A token that is made when it is needed: by key `by`, which it calls `kid`.
#[derive(Clone, Debug)]
struct Made {
    kid: usize,
    by: u64,
    /// Seconds from [`NOW`].
    iat: i64,
    is_ours: bool,
}

/// What happens to a verifier.
#[derive(Clone, Debug)]
enum Event {
    /// One of the tokens comes.
    Check(usize),
    /// The clock jumps, forwards or back, by milliseconds.
    Jump(i64),
    /// The issuer publishes these keys from now on: the n-th key id is of this key, if of any.
    Publish(Vec<Option<u64>>),
    /// The issuer answers like this from now on.
    Answer(Manner),
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Manner {
    Well,
    NotFound,
    Overloaded,
    Unreachable,
    /// The caller does not wait for the answer.
    GivenUp,
}

const IDS: [&str; 3] = ["a", "b", "c"];

fn any_made() -> impl Strategy<Value = Made> {
    (0..IDS.len(), 0..3u64, -7200..7200i64, prop::bool::weighted(0.9))
        .prop_map(|(kid, by, iat, is_ours)| Made { kid, by, iat, is_ours })
}

fn any_event() -> impl Strategy<Value = Event> {
    let jump = prop_oneof![
        4 => -5_000..5_000i64,
        4 => -120_000..120_000i64,
        // From the time in which keys are refreshed behind a caller.
        4 => 60_000..100_000i64,
        2 => -7_200_000..7_200_000i64,
        1 => -100_000_000..100_000_000i64,
    ];
    let manner = prop_oneof![
        4 => Just(Manner::Well),
        1 => Just(Manner::NotFound),
        1 => Just(Manner::Overloaded),
        1 => Just(Manner::Unreachable),
        1 => Just(Manner::GivenUp),
    ];
    prop_oneof![
        10 => (0..6usize).prop_map(Event::Check),
        3 => jump.prop_map(Event::Jump),
        2 => vec(prop::option::weighted(0.8, 0..3u64), IDS.len()).prop_map(Event::Publish),
        1 => manner.prop_map(Event::Answer),
    ]
}

/// The issuer and the moment, the same for every verifier that is compared.
#[derive(Clone)]
struct World {
    now: Millis,
    published: Vec<Option<u64>>,
    manner: Manner,
}

impl World {
    fn key_set(&self) -> String {
        let published = self.published.iter().zip(IDS);
        let keys: Vec<_> =
            published.filter_map(|(key, kid)| key.map(|number| Key::eddsa(kid, number))).collect();
        key_set(&keys).to_string()
    }

    /// Carries a fetch of keys out, in no time: how long it waits between its attempts is up to chance. Tells what was
    /// asked of the host.
    fn drive(&self, mut fetch: KeyFetch) -> String {
        let now = self.now;
        let (mut step, mut log) = (fetch.resume(Now::steady(now), Reply::Start), String::new());
        for _ in 0..32 {
            log += match step {
                Step::Send(_) => "request; ",
                Step::Wait { .. } => "wait; ",
                _ => "end; ",
            };
            step = match step {
                Step::Send(_) => match self.manner {
                    Manner::Well => {
                        respond(&mut fetch, now, 200, &self.key_set(), &[("Cache-Control", "max-age=90")])
                    }
                    Manner::NotFound => respond(&mut fetch, now, 404, "", &[]),
                    Manner::Overloaded => respond(&mut fetch, now, 503, "", &[]),
                    Manner::Unreachable => {
                        let message = "refused".into();
                        fetch.resume(Now::steady(now), Reply::Failed { kind: HostFailure::Connect, message })
                    }
                    Manner::GivenUp => return log,
                },
                Step::Wait { .. } => fetch.resume(Now::steady(now), Reply::Elapsed),
                Step::Done(()) | Step::Fail(_) => return log,
                other => panic!("{other:?}"),
            };
        }
        panic!("no end");
    }

    /// All that a caller and the issuer see of a check: the verdict, and the requests that it took.
    fn check(&self, verifier: &Verifier, token: &str) -> String {
        let mut log = String::new();
        for _ in 0..3 {
            match verifier.check(token, Now::steady(self.now)) {
                Verdict::NeedsKeys(fetch) => log += &format!("needs keys: {}", self.drive(fetch)),
                Verdict::Accepted(verified, refresh) => {
                    log += &format!("accepted until {:?}", verified.expires_at());
                    return log + &refresh.map(|fetch| self.drive(fetch)).unwrap_or_default();
                }
                Verdict::Rejected(error) => return log + error.code().as_str(),
                Verdict::Join(_) => return log + "joins nobody",
            }
        }
        log + "no end"
    }
}

impl Made {
    /// A token like this, with a number that makes it another one.
    fn token(&self, number: usize) -> String {
        let at = NOW.as_secs().checked_add_signed(self.iat).unwrap();
        let aud = if self.is_ours { AUDIENCE } else { "https://another.example" };
        let claims =
            json!({"iss": ISSUER, "aud": aud, "sub": "1", "iat": at, "exp": at + 3600, "jti": number});
        Key::eddsa(IDS[self.kid], self.by).token(&claims.to_string())
    }
}

proptest! {
    #![proptest_config(seeded(256))]

    /// The same course of events for a verifier that sees tokens again and again, and for one that never sees a token
    /// twice: it has nothing to remember. What a verifier without any past says to the same keys is the same, too.
    #[test]
    fn what_is_remembered_changes_no_verdict(
        made in vec(any_made(), 6),
        events in vec(any_event(), 60),
    ) {
        let [remembering, forgetful] =
            [(); 2].map(|()| verifier(KeySource::Url("https://issuer.example/keys".into())));
        let tokens: Vec<_> = made.iter().map(|made| made.token(0)).collect();
        let mut world = World { now: NOW, published: vec![Some(0), Some(1), Some(2)], manner: Manner::Well };
        for (number, event) in events.into_iter().enumerate() {
            match event {
                Event::Check(index) => {
                    let with = world.check(&remembering, &tokens[index]);
                    let without = world.check(&forgetful, &made[index].token(number + 1));
                    prop_assert_eq!(&with, &without);
                }
                Event::Jump(by) => world.now = Millis(world.now.0.checked_add_signed(by).unwrap()),
                Event::Publish(keys) => world.published = keys,
                Event::Answer(manner) => world.manner = manner,
            }
        }
    }

    /// With given keys nothing but the clock changes a verdict: each call to one verifier is as the first to another.
    #[test]
    fn each_call_is_as_the_first(
        made in vec(any_made(), 6),
        published in vec(prop::option::weighted(0.8, 0..3u64), IDS.len()),
        calls in vec((0..6usize, -12_000_000..12_000_000i64), 60),
    ) {
        let world = World { now: NOW, published, manner: Manner::Well };
        let keys = KeySource::Static(world.key_set());
        let tokens: Vec<_> = made.iter().map(|made| made.token(0)).collect();
        let remembering = verifier(keys.clone());
        for (index, by) in calls {
            let world = World { now: Millis(NOW.0.checked_add_signed(by).unwrap()), ..world.clone() };
            let verdict = world.check(&remembering, &tokens[index]);
            prop_assert_eq!(&verdict, &world.check(&verifier(keys.clone()), &tokens[index]));
        }
    }
}

#[test]
fn what_has_expired_makes_way_before_what_is_older() {
    let key = Key::eddsa("a", 0);
    let token = |hours: u64| {
        let (iat, exp) = (NOW.as_secs(), NOW.as_secs() + hours * 3600);
        key.token(&json!({"iss": ISSUER, "aud": AUDIENCE, "sub": "1", "iat": iat, "exp": exp}).to_string())
    };
    // Room for two of them.
    let verifier = Verifier::new(VerifierConfig {
        issuers: vec![ISSUER.into()],
        audiences: AUDIENCE.into(),
        algorithms: vec![Algorithm::EdDsa],
        keys: KeySource::Static(key_set([&key]).to_string()),
        remembered_bytes: 1500,
        ..VerifierConfig::default()
    });
    let verifier = verifier.unwrap();
    let accepts = |token: &str, now| matches!(verifier.check(token, Now::steady(now)), Verdict::Accepted(..));
    let knows =
        |token: &str, now| matches!(verifier.recall(token.as_bytes(), Now::steady(now)), Recall::Known(_));
    let (old, short, new) = (token(5), token(1), token(6));
    assert!(accepts(&old, NOW) && accepts(&short, NOW));
    assert!(knows(&old, NOW) && knows(&short, NOW));
    let later = NOW.plus(2 * 3_600_000);
    assert!(accepts(&new, later));
    assert!(knows(&old, later) && knows(&new, later));
    let newest = token(7);
    assert!(accepts(&newest, later));
    assert!(
        !knows(&old, later) && knows(&new, later) && knows(&newest, later),
        "now the oldest has made way"
    );
}
