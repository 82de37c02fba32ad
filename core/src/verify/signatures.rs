//! Who checks signatures: the core itself, or a host that was chosen for it.

use std::sync::Arc;

use crate::encoding::base64url_encode;
use crate::error::{Error, ErrorCode};
use crate::jose::alg::Algorithm;
use crate::jose::jwk::Jwk;
use crate::quote;
use crate::step::{SignatureToCheck, Step};

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
    key: Arc<Jwk>,
    message: String,
    signature: Vec<u8>,
}

impl Question {
    fn new(alg: Algorithm, key: &Arc<Jwk>, message: &str, signature: &[u8]) -> Box<Self> {
        let (message, signature) = (message.to_owned(), signature.to_vec());
        Box::new(Self { alg, key: Arc::clone(key), message, signature })
    }

    pub(crate) fn step<T>(&self) -> Step<T> {
        Step::CheckSignature(SignatureToCheck {
            alg: self.alg.as_str(),
            key: self.key.to_json(),
            data: self.message.as_str().into(),
            signature: base64url_encode(&self.signature).into(),
        })
    }

    /// The answer of the core itself, if it computes.
    pub(crate) fn computed(&self) -> Option<bool> {
        self.key.verifies(self.alg, &self.message, &self.signature)
    }

    /// The host after this answer.
    pub(crate) fn answered(self, is_valid: bool) -> ByHost {
        ByHost { answer: Some(Answer { key: self.key, is_valid }) }
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
