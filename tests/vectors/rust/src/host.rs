//! A host that checks signatures itself: what WebCrypto does for the core in WebAssembly, ring does here.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gatepass_core::{Now, Operation, Recall, Reply, SignatureToCheck, Step, Verdict, Verifier};
use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm};
use serde_json::Value;

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
