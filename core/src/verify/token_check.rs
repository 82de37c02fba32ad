//! Checking a token by steps, for hosts with better arithmetic than the core has where it runs: WebCrypto, or Go's
//! standard library beside a core that is WebAssembly.
//!
//! The host is asked one thing only, whether a key has signed some bytes, and is asked last. Which algorithm and which key
//! that may be, and how long a signature is, are decided before; what the token says is read after.

use std::mem;
use std::sync::Arc;

use crate::step::{Now, Operation, Reply, Step};
use crate::verify::signatures::{ByHost, Question};
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
    token: String,
    digest: TokenDigest,
    state: State,
}

enum State {
    Created,
    Asked(Box<Question>),
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
    fn check(&mut self, now: Now, host: &ByHost) -> Step<Verdict> {
        match self.verifier.check_new(&self.token, self.digest, now, host) {
            Ok(Verdict::Rejected(error)) => Step::Fail(error),
            Ok(verdict) => Step::Done(verdict),
            Err(question) => {
                let step = question.step();
                self.state = State::Asked(question);
                step
            }
        }
    }
}

impl Operation for TokenCheck {
    type Output = Verdict;

    fn resume(&mut self, now: Now, reply: Reply) -> Step<Verdict> {
        match (mem::replace(&mut self.state, State::Ended), reply) {
            (State::Created, Reply::Start) => self.check(now, &ByHost::unasked()),
            (State::Asked(question), Reply::Checked { is_valid }) => {
                self.check(now, &question.answered(is_valid))
            }
            (State::Asked(question), Reply::Failed { message, .. }) => match question.computed() {
                Some(is_valid) => self.check(now, &question.answered(is_valid)),
                None => Step::Fail(question.unanswered(&message)),
            },
            (State::Created, other) => Step::misuse("Start", &other),
            (State::Asked(_), other) => Step::misuse("Checked or Failed", &other),
            (State::Ended, other) => Step::misuse("nothing: the operation has ended", &other),
        }
    }
}
