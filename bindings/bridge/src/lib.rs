//! What every binding of gatepass shares: handles, the JSON form of steps and replies, and the panic boundary.
//!
//! A binding is a thin shell around this crate: it converts its language's strings and numbers, and calls. On the
//! cold path (options, steps, replies, errors) everything is JSON text, so a new field breaks no binding; on the hot
//! path (a warm token, a verification) it is plain text and integers.

#![forbid(unsafe_code)]

mod explain;
mod failure;
mod op;
mod options;
mod source;
mod verifier;

pub use explain::explain_token;
pub use failure::{Failure, guard};
pub use gatepass_core::verify::PLACES;
pub use gatepass_core::{Recall, TokenDigest, Verified};
pub use op::Op;
pub use source::{Lookup, Source, TokenView};
pub use verifier::{RequestHeaders, Verdict, Verifier};

use gatepass_core::ErrorCode;

/// The version of gatepass, the same in all its packages.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Every error code as a JSON array: `code`, `number`, `kind`, `http_status`, `retryable`, `advice`.
pub fn error_codes() -> String {
    let codes = ErrorCode::ALL.iter().map(|code| {
        serde_json::json!({
            "code": code.as_str(),
            "number": *code as i32,
            "kind": code.kind().as_str(),
            "http_status": code.http_status(),
            "retryable": code.is_retryable(),
            "advice": code.advice(),
        })
    });
    serde_json::Value::from_iter(codes).to_string()
}

/// The audience to ask for when calling `url`; see [`gatepass_core::audience`].
///
/// # Errors
/// `INVALID_AUDIENCE`.
pub fn audience_for_url(url: &str) -> Result<String, Failure> {
    guard(|| Ok(gatepass_core::audience::audience_for_url(url)?))
}

/// Both spellings of a URL that is its own audience, as a JSON array; see [`gatepass_core::audience`].
pub fn same_audience_spellings(audience: &str) -> String {
    serde_json::json!(gatepass_core::audience::same_audience_spellings(audience)).to_string()
}
