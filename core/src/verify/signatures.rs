//! Who checks signatures: the core itself, or a host that was chosen for it.

use std::sync::Arc;

use crate::encoding::base64url_encode;
use crate::error::{Error, ErrorCode};
use crate::jose::alg::Algorithm;
use crate::jose::jwk::Jwk;
use crate::quote;
use crate::step::SignatureToCheck;

/// Who checks signatures.
pub(crate) trait Signatures {
    /// Whether `signature` is this key's signature of `message`; or the question, where somebody else is to be asked first.
    fn is_valid(
        &self,
        alg: Algorithm,
        key: &Arc<Jwk>,
        message: &str,
        signature: &[u8],
    ) -> Result<bool, Box<Question>>;
}

/// The core itself. One that is built to compute no signatures has questions only.
pub(crate) struct InThisProcess;

impl Signatures for InThisProcess {
    fn is_valid(
        &self,
        alg: Algorithm,
        key: &Arc<Jwk>,
        message: &str,
        signature: &[u8],
    ) -> Result<bool, Box<Question>> {
        let computed = key.verifies(alg, message, signature);
        computed.ok_or_else(|| Question::new(alg, key, message, signature))
    }
}

/// The host, which may have answered before.
pub(crate) struct ByHost {
    answer: Option<Answer>,
}

/// Whether the token, of which there is one in an operation, is signed by this key.
struct Answer {
    key: Arc<Jwk>,
    is_valid: bool,
}

impl ByHost {
    /// Before anything was asked.
    pub(crate) fn unasked() -> Self {
        Self { answer: None }
    }
}

impl Signatures for ByHost {
    fn is_valid(
        &self,
        alg: Algorithm,
        key: &Arc<Jwk>,
        message: &str,
        signature: &[u8],
    ) -> Result<bool, Box<Question>> {
        match &self.answer {
            Some(answer) if answer.key == *key => Ok(answer.is_valid),
            // Hosts differ in what they make of those.
            _ if signature.len() != key.signature_length() => Ok(false),
            _ => Err(Question::new(alg, key, message, signature)),
        }
    }
}

/// Whether a signature is valid.
pub(crate) struct Question {
    alg: Algorithm,
    key: PublicJwk,
    /// How many bytes of the token are signed: all before the last dot.
    signed: usize,
    signature: Vec<u8>,
}

/// A public key that is asked about. Clones are the same key.
#[derive(Clone)]
pub struct PublicJwk(Arc<Jwk>);

impl PublicJwk {
    /// Whether both were read at once, as one key of one set.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// The key, a JWK (RFC 7517) with the members that its `kty` has and no others. The same key is the same text.
    pub fn to_json(&self) -> String {
        self.0.to_json()
    }
}

/// The question of a [`TokenCheck`](crate::TokenCheck) as it lies in memory: a [`SignatureToCheck`] of which no text was made.
pub struct OpenSignature<'a> {
    /// The algorithm's name (RFC 7518, section 3.1; RFC 8037, section 3.1).
    pub alg: &'static str,
    /// The key.
    pub key: &'a PublicJwk,
    /// What is signed, ASCII.
    pub data: &'a str,
    /// The signature in the form of the algorithm.
    pub signature: &'a [u8],
}

impl OpenSignature<'_> {
    /// The same as a step has it.
    pub fn to_check(&self) -> SignatureToCheck {
        SignatureToCheck {
            alg: self.alg,
            key: self.key.to_json(),
            data: self.data.into(),
            signature: base64url_encode(self.signature).into(),
        }
    }
}

impl Question {
    fn new(alg: Algorithm, key: &Arc<Jwk>, message: &str, signature: &[u8]) -> Box<Self> {
        let key = PublicJwk(Arc::clone(key));
        Box::new(Self { alg, key, signed: message.len(), signature: signature.to_vec() })
    }

    /// What is asked about this token.
    pub(crate) fn about<'a>(&'a self, token: &'a str) -> OpenSignature<'a> {
        OpenSignature {
            alg: self.alg.as_str(),
            key: &self.key,
            data: token.get(..self.signed).unwrap_or_default(),
            signature: &self.signature,
        }
    }

    /// The answer of the core itself, if it computes.
    pub(crate) fn computed(&self, token: &str) -> Option<bool> {
        let OpenSignature { data, signature, .. } = self.about(token);
        self.key.0.verifies(self.alg, data, signature)
    }

    /// The host after this answer.
    pub(crate) fn answered(self, is_valid: bool) -> ByHost {
        ByHost { answer: Some(Answer { key: self.key.0, is_valid }) }
    }

    /// The error where the core is to answer, and does not compute.
    pub(crate) fn not_asked(&self) -> Error {
        Error::new(
            ErrorCode::ApiMisuse,
            "this build of gatepass computes no signatures: its host is asked for them by begin_check only",
        )
    }

    /// The error where neither the host nor the core has an answer. It says nothing about the token.
    pub(crate) fn unanswered(&self, message: &str) -> Error {
        let (alg, because) = (self.alg, quote::because(message));
        Error::new(ErrorCode::Unsupported, format!("this host cannot check a signature of {alg}{because}"))
    }
}
