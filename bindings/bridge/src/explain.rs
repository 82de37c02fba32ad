//! Explanations as JSON.

use gatepass_core::explain::{Question, begin_explain, explain};
use gatepass_core::{Millis, Verifier};

use crate::failure::{Failure, guard};
use crate::op::Op;
use crate::options::{self, Place};

/// Explains a token: what it is, and all that is wrong with it.
///
/// `options` are those of a verifier, of which every one may be left out, with `"url"` (that was called) and `"header"`
/// (that carried the token) next to them. Keys are used where `"keys"` gives them, and never fetched.
///
/// The answer is the JSON of [`Explanation::to_json`](gatepass_core::explain::Explanation::to_json). `accepted` is null where
/// something that decides it is not known; `code` is an error code, `cause` a name in snake_case for programs; the rest is for
/// people, `text` all of it together.
///
/// # Errors
/// `INVALID_OPTION`, or `INVALID_AUDIENCE` when the URL tells no audience.
pub fn explain_token(options: &str, token: &str, now_ms: u64) -> Result<String, Failure> {
    guard(|| {
        let (config, place) = options::explain(options)?;
        let explanation = explain(config, &place.question(token, now_ms))?;
        Ok(explanation.to_json())
    })
}

/// As [`explain_token`], as an operation, which leaves the signature to the host.
///
/// # Errors
/// `INVALID_OPTION`, or `INVALID_AUDIENCE` when the URL tells no audience.
pub fn begin_explain_token(options: &str, token: &str, now_ms: u64) -> Result<Op, Failure> {
    guard(|| {
        let (config, place) = options::explain(options)?;
        Ok(begin_explain(config, &place.question(token, now_ms))?.into())
    })
}

impl Place {
    fn question<'a>(&'a self, token: &'a str, now_ms: u64) -> Question<'a> {
        Question { token, url: self.url.as_deref(), header: self.header.as_deref(), now: Millis(now_ms) }
    }
}

/// Explains a token to a verifier, with the keys that it holds.
pub(crate) fn of_verifier(verifier: &Verifier, place: &Place, token: &str, now_ms: u64) -> String {
    verifier.explain(&place.question(token, now_ms)).to_json()
}

/// The same as an operation.
pub(crate) fn begin_of_verifier(verifier: &Verifier, place: &Place, token: &str, now_ms: u64) -> Op {
    verifier.begin_explain(&place.question(token, now_ms)).into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use gatepass_core::ErrorCode;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn an_explanation_is_json() {
        let options = r#"{"url":"https://a.run.app/x","header":"Authorization"}"#;
        let answer: Value = serde_json::from_str(&explain_token(options, "ya29.secret", 0).unwrap()).unwrap();
        assert_eq!((&answer["accepted"], &answer["kind"]), (&json!(false), &json!("access_token")));
        assert_eq!(answer["findings"][0]["code"], "TOKEN_MALFORMED");
        assert!(answer["text"].as_str().unwrap().starts_with("This is a Google access token."));
        assert!(!answer.to_string().contains("secret"));
    }

    #[test]
    fn a_misspelt_option_is_named() {
        let failure = explain_token(r#"{"audiance":["a"]}"#, "a", 0).unwrap_err();
        assert!(failure.to_json().contains("audiance"));
        assert_eq!(explain_token(r#"{"url":7}"#, "a", 0).unwrap_err().code(), ErrorCode::InvalidOption);
    }
}
