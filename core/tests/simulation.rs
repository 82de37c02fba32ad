//! A simulated day: 10,000 calls, and a token endpoint that fails half of all requests.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gatepass_core::CredentialsFrom;
use gatepass_core::{
    Lookup, Millis, Now, Operation, Refresh, Reply, Secret, SourceConfig, Step, TokenKey, TokenSource,
};

const AUDIENCE: &str = "https://orders.example";
const START: Millis = Millis::from_secs(1_800_000_000);
const DAY: u64 = 24 * 3_600_000;
const CALLS: u64 = 10_000;

#[test]
fn no_call_fails_while_there_is_a_valid_token() {
    let calm = simulate(0);
    let stormy = simulate(50);
    assert_eq!((calm.failed_calls, calm.failed_with_token), (0, 0));
    assert_eq!(stormy.failed_with_token, 0);
    assert!(
        stormy.requests <= 3 * calm.requests,
        "{} requests, {} without faults",
        stormy.requests,
        calm.requests
    );
}

#[derive(Default)]
struct Day {
    requests: u64,
    failed_calls: u64,
    /// Failures although a token was held that had not ended.
    failed_with_token: u64,
    held_until: Millis,
    /// Of the endpoint's own dice.
    dice: u64,
}

fn simulate(failing_percent: u64) -> Day {
    let source = TokenSource::new(SourceConfig {
        credentials: CredentialsFrom::Json(key_file()),
        seed: 7,
        ..SourceConfig::default()
    });
    let key = TokenKey::id_token(AUDIENCE).unwrap();
    let mut day = Day { dice: 42, ..Day::default() };
    for call in 0..CALLS {
        let now = START.plus(call * DAY / CALLS);
        match source.lookup(&key, Now::steady(now)) {
            Lookup::Fresh(token) => assert!(now < token.expires_at()),
            Lookup::Stale(token, refresh) => {
                assert!(now < token.expires_at());
                // Behind the caller, so its failure is nobody's.
                refresh.map(|refresh| day.drive(refresh, now, failing_percent));
            }
            Lookup::Fetch(refresh) => {
                if !day.drive(refresh, now, failing_percent) {
                    day.failed_calls += 1;
                    day.failed_with_token += u64::from(now.plus(10_000) < day.held_until);
                }
            }
            Lookup::Join(_) => panic!("one caller joined nobody's flight"),
        }
    }
    day
}

impl Day {
    /// Drives a refresh to its end on the simulated clock; tells whether there is a token.
    fn drive(&mut self, mut refresh: Refresh, start: Millis, failing_percent: u64) -> bool {
        let (mut now, mut reply) = (start, Reply::Start);
        loop {
            reply = match refresh.resume(Now::steady(now), reply) {
                Step::ReadEnv { .. } => Reply::Env(Vec::new()),
                Step::Wait { delay_ms } => {
                    now = now.plus(delay_ms);
                    Reply::Elapsed
                }
                Step::Send(_) => self.answer(now, failing_percent),
                Step::Done(token) => {
                    self.held_until = token.expires_at();
                    return true;
                }
                Step::Fail(_) => return false,
                other => panic!("{other:?}"),
            };
        }
    }

    fn answer(&mut self, now: Millis, failing_percent: u64) -> Reply {
        self.requests += 1;
        // A linear congruential generator (Knuth's MMIX); its high bits are the good ones.
        self.dice = self.dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (status, body) = if (self.dice >> 33) % 100 < failing_percent {
            (503, String::new())
        } else {
            let exp = now.as_secs() + 3600;
            let payload = URL_SAFE_NO_PAD.encode(format!(r#"{{"aud":"{AUDIENCE}","exp":{exp}}}"#));
            (200, format!(r#"{{"id_token":"e30.{payload}.AA"}}"#))
        };
        Reply::Response { status, headers: Vec::new(), body: Secret::new(body.into_bytes()) }
    }
}

fn key_file() -> Secret<String> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors/client/attack_corpus.json");
    let corpus: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(file).unwrap().replace(r"\ud800", "")).unwrap();
    Secret::from(corpus["cases"][0]["input"].as_str().unwrap())
}
