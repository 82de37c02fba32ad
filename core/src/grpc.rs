//! How a gRPC server answers a call that it refuses, and how a client's call ends that can have no token (gRPC
//! documentation, "Status codes"; AIP-193).

use crate::encoding::base64_encode;
use crate::error::{Error, ErrorCode};

/// Who the reasons in `google.rpc.ErrorInfo` belong to.
const DOMAIN: &str = "gatepass.dev";
const ERROR_INFO: &str = "type.googleapis.com/google.rpc.ErrorInfo";
const RETRY_INFO: &str = "type.googleapis.com/google.rpc.RetryInfo";
/// How long a caller is asked to wait where the issuer's keys cannot be had, in seconds.
const RETRY_DELAY_SECONDS: u64 = 5;

/// The number of a gRPC status code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum StatusCode {
    /// The caller is known, and not on the list.
    PermissionDenied = 7,
    /// The server is used in a wrong way by its own program.
    Internal = 13,
    /// The issuer's keys, or the caller's token, cannot be had for the moment: try again.
    Unavailable = 14,
    /// There is no token, or none that is accepted.
    Unauthenticated = 16,
}

impl StatusCode {
    /// How a client's call ends whose token cannot be had because of this error: with `UNAVAILABLE`, which clients repeat,
    /// if the same call may succeed later, else with `UNAUTHENTICATED`.
    pub fn of_call_without_token(error: &Error) -> Self {
        if error.is_retryable() { Self::Unavailable } else { Self::Unauthenticated }
    }
}

/// How a gRPC server answers a call that it refuses.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Status {
    /// The status code.
    pub code: StatusCode,
    /// The error's code and what the caller can do. What was found in the token stays with the server's own log.
    pub message: String,
    /// A serialized `google.rpc.Status` with `ErrorInfo`, whose `reason` is the error's code, and `RetryInfo` where the
    /// call may be repeated: the value of the trailer `grpc-status-details-bin`, in base64.
    pub details: String,
}

impl From<&Error> for Status {
    fn from(error: &Error) -> Self {
        let code = match error.code().http_status() {
            401 => StatusCode::Unauthenticated,
            403 => StatusCode::PermissionDenied,
            503 => StatusCode::Unavailable,
            _ => StatusCode::Internal,
        };
        let message = format!("{}: {}", error.code(), error.code().advice());
        let details = base64_encode(&status(code, &message, error.code()));
        Self { code, message, details }
    }
}

/// `google.rpc.Status`: code = 1, message = 2, details = 3.
fn status(code: StatusCode, message: &str, reason: ErrorCode) -> Vec<u8> {
    let info = [field(1, reason.as_str().as_bytes()), field(2, DOMAIN.as_bytes())].concat();
    let mut status = [number(1, code as u64), field(2, message.as_bytes()), any(ERROR_INFO, &info)].concat();
    if code == StatusCode::Unavailable {
        status.extend(any(RETRY_INFO, &field(1, &number(1, RETRY_DELAY_SECONDS))));
    }
    status
}

/// A detail: `google.protobuf.Any`, type_url = 1, value = 2.
fn any(type_url: &str, value: &[u8]) -> Vec<u8> {
    field(3, &[field(1, type_url.as_bytes()), field(2, value)].concat())
}

/// A field of text, bytes or a message (Protocol Buffers documentation, "Encoding").
fn field(number: u8, value: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2];
    varint(value.len() as u64, &mut out);
    out.extend(value);
    out
}

/// A field of an integer.
fn number(number: u8, value: u64) -> Vec<u8> {
    let mut out = vec![number << 3];
    varint(value, &mut out);
    out
}

fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_follow_the_code() {
        for (code, expected) in [
            (ErrorCode::TokenMissing, StatusCode::Unauthenticated),
            (ErrorCode::TokenExpired, StatusCode::Unauthenticated),
            (ErrorCode::EmailNotAllowed, StatusCode::PermissionDenied),
            (ErrorCode::KeysUnavailable, StatusCode::Unavailable),
            (ErrorCode::ApiMisuse, StatusCode::Internal),
        ] {
            assert_eq!(Status::from(&Error::new(code, "")).code, expected, "{code}");
        }
    }

    #[test]
    fn a_call_without_a_token_may_be_repeated_if_that_can_help() {
        for (code, expected) in [
            (ErrorCode::EndpointUnavailable, StatusCode::Unavailable),
            (ErrorCode::CredentialsNotFound, StatusCode::Unauthenticated),
        ] {
            assert_eq!(StatusCode::of_call_without_token(&Error::new(code, "")), expected, "{code}");
        }
    }

    #[test]
    fn what_was_found_stays_with_the_server() {
        let status = Status::from(&Error::new(ErrorCode::BadAudience, "aud is \"https://other.example\""));
        assert_eq!(
            status.message,
            "BAD_AUDIENCE: have the caller ask for a token with this receiver's audience"
        );
    }

    /// As Google's own protobuf library for Python serializes it.
    #[test]
    fn details_are_a_google_rpc_status() {
        let unavailable = status(StatusCode::Unavailable, "m", ErrorCode::KeysUnavailable);
        let hex: String = unavailable.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, EXPECTED);
    }

    const EXPECTED: &str = "\
        080e12016d1a4c0a28747970652e676f6f676c65617069732e636f6d2f676f6f676c652e7270632e\
        4572726f72496e666f12200a104b4559535f554e415641494c41424c45120c67617465706173732e\
        6465761a300a28747970652e676f6f676c65617069732e636f6d2f676f6f676c652e7270632e5265\
        747279496e666f12040a020805";

    #[test]
    fn lengths_take_as_many_bytes_as_they_need() {
        for (value, bytes) in [
            (0, &[0][..]),
            (127, &[0x7f]),
            (128, &[0x80, 1]),
            (300, &[0xac, 2]),
            (16_384, &[0x80, 0x80, 1]),
            (u64::MAX, &[255, 255, 255, 255, 255, 255, 255, 255, 255, 1]),
        ] {
            let mut out = Vec::new();
            varint(value, &mut out);
            assert_eq!(out, bytes, "{value}");
        }
    }
}
