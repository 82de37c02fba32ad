//! JSON that an endpoint answers with.

use crate::error::{Error, ErrorCode};
use crate::json::{self, Value};

/// Reads the JSON object that `who` answered with.
pub(crate) fn response_members<const N: usize>(
    body: &[u8],
    names: [&str; N],
    who: &str,
) -> Result<[Option<Value>; N], Error> {
    json::members(body, names).map_err(|error| {
        let invalid = Error::new(ErrorCode::TokenResponseInvalid, format!("{who} answered with {error}"));
        // Half a document is a broken connection, not a wrong endpoint.
        if error == json::JsonError::Truncated { invalid.retryable() } else { invalid }
    })
}
