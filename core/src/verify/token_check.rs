//! Checking a token by steps, for hosts with better arithmetic than the core has where it runs: WebCrypto, or Go's
//! standard library beside a core that is WebAssembly.
//!
//! The host is asked one thing only, whether a key has signed some bytes, and is asked last. Which algorithm and which key
//! that may be, and how long a signature is, are decided before; what the token says is read after.

use std::mem;
use std::sync::Arc;

use crate::error::Error;
use crate::step::{self, Now, Operation, Reply, Step};
use crate::verify::reading::Reading;
use crate::verify::signatures::{ByHost, OpenSignature, Question};
use crate::verify::verifier::{Shared, TokenDigest, Verdict, Verifier};

/// The operation that checks a token and has the host check its signature ([`Step::CheckSignature`]). Its output is the
/// verdict, which is never [`Verdict::Rejected`]: a token that is refused is the operation's failure.
///
/// The answer to a step is one about the key and the bytes of that step, and of no other operation. Everything else is
/// decided anew when it comes, by the keys and the time of that moment, however late: where the token's key is
/// another one by then, its signature is asked for again. A host that cannot check a signature answers
/// [`Reply::Failed`], and the core does it itself, unless it is built to compute none.
pub struct TokenCheck {
    verifier: Arc<Shared>,
    token: Reading<'static>,
    digest: TokenDigest,
    is_begun: bool,
    question: Option<Box<Question>>,
}

/// What a [`TokenCheck`] has come to.
pub enum CheckStep<'a> {
    /// Whether a signature is valid: answer it.
    Question(OpenSignature<'a>),
    /// The verdict.
    Reached(Verdict),
}

impl Verifier {
    /// The verdict on a token that [`recall`](Self::recall) has just found to be new, as an operation, for a host that checks
    /// signatures itself.
    pub fn begin_check(&self, token: impl Into<String>, digest: TokenDigest) -> TokenCheck {
        let (verifier, token) = (Arc::clone(&self.shared), Reading::of(token.into()));
        TokenCheck { verifier, token, digest, is_begun: false, question: None }
    }
}

impl TokenCheck {
    /// As [`resume`](Operation::resume), but the question is given as it lies in memory.
    ///
    /// # Errors
    /// Why the token is refused; [`API_MISUSE`](crate::ErrorCode::ApiMisuse) for a reply that answers nothing.
    pub fn advance(&mut self, now: Now, reply: Reply) -> Result<CheckStep<'_>, Error> {
        let is_begun = mem::replace(&mut self.is_begun, true);
        let host = match (self.question.take(), reply) {
            (None, Reply::Start) if !is_begun => ByHost::unasked(),
            (Some(question), Reply::Checked { is_valid }) => question.answered(is_valid),
            (Some(question), Reply::Failed { message, .. }) => match question.computed(self.token.text()) {
                Some(is_valid) => question.answered(is_valid),
                None => return Err(question.unanswered(&message)),
            },
            (Some(_), other) => return Err(step::misuse("Checked or Failed", &other)),
            (None, other) if !is_begun => return Err(step::misuse("Start", &other)),
            (None, other) => return Err(step::misuse("nothing: the operation has ended", &other)),
        };
        match self.verifier.check_new(&self.token, self.digest, now, &host) {
            Ok(Verdict::Rejected(error)) => Err(error),
            Ok(verdict) => Ok(CheckStep::Reached(verdict)),
            Err(question) => Ok(CheckStep::Question(self.question.insert(question).about(self.token.text()))),
        }
    }
}

impl Operation for TokenCheck {
    type Output = Verdict;

    fn resume(&mut self, now: Now, reply: Reply) -> Step<Verdict> {
        match self.advance(now, reply) {
            Ok(CheckStep::Question(question)) => Step::CheckSignature(question.to_check()),
            Ok(CheckStep::Reached(verdict)) => Step::Done(verdict),
            Err(error) => Step::Fail(error),
        }
    }
}
