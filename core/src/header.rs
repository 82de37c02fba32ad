//! The HTTP headers that carry a token, on both sides (RFC 6750; Cloud Run documentation, "Service-to-service").

use crate::error::{Error, ErrorCode};
use crate::jose::jws::{self, MAX_TOKEN_BYTES};
use crate::quote::quoted;
use crate::secret::Secret;

const SCHEME: &str = "Bearer ";

/// The names of the headers that may carry a token, in lower case and in the order of [`TokenHeaders`].
pub const TOKEN_HEADERS: [&str; 3] =
    ["authorization", "x-serverless-authorization", "x-goog-iap-jwt-assertion"];

/// The header values of a request that may carry a token. Absent headers are `None`.
///
/// A header is one text: all its values, with a line feed between each two, which no value can hold (RFC 9110, section
/// 5.5). A header of which there is more than one is refused: whoever is in front of the service may have checked
/// the other one.
#[derive(Clone, Copy, Default)]
pub struct TokenHeaders<'a> {
    /// `Authorization`
    pub authorization: Option<&'a str>,
    /// `X-Serverless-Authorization`: wins over `Authorization`, as it does in Cloud Run's own check, unless that check
    /// has removed its signature.
    pub x_serverless_authorization: Option<&'a str>,
    /// `X-Goog-IAP-JWT-Assertion`: the only one that counts behind Identity-Aware Proxy.
    pub x_goog_iap_jwt_assertion: Option<&'a str>,
}

/// The token of a request: `Bearer`, in any case, and one word.
///
/// `X-Serverless-Authorization` is the header that Cloud Run checks where it is present, and it leaves `Authorization`
/// alone then: where it has removed the first one's signature, the second one's token is the one for this service. A
/// receiver that `trusts_cloud_run` must take the one that Cloud Run has checked, whatever else was sent.
///
/// # Errors
/// [`ErrorCode::TokenMissing`] when there is none, [`ErrorCode::TokenMalformed`] when it has another form.
pub(crate) fn bearer<'a>(headers: &TokenHeaders<'a>, trusts_cloud_run: bool) -> Result<&'a str, Error> {
    let serverless = single("X-Serverless-Authorization", headers.x_serverless_authorization)?;
    let authorization = single("Authorization", headers.authorization)?;
    match (serverless, authorization) {
        (Some(checked), Some(other)) => {
            let token = bearer_token("X-Serverless-Authorization", checked)?;
            let is_spent = !trusts_cloud_run && jws::is_stripped(token);
            Ok(if is_spent { bearer_token("Authorization", other).unwrap_or(token) } else { token })
        }
        (Some(value), None) => bearer_token("X-Serverless-Authorization", value),
        (None, Some(value)) => bearer_token("Authorization", value),
        (None, None) => Err(Error::new(
            ErrorCode::TokenMissing,
            "the request has neither X-Serverless-Authorization nor Authorization",
        )),
    }
}

/// The value of a header that occurs once; `None` where it is absent or empty.
fn single<'a>(name: &str, values: Option<&'a str>) -> Result<Option<&'a str>, Error> {
    match values {
        Some(values) if values.contains('\n') => {
            let count = values.split('\n').count();
            Err(refused(ErrorCode::TokenMalformed, name, &format!("occurs {count} times, expected once")))
        }
        values => Ok(values.map(str::trim_ascii).filter(|value| !value.is_empty())),
    }
}

fn bearer_token<'a>(name: &str, value: &'a str) -> Result<&'a str, Error> {
    let (scheme, token) = value.split_once([' ', '\t']).unwrap_or((value, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(refused(ErrorCode::TokenMissing, name, "has another scheme than Bearer"));
    }
    match token.trim_ascii() {
        "" => Err(refused(ErrorCode::TokenMissing, name, "says Bearer and holds no token")),
        token => one_word(name, token),
    }
}

/// Refuses a token with white space or a comma in it: some hosts and proxies join several values so.
fn one_word<'a>(name: &str, token: &'a str) -> Result<&'a str, Error> {
    // Without a branch for each byte: every request is looked at.
    let is_split =
        token.bytes().fold(false, |found, byte| found | byte.is_ascii_whitespace() | (byte == b','));
    if is_split {
        Err(refused(ErrorCode::TokenMalformed, name, "holds more than one word where a token belongs"))
    } else {
        Ok(token)
    }
}

fn refused(code: ErrorCode, name: &str, found: &str) -> Error {
    Error::new(code, format!("the {name} header {found}"))
}

/// The token that Identity-Aware Proxy puts into its own header.
pub(crate) fn iap_assertion<'a>(headers: &TokenHeaders<'a>) -> Result<&'a str, Error> {
    const NAME: &str = "X-Goog-IAP-JWT-Assertion";
    match single(NAME, headers.x_goog_iap_jwt_assertion)? {
        Some(token) => one_word(NAME, token),
        None => Err(Error::new(
            ErrorCode::TokenMissing,
            "the request has no X-Goog-IAP-JWT-Assertion: it did not come through IAP",
        )),
    }
}

/// The value of an `Authorization` header with this token.
pub(crate) fn authorization(token: &Secret<String>) -> String {
    [SCHEME, token.expose()].concat()
}

/// The token of a value that [`authorization`] made.
pub(crate) fn bearer_value(authorization: &str) -> &str {
    authorization.strip_prefix(SCHEME).unwrap_or(authorization)
}

/// Refuses text that cannot be in a header as a token: empty, over 16 KiB, or anything but printable ASCII.
///
/// # Errors
/// [`ErrorCode::TokenResponseInvalid`].
pub(crate) fn check_token_text(token: &str) -> Result<(), Error> {
    if token.is_empty() || token.len() > MAX_TOKEN_BYTES || !token.bytes().all(|b| b.is_ascii_graphic()) {
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
            // RFC 6750, section 3.1: no code where the request has no token.
            401 if error.code() == ErrorCode::TokenMissing => Some(("WWW-Authenticate", "Bearer")),
            401 => Some(("WWW-Authenticate", "Bearer error=\"invalid_token\"")),
            403 => Some(("WWW-Authenticate", "Bearer error=\"insufficient_scope\"")),
            503 => Some(("Retry-After", "5")),
            _ => None,
        };
        let headers = [Some(("Content-Type", "application/json")), asked].into_iter().flatten().collect();
        Self { status, headers, body: format!("{{\"error\":\"{}\"}}", error.code()) }
    }
}

/// What a service writes to its log about a request that it has refused: one line, the same in every language.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RefusalLog {
    /// `warning`; `error` where the trouble is the service's own, such as keys that cannot be fetched.
    pub level: &'static str,
    /// The status, the code, the path, the e-mail that the token claims, and the error's message. Never a token.
    pub message: String,
}

impl RefusalLog {
    /// The line about an error with this code and message, on a request of this path.
    pub fn new(code: ErrorCode, message: &str, claimed_email: Option<&str>, path: &str) -> Self {
        let status = code.http_status();
        // Without the query: it may hold anything.
        let path = quoted(path.split(['?', '#']).next().unwrap_or_default());
        let email = claimed_email.map_or("none".into(), quoted);
        Self {
            level: if status >= 500 { "error" } else { "warning" },
            message: format!(
                "refused with {status} {code}: path {path}, claimed e-mail (unverified) {email}: {message}"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(authorization: Option<&str>, serverless: Option<&str>) -> Result<String, ErrorCode> {
        let headers =
            TokenHeaders { authorization, x_serverless_authorization: serverless, ..TokenHeaders::default() };
        bearer(&headers, false).map(str::to_owned).map_err(|error| error.code())
    }

    #[test]
    fn bearer_tokens_are_found() {
        assert_eq!(token(Some("Bearer a"), None), Ok("a".into()));
        assert_eq!(token(Some(" bEaReR\t a "), Some("")), Ok("a".into()));
        assert_eq!(token(Some("Bearer a"), Some("Bearer b")), Ok("b".into()));
    }

    #[test]
    fn a_token_that_cloud_run_has_spent_makes_way() {
        const SPENT: Option<&str> = Some("Bearer a.b.SIGNATURE_REMOVED_BY_GOOGLE");
        assert_eq!(token(Some("Bearer c"), SPENT), Ok("c".into()));
        for nothing_better in [None, Some("Basic c"), Some("Bearer"), Some("Bearer c d")] {
            assert_eq!(token(nothing_better, SPENT), Ok("a.b.SIGNATURE_REMOVED_BY_GOOGLE".into()));
        }
        assert_eq!(token(Some("Bearer c"), Some("Basic b")), Err(ErrorCode::TokenMissing));
    }

    #[test]
    fn everything_else_is_refused() {
        for missing in [None, Some(""), Some("Basic a"), Some("Bearer"), Some("Bearer "), Some("Bearera")] {
            assert_eq!(token(missing, None), Err(ErrorCode::TokenMissing), "{missing:?}");
        }
        // Some hosts and proxies join several values with commas.
        for several in ["Bearer a b", "Bearer a, Bearer b", "Bearer a,Bearer b", "Bearer a,b", "Bearer a,"] {
            assert_eq!(token(Some(several), None), Err(ErrorCode::TokenMalformed), "{several}");
        }
    }

    #[test]
    fn a_header_that_occurs_twice_is_refused() {
        for twice in
            ["Bearer a\nBearer a", "Bearer a\nBearer b", "Bearer a\n", "\nBearer a", "Basic a\nBearer b"]
        {
            let refused = Err(ErrorCode::TokenMalformed);
            assert_eq!(token(Some(twice), None), refused, "{twice:?}");
            assert_eq!(token(None, Some(twice)), refused, "{twice:?}");
            assert_eq!(token(Some("Bearer a"), Some(twice)), refused, "{twice:?}");
            assert_eq!(token(Some(twice), Some("Bearer a")), refused, "{twice:?}");
            let headers = TokenHeaders { x_goog_iap_jwt_assertion: Some(twice), ..TokenHeaders::default() };
            assert_eq!(iap_assertion(&headers).map_err(|error| error.code()), Err(ErrorCode::TokenMalformed));
        }
        let elsewhere = TokenHeaders {
            authorization: Some("Bearer a\nBearer b"),
            x_goog_iap_jwt_assertion: Some(" a "),
            ..TokenHeaders::default()
        };
        assert_eq!(iap_assertion(&elsewhere), Ok("a"), "IAP leaves Authorization to the application");
    }

    #[test]
    fn the_log_shows_code_path_and_claimed_caller_and_no_token() {
        let log = |code, path: &str| RefusalLog::new(code, "too late", Some("a@b\n"), path);
        let line = log(ErrorCode::TokenExpired, "/orders/7?token=hush");
        assert_eq!(line.level, "warning");
        assert_eq!(
            line.message,
            "refused with 401 TOKEN_EXPIRED: path \"/orders/7\", claimed e-mail (unverified) \"a@b\\n\": too late"
        );
        assert_eq!(log(ErrorCode::KeysUnavailable, "/").level, "error");
        assert!(!log(ErrorCode::TokenMissing, "/eyJhbGciOiJ").message.contains("eyJ"));
        let nobody = RefusalLog::new(ErrorCode::TokenMissing, "none", None, "/");
        assert!(nobody.message.contains("claimed e-mail (unverified) none"));
    }

    #[test]
    fn a_token_that_no_header_can_carry_is_refused() {
        for token in ["a", "ya29.c.x", &"x".repeat(MAX_TOKEN_BYTES)] {
            assert_eq!(check_token_text(token), Ok(()));
        }
        for token in ["", "a b", "a\n", "é", &"x".repeat(MAX_TOKEN_BYTES + 1)] {
            let code = check_token_text(token).map_err(|error| error.code());
            assert_eq!(code, Err(ErrorCode::TokenResponseInvalid));
        }
    }

    #[test]
    fn refusals_follow_the_code() {
        let refusal = |code| Refusal::from(&Error::new(code, ""));
        let expired = refusal(ErrorCode::TokenExpired);
        let asked = ("WWW-Authenticate", "Bearer error=\"invalid_token\"");
        assert_eq!((expired.status, expired.headers[1]), (401, asked));
        let missing = refusal(ErrorCode::TokenMissing);
        assert_eq!((missing.status, missing.headers[1]), (401, ("WWW-Authenticate", "Bearer")));
        let stranger = refusal(ErrorCode::EmailNotAllowed);
        let asked = ("WWW-Authenticate", "Bearer error=\"insufficient_scope\"");
        assert_eq!((stranger.status, stranger.headers[1]), (403, asked));
        let unavailable = refusal(ErrorCode::KeysUnavailable);
        assert_eq!((unavailable.status, unavailable.headers[1]), (503, ("Retry-After", "5")));
        assert_eq!(unavailable.body, r#"{"error":"KEYS_UNAVAILABLE"}"#);
    }
}
