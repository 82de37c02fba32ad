//! Errors as they cross the border, and the boundary that no panic crosses.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use gatepass_core::Refusal;
use gatepass_core::grpc::{self, StatusCode};
use gatepass_core::json;
use gatepass_core::{Error, ErrorCode, Reason, Texts};

/// An error of the core on its way to a host language.
#[derive(Clone, Debug)]
pub struct Failure(pub(crate) Error);

impl Failure {
    /// The stable code.
    pub fn code(&self) -> ErrorCode {
        self.0.code()
    }

    /// The JSON form: `code`, `number`, `kind`, `message`, `retryable`, `claim` (or null), `reason` (`missing`,
    /// `mismatch`, `invalid`, `not_allowed` or null), `found` and `expected` (null, a text or a list of texts),
    /// `claimed_email` (of a refused token, unverified, or null), `refusal`, the `status`, `headers` and `body` with which
    /// a receiving service answers, `grpc`, the `code`, `message` and `details` (base64) with which a gRPC server does,
    /// and `grpc_call_code`, with which a client's call ends that can have no token.
    pub fn to_json(&self) -> String {
        let Self(error) = self;
        let Refusal { status, headers, body } = Refusal::from(error);
        let grpc = grpc::Status::from(error);
        let headers = headers.iter().map(|(name, value)| json::texts(&[name, value]));
        let refusal = json::object(|object| {
            object.text("body", &body).json("headers", &json::list(headers)).number("status", status.into());
        });
        let grpc = json::object(|object| {
            object
                .number("code", grpc.code as u64)
                .text("details", &grpc.details)
                .text("message", &grpc.message);
        });
        json::object(|object| {
            object
                .text_or_null("claim", error.claim())
                .text_or_null("claimed_email", error.claimed_email())
                .text("code", error.code().as_str())
                .json("expected", &texts(error.expected()))
                .json("found", &texts(error.found()))
                .json("grpc", &grpc)
                .number("grpc_call_code", StatusCode::of_call_without_token(error) as u64)
                .text("kind", error.code().kind().as_str())
                .text("message", &error.to_string())
                .number("number", error.code() as u64)
                .text_or_null("reason", error.reason().map(Reason::as_str))
                .json("refusal", &refusal)
                .boolean("retryable", error.is_retryable());
        })
    }

    /// A panic, with its message. For a binding that sees one where none can be caught; [`guard`] does it elsewhere.
    pub fn panicked(message: &str) -> Self {
        Self(Error::new(ErrorCode::Internal, format!("gatepass panicked: {message}")))
    }

    pub(crate) fn invalid_option(found: String) -> Self {
        Self(Error::new(ErrorCode::InvalidOption, found))
    }

    /// A mistake of the binding or the package, not of the user.
    pub fn misuse(found: impl Into<String>) -> Self {
        Self(Error::new(ErrorCode::ApiMisuse, found))
    }
}

fn texts(texts: Option<&Texts>) -> String {
    match texts {
        None => "null".to_owned(),
        Some(Texts::One(text)) => json::text(text),
        Some(Texts::Many(texts)) => json::texts(texts),
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

/// Runs `work` and turns a panic into `INTERNAL`: the host process goes on.
///
/// # Errors
/// What `work` returns, or `INTERNAL` with the panic's message.
pub fn guard<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(internal(panic.as_ref())))
}

fn internal(panic: &(dyn Any + Send)) -> Failure {
    let text =
        panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    Failure::panicked(text.unwrap_or("no message"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_refusal_is_a_line_in_the_log() {
        let error = Failure::from(Error::new(ErrorCode::TokenExpired, "late")).to_json();
        let line: Value = serde_json::from_str(&crate::refusal_log(&error, "/a?b").unwrap()).unwrap();
        let expected = "refused with 401 TOKEN_EXPIRED: path \"/a\", claimed e-mail (unverified) none: late";
        assert_eq!(line.get("level"), Some(&json!("warning")));
        assert!(line.get("message").and_then(Value::as_str).unwrap().starts_with(expected), "{line}");
        for none in ["", "{}", r#"{"code":"TOKEN_EXPIRED"}"#, r#"{"code":"NONE","message":"a"}"#] {
            assert_eq!(crate::refusal_log(none, "/").unwrap_err().code(), ErrorCode::ApiMisuse);
        }
    }

    #[test]
    fn a_panic_becomes_an_error() {
        let failure = guard::<()>(|| panic!("oh")).unwrap_err();
        assert_eq!(failure.code(), ErrorCode::Internal);
        assert!(failure.to_json().contains("gatepass panicked: oh"));
    }
}
