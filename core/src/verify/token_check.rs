//! Checking a token by steps, for hosts with better arithmetic than the core has where it runs: WebCrypto, or Go's
//! standard library beside a core that is WebAssembly.
//!
//! The host is asked one thing only, whether a key has signed some bytes, and is asked last. Which algorithm and which key
//! that may be, and how long a signature is, are decided before; what the token says is read after.

use std::mem;
use std::sync::Arc;

use crate::encoding::base64url_encode;
use crate::jose::alg::Algorithm;
use crate::jose::jwk::Jwk;
use crate::step::{Now, Operation, Reply, SignatureToCheck, Step};
use crate::verify::signatures::Signatures;
use crate::verify::verifier::{Shared, TokenDigest, Verdict, Verifier};

/// The operation that checks a token and has the host check its signature ([`Step::CheckSignature`]). Its output is the
/// verdict, which is never [`Verdict::Rejected`]: a token that is refused is the operation's failure.
///
/// The answer to a step is one about the key and the bytes of that step, and of no other operation. Everything else is
/// decided anew when it comes, by the keys and the time of that moment, however late: where the token's key is
/// another one by then, its signature is asked for again. A host that cannot check a signature answers
/// [`Reply::Failed`], and the core does it itself.
pub struct TokenCheck {
    verifier: Arc<Shared>,
    token: String,
    digest: TokenDigest,
    state: State,
}

enum State {
    Created,
    Asked(Question),
    Ended,
}

impl Verifier {
    /// The verdict on a token that [`recall`](Self::recall) has just found to be new, as an operation, for a host that checks
    /// signatures itself.
    pub fn begin_check(&self, token: &str, digest: TokenDigest) -> TokenCheck {
        let verifier = Arc::clone(&self.shared);
        TokenCheck { verifier, token: token.to_owned(), digest, state: State::Created }
    }
}

impl TokenCheck {
    fn check(&mut self, now: Now, answer: Option<Answer>) -> Step<Verdict> {
        match self.verifier.check_new(&self.token, self.digest, now, &ByHost { answer }) {
            Ok(Verdict::Rejected(error)) => Step::Fail(error),
            Ok(verdict) => Step::Done(verdict),
            Err(question) => {
                let step = question.step();
                self.state = State::Asked(*question);
                Step::CheckSignature(step)
            }
        }
    }
}

impl Operation for TokenCheck {
    type Output = Verdict;

    fn resume(&mut self, now: Now, reply: Reply) -> Step<Verdict> {
        match (mem::replace(&mut self.state, State::Ended), reply) {
            (State::Created, Reply::Start) => self.check(now, None),
            (State::Asked(Question { key, .. }), Reply::Checked { is_valid }) => {
                self.check(now, Some(Answer { key, is_valid }))
            }
            (State::Asked(question), Reply::Failed { .. }) => {
                let is_valid = question.key.verifies(question.alg, &question.message, &question.signature);
                self.check(now, Some(Answer { key: question.key, is_valid }))
            }
            (State::Created, other) => Step::misuse("Start", &other),
            (State::Asked(_), other) => Step::misuse("Checked or Failed", &other),
            (State::Ended, other) => Step::misuse("nothing: the operation has ended", &other),
        }
    }
}

/// The host, which may have answered before.
struct ByHost {
    answer: Option<Answer>,
}

/// Whether the token, of which there is one in an operation, is signed by this key.
struct Answer {
    key: Arc<Jwk>,
    is_valid: bool,
}

struct Question {
    alg: Algorithm,
    key: Arc<Jwk>,
    message: String,
    signature: Vec<u8>,
}

impl Question {
    fn step(&self) -> SignatureToCheck {
        SignatureToCheck {
            alg: self.alg.as_str(),
            key: self.key.to_json(),
            data: self.message.as_str().into(),
            signature: base64url_encode(&self.signature).into(),
        }
    }
}

impl Signatures for ByHost {
    type Question = Box<Question>;

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
            _ => Err(Box::new(Question {
                alg,
                key: Arc::clone(key),
                message: message.to_owned(),
                signature: signature.to_vec(),
            })),
        }
    }
}
