//! What every binding of gatepass shares: handles, the JSON form of steps and replies, and the panic boundary.
//!
//! A binding is a thin shell around this crate: it converts its language's strings and numbers, and calls. On the
//! cold path (options, steps, replies, errors) everything is JSON text, so a new field breaks no binding; on the hot
//! path (a warm token, a verification) it is plain text and integers.

#![forbid(unsafe_code)]

mod explain;
mod failure;
mod members;
mod op;
mod options;
mod source;
mod verifier;

pub use explain::{begin_explain_token, explain_token};
pub use failure::{Failure, guard};
pub use gatepass_core::PLACES;
pub use gatepass_core::{BadKey, HostCrypto, Primitive, set_host_crypto};
pub use gatepass_core::{Now, OpenSignature, PublicJwk, Recall, SignatureToCheck, TokenDigest, Verified};
pub use op::Op;
pub use source::{Lookup, Source, TokenView};
pub use verifier::{CheckStep, KeyCache, RequestHeaders, TokenCheck, Verdict, Verifier};

use gatepass_core::{ErrorCode, Millis, Monotonic, RefusalLog, json};

/// The version of gatepass, the same in all its packages.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The readings of a host's clocks: Unix milliseconds, and milliseconds of a clock that is never set.
pub const fn now(now_ms: u64, monotonic_ms: u64) -> Now {
    Now { unix: Millis(now_ms), monotonic: Monotonic(monotonic_ms) }
}

/// Every error code as a JSON array: `code`, `number`, `kind`, `http_status`, `retryable`, `advice`.
pub fn error_codes() -> String {
    json::list(ErrorCode::ALL.iter().map(|code| {
        json::object(|object| {
            object
                .text("advice", code.advice())
                .text("code", code.as_str())
                .number("http_status", code.http_status().into())
                .text("kind", code.kind().as_str())
                .number("number", *code as u64)
                .boolean("retryable", code.is_retryable());
        })
    }))
}

/// The bounds that hosts keep to, as a JSON object: `places` for remembered tokens, `body_bytes` of a response or a file,
/// `stderr_bytes` of a program, `held_tokens` that a host keeps by its own means, and how often it `looks` at most until
/// an answer is final.
pub fn limits() -> String {
    json::object(|object| {
        object
            .number("body_bytes", gatepass_core::BODY_LIMIT as u64)
            .number("held_tokens", 1_000)
            .number("looks", 1_000)
            .number("places", PLACES)
            .number("stderr_bytes", gatepass_core::STDERR_LIMIT as u64);
    })
}

/// The names of the headers that may carry a token, a JSON array: in lower case, and in the order of [`RequestHeaders`].
pub fn token_headers() -> String {
    json::texts(&gatepass_core::TOKEN_HEADERS)
}

/// What a service writes to its log about a request of this path that it has refused: `{"level":"warning"|"error",
/// "message":…}`. `error` is the error as it came across the border; of it `code`, `message` and `claimed_email` count.
///
/// # Errors
/// `API_MISUSE` when `error` is no such error.
pub fn refusal_log(error: &str, path: &str) -> Result<String, Failure> {
    guard(|| {
        let error = json::value(error.as_bytes()).unwrap_or(json::Value::Null);
        let text = |name: &str| error.member(name).and_then(json::Value::as_str);
        let code = ErrorCode::ALL.iter().find(|code| Some(code.as_str()) == text("code"));
        let (Some(code), Some(message)) = (code, text("message")) else {
            return Err(Failure::misuse("the error is none of gatepass, expected its JSON form"));
        };
        let RefusalLog { level, message } = RefusalLog::new(*code, message, text("claimed_email"), path);
        Ok(json::object(|object| {
            object.text("level", level).text("message", &message);
        }))
    })
}

/// Refuses a token for its length alone, so that nobody has to hand it over.
///
/// # Errors
/// `TOKEN_TOO_LARGE`.
pub fn check_token_length(length: usize) -> Result<(), Failure> {
    Ok(gatepass_core::check_token_length(length)?)
}

/// The audience to ask for when calling `url`; see [`gatepass_core::audience_for_url`].
///
/// # Errors
/// `INVALID_AUDIENCE`.
pub fn audience_for_url(url: &str) -> Result<String, Failure> {
    guard(|| Ok(gatepass_core::audience_for_url(url)?))
}

/// How a request carries its token: `{"url":…, "kind":"id_token"|"access_token", "audience":…, "token_header":…,
/// "allow_plain_http":…, "grpc":…}` gives `{"audience":…|null, "headers":[…]}`; see [`gatepass_core::plan_call`].
///
/// # Errors
/// `INVALID_OPTION`, `INVALID_AUDIENCE`.
pub fn plan_call(call: &str) -> Result<String, Failure> {
    guard(|| {
        let plan = options::plan_call(call)?;
        Ok(json::object(|object| {
            object
                .text_or_null("audience", plan.audience.as_deref())
                .json("headers", &json::texts(plan.headers));
        }))
    })
}

/// Both spellings of a URL that is its own audience, as a JSON array; see [`gatepass_core::same_audience_spellings`].
pub fn same_audience_spellings(audience: &str) -> String {
    json::texts(&gatepass_core::same_audience_spellings(audience))
}
