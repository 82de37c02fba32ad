//! A host that computes: what WebCrypto does for the core in WebAssembly, ring does here.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use gatepass_bridge::{self as bridge, Failure, Op};
use gatepass_core::{Now, Operation, Recall, Reply, SignatureToCheck, Step, Verdict, Verifier};
use ring::rand::SystemRandom;
use ring::signature::{
    self, EcdsaKeyPair, RsaKeyPair, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm,
};
use serde_json::{Value, json};

/// Whether the core computes signatures itself, so that what asks no host decides as well.
pub const CORE_COMPUTES: bool = cfg!(feature = "ring") || !cfg!(feature = "by-step");

/// The verdict on a token, with every signature checked by this host; and by which keys it was asked for one.
///
/// # Panics
/// When the core asks for anything else, or asks for more signatures than there are keys for.
pub fn check(verifier: &Verifier, token: &str, now: Now) -> (Verdict, Vec<String>) {
    let mut asked = Vec::new();
    let Recall::New(digest) = verifier.recall(token.as_bytes(), now) else {
        return (verifier.check(token, now), asked);
    };
    let mut op = verifier.begin_check(token, digest);
    let mut reply = Reply::Start;
    for _ in 0..3 {
        reply = match op.resume(now, reply) {
            Step::CheckSignature(question) => {
                asked.push(question.key.clone());
                Reply::Checked { is_valid: is_valid(&question) }
            }
            Step::Done(verdict) => return (verdict, asked),
            Step::Fail(error) => return (Verdict::Rejected(error), asked),
            _ => panic!("another step"),
        };
    }
    panic!("asked for {} signatures of one token", asked.len());
}

/// The same through the bridge.
///
/// # Errors
/// Why the token is refused.
///
/// # Panics
/// As [`check`].
pub fn check_by_bridge(
    verifier: &bridge::Verifier,
    token: &[u8],
    now: Now,
) -> Result<bridge::Verdict, Failure> {
    let Recall::New(digest) = verifier.recall(token, now) else { return verifier.check(token, now) };
    let token = String::from_utf8_lossy(token).into_owned();
    let mut check = verifier.begin_check(token, digest)?;
    let mut answer = None;
    for _ in 0..3 {
        let step = match answer {
            None => check.begin(now)?,
            Some(is_valid) => check.answer(Ok(is_valid), now)?,
        };
        answer = match step {
            bridge::CheckStep::Question(question) => Some(is_valid(&question.to_check())),
            bridge::CheckStep::Reached(verdict) => return Ok(verdict),
        };
    }
    panic!("asked for too many signatures of one token");
}

/// Resumes an operation, and signs what it asks to be signed: gives the step after that, as every core gives it. A core that
/// computes never asks.
///
/// # Panics
/// When the core asks for a signature in another form than the interface says, or more than once.
pub fn resume(op: &mut Op, now: Now, reply: &str) -> String {
    let text = op.resume(now, reply);
    let step: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("no JSON: {error}"));
    if step.get("step").and_then(Value::as_str) != Some("sign") {
        return text;
    }
    if CORE_COMPUTES {
        panic!("a core that computes has asked its host");
    }
    let names: Vec<_> = step.as_object().into_iter().flat_map(|members| members.keys()).collect();
    assert_eq!(names, ["alg", "data", "key", "step"]);
    let text = op.resume(now, &json!({"reply": "signed", "signature": signature(&step)}).to_string());
    assert!(!text.contains(r#""step":"sign""#), "it is asked for once");
    text
}

/// The signature that a step asks for.
fn signature(step: &Value) -> String {
    let member = |name: &str| step.get(name).and_then(Value::as_str).unwrap_or_else(|| panic!("no {name}"));
    let decoded = |name: &str| STANDARD.decode(member(name)).unwrap_or_else(|_| panic!("no base64"));
    let (key, data, random) = (decoded("key"), decoded("data"), SystemRandom::new());
    let signature = match member("alg") {
        "RS256" => {
            let key = RsaKeyPair::from_pkcs8(&key).unwrap_or_else(|error| panic!("{error}"));
            let mut signature = vec![0; key.public().modulus_len()];
            let signed = key.sign(&signature::RSA_PKCS1_SHA256, &random, &data, &mut signature);
            signed.unwrap_or_else(|error| panic!("{error}"));
            signature
        }
        "ES256" => {
            let algorithm = &signature::ECDSA_P256_SHA256_FIXED_SIGNING;
            let key = EcdsaKeyPair::from_pkcs8(algorithm, &key, &random);
            let key = key.unwrap_or_else(|error| panic!("{error}"));
            key.sign(&random, &data).unwrap_or_else(|error| panic!("{error}")).as_ref().to_vec()
        }
        other => panic!("no host knows {other}"),
    };
    STANDARD.encode(signature)
}

fn is_valid(question: &SignatureToCheck) -> bool {
    let key: Value = serde_json::from_str(&question.key).unwrap_or_else(|error| panic!("no JWK: {error}"));
    let decoded = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap_or_else(|_| panic!("no base64url"));
    let member = |name: &str| {
        decoded(key.get(name).and_then(Value::as_str).unwrap_or_else(|| panic!("the key has no {name}")))
    };
    let (data, signature) = (question.data.expose().as_bytes(), decoded(question.signature.expose()));
    let rsa = |algorithm| {
        RsaPublicKeyComponents { n: member("n"), e: member("e") }.verify(algorithm, data, &signature).is_ok()
    };
    let point = |algorithm: &'static dyn VerificationAlgorithm, point: Vec<u8>| {
        UnparsedPublicKey::new(algorithm, point).verify(data, &signature).is_ok()
    };
    let ec = || [vec![4], member("x"), member("y")].concat();
    match question.alg {
        "RS256" => rsa(&signature::RSA_PKCS1_2048_8192_SHA256),
        "RS384" => rsa(&signature::RSA_PKCS1_2048_8192_SHA384),
        "RS512" => rsa(&signature::RSA_PKCS1_2048_8192_SHA512),
        "PS256" => rsa(&signature::RSA_PSS_2048_8192_SHA256),
        "ES256" => point(&signature::ECDSA_P256_SHA256_FIXED, ec()),
        "ES384" => point(&signature::ECDSA_P384_SHA384_FIXED, ec()),
        "EdDSA" => point(&signature::ED25519, member("x")),
        other => panic!("no host knows {other}"),
    }
}
