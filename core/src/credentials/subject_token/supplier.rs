//! `{"supplier": …}`: the user's own function. gatepass's addition to the file format, for programs that build their
//! configuration in code.

use crate::credentials::fields::Fields;
use crate::credentials::subject_token::failed;
use crate::error::Error;
use crate::quote;
use crate::secret::Secret;
use crate::step::{Now, Operation, Reply, Step};

/// Longest wait for the user's function: as long as for a program (AIP-4117).
pub(super) const TIMEOUT_MS: u64 = 30_000;

#[derive(Clone)]
pub(crate) struct Source {
    name: String,
}

impl Source {
    pub(crate) fn from_fields(fields: Fields<'_>) -> Result<Self, Error> {
        Ok(Self { name: fields.required("supplier")?.to_owned() })
    }
}

pub(crate) struct Ask {
    source: Source,
    audience: String,
    token_type: String,
}

impl Ask {
    pub(crate) fn new(source: Source, audience: &str, token_type: &str) -> Self {
        Self { source, audience: audience.to_owned(), token_type: token_type.to_owned() }
    }
}

impl Operation for Ask {
    type Output = Secret<String>;

    fn resume(&mut self, _now: Now, reply: Reply) -> Step<Secret<String>> {
        let name = &self.source.name;
        match reply {
            Reply::Start => Step::Supply {
                supplier: name.clone(),
                audience: self.audience.clone(),
                token_type: self.token_type.clone(),
                timeout_ms: TIMEOUT_MS,
            },
            Reply::Text(token) if token.expose().is_empty() => Step::Fail(failed(format!(
                "the supplier {} gave an empty subject token",
                quote::quoted(name)
            ))),
            Reply::Text(token) => Step::Done(token),
            Reply::Failed { message, .. } => Step::Fail(failed(format!(
                "the supplier {} failed: {}",
                quote::quoted(name),
                quote::reason(&message)
            ))),
            other => Step::misuse("Text or Failed", &other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_token_is_none() {
        let now = Now::steady(crate::step::Millis(0));
        let ask =
            || Ask { source: Source { name: "mine".into() }, audience: "a".into(), token_type: "t".into() };
        assert!(
            matches!(ask().resume(now, Reply::Text("t".into())), Step::Done(token) if token.expose() == "t")
        );
        let Step::Fail(error) = ask().resume(now, Reply::Text("".into())) else { panic!("an empty token") };
        assert!(error.detail().contains("\"mine\" gave an empty subject token"), "{error}");
    }
}
