//! What the token endpoints have in common: forms in, JSON out, and errors as RFC 6749 section 5.2 has them.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use serde_json::json;

use crate::http::{Request, Response};
use crate::keys::KeyError;

/// Turns the outcome of a grant into a response that nobody keeps.
pub(crate) fn respond(granted: Result<Response, Refusal>) -> Result<Response, KeyError> {
    match granted {
        Ok(response) => Ok(uncacheable(response)),
        Err(Refusal::OAuth { error, description }) => {
            let body = json!({ "error": error, "error_description": description });
            let response = Response::json(if error == INVALID_CLIENT { 401 } else { 400 }, &body);
            Ok(uncacheable(response))
        }
        Err(Refusal::Key(error)) => Err(error),
    }
}

/// Reads a parameter of the form that must be there.
pub(crate) fn required(request: &Request, name: &str) -> Result<String, Refusal> {
    optional(request, name).ok_or_else(|| missing(name))
}

pub(crate) fn missing(name: &str) -> Refusal {
    Refusal::new("invalid_request", format!("Required parameter is missing: {name}"))
}

/// Reads a parameter of the form. An empty one is not there: RFC 6749 section 3.2.
pub(crate) fn optional(request: &Request, name: &str) -> Option<String> {
    request.form_parameter(name).filter(|value| !value.is_empty())
}

/// An OAuth client that authenticates itself.
pub(crate) struct Client {
    pub(crate) id: String,
    pub(crate) secret: String,
}

impl Client {
    /// Reads the client from an `Authorization` header of the scheme Basic, RFC 7617; nothing if there is no header.
    ///
    /// Google's library for Rust writes the URL-safe alphabet without padding, and gets away with it.
    pub(crate) fn from_header(request: &Request) -> Result<Option<Self>, Refusal> {
        let Some(authorization) = request.header("Authorization") else { return Ok(None) };
        Self::parse(authorization).map(Some).ok_or_else(|| {
            invalid_client("The Authorization header is not of the form Basic base64(id:secret).")
        })
    }

    fn parse(authorization: &str) -> Option<Self> {
        let (_, credentials) =
            authorization.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("Basic"))?;
        let decoded =
            BASE64_STANDARD.decode(credentials).or_else(|_| BASE64_URL_SAFE_NO_PAD.decode(credentials));
        let text = String::from_utf8(decoded.ok()?).ok()?;
        let (id, secret) = text.split_once(':')?;
        Some(Self { id: id.to_owned(), secret: secret.to_owned() })
    }
}

/// Why there is no token.
pub(crate) enum Refusal {
    /// The client is at fault: RFC 6749 section 5.2.
    OAuth { error: &'static str, description: String },
    /// The emulator is.
    Key(KeyError),
}

impl Refusal {
    pub(crate) fn new(error: &'static str, description: impl Into<String>) -> Self {
        Self::OAuth { error, description: description.into() }
    }
}

impl From<KeyError> for Refusal {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}

pub(crate) fn invalid_grant(description: impl Into<String>) -> Refusal {
    Refusal::new("invalid_grant", description)
}

/// The one error whose status is 401.
pub(crate) fn invalid_client(description: impl Into<String>) -> Refusal {
    Refusal::new(INVALID_CLIENT, description)
}

pub(crate) fn unsupported_grant_type(grant_type: &str) -> Refusal {
    Refusal::new("unsupported_grant_type", format!("Invalid grant_type: {grant_type}"))
}

const INVALID_CLIENT: &str = "invalid_client";

/// RFC 6749 section 5.1 forbids to keep a token.
fn uncacheable(response: Response) -> Response {
    response
        .with_header("Cache-Control", "no-cache, no-store, max-age=0, must-revalidate")
        .with_header("Pragma", "no-cache")
}
