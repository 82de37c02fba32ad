//! Signatures that a host checks: an answer is worth what the core has asked, once, and nothing else.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod support;

use gatepass_core::{
    Algorithm, ErrorCode, HostFailure, KeyCache, KeyFetch, KeySource, Millis, Now, Operation, Recall, Reply,
    Secret, SignatureToCheck, Step, TokenCheck, TokenDigest, Verdict, Verifier, VerifierConfig,
};
use serde_json::{Value, json};
use support::issuer::{Key, key_set};
use support::{NOW, answer, claims};

const ISSUER: &str = "https://issuer.example";
const AUDIENCE: &str = "https://receiver.example";
const KEYS_URL: &str = "https://issuer.example/keys";
const HOUR: u64 = 3_600_000;

fn verifier(keys: KeySource) -> Verifier {
    Verifier::new(VerifierConfig {
        issuers: vec![ISSUER.into()],
        audiences: AUDIENCE.into(),
        algorithms: vec![Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa],
        keys,
        ..VerifierConfig::default()
    })
    .unwrap()
}

fn of_keys(keys: &[&Key]) -> KeySource {
    KeySource::Static(key_set(keys.iter().copied()).to_string())
}

fn payload() -> String {
    claims(ISSUER, AUDIENCE).to_string()
}

fn begin(verifier: &Verifier, token: &str, now: Millis) -> TokenCheck {
    match verifier.recall(token.as_bytes(), Now::steady(now)) {
        Recall::New(digest) => verifier.begin_check(token, digest),
        Recall::Known(_) => panic!("it is remembered"),
    }
}

fn resume(op: &mut TokenCheck, now: Millis, reply: Reply) -> Step<Verdict> {
    op.resume(Now::steady(now), reply)
}

#[track_caller]
fn asked(step: Step<Verdict>) -> SignatureToCheck {
    match step {
        Step::CheckSignature(question) => question,
        Step::Fail(error) => panic!("refused: {error}"),
        _ => panic!("no signature was asked for"),
    }
}

#[track_caller]
fn refused(step: Step<Verdict>) -> ErrorCode {
    match step {
        Step::Fail(error) => error.code(),
        _ => panic!("not refused"),
    }
}

fn is_accepted(step: &Step<Verdict>) -> bool {
    matches!(step, Step::Done(Verdict::Accepted(..)))
}

const VALID: Reply = Reply::Checked { is_valid: true };
const INVALID: Reply = Reply::Checked { is_valid: false };

/// The same token with another signature of the same length, which no key has made.
fn forged(token: &str) -> String {
    let (rest, signature) = token.rsplit_once('.').unwrap();
    let mut letters: Vec<char> = signature.chars().collect();
    letters[9] = if letters[9] == 'A' { 'B' } else { 'A' };
    format!("{rest}.{}", letters.into_iter().collect::<String>())
}

#[test]
fn the_host_is_asked_for_the_arithmetic_and_is_believed_about_that() {
    let key = Key::rs256();
    let token = key.token(&payload());
    let verifier = verifier(of_keys(&[&key]));
    let mut op = begin(&verifier, &token, NOW);
    let question = asked(resume(&mut op, NOW, Reply::Start));
    let jwk: Value = serde_json::from_str(&question.key).unwrap();
    let expected = key.jwk();
    assert_eq!(
        jwk,
        json!({"kty": "RSA", "n": expected["n"], "e": expected["e"]}),
        "what it may be used for is no matter of the host"
    );
    assert_eq!(question.alg, "RS256");
    assert_eq!(token, format!("{}.{}", question.data.expose(), question.signature.expose()));
    assert!(!format!("{question:?}").contains(question.signature.expose().as_str()));
    assert!(is_accepted(&resume(&mut op, NOW, VALID)));
    assert!(matches!(verifier.recall(token.as_bytes(), Now::steady(NOW)), Recall::Known(_)));

    let mut op = begin(&verifier, &forged(&token), NOW);
    let _ = asked(resume(&mut op, NOW, Reply::Start));
    assert_eq!(refused(resume(&mut op, NOW, INVALID)), ErrorCode::BadSignature);
    assert!(matches!(verifier.recall(forged(&token).as_bytes(), Now::steady(NOW)), Recall::New(_)));
}

#[test]
fn a_token_with_a_name_is_known_by_that_alone() {
    let key = Key::es256();
    let tokens: Vec<String> = (0..300)
        .map(|sub| {
            let mut claims = claims(ISSUER, AUDIENCE);
            claims["sub"] = json!(sub.to_string());
            key.token(&claims.to_string())
        })
        .collect();
    let verifier = verifier(of_keys(&[&key]));
    let name = |at: usize| TokenDigest::named(at as u64);
    let entry = |at| match verifier.recall_digest(name(at), Now::steady(NOW)) {
        Recall::Known(entry) => Some(entry),
        Recall::New(_) => None,
    };
    let mut entries = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        assert_eq!(entry(at), None);
        let mut op = verifier.begin_check(token.as_str(), name(at));
        let _ = asked(resume(&mut op, NOW, Reply::Start));
        let Step::Done(Verdict::Accepted(verified, None)) = resume(&mut op, NOW, VALID) else {
            panic!("not accepted")
        };
        assert!(String::from_utf8_lossy(verified.payload()).contains(&format!(r#""sub":"{at}""#)));
        entries.push(Some(verified.entry()));
    }
    assert_eq!((0..tokens.len()).map(entry).collect::<Vec<_>>(), entries);
    assert!(matches!(verifier.recall(tokens[0].as_bytes(), Now::steady(NOW)), Recall::New(_)));
    // Its time is looked at whenever it comes.
    assert!(matches!(verifier.recall_digest(name(0), Now::steady(NOW.plus(2 * HOUR))), Recall::New(_)));
    // A name whose token was refused is nobody's.
    let mut op = verifier.begin_check(forged(&tokens[0]), name(tokens.len()));
    let _ = asked(resume(&mut op, NOW, Reply::Start));
    assert_eq!(refused(resume(&mut op, NOW, INVALID)), ErrorCode::BadSignature);
    assert_eq!(entry(tokens.len()), None);
}

#[test]
fn the_header_of_the_last_token_is_nobody_elses() {
    let (rsa, ec) = (Key::rs256(), Key::es256());
    let verifier = verifier(of_keys(&[&rsa, &ec]));
    let accepted = |token: &str| {
        let mut op = begin(&verifier, token, NOW);
        let question = asked(resume(&mut op, NOW, Reply::Start));
        assert!(is_accepted(&resume(&mut op, NOW, VALID)));
        question
    };
    let token = |key: &Key, sub: &str| {
        let mut claims = claims(ISSUER, AUDIENCE);
        claims["sub"] = json!(sub);
        key.token(&claims.to_string())
    };
    for (key, sub) in [(&rsa, "1"), (&rsa, "2"), (&ec, "3"), (&rsa, "4"), (&ec, "5"), (&ec, "6")] {
        assert_eq!(accepted(&token(key, sub)).alg, key.alg());
    }
    // A header that begins like the one that is kept, or is a part of it, is another header.
    let last = token(&ec, "7");
    let (header, rest) = last.split_once('.').unwrap();
    for other in [format!("{header}A.{rest}"), format!("{}.{rest}", &header[..header.len() - 2])] {
        let mut op = begin(&verifier, &other, NOW);
        assert_eq!(refused(resume(&mut op, NOW, Reply::Start)), ErrorCode::TokenMalformed);
    }
}

#[test]
fn an_answer_of_another_kind_ends_the_operation() {
    let key = Key::es256();
    let token = key.token(&payload());
    let verifier = verifier(of_keys(&[&key]));
    let others = || {
        [
            Reply::Start,
            Reply::Env(Vec::new()),
            Reply::Text("true".into()),
            Reply::Response { status: 200, headers: Vec::new(), body: Secret::new(b"true".to_vec()) },
            Reply::Elapsed,
        ]
    };
    for reply in others() {
        let mut op = begin(&verifier, &token, NOW);
        let _ = asked(resume(&mut op, NOW, Reply::Start));
        assert_eq!(refused(resume(&mut op, NOW, reply)), ErrorCode::ApiMisuse);
        assert_eq!(refused(resume(&mut op, NOW, VALID)), ErrorCode::ApiMisuse, "it has ended");
    }
    for reply in others().into_iter().skip(1).chain([VALID, INVALID]) {
        let mut op = begin(&verifier, &token, NOW);
        assert_eq!(refused(resume(&mut op, NOW, reply)), ErrorCode::ApiMisuse, "nothing was asked");
    }
    // Nor is it an answer to the steps of other operations.
    let mut open = Verifier::open(
        VerifierConfig { audiences: AUDIENCE.into(), ..VerifierConfig::default() },
        &KeyCache::default(),
    );
    assert!(matches!(open.resume(Now::steady(NOW), Reply::Start), Step::ReadEnv { .. }));
    assert!(
        matches!(open.resume(Now::steady(NOW), VALID), Step::Fail(error) if error.code() == ErrorCode::ApiMisuse)
    );
}

#[test]
fn a_second_answer_changes_nothing() {
    let key = Key::es256();
    let token = key.token(&payload());
    let verifier = verifier(of_keys(&[&key]));
    let mut op = begin(&verifier, &forged(&token), NOW);
    let _ = asked(resume(&mut op, NOW, Reply::Start));
    assert_eq!(refused(resume(&mut op, NOW, INVALID)), ErrorCode::BadSignature);
    assert_eq!(refused(resume(&mut op, NOW, VALID)), ErrorCode::ApiMisuse);
    assert!(matches!(verifier.recall(forged(&token).as_bytes(), Now::steady(NOW)), Recall::New(_)));
}

#[test]
fn an_answer_is_worth_nothing_to_another_operation() {
    let key = Key::es256();
    let token = key.token(&payload());
    let verifier = verifier(of_keys(&[&key]));
    let mut good = begin(&verifier, &token, NOW);
    let mut bad = begin(&verifier, &forged(&token), NOW);
    let _ = asked(resume(&mut good, NOW, Reply::Start));
    let _ = asked(resume(&mut bad, NOW, Reply::Start));
    assert!(is_accepted(&resume(&mut good, NOW, VALID)));
    assert_eq!(refused(resume(&mut bad, NOW, INVALID)), ErrorCode::BadSignature);
    // The same token, asked for twice at once: each has an answer of its own.
    let once_more = forged(&token);
    let (mut one, mut two) = (begin(&verifier, &once_more, NOW), begin(&verifier, &once_more, NOW));
    let _ = asked(resume(&mut one, NOW, Reply::Start));
    let _ = asked(resume(&mut two, NOW, Reply::Start));
    assert_eq!(refused(resume(&mut one, NOW, INVALID)), ErrorCode::BadSignature);
    assert_eq!(refused(resume(&mut two, NOW, INVALID)), ErrorCode::BadSignature);
}

#[test]
fn no_policy_hangs_on_the_hosts_word() {
    let (key, other) = (Key::es256(), Key::eddsa("ed", 1));
    let with = |change: fn(&mut Value)| {
        let mut claims = claims(ISSUER, AUDIENCE);
        change(&mut claims);
        key.token(&claims.to_string())
    };
    let verifier = verifier(of_keys(&[&key]));
    let cases = [
        (with(|claims| claims["aud"] = json!("https://another.example")), ErrorCode::BadAudience),
        (with(|claims| claims["iss"] = json!("https://another.example")), ErrorCode::BadIssuer),
        (with(|claims| claims["exp"] = json!(NOW.as_secs() - 100)), ErrorCode::TokenExpired),
    ];
    for (token, expected) in cases {
        let mut op = begin(&verifier, &token, NOW);
        let _ = asked(resume(&mut op, NOW, Reply::Start));
        assert_eq!(refused(resume(&mut op, NOW, VALID)), expected);
    }
    // What is refused before a signature counts is not even asked for.
    let token = key.token(&payload());
    let (rest, signature) = token.rsplit_once('.').unwrap();
    let header = |header: Value| key.token_with_header(&header, &payload());
    for (token, expected) in [
        (other.token(&payload()), ErrorCode::UnknownKey),
        (header(json!({"alg": "none", "kid": "ec"})), ErrorCode::AlgNotAllowed),
        (header(json!({"alg": "RS256", "kid": "ec"})), ErrorCode::KeyUnusable),
        (format!("{rest}.SIGNATURE_REMOVED_BY_GOOGLE"), ErrorCode::SignatureStripped),
        (format!("{rest}.{signature}="), ErrorCode::TokenMalformed),
        (format!("{rest}.{}", &signature[..20]), ErrorCode::BadSignature),
        (format!("{rest}.{signature}AAAA"), ErrorCode::BadSignature),
        (String::from("a.b"), ErrorCode::TokenMalformed),
        ("a".repeat(20_000), ErrorCode::TokenTooLarge),
    ] {
        let mut op = begin(&verifier, &token, NOW);
        assert_eq!(refused(resume(&mut op, NOW, Reply::Start)), expected);
    }
}

#[test]
fn a_late_answer_is_judged_by_the_time_at_which_it_comes() {
    let key = Key::es256();
    let token = key.token(&payload());
    let verifier = verifier(of_keys(&[&key]));
    for (late, expected) in [(2 * HOUR, ErrorCode::TokenExpired), (0, ErrorCode::TokenIssuedInFuture)] {
        let now = if late == 0 { NOW.minus(2 * HOUR) } else { NOW.plus(late) };
        let mut op = begin(&verifier, &token, NOW);
        let _ = asked(resume(&mut op, NOW, Reply::Start));
        assert_eq!(refused(resume(&mut op, now, VALID)), expected);
    }
}

#[test]
fn a_late_answer_is_judged_by_the_keys_that_there_are_when_it_comes() {
    let (old, new) = (Key::eddsa("a", 1), Key::eddsa("a", 2));
    let other = Key::eddsa("b", 3);
    let token = old.token(&payload());
    let with_old = || {
        let verifier = verifier(KeySource::Url(KEYS_URL.into()));
        let Verdict::NeedsKeys(fetch) = verifier.check(&token, Now::steady(NOW)) else {
            panic!("keys are not asked for")
        };
        fetched(fetch, NOW, &[&old]);
        verifier
    };
    let later = NOW.plus(500_000);

    // The key id has gone to another key: the answer about the old one is worth nothing, and the new one is asked for.
    let verifier = with_old();
    let mut op = begin(&verifier, &token, NOW);
    let first = asked(resume(&mut op, NOW, Reply::Start));
    refresh(&verifier, &old, later, &[&new]);
    let second = asked(resume(&mut op, later, VALID));
    assert_ne!(first.key, second.key);
    assert_eq!(refused(resume(&mut op, later, INVALID)), ErrorCode::BadSignature);

    // The key has left: the issuer is asked again before anything is decided.
    let verifier = with_old();
    let mut op = begin(&verifier, &token, NOW);
    let _ = asked(resume(&mut op, NOW, Reply::Start));
    refresh(&verifier, &old, later, &[&other]);
    assert!(matches!(resume(&mut op, later, VALID), Step::Done(Verdict::NeedsKeys(_))));

    // The same key in a new set is the same key.
    let verifier = with_old();
    let mut op = begin(&verifier, &token, NOW);
    let _ = asked(resume(&mut op, NOW, Reply::Start));
    refresh(&verifier, &old, later, &[&other, &old]);
    assert!(is_accepted(&resume(&mut op, later, VALID)));
}

/// Fetches these keys in the background of a token by `known`.
fn refresh(verifier: &Verifier, known: &Key, now: Millis, keys: &[&Key]) {
    let mut op = begin(verifier, &known.token(&payload()), now);
    let _ = asked(resume(&mut op, now, Reply::Start));
    let Step::Done(Verdict::Accepted(_, Some(fetch))) = resume(&mut op, now, VALID) else {
        panic!("nobody was chosen")
    };
    fetched(fetch, now, keys);
}

fn fetched(mut fetch: KeyFetch, now: Millis, keys: &[&Key]) {
    assert!(matches!(fetch.resume(Now::steady(now), Reply::Start), Step::Send(_)));
    let keys = key_set(keys.iter().copied()).to_string();
    assert!(matches!(answer(&mut fetch, now, &keys, "max-age=600"), Step::Done(())));
}

#[test]
fn whoever_checks_the_signature_is_chosen_to_refresh_the_keys() {
    let key = Key::eddsa("a", 1);
    let verifier = verifier(KeySource::Url(KEYS_URL.into()));
    let token = key.token(&payload());
    let mut op = begin(&verifier, &token, NOW);
    let Step::Done(Verdict::NeedsKeys(fetch)) = resume(&mut op, NOW, Reply::Start) else {
        panic!("keys are not asked for")
    };
    fetched(fetch, NOW, &[&key]);
    let due = NOW.plus(500_000);
    let mut op = begin(&verifier, &token, due);
    let _ = asked(resume(&mut op, due, Reply::Start));
    assert!(matches!(resume(&mut op, due, VALID), Step::Done(Verdict::Accepted(_, Some(_)))));
}

#[test]
fn a_token_without_a_kid_is_asked_for_once_for_each_set_of_keys() {
    let (old, new) = (Key::eddsa("a", 1), Key::eddsa("a", 2));
    let verifier = verifier(KeySource::Url(KEYS_URL.into()));
    let Verdict::NeedsKeys(fetch) = verifier.check(&old.token(&payload()), Now::steady(NOW)) else {
        panic!("keys are not asked for")
    };
    fetched(fetch, NOW, &[&old]);
    let token = new.token_with_header(&json!({"alg": "EdDSA"}), &payload());
    let mut op = begin(&verifier, &token, NOW);
    let _ = asked(resume(&mut op, NOW, Reply::Start));
    let Step::Done(Verdict::NeedsKeys(fetch)) = resume(&mut op, NOW, INVALID) else {
        panic!("the issuer is not asked again")
    };
    fetched(fetch, NOW, &[&new]);
    let mut op = begin(&verifier, &token, NOW);
    let _ = asked(resume(&mut op, NOW, Reply::Start));
    assert!(is_accepted(&resume(&mut op, NOW, VALID)));
}

/// Whether the core computes signatures at all.
const COMPUTES: bool = cfg!(any(feature = "ring", feature = "aws-lc-rs"));

#[test]
fn what_a_host_cannot_check_the_core_checks_itself_if_it_computes() {
    for key in [Key::rs256(), Key::es256(), Key::eddsa("ed", 1)] {
        let token = key.token(&payload());
        for (token, is_good) in [(forged(&token), false), (token, true)] {
            for kind in [HostFailure::Unsupported, HostFailure::Other, HostFailure::Timeout] {
                let verifier = verifier(of_keys(&[&key]));
                let mut op = begin(&verifier, &token, NOW);
                let _ = asked(resume(&mut op, NOW, Reply::Start));
                let step = resume(&mut op, NOW, Reply::Failed { kind, message: String::new() });
                if !COMPUTES {
                    let Step::Fail(error) = step else { panic!("not refused") };
                    assert_eq!(error.code(), ErrorCode::Unsupported);
                    let found = format!("this host cannot check a signature of {} (", key.alg());
                    assert!(error.to_string().starts_with(&found), "{error}");
                    assert_eq!(refused(resume(&mut op, NOW, VALID)), ErrorCode::ApiMisuse, "it has ended");
                    assert!(matches!(verifier.recall(token.as_bytes(), Now::steady(NOW)), Recall::New(_)));
                } else if is_good {
                    assert!(is_accepted(&step));
                } else {
                    assert_eq!(refused(step), ErrorCode::BadSignature);
                }
            }
        }
    }
}

/// Where the core computes no signatures, what asks no host accepts nothing.
#[test]
fn a_check_that_asks_nobody_accepts_what_the_core_computes_only() {
    let key = Key::es256();
    let verifier = verifier(of_keys(&[&key]));
    match verifier.check(&key.token(&payload()), Now::steady(NOW)) {
        Verdict::Accepted(..) if COMPUTES => {}
        Verdict::Rejected(error) if !COMPUTES => assert_eq!(error.code(), ErrorCode::ApiMisuse),
        _ => panic!("another verdict"),
    }
}
