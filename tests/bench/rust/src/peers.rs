//! What is compared: gatepass, jsonwebtoken on the backend that this program was built with, and the bare signature checks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use gatepass_core::CredentialsFrom;
use gatepass_core::KeySource;
use gatepass_core::{
    Lookup, Millis, Operation, Reply, Secret, SourceConfig, Step, TokenKey, TokenSource, Verdict, Verifier,
    VerifierConfig,
};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

use crate::Work;
use crate::keys::{AUDIENCE, EMAIL, ISSUER, KID, Tokens};

const THREADS: usize = 4;
const EXPONENT: &[u8] = &[1, 0, 1];

#[cfg(feature = "aws_lc_rs")]
const JSONWEBTOKEN: &str = "jsonwebtoken (aws-lc-rs)";
#[cfg(not(feature = "aws_lc_rs"))]
const JSONWEBTOKEN: &str = "jsonwebtoken (RustCrypto)";

/// This program is built twice, because it holds one backend of jsonwebtoken at a time; what does not depend on that is
/// measured with the faster one.
pub fn is_measured_here(peer: &str) -> bool {
    cfg!(feature = "aws_lc_rs") || peer == JSONWEBTOKEN
}

pub fn version(peer: &str) -> &'static str {
    match peer {
        peer if peer.starts_with("gatepass") => "0.1.0",
        peer if peer.starts_with("jsonwebtoken") => "10",
        "raw ring" => "0.17",
        // Debian's.
        peer if peer.starts_with("raw RS256") || peer.starts_with("raw ES256") => "3.0",
        _ => "1",
    }
}

/// Makes ready what so many calls take, and gives what does the call with this number.
type Calls = Box<dyn FnMut(usize) -> Call>;
type Call = Arc<dyn Fn(usize) + Send + Sync>;

/// The same token again and again; with the limit, the hash by which it is known again.
pub fn verify_one(tokens: &Tokens) -> Vec<(&'static str, Work)> {
    let list = &tokens.rs256[..1];
    let mut peers = verify(list, tokens);
    peers.push(("raw SHA-256", one_after_the_other(always(hash(&list.into())))));
    peers
}

pub fn verify(list: &[String], tokens: &Tokens) -> Vec<(&'static str, Work)> {
    peers(list, tokens, false).into_iter().map(|(name, calls)| (name, one_after_the_other(calls))).collect()
}

pub fn verify_es256(tokens: &Tokens) -> Vec<(&'static str, Work)> {
    let peers = peers(&tokens.es256, tokens, true);
    peers.into_iter().map(|(name, calls)| (name, one_after_the_other(calls))).collect()
}

pub fn verify_on_threads(list: &[String], tokens: &Tokens) -> Vec<(&'static str, Work)> {
    peers(list, tokens, false).into_iter().map(|(name, calls)| (name, on_threads(calls))).collect()
}

/// So many tokens are remembered: the thousand that came last, or all if there are fewer; and all of them in turn.
pub fn growth(tokens: &Tokens, count: usize) -> Vec<(&'static str, Work)> {
    let list: Arc<[String]> = tokens.many(count).into();
    let last: Arc<[String]> = list.iter().rev().take(1000).cloned().collect();
    let verifier = Arc::new(verifier(tokens));
    list.iter().for_each(|token| accept(&verifier, token, Millis(tokens.now_ms)));
    let accepting = |list: &Arc<[String]>| accepting(&verifier, list, tokens);
    [
        ("gatepass", accepting(&last)),
        ("raw SHA-256", hash(&last)),
        ("gatepass, all in turn", accepting(&list)),
        ("raw SHA-256, all in turn", hash(&list)),
    ]
    .map(|(name, call)| (name, one_after_the_other(always(call))))
    .into()
}

/// By how many bytes the memory of this process grows with each token that is remembered.
pub fn memory_of_a_token(tokens: &Tokens) -> f64 {
    const TOKENS: usize = 10_000;
    let (verifier, now) = (verifier(tokens), Millis(tokens.now_ms));
    let list = tokens.many(TOKENS);
    let before = resident_bytes();
    list.iter().for_each(|token| accept(&verifier, token, now));
    (resident_bytes() - before) / TOKENS as f64
}

/// From /proc/self/statm, in which memory is counted in pages of 4 KiB.
fn resident_bytes() -> f64 {
    let text = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    text.split(' ').nth(1).and_then(|pages| pages.parse::<f64>().ok()).expect("pages") * 4096.0
}

/// What a process does that starts, verifies one token and ends.
pub fn cold(peer: &str, keys: &str, token: &str, now_ms: u64) {
    let tokens = Tokens { keys: keys.to_owned(), now_ms, ..Tokens::default() };
    let list: Arc<[String]> = vec![token.to_owned()].into();
    match peer {
        "gatepass" => accept(&verifier(&tokens), token, Millis(now_ms)),
        "empty process" => {}
        _ => jsonwebtoken(&list, &tokens, false)(0),
    }
}

pub const COLD: [&str; 3] = ["gatepass", JSONWEBTOKEN, "empty process"];

fn always(call: Call) -> Calls {
    Box::new(move |_| Arc::clone(&call))
}

fn one_after_the_other(mut calls: Calls) -> Work {
    Box::new(move |times| {
        let call = calls(times);
        Box::new(move || (0..times).for_each(|number| call(number)))
    })
}

fn on_threads(mut calls: Calls) -> Work {
    Box::new(move |times| {
        let call = calls(times);
        Box::new(move || {
            thread::scope(|scope| {
                for first in 0..THREADS {
                    let call = &call;
                    scope.spawn(move || (first..times).step_by(THREADS).for_each(|number| call(number)));
                }
            });
        })
    })
}

fn peers(list: &[String], tokens: &Tokens, is_ec: bool) -> Vec<(&'static str, Calls)> {
    let list: Arc<[String]> = list.into();
    let mut peers = vec![
        ("gatepass", always(remembering(&list, tokens))),
        (JSONWEBTOKEN, always(jsonwebtoken(&list, tokens, is_ec))),
    ];
    // One token is new once.
    if list.len() > 1 {
        peers.insert(1, ("gatepass, every token new", forgetting(&list, tokens)));
    }
    let split: Arc<[(String, Vec<u8>)]> = list.iter().map(|token| parts(token)).collect();
    let (n, point) = (tokens.rsa_n.clone(), tokens.ec_point.clone());
    let (their_split, their_n, their_point) = (Arc::clone(&split), n.clone(), point.clone());
    peers.push((
        "raw ring",
        always(Arc::new(move |number| {
            let (input, signature) = &split[number % split.len()];
            let verified = if is_ec {
                ring::signature::UnparsedPublicKey::new(&ring::signature::ECDSA_P256_SHA256_FIXED, &point)
                    .verify(input.as_bytes(), signature)
            } else {
                ring::signature::RsaPublicKeyComponents { n: n.as_slice(), e: EXPONENT }.verify(
                    &ring::signature::RSA_PKCS1_2048_8192_SHA256,
                    input.as_bytes(),
                    signature,
                )
            };
            verified.expect("a good signature");
        })),
    ));
    peers.push((
        "raw aws-lc-rs",
        always(Arc::new(move |number| {
            let (input, signature) = &their_split[number % their_split.len()];
            let verified = if is_ec {
                aws_lc_rs::signature::UnparsedPublicKey::new(
                    &aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED,
                    &their_point,
                )
                .verify(input.as_bytes(), signature)
            } else {
                aws_lc_rs::signature::RsaPublicKeyComponents { n: their_n.as_slice(), e: EXPONENT }.verify(
                    &aws_lc_rs::signature::RSA_PKCS1_2048_8192_SHA256,
                    input.as_bytes(),
                    signature,
                )
            };
            verified.expect("a good signature");
        })),
    ));
    peers
}

fn verifier(tokens: &Tokens) -> Verifier {
    let algorithm = |name| gatepass_core::Algorithm::from_name(name).expect("an algorithm");
    Verifier::new(VerifierConfig {
        issuers: vec![ISSUER.to_owned()],
        algorithms: vec![algorithm("RS256"), algorithm("ES256")],
        audiences: AUDIENCE.into(),
        keys: KeySource::Static(tokens.keys.clone()),
        ..VerifierConfig::default()
    })
    .expect("a verifier")
}

fn accept(verifier: &Verifier, token: &str, now: Millis) {
    assert!(matches!(verifier.check(token, now), Verdict::Accepted(..)));
}

fn remembering(list: &Arc<[String]>, tokens: &Tokens) -> Call {
    let verifier = Arc::new(verifier(tokens));
    list.iter().for_each(|token| accept(&verifier, token, Millis(tokens.now_ms)));
    accepting(&verifier, list, tokens)
}

fn accepting(verifier: &Arc<Verifier>, list: &Arc<[String]>, tokens: &Tokens) -> Call {
    let (verifier, list, now) = (Arc::clone(verifier), Arc::clone(list), Millis(tokens.now_ms));
    Arc::new(move |number| accept(&verifier, &list[number % list.len()], now))
}

/// Every call is the token's first: whenever all tokens have come, another verifier has its turn.
fn forgetting(list: &Arc<[String]>, tokens: &Tokens) -> Calls {
    let (list, now) = (Arc::clone(list), Millis(tokens.now_ms));
    let tokens = Tokens { keys: tokens.keys.clone(), now_ms: tokens.now_ms, ..Tokens::default() };
    Box::new(move |times| {
        let verifiers: Vec<_> = (0..times.div_ceil(list.len())).map(|_| verifier(&tokens)).collect();
        let list = Arc::clone(&list);
        Arc::new(move |number| accept(&verifiers[number / list.len()], &list[number % list.len()], now))
    })
}

/// By which a token is known again.
fn hash(list: &Arc<[String]>) -> Call {
    let list = Arc::clone(list);
    Arc::new(move |number| {
        let token = std::hint::black_box(list[number % list.len()].as_bytes());
        std::hint::black_box(ring::digest::digest(&ring::digest::SHA256, token));
    })
}

#[derive(Deserialize)]
struct Claims {
    #[allow(dead_code)]
    email: String,
}

fn jsonwebtoken(list: &Arc<[String]>, tokens: &Tokens, is_ec: bool) -> Call {
    let keys: jsonwebtoken::jwk::JwkSet = serde_json::from_str(&tokens.keys).expect("keys");
    let kid = if is_ec { "ec" } else { KID };
    let key = DecodingKey::from_jwk(keys.find(kid).expect("the key")).expect("a key");
    let mut validation = Validation::new(if is_ec { Algorithm::ES256 } else { Algorithm::RS256 });
    validation.set_audience(&[AUDIENCE]);
    validation.set_issuer(&[ISSUER]);
    let list = Arc::clone(list);
    Arc::new(move |number| {
        let token = &list[number % list.len()];
        jsonwebtoken::decode::<Claims>(token, &key, &validation).expect("a good token");
    })
}

fn parts(token: &str) -> (String, Vec<u8>) {
    use base64::Engine;
    let (input, signature) = token.rsplit_once('.').expect("three parts");
    let signature = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(signature).expect("base64url");
    (input.to_owned(), signature)
}

#[derive(Serialize)]
struct Assertion<'a> {
    iss: &'a str,
    aud: &'a str,
    target_audience: &'a str,
    iat: u64,
    exp: u64,
}

/// Builds and signs an assertion. gatepass makes one for each self-signed JWT that it is asked for.
pub fn sign(tokens: &Tokens) -> Vec<(&'static str, Work)> {
    let file = serde_json::json!({"type": "service_account", "client_email": EMAIL, "private_key_id": KID, "private_key": tokens.rsa_pem});
    let source = TokenSource::new(SourceConfig {
        credentials: CredentialsFrom::Json(Secret::new(file.to_string())),
        ..SourceConfig::default()
    });
    let now = Millis(tokens.now_ms);
    let next = AtomicU64::new(0);
    let ours = move |_| {
        let audience = format!("https://service-{}.googleapis.com/", next.fetch_add(1, Ordering::Relaxed));
        let key = TokenKey::self_signed_jwt(&audience).expect("an audience");
        let Lookup::Fetch(mut fetch) = source.lookup(&key, now) else { panic!("not new") };
        let mut reply = Reply::Start;
        loop {
            reply = match fetch.resume(now, reply) {
                Step::ReadEnv { .. } => Reply::Env(Vec::new()),
                Step::Done(_) => break,
                other => panic!("{other:?}"),
            };
        }
    };
    let key = EncodingKey::from_rsa_pem(tokens.rsa_pem.as_bytes()).expect("a key");
    let header = Header { kid: Some(KID.to_owned()), ..Header::new(Algorithm::RS256) };
    let seconds = tokens.now_ms / 1000;
    let theirs = move |_| {
        let claims = Assertion {
            iss: EMAIL,
            aud: "https://oauth2.googleapis.com/token",
            target_audience: AUDIENCE,
            iat: seconds,
            exp: seconds + 3600,
        };
        jsonwebtoken::encode(&header, &claims, &key).expect("a token");
    };
    let peers: [(_, Call); 2] = [("gatepass", Arc::new(ours)), (JSONWEBTOKEN, Arc::new(theirs))];
    peers.map(|(name, call)| (name, one_after_the_other(always(call)))).into()
}

/// The header of a token that is held.
pub fn header(tokens: &Tokens) -> Vec<(&'static str, Work)> {
    let file = r#"{"type":"authorized_user","client_id":"c","client_secret":"s","refresh_token":"r"}"#;
    let source = TokenSource::new(SourceConfig {
        credentials: CredentialsFrom::Json(Secret::from(file)),
        ..SourceConfig::default()
    });
    let key = TokenKey::access_token("a").expect("scopes");
    let now = Millis(tokens.now_ms);
    let Lookup::Fetch(mut fetch) = source.lookup(&key, now) else { panic!("not new") };
    let _env = fetch.resume(now, Reply::Start);
    let _request = fetch.resume(now, Reply::Env(Vec::new()));
    let body = br#"{"access_token":"ya29.token","expires_in":3600}"#.to_vec();
    let _done =
        fetch.resume(now, Reply::Response { status: 200, headers: Vec::new(), body: Secret::new(body) });
    let call: Call = Arc::new(move |_| {
        let Lookup::Fresh(token) = source.lookup(&key, now) else { panic!("not fresh") };
        std::hint::black_box(token.header());
    });
    vec![("gatepass", one_after_the_other(always(call)))]
}
