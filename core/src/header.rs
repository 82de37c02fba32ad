//! The HTTP headers that carry a token, on both sides (RFC 6750; Cloud Run documentation, "Service-to-service").

use crate::error::{Error, ErrorCode};
use crate::secret::Secret;

const SCHEME: &str = "Bearer ";
/// Longest token that is put into a header; servers refuse headers of this order.
const MAX_TOKEN_OCTETS: usize = 16 * 1024;

/// The header values of a request that may carry a token. Absent headers are `None`.
#[derive(Clone, Copy, Default)]
pub struct TokenHeaders<'a> {
    /// `Authorization`
    pub authorization: Option<&'a str>,
    /// `X-Serverless-Authorization`: wins over `Authorization`, as it does in Cloud Run's own check.
    pub x_serverless_authorization: Option<&'a str>,
    /// `X-Goog-IAP-JWT-Assertion`: the only one that counts behind Identity-Aware Proxy.
    pub x_goog_iap_jwt_assertion: Option<&'a str>,
}

/// The token of an `Authorization` header: `Bearer`, in any case, one token.
///
/// # Errors
/// [`ErrorCode::TokenMissing`] when there is none, [`ErrorCode::TokenMalformed`] when it has another form.
pub(crate) fn bearer<'a>(headers: &TokenHeaders<'a>) -> Result<&'a str, Error> {
    let present = |value: &&str| !value.trim_ascii().is_empty();
    let value = headers.x_serverless_authorization.filter(present).or(headers.authorization.filter(present));
    let Some(value) = value.map(str::trim_ascii) else {
        return Err(Error::new(
            ErrorCode::TokenMissing,
            "the request has neither X-Serverless-Authorization nor Authorization",
        ));
    };
    let (scheme, token) = value.split_once([' ', '\t']).unwrap_or((value, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Error::new(
            ErrorCode::TokenMissing,
            "the Authorization header has another scheme than Bearer",
        ));
    }
    let token = token.trim_ascii();
    match token.split_ascii_whitespace().count() {
        0 => Err(Error::new(
            ErrorCode::TokenMissing,
            "the Authorization header says Bearer and holds no token",
        )),
        1 => Ok(token),
        _ => Err(Error::new(
            ErrorCode::TokenMalformed,
            "the Authorization header holds more than one word after Bearer",
        )),
    }
}

/// The token that Identity-Aware Proxy puts into its own header.
pub(crate) fn iap_assertion<'a>(headers: &TokenHeaders<'a>) -> Result<&'a str, Error> {
    headers.x_goog_iap_jwt_assertion.map(str::trim_ascii).filter(|token| !token.is_empty()).ok_or_else(|| {
        Error::new(
            ErrorCode::TokenMissing,
            "the request has no X-Goog-IAP-JWT-Assertion: it did not come through IAP",
        )
    })
}

/// The value of an `Authorization` header with this token.
pub(crate) fn authorization(token: &Secret<String>) -> String {
    [SCHEME, token.expose()].concat()
}

/// The token of a value that [`authorization`] made.
pub(crate) fn bearer_value(authorization: &str) -> &str {
    authorization.strip_prefix(SCHEME).unwrap_or(authorization)
}

/// Refuses text that cannot stand in a header as a token: empty, over 16 KiB, or anything but printable ASCII.
///
/// # Errors
/// [`ErrorCode::TokenResponseInvalid`].
pub(crate) fn check_token_text(token: &str) -> Result<(), Error> {
    if token.is_empty() || token.len() > MAX_TOKEN_OCTETS || !token.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(Error::new(
            ErrorCode::TokenResponseInvalid,
            "a token is empty, longer than 16 KiB, or holds characters that a header cannot carry",
        ));
    }
    Ok(())
}

/// How a receiving service answers a request that it refuses.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// 401 for a missing or invalid token, 403 for a caller who is not on the list, 503 when the keys cannot be had.
    pub status: u16,
    /// `Content-Type`, and what the status asks for: `WWW-Authenticate` (RFC 6750, section 3) or `Retry-After`, by
    /// which Pub/Sub and Cloud Tasks know to try again.
    pub headers: Vec<(&'static str, &'static str)>,
    /// A JSON object with the error's code. The message stays with the service's own log.
    pub body: String,
}

impl From<&Error> for Refusal {
    fn from(error: &Error) -> Self {
        let status = error.code().http_status();
        let asked = match status {
            401 => Some(("WWW-Authenticate", "Bearer error=\"invalid_token\"")),
            403 => Some(("WWW-Authenticate", "Bearer error=\"insufficient_scope\"")),
            503 => Some(("Retry-After", "5")),
            _ => None,
        };
        let headers = [Some(("Content-Type", "application/json")), asked].into_iter().flatten().collect();
        Self { status, headers, body: format!("{{\"error\":\"{}\"}}", error.code()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(authorization: Option<&str>, serverless: Option<&str>) -> Result<String, ErrorCode> {
        let headers =
            TokenHeaders { authorization, x_serverless_authorization: serverless, ..TokenHeaders::default() };
        bearer(&headers).map(str::to_owned).map_err(|error| error.code())
    }

    #[test]
    fn bearer_tokens_are_found() {
        assert_eq!(token(Some("Bearer a"), None), Ok("a".into()));
        assert_eq!(token(Some(" bEaReR\t a "), Some("")), Ok("a".into()));
        assert_eq!(token(Some("Bearer a"), Some("Bearer b")), Ok("b".into()));
    }

    #[test]
    fn everything_else_is_refused() {
        for missing in [None, Some(""), Some("Basic a"), Some("Bearer"), Some("Bearer "), Some("Bearera")] {
            assert_eq!(token(missing, None), Err(ErrorCode::TokenMissing), "{missing:?}");
        }
        assert_eq!(token(Some("Bearer a b"), None), Err(ErrorCode::TokenMalformed));
    }

    #[test]
    fn refusals_follow_the_code() {
        let refusal = |code| Refusal::from(&Error::new(code, ""));
        assert_eq!(refusal(ErrorCode::TokenExpired).status, 401);
        assert_eq!(refusal(ErrorCode::EmailNotAllowed).status, 403);
        let unavailable = refusal(ErrorCode::KeysUnavailable);
        assert_eq!((unavailable.status, unavailable.headers[1]), (503, ("Retry-After", "5")));
        assert_eq!(unavailable.body, r#"{"error":"KEYS_UNAVAILABLE"}"#);
    }
}
