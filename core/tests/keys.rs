//! The life of an issuer's keys, on a clock of the test's own: nothing here waits.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gatepass_core::{
    ErrorCode, KeyCache, KeyFetch, Millis, Monotonic, Now, Operation, Recall, Reply, Secret, Step, Verdict,
    Verifier, VerifierConfig,
};
use gatepass_core::{KeySource, Preset};
use serde_json::{Value, json};

const KEYS_URL: &str = "https://www.googleapis.com/oauth2/v3/certs";
const HOUR: u64 = 3_600_000;
const NOW: Millis = Millis::from_secs(1_800_000_000);

#[test]
fn keys_are_fetched_once_and_tokens_remembered() {
    let test = Test::new();
    let mut fetch = test.needs_keys(NOW);
    assert!(matches!(test.check(NOW), Verdict::Join(flight) if Some(flight) == fetch.flight()));
    test.answer(&mut fetch, NOW, &test.google_keys(), "max-age=3600");
    for at in [NOW, NOW.plus(1)] {
        assert!(matches!(test.check(at), Verdict::Accepted(_, None)));
    }
}

#[test]
fn a_verified_token_shows_its_end_and_none_of_its_claims() {
    let test = Test::with_keys("max-age=3600");
    let Verdict::Accepted(verified, None) = test.check(NOW) else { panic!("not accepted") };
    let shown = format!("{verified:?}");
    assert!(shown.contains("expires_at") && shown.contains("is_unverified: false"), "{shown}");
    assert!(!shown.contains(support::CALLER) && !shown.contains("accounts.google.com"), "{shown}");
}

#[test]
fn a_remembered_token_still_expires() {
    let test = Test::with_keys("max-age=86400");
    assert!(matches!(test.check(NOW), Verdict::Accepted(..)));
    assert_eq!(test.refusal(NOW.plus(2 * HOUR)), ErrorCode::TokenExpired);
}

#[test]
fn a_remembered_token_goes_with_its_key() {
    let test = Test::with_keys("max-age=100");
    assert!(matches!(test.check(NOW), Verdict::Accepted(_, None)));
    let later = NOW.plus(100_000);
    let mut fetch = test.refreshes_keys(later);
    test.answer(&mut fetch, later, &test.other_keys(), "max-age=100");
    let mut fetch = test.needs_keys(later);
    test.answer(&mut fetch, later, &test.other_keys(), "max-age=100");
    assert_eq!(test.refusal(later), ErrorCode::UnknownKey);
}

#[test]
fn a_token_is_recalled_by_the_number_of_its_check_as_long_as_it_would_be_accepted() {
    let test = Test::with_keys("max-age=1000");
    assert_eq!(test.recalled(NOW), None, "it was not checked yet");
    let entry = test.entry(NOW);
    assert!(entry > 0);
    assert_eq!(test.recalled(NOW), Some(entry));
    assert_eq!(test.recalled(NOW.plus(799_999)), Some(entry));
    assert_eq!(test.recalled(NOW.plus(800_000)), None, "somebody has to refresh the keys");

    let later = NOW.plus(1_000_000);
    let mut fetch = test.refreshes_keys(later);
    test.answer(&mut fetch, later, &test.google_keys(), "max-age=86400");
    assert_eq!(test.recalled(later), None, "the key was not looked for in the new set yet");
    assert_eq!(test.entry(later), entry, "the same key is in it");
    assert_eq!(test.recalled(later), Some(entry));
    assert_eq!(test.recalled(later.plus(2 * HOUR)), None, "the token has expired");

    let away = later.plus(24 * HOUR);
    let mut fetch = test.refreshes_keys(away);
    test.answer(&mut fetch, away, &test.other_keys(), "max-age=1000");
    assert_eq!(test.recalled(NOW), None, "its key has left");
    let mut fetch = test.needs_keys(away);
    test.answer(&mut fetch, away, &test.other_keys(), "max-age=1000");
    assert_eq!(test.refusal(away), ErrorCode::UnknownKey);
}

#[test]
fn a_remembered_token_whose_key_has_left_waits_for_nobody_who_is_not_there() {
    let test = Test::with_keys("max-age=100");
    assert!(matches!(test.check(NOW), Verdict::Accepted(_, None)));
    let rotated = NOW.plus(100_000);
    let mut fetch = test.refreshes_keys(rotated);
    test.answer(&mut fetch, rotated, &test.other_keys(), "max-age=100");
    // Of the keys that are due for a refresh, none is the token's: whoever comes is chosen to ask for them.
    let later = rotated.plus(80_000);
    let mut fetch = test.needs_keys(later);
    test.answer(&mut fetch, later, &test.google_keys(), "max-age=100");
    assert!(matches!(test.check(later), Verdict::Accepted(_, None)));
}

#[test]
fn a_remembered_token_is_checked_again_when_its_key_changes() {
    type Change = fn(&mut Value);
    let changes: [(Change, ErrorCode); 4] = [
        (|key| key["n"] = json!(key["n"].as_str().unwrap().replace('a', "b")), ErrorCode::BadSignature),
        (|key| key["alg"] = json!("RS512"), ErrorCode::KeyUnusable),
        (|key| key["use"] = json!("enc"), ErrorCode::KeyUnusable),
        (|key| key["kid"] = json!("another"), ErrorCode::UnknownKey),
    ];
    for (change, expected) in changes {
        let test = Test::with_keys("max-age=100");
        assert!(matches!(test.check(NOW), Verdict::Accepted(_, None)));
        let later = NOW.plus(100_000);
        let mut fetch = test.refreshes_keys(later);
        let mut changed = test.google_keys();
        changed["keys"].as_array_mut().unwrap().iter_mut().for_each(change);
        // A key that stays usable: a set without one is no answer.
        let mut keys = test.other_keys();
        keys["keys"].as_array_mut().unwrap().extend(changed["keys"].as_array().unwrap().iter().cloned());
        test.answer(&mut fetch, later, &keys, "max-age=100");
        if expected == ErrorCode::UnknownKey {
            let mut fetch = test.needs_keys(later);
            test.answer(&mut fetch, later, &keys, "max-age=100");
        }
        assert_eq!(test.refusal(later), expected);
    }
}

#[test]
fn a_remembered_token_costs_no_signature_when_the_keys_were_fetched_anew() {
    let test = Test::with_keys("max-age=100");
    assert!(matches!(test.check(NOW), Verdict::Accepted(_, None)));
    let later = NOW.plus(100_000);
    let mut fetch = test.refreshes_keys(later);
    test.answer(&mut fetch, later, &test.google_keys(), "max-age=3600");
    let later = Now::steady(later);
    let Recall::New(digest) = test.verifier.recall(test.token.as_bytes(), later) else {
        panic!("recalled without a look at the new keys")
    };
    let mut check = test.verifier.begin_check(&test.token, digest);
    assert!(matches!(check.resume(later, Reply::Start), Step::Done(Verdict::Accepted(_, None))));
}

#[test]
fn a_hit_is_checked_against_the_clock_with_the_leeway() {
    let test = Test::with_keys("max-age=86400");
    let Verdict::Accepted(verified, _) = test.check(NOW) else { panic!("refused") };
    let end = verified.expires_at().plus(30_000);
    assert!(matches!(test.check(end.minus(1)), Verdict::Accepted(..)));
    assert_eq!(test.refusal(end), ErrorCode::TokenExpired);
    assert_eq!(test.refusal(NOW.minus(2 * HOUR)), ErrorCode::TokenIssuedInFuture);
    assert!(matches!(test.check(NOW), Verdict::Accepted(..)), "a clock that goes back is believed");
}

/// A token with another key id.
fn stranger(test: &Test, kid: u32) -> String {
    let header = URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"RS256","kid":"{kid}"}}"#));
    format!("{header}.{}", test.token.split_once('.').unwrap().1)
}

/// How many requests tokens with ever new key ids cause in a minute.
fn storm(test: &Test, start: Millis, is_away: bool, expected: ErrorCode) -> usize {
    let mut requests = 0;
    for n in 0..3_000 {
        let now = start.plus(u64::from(n) * 20);
        match test.verifier.check(&stranger(test, n), Now::steady(now)) {
            Verdict::NeedsKeys(mut fetch) => {
                requests += 1;
                assert!(matches!(fetch.resume(Now::steady(now), Reply::Start), Step::Send(_)));
                if is_away {
                    test.fail(&mut fetch, now);
                } else {
                    test.answer(&mut fetch, now, &test.google_keys(), "max-age=86400");
                }
            }
            Verdict::Rejected(error) => assert_eq!(error.code(), expected),
            _ => panic!("accepted or joined"),
        }
        if n % 100 == 0 {
            assert!(matches!(test.check(now), Verdict::Accepted(..)), "a known key waits for nobody");
        }
    }
    requests
}

#[test]
fn a_storm_of_unknown_key_ids_is_one_request_in_thirty_seconds() {
    let test = Test::with_keys("max-age=86400");
    assert_eq!(storm(&test, NOW, false, ErrorCode::UnknownKey), 2);
}

#[test]
fn while_the_issuer_is_away_an_unknown_key_is_nobodys_fault_and_asked_for_as_rarely() {
    let test = Test::with_keys("max-age=86400");
    assert_eq!(storm(&test, NOW, true, ErrorCode::KeysUnavailable), 2);
    let Verdict::Rejected(error) = test.verifier.check(&stranger(&test, 7), Now::steady(NOW.plus(59_999)))
    else {
        panic!("not refused")
    };
    assert_eq!((error.code().http_status(), error.is_retryable()), (503, true));
    let later = NOW.plus(60_000);
    let Verdict::NeedsKeys(mut fetch) = test.verifier.check(&stranger(&test, 7), Now::steady(later)) else {
        panic!("not asked")
    };
    assert!(matches!(fetch.resume(Now::steady(later), Reply::Start), Step::Send(_)));
    test.answer(&mut fetch, later, &test.google_keys(), "max-age=86400");
    let Verdict::Rejected(error) = test.verifier.check(&stranger(&test, 7), Now::steady(later)) else {
        panic!("not refused")
    };
    assert_eq!(error.code(), ErrorCode::UnknownKey, "the issuer is back and does not know it");
}

#[test]
fn keys_are_refreshed_in_the_background_by_one_caller_from_four_fifths_of_their_life() {
    let test = Test::with_keys("max-age=1000");
    let at = NOW.plus(800_000);
    assert!(matches!(test.check(at.minus(1)), Verdict::Accepted(_, None)));
    let Verdict::Accepted(_, Some(mut refresh)) = test.check(at) else { panic!("nobody was chosen") };
    assert!(matches!(test.check(at), Verdict::Accepted(_, None)), "two were chosen");
    assert!(matches!(refresh.resume(Now::steady(at), Reply::Start), Step::Send(_)));
    test.answer(&mut refresh, at, &test.google_keys(), "max-age=1000");
    assert!(matches!(test.check(at.plus(799_999)), Verdict::Accepted(_, None)));
}

#[test]
fn old_keys_are_used_for_a_day_and_nobody_waits_for_new_ones() {
    let test = Test::with_keys("max-age=60");
    let mut at = NOW.plus(60_000);
    for _ in 0..3 {
        let mut fetch = test.refreshes_keys(at);
        assert!(matches!(test.check(at), Verdict::Accepted(_, None)), "the issuer hangs");
        test.fail(&mut fetch, at);
        assert!(matches!(test.check(at), Verdict::Accepted(_, None)));
        at = at.plus(60_000);
    }
    let too_old = NOW.plus(60_000 + 24 * HOUR);
    drop(test.refreshes_keys(too_old.minus(1)));
    let mut fetch = test.needs_keys(too_old);
    assert!(matches!(test.check(too_old), Verdict::Join(_)));
    test.fail(&mut fetch, too_old);
    assert_eq!(test.refusal(too_old), ErrorCode::KeysUnavailable);
}

#[test]
fn keys_age_by_whichever_clock_goes_on() {
    let day = 24 * HOUR;
    for (wall, monotonic) in [(day, 0), (0, day), (day, day)] {
        let test = Test::with_keys("max-age=86400");
        let at = |part: u64| {
            let monotonic = Monotonic(NOW.0 + monotonic / 10 * part);
            Now { unix: NOW.plus(wall / 10 * part), monotonic }
        };
        let recalled = |now| {
            let _ = test.verifier.check(&test.token, now);
            test.verifier.recall(test.token.as_bytes(), now)
        };
        if wall == 0 {
            assert!(matches!(recalled(at(7)), Recall::Known(_)));
            assert!(
                matches!(recalled(at(8)), Recall::New(_)),
                "the wall clock was set back, and the keys age"
            );
            // Set back by an hour as well: the token is not younger for it.
            let back = Now { unix: NOW, ..at(8) };
            assert!(matches!(test.verifier.check(&test.token, back), Verdict::Accepted(..)));
        } else {
            let Verdict::Rejected(error) = test.verifier.check(&test.token, at(8)) else {
                panic!("accepted")
            };
            assert_eq!(error.code(), ErrorCode::TokenExpired, "the wall clock counts for tokens");
        }
    }
}

#[test]
fn the_first_unknown_key_id_after_an_ordinary_fetch_asks_at_once() {
    let test = Test::with_keys("max-age=86400");
    let stranger = test.case("p0256");
    let check = |at| test.verifier.check(&stranger, Now::steady(at));
    let Verdict::NeedsKeys(mut fetch) = check(NOW) else { panic!("nobody was chosen") };
    assert!(matches!(fetch.resume(Now::steady(NOW), Reply::Start), Step::Send(_)));
    assert!(matches!(test.check(NOW), Verdict::Accepted(..)), "a known key waits for nobody");
    assert!(matches!(check(NOW), Verdict::Join(_)));
    test.answer(&mut fetch, NOW, &test.google_keys(), "max-age=86400");
    for later in [NOW, NOW.plus(29_999)] {
        let Verdict::Rejected(error) = check(later) else { panic!("asked again") };
        assert_eq!(error.code(), ErrorCode::UnknownKey);
    }
    assert!(matches!(check(NOW.plus(30_000)), Verdict::NeedsKeys(_)));
}

#[test]
fn a_key_url_that_is_none_is_named_and_not_retryable() {
    let test = Test::sharing(&KeyCache::default(), "https://keys.example/typo?key=hush");
    for (status, is_retryable) in [(200, true), (302, true), (403, true), (404, false), (410, false)] {
        let Verdict::NeedsKeys(mut fetch) = test.check(NOW.plus(u64::from(status) * 1_000_000)) else {
            panic!("no keys were asked for")
        };
        let now = NOW.plus(u64::from(status) * 1_000_000);
        assert!(matches!(fetch.resume(Now::steady(now), Reply::Start), Step::Send(_)));
        let Step::Fail(error) = test.resume(&mut fetch, now, status, "<html>", "") else { panic!("taken") };
        assert_eq!((error.code(), error.is_retryable()), (ErrorCode::KeysUnavailable, is_retryable));
        let text = error.to_string();
        assert!(text.contains("https://keys.example/typo") && !text.contains("hush"), "{text}");
        assert_eq!(text.matches("check that").count(), 1, "advice is given once: {text}");
        assert_eq!(text.contains("try again"), is_retryable, "it fits: {text}");
    }
    // Where keys were before, it is an outage.
    let test = Test::with_keys("max-age=60");
    let too_old = NOW.plus(60_000 + 24 * HOUR);
    let mut fetch = test.needs_keys(too_old);
    test.fail(&mut fetch, too_old);
    let Verdict::Rejected(error) = test.check(too_old) else { panic!("not refused") };
    assert!(error.is_retryable());
}

#[test]
fn a_dropped_fetch_gives_its_flight_up() {
    let test = Test::new();
    drop(test.needs_keys(NOW));
    drop(test.needs_keys(NOW));
    let kept = test.needs_keys(NOW);
    test.verifier.abandon_flights();
    let _next = test.needs_keys(NOW);
    drop(kept);
    assert!(
        matches!(test.check(NOW), Verdict::Join(_)),
        "the abandoned flight's end must not end the next one"
    );
}

#[test]
fn an_answer_that_is_no_key_set_is_no_answer() {
    for body in
        ["", "<html>", "null", "{}", r#"{"keys":[]}"#, r#"{"keys":[{"kty":"oct","k":"AAAA","kid":"a"}]}"#]
    {
        let test = Test::new();
        let mut fetch = test.needs_keys(NOW);
        let Step::Fail(error) = test.resume(&mut fetch, NOW, 200, body, "max-age=60") else {
            panic!("{body} was taken")
        };
        assert_eq!((error.code(), error.is_retryable()), (ErrorCode::KeysUnavailable, true), "{body}");
    }
}

#[test]
fn google_pem_maps_are_key_sets_too() {
    let mut test = Test::new();
    test.token = test.case("p0001");
    let mut fetch = test.needs_keys(NOW);
    test.answer(&mut fetch, NOW, &test.corpus["certs"]["google"], "max-age=3600");
    assert!(matches!(test.check(NOW), Verdict::Accepted(..)));
}

#[test]
fn verifiers_of_one_key_url_share_their_keys_and_who_fetches_them() {
    let cache = KeyCache::default();
    let first = Test::sharing(&cache, KEYS_URL);
    let second = Test::sharing(&cache, KEYS_URL);
    let other = Test::sharing(&cache, "https://keys.example/");
    let stranger = Test::new();

    let mut fetch = first.needs_keys(NOW);
    assert!(matches!(second.check(NOW), Verdict::Join(flight) if Some(flight) == fetch.flight()));
    let Verdict::NeedsKeys(elsewhere) = other.check(NOW) else { panic!("another URL's keys were used") };
    assert_ne!(elsewhere.flight(), fetch.flight(), "flights of a cache have different ids");
    let _not_shared = stranger.needs_keys(NOW);

    first.answer(&mut fetch, NOW, &first.google_keys(), "max-age=3600");
    for test in [&first, &second] {
        assert!(matches!(test.check(NOW), Verdict::Accepted(_, None)));
    }
    let late = Test::sharing(&cache, KEYS_URL);
    assert!(matches!(late.check(NOW), Verdict::Accepted(_, None)), "the keys are there already");

    drop((first, second, late, fetch));
    let again = Test::sharing(&cache, KEYS_URL);
    let mut fetch = again.needs_keys(NOW);
    cache.abandon_flights();
    let _chosen_again = again.needs_keys(NOW);
    // The abandoned one lands all the same, and takes nobody's place.
    again.answer(&mut fetch, NOW, &again.google_keys(), "max-age=3600");
    assert!(matches!(again.check(NOW), Verdict::Accepted(_, None)));
}

struct Test {
    corpus: Value,
    verifier: Verifier,
    token: String,
}

impl Test {
    /// A verifier without keys, and a good token.
    fn new() -> Self {
        Self::sharing(&KeyCache::default(), KEYS_URL)
    }

    /// The same, with keys of this URL in this cache.
    fn sharing(cache: &KeyCache, keys_url: &str) -> Self {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors/verify/attack_corpus.json");
        let corpus: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        let config = VerifierConfig {
            preset: Some(Preset::Google),
            audiences: corpus["profiles"]["google"]["audience"].as_str().unwrap().into(),
            keys: KeySource::Url(keys_url.into()),
            ..VerifierConfig::default()
        };
        let mut open = Verifier::open(config, cache);
        let now = Now::steady(NOW);
        assert!(matches!(open.resume(now, Reply::Start), Step::ReadEnv { .. }));
        let Step::Done(opened) = open.resume(now, Reply::Env(Vec::new())) else { panic!("not made") };
        let mut test = Self { corpus, verifier: opened.verifier, token: String::new() };
        test.token = test.fresh_token(NOW);
        test
    }

    fn with_keys(cache_control: &str) -> Self {
        let test = Self::new();
        let mut fetch = test.needs_keys(NOW);
        test.answer(&mut fetch, NOW, &test.google_keys(), cache_control);
        test
    }

    fn case(&self, id: &str) -> String {
        let case = self.corpus["cases"].as_array().unwrap().iter().find(|case| case["id"] == id).unwrap();
        case["token"].as_str().unwrap().to_owned()
    }

    /// A token that was issued a minute ago.
    fn fresh_token(&self, now: Millis) -> String {
        let audience = self.corpus["profiles"]["google"]["audience"].as_str().unwrap();
        let mut claims = support::claims("https://accounts.google.com", audience);
        claims["iat"] = json!(now.as_secs() - 60);
        claims["exp"] = json!(now.as_secs() + 3540);
        support::token(&claims)
    }

    fn google_keys(&self) -> Value {
        support::key_set()
    }

    /// The same keys under other ids.
    fn other_keys(&self) -> Value {
        let keys = self.google_keys()["keys"].as_array().unwrap().clone().into_iter().map(|mut key| {
            key["kid"] = json!(format!("x{}", key["kid"]));
            key
        });
        json!({ "keys": keys.collect::<Vec<_>>() })
    }

    fn check(&self, now: Millis) -> Verdict {
        self.verifier.check(&self.token, Now::steady(now))
    }

    fn entry(&self, now: Millis) -> u64 {
        match self.check(now) {
            Verdict::Accepted(verified, _) => verified.entry(),
            _ => panic!("not accepted"),
        }
    }

    fn recalled(&self, now: Millis) -> Option<u64> {
        match self.verifier.recall(self.token.as_bytes(), Now::steady(now)) {
            Recall::Known(entry) => Some(entry),
            Recall::New(_) => None,
        }
    }

    fn refusal(&self, now: Millis) -> ErrorCode {
        let Verdict::Rejected(error) = self.check(now) else { panic!("not refused") };
        error.code()
    }

    /// The operation of a caller who was chosen to fetch; it has asked already.
    fn needs_keys(&self, now: Millis) -> KeyFetch {
        let Verdict::NeedsKeys(mut fetch) = self.check(now) else { panic!("no keys were asked for") };
        let Step::Send(request) = fetch.resume(Now::steady(now), Reply::Start) else { panic!("no request") };
        assert_eq!(request.url, KEYS_URL);
        fetch
    }

    /// The operation of a caller who was served, and chosen to refresh; it has asked already.
    fn refreshes_keys(&self, now: Millis) -> KeyFetch {
        let verdict = self.verifier.check(&self.fresh_token(now), Now::steady(now));
        let Verdict::Accepted(_, Some(mut fetch)) = verdict else { panic!("nobody was chosen") };
        assert!(matches!(fetch.resume(Now::steady(now), Reply::Start), Step::Send(_)));
        fetch
    }

    fn answer(&self, fetch: &mut KeyFetch, now: Millis, keys: &Value, cache_control: &str) {
        let Step::Done(()) = self.resume(fetch, now, 200, &keys.to_string(), cache_control) else {
            panic!("the keys were not taken")
        };
    }

    /// Ends a fetch without keys; where there are old ones, that may be nobody's error.
    fn fail(&self, fetch: &mut KeyFetch, now: Millis) {
        assert!(matches!(self.resume(fetch, now, 404, "", ""), Step::Fail(_) | Step::Done(())));
    }

    fn resume(
        &self,
        fetch: &mut KeyFetch,
        now: Millis,
        status: u16,
        body: &str,
        cache_control: &str,
    ) -> Step<()> {
        let headers = vec![("Cache-Control".to_owned(), cache_control.to_owned())];
        fetch.resume(
            Now::steady(now),
            Reply::Response { status, headers, body: Secret::new(body.as_bytes().to_vec()) },
        )
    }
}
