//! Explaining a token by steps, for hosts that check signatures themselves.

use std::mem;

use super::{Explanation, Question};
use crate::recognise::wrapping;
use crate::step::{Millis, Now, Operation, Reply, Step};
use crate::verify::{self, ByHost, InThisProcess, Signatures, Verifier};

/// The operation that explains a token and has the host check its signature, if there is a key to check it with. A host that
/// cannot answers [`Reply::Failed`]; where the core computes no signatures either, the explanation says that it was not
/// checked.
pub struct ExplainToken {
    verifier: Verifier,
    token: String,
    url: Option<String>,
    header: Option<String>,
    now: Millis,
    state: State,
}

enum State {
    Created,
    Asked(Box<verify::Question>),
    Ended,
}

impl Verifier {
    /// As [`explain`](Self::explain), as an operation.
    pub fn begin_explain(&self, question: &Question<'_>) -> ExplainToken {
        ExplainToken {
            verifier: self.clone(),
            token: question.token.to_owned(),
            url: question.url.map(str::to_owned),
            header: question.header.map(str::to_owned),
            now: question.now,
            state: State::Created,
        }
    }
}

impl ExplainToken {
    fn explained(&self, signatures: &dyn Signatures) -> (Explanation, Option<Box<verify::Question>>) {
        let (token, url, header) = (self.token.as_str(), self.url.as_deref(), self.header.as_deref());
        self.verifier.explained(&Question { token, url, header, now: self.now }, signatures)
    }
}

impl Operation for ExplainToken {
    type Output = Explanation;

    fn resume(&mut self, _now: Now, reply: Reply) -> Step<Explanation> {
        match (mem::replace(&mut self.state, State::Ended), reply) {
            (State::Created, Reply::Start) => match self.explained(&ByHost::unasked()) {
                (explanation, None) => Step::Done(explanation),
                (_, Some(question)) => {
                    let (token, _) = wrapping::peel(&self.token);
                    let step = Step::CheckSignature(question.about(&token).to_check());
                    self.state = State::Asked(question);
                    step
                }
            },
            (State::Asked(question), Reply::Checked { is_valid }) => {
                Step::Done(self.explained(&question.answered(is_valid)).0)
            }
            (State::Asked(_), Reply::Failed { .. }) => Step::Done(self.explained(&InThisProcess).0),
            (State::Created, other) => Step::misuse("Start", &other),
            (State::Asked(_), other) => Step::misuse("Checked or Failed", &other),
            (State::Ended, other) => Step::misuse("nothing: the operation has ended", &other),
        }
    }
}
