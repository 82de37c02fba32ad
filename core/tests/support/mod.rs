//! Tokens of an issuer that the tests play themselves, signed with the test key of the vectors.
#![allow(dead_code)]

pub(crate) mod issuer;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use gatepass_core::{
    Error, KeyCache, KeySource, Millis, Now, Operation, Reply, Secret, Step, Verdict, Verified, Verifier,
    VerifierConfig,
};
use ring::rand::SystemRandom;
use ring::rsa::{KeyPair, PublicKeyComponents};
use ring::signature::RSA_PKCS1_SHA256;
use serde_json::{Value, json};

pub(crate) const NOW: Millis = Millis::from_secs(1_800_000_000);
pub(crate) const CALLER: &str = "caller@project.iam.gserviceaccount.com";

/// Claims of a token of this issuer and audience, an hour long, made a minute ago.
pub(crate) fn claims(iss: &str, aud: &str) -> Value {
    json!({
        "iss": iss, "aud": aud, "sub": "1234567890", "email": CALLER, "email_verified": true,
        "iat": NOW.as_secs() - 60, "exp": NOW.as_secs() + 3540,
    })
}

/// A part of a token.
pub(crate) fn encoded(part: &Value) -> String {
    URL_SAFE_NO_PAD.encode(part.to_string())
}

/// A token with these claims, by the key of [`keys`].
pub(crate) fn token(claims: &Value) -> String {
    let header = json!({"alg": "RS256", "kid": "test", "typ": "JWT"});
    let [header, payload] = [&header, claims].map(encoded);
    let message = format!("{header}.{payload}");
    let key = key();
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature).unwrap();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// The same token as Cloud Run hands it on.
pub(crate) fn stripped(claims: &Value) -> String {
    let token = token(claims);
    format!("{}.SIGNATURE_REMOVED_BY_GOOGLE", token.rsplit_once('.').unwrap().0)
}

/// The key set of the tests' issuer.
pub(crate) fn keys() -> KeySource {
    KeySource::Static(key_set().to_string())
}

pub(crate) fn key_set() -> Value {
    let public = PublicKeyComponents::<Vec<u8>>::from(key().public());
    let [n, e] = [public.n, public.e].map(|number| URL_SAFE_NO_PAD.encode(number));
    json!({"keys": [{"kty": "RSA", "kid": "test", "use": "sig", "n": n, "e": e}]})
}

fn key() -> KeyPair {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors/acquire/test_key.pem");
    let pem = std::fs::read_to_string(file).unwrap();
    let body = pem.split("-----BEGIN PRIVATE KEY-----").nth(1).unwrap();
    let body = body.split("-----END").next().unwrap().replace('\n', "");
    KeyPair::from_pkcs8(&STANDARD.decode(body).unwrap()).unwrap()
}

/// A verifier with these options, made where the environment is this.
pub(crate) fn opened(config: VerifierConfig, env: &[(&str, &str)]) -> Result<Verifier, Error> {
    let mut op = Verifier::open(config, &KeyCache::default());
    assert!(matches!(op.resume(Now::steady(NOW), Reply::Start), Step::ReadEnv { .. }));
    let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
    match op.resume(Now::steady(NOW), Reply::Env(env)) {
        Step::Done(opened) => Ok(opened.verifier),
        Step::Fail(error) => Err(error),
        _ => panic!("another step"),
    }
}

/// The verdict of a verifier that has its keys.
pub(crate) fn decide(verifier: &Verifier, token: &str) -> Result<Verified, Error> {
    match verifier.check(token, Now::steady(NOW)) {
        Verdict::Accepted(verified, None) => Ok(verified),
        Verdict::Rejected(error) => Err(error),
        _ => panic!("asked for keys"),
    }
}

/// Answers 200 with this document.
pub(crate) fn answer<T>(
    op: &mut impl Operation<Output = T>,
    now: Millis,
    body: &str,
    cache_control: &str,
) -> Step<T> {
    respond(op, now, 200, body, &[("Cache-Control", cache_control)])
}

pub(crate) fn respond<T>(
    op: &mut impl Operation<Output = T>,
    now: Millis,
    status: u16,
    body: &str,
    headers: &[(&str, &str)],
) -> Step<T> {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    op.resume(
        Now::steady(now),
        Reply::Response { status, headers, body: Secret::new(body.as_bytes().to_vec()) },
    )
}
