//! The C ABI of gatepass: the functions of `include/gatepass.h`, which states their contract.
//!
//! A function here checks its pointers and lengths, calls the bridge within `boundary`, and hands the result
//! over as plain bytes and integers. Nothing is decided in this crate.

// C calls with raw pointers. Every block that follows one says why it may.
#![allow(unsafe_code)]
// What a caller must keep to is the same for all functions, and is stated at the top of the header.
#![allow(clippy::missing_safety_doc)]
// The names are C's.
#![allow(non_camel_case_types)]

mod boundary;
mod memory;

use std::ffi::c_char;
use std::ptr;
use std::sync::{Mutex, OnceLock, PoisonError};

use gatepass_bridge::{KeyCache, Lookup, Op, Recall, RequestHeaders, Source, Verdict, Verifier, guard, now};

pub use memory::{gp_buf, gp_slice};

use boundary::{border, bytes, free, handle, header, out, text};

/// `GP_OK`, or the number of an error code: see `gp_error_codes`. Numbers are never reused.
pub type gp_status = i32;

/// The call has succeeded.
pub const GP_OK: gp_status = 0;

/// What a lookup or a check has found. Numbers are never reused.
#[repr(C)]
#[derive(Clone, Copy)]
pub enum gp_answer {
    /// The call has failed.
    GP_NOTHING = 0,
    /// Use the token; the same header may be used until `fresh_until_ms` or `fresh_until_monotonic_ms`.
    GP_FRESH = 1,
    /// Use the token; drive `op`, if it is not null, in the background.
    GP_STALE = 2,
    /// Drive `op`; its last step holds the token.
    GP_FETCH = 3,
    /// Wait until the operation of this `flight` has ended, then ask again.
    GP_JOIN = 4,
    /// The token is verified; drive `op`, if it is not null, in the background.
    GP_ACCEPTED = 5,
    /// Drive `op`, then check again.
    GP_NEEDS_KEYS = 6,
}

/// Tokens of one principal, cached. Usable from any number of threads at once.
pub struct gp_source(Source);

/// Checks received tokens. Usable from any number of threads at once.
pub struct gp_verifier(Verifier);

/// The keys of issuers, for all verifiers that are opened with it: those with the same key URL share what was fetched and
/// who fetches it. One for each process. Usable from any number of threads at once, and freed at any time: verifiers
/// keep what they need of it.
pub struct gp_keys(KeyCache);

/// An operation under way. Usable from any thread, by one at a time. It may outlive the source or verifier that it
/// comes from.
pub struct gp_op(Mutex<Op>);

/// The answer of `gp_source_lookup`. The caller owns `op` and `header`.
#[repr(C)]
pub struct gp_lookup {
    /// `GP_FRESH`, `GP_STALE`, `GP_FETCH` or `GP_JOIN`.
    pub answer: gp_answer,
    /// The flight of `op`, or the one to wait for, counted from 1. 0: none, nobody else waits for `op`.
    pub flight: u64,
    /// The operation to drive; null when there is none.
    pub op: *mut gp_op,
    /// The value of the Authorization header, when `GP_FRESH` or `GP_STALE`.
    pub header: gp_buf,
    /// When the token ends.
    pub expires_at_ms: u64,
    /// Until when the header may be used again without a lookup: until either of these two has come.
    pub fresh_until_ms: u64,
    /// The same by the monotonic clock.
    pub fresh_until_monotonic_ms: u64,
}

/// The answer of `gp_verifier_check`. The caller owns `op` and `payload`.
#[repr(C)]
pub struct gp_verdict {
    /// `GP_ACCEPTED`, `GP_NEEDS_KEYS` or `GP_JOIN`.
    pub answer: gp_answer,
    /// The flight of `op`, or the one to wait for, counted from 1. 0: none, nobody else waits for `op`.
    pub flight: u64,
    /// The operation to drive; null when there is none.
    pub op: *mut gp_op,
    /// The token's payload when `GP_ACCEPTED`: one JSON object, as it was signed.
    pub payload: gp_buf,
    /// A number that names this token and no other as long as the verifier lives, by which to keep what was made of the
    /// payload; 0 when the token is not remembered.
    pub entry: u64,
    /// The token's `exp`.
    pub expires_at_ms: u64,
    /// Whether nothing proves the payload: Cloud Run has removed the signature, and the verifier's options say to take
    /// its word. Whoever reads the payload must see it.
    pub is_unverified: bool,
}

/// The version of gatepass, such as "0.1.0". Valid for ever.
#[unsafe(no_mangle)]
pub extern "C" fn gp_version() -> *const c_char {
    const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    VERSION.as_ptr().cast()
}

/// Every error code, as a JSON array of objects with "code", "number", "kind", "http_status", "retryable" and
/// "advice". Valid for ever.
#[unsafe(no_mangle)]
pub extern "C" fn gp_error_codes() -> gp_slice {
    static CODES: OnceLock<String> = OnceLock::new();
    let codes = guard(|| Ok(CODES.get_or_init(gatepass_bridge::error_codes).as_bytes()));
    codes.unwrap_or_default().into()
}

/// The bounds that hosts keep to, as a JSON object: "places" for remembered tokens, "body_bytes" of a response or a file,
/// "stderr_bytes" of a program, "held_tokens" that a host keeps by its own means, and how often it "looks" at most until
/// an answer is final. Valid for ever.
#[unsafe(no_mangle)]
pub extern "C" fn gp_limits() -> gp_slice {
    static LIMITS: OnceLock<String> = OnceLock::new();
    let limits = guard(|| Ok(LIMITS.get_or_init(gatepass_bridge::limits).as_bytes()));
    limits.unwrap_or_default().into()
}

/// The names of the headers that may carry a token, as a JSON array: in lower case, and in the order of the arguments of
/// `gp_verifier_token_from_headers`. Valid for ever.
#[unsafe(no_mangle)]
pub extern "C" fn gp_token_headers() -> gp_slice {
    static NAMES: OnceLock<String> = OnceLock::new();
    let names = guard(|| Ok(NAMES.get_or_init(gatepass_bridge::token_headers).as_bytes()));
    names.unwrap_or_default().into()
}

/// What a service writes to its log about a request of this path that it has refused: the JSON object {"level":"warning"|
/// "error","message":…}. `refusal` is the error as this library gave it; of it "code", "message" and "claimed_email"
/// count. The caller owns `line`. Fails with API_MISUSE only.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gp_refusal_log(
    refusal: gp_slice,
    path: gp_slice,
    line: *mut gp_buf,
    error: *mut gp_buf,
) -> gp_status {
    border!(error, || {
        let line = out!(line = gp_buf::EMPTY)?;
        *line = gatepass_bridge::refusal_log(text!(refusal)?, text!(path)?)?.into();
        Ok(())
    })
}

/// Makes a source from its options: {"seed":…, "credentials_file":…|"credentials_json":…, "impersonate":…,
/// "delegates":[…], "subject":…, "self_signed_access_tokens":…, "gdch_audience":…, "allow_user_id_token":…,
/// "expect_type":…, "quota_project_id":…, "universe_domain":…, "trusted_endpoints":[…]}. The seed is any number below
/// 2^53, different in each process; without credentials they are looked for as Application Default Credentials say,
/// when the first token is fetched. Fails with INVALID_OPTION.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gp_source_new(
    options: gp_slice,
    source: *mut *mut gp_source,
    error: *mut gp_buf,
) -> gp_status {
    border!(error, || {
        let source = out!(source = ptr::null_mut())?;
        *source = boxed(gp_source(Source::new(text!(options)?)?));
        Ok(())
    })
}

/// The token of `kind` for `target`: an "id_token" or a "self_signed_jwt" for an audience, an "access_token" for
/// scopes separated by spaces.
/// Fails with INVALID_AUDIENCE or INVALID_OPTION. Never waits.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gp_source_lookup(
    source: *const gp_source,
    kind: gp_slice,
    target: gp_slice,
    now_ms: u64,
    monotonic_ms: u64,
    lookup: *mut gp_lookup,
    error: *mut gp_buf,
) -> gp_status {
    border!(error, || {
        let lookup = out!(lookup = gp_lookup::nothing())?;
        let gp_source(source) = handle!(source)?;
        *lookup = source.lookup(text!(kind)?, text!(target)?, now(now_ms, monotonic_ms))?.into();
        Ok(())
    })
}

/// Whether a request that was answered with this HTTP status is worth repeating once, after a new lookup: `retry`.
/// After a 401 the token is replaced before its time, at most once a minute. `header` is the value that the request was
/// sent with.
/// Fails with INVALID_AUDIENCE or INVALID_OPTION. Never waits.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gp_source_retry_after_refusal(
    source: *const gp_source,
    kind: gp_slice,
    target: gp_slice,
    header: gp_slice,
    status: u16,
    now_ms: u64,
    monotonic_ms: u64,
    retry: *mut bool,
    error: *mut gp_buf,
) -> gp_status {
    border!(error, || {
        let retry = out!(retry = false)?;
        let gp_source(source) = handle!(source)?;
        let now = now(now_ms, monotonic_ms);
        *retry = source.retry_after_refusal(text!(kind)?, text!(target)?, text!(header)?, status, now)?;
        Ok(())
    })
}

/// Replaces the token of this header value before its time, at most once a minute, for those who write their own
/// client. `changed`: whether a lookup now gives another token than that.
/// Fails with INVALID_AUDIENCE or INVALID_OPTION. Never waits.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gp_source_invalidate(
    source: *const gp_source,
    kind: gp_slice,
    target: gp_slice,
    header: gp_slice,
    now_ms: u64,
    monotonic_ms: u64,
    changed: *mut bool,
    error: *mut gp_buf,
) -> gp_status {
    border!(error, || {
        let changed = out!(changed = false)?;
        let gp_source(source) = handle!(source)?;
        let now = now(now_ms, monotonic_ms);
        *changed = source.invalidate(text!(kind)?, text!(target)?, text!(header)?, now)?;
        Ok(())
    })
}

/// Says who the credentials are: drive `op`. Its last step is {"step":"done","output":{"email":…|null,
/// "project_id":…|null}}. The caller owns `op`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gp_source_principal(
    source: *const gp_source,
    op: *mut *mut gp_op,
    error: *mut gp_buf,
) -> gp_status {
    border!(error, || {
        let op = out!(op = ptr::null_mut())?;
        let gp_source(source) = handle!(source)?;
        (_, *op) = board(source.principal());
        Ok(())
    })
}

/// Signs any bytes as the credentials' service account (RSASSA-PKCS1-v1_5 with SHA-256): drive `op`. Its last step is
/// {"step":"done","output":{"key_id":…|null,"signature":…}}, the signature in base64; it fails with
/// SELF_SIGNED_JWT_UNSUPPORTED where the credentials are no service account's. The caller owns `op`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gp_source_sign_bytes(
    source: *const gp_source,
    bytes: gp_slice,
    op: *mut *mut gp_op,
    error: *mut gp_buf,
) -> gp_status {
    border!(error, || {
        let op = out!(op = ptr::null_mut())?;
        let gp_source(source) = handle!(source)?;
        (_, *op) = board(source.sign_bytes(bytes!(bytes)?));
        Ok(())
    })
}

/// The headers that go with an access token on a call of Google's APIs, besides Authorization: a JSON array of pairs
/// of name and value. They are known once a token was fetched. The caller owns `headers`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gp_source_access_token_headers(
    source: *const gp_source,
    headers: *mut gp_buf,
    error: *mut gp_buf,
) -> gp_status {
    border!(error, || {
        let headers = out!(headers = gp_buf::EMPTY)?;
        let gp_source(source) = handle!(source)?;
        *headers = source.access_token_headers().into();
        Ok(())
    })
}

/// Frees a source. Null is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gp_source_free(source: *mut gp_source) {
    free!(source);
}

/// Makes an empty cache of keys. Never fails, but for a null pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gp_keys_new(keys: *mut *mut gp_keys, error: *mut gp_buf) -> gp_status {
    border!(error, || {
        let keys = out!(keys = ptr::null_mut())?;
        *keys = boxed(gp_keys(KeyCache::new()));
        Ok(())
    })
}

/// Frees a cache of keys. Null is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gp_keys_free(keys: *mut gp_keys) {
    free!(keys);
}

/// The operation that makes a verifier from its options: {"preset":"google"|"cloud_run"|"pubsub"|"cloud_tasks"|
/// "cloud_scheduler"|"eventarc"|"iap"|"firebase"|"oidc", "issuers":[…], "algorithms":[…], "audiences":[…],
/// "any_audience":…, "keys":"…"|"keys_url":…, "leeway_seconds":…, "allowed_emails":[…], "allowed_subjects":[…],
/// "any_caller":…, "trust_cloud_run_and_skip_signature":…, "remembered_bytes":…, "host_cost":{"token":…,"member":…,
/// "byte":…}}. Its only step is "read_env"; its last {"step":"done","output":{"warnings":[…]}}, lines for the log at the
/// level of warnings, and then `gp_op_verifier` gives the verifier. It fails with INVALID_OPTION, which names what is
/// missing. The host's cost is what it spends on a remembered token, on each member of its claims, nested ones
/// included, and on each byte of its payload, estimated from above. The caller owns `op`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gp_verifier_open(
    options: gp_slice,
    keys: *const gp_keys,
    op: *mut *mut gp_op,
    error: *mut gp_buf,
) -> gp_status {
    border!(error, || {
        let op = out!(op = ptr::null_mut())?;
        let gp_keys(keys) = handle!(keys)?;
        (_, *op) = board(Verifier::open(text!(options)?, keys)?);
        Ok(())
    })
}

/// The verifier that the operation of `gp_verifier_open` has made, once its last step is "done". It is given once. The
/// caller owns `verifier`. Fails with API_MISUSE only.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gp_op_verifier(
    op: *mut gp_op,
    verifier: *mut *mut gp_verifier,
    error: *mut gp_buf,
) -> gp_status {
    border!(error, || {
        let verifier = out!(verifier = ptr::null_mut())?;
        *verifier = boxed(gp_verifier(handle!(op)?.locked(Verifier::made_by)?));
        Ok(())
    })
}

/// The number of `token`, any bytes, if it is remembered and to be accepted now: the `entry` that `gp_verifier_check`
/// gave. 0: it is not, or not so simply, and `gp_verifier_check` tells. Never waits.
///
/// Who keeps what it made of payloads by their `entry` asks this first, and builds nothing for a token that it knows.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gp_verifier_recall(
    verifier: *const gp_verifier,
    token: gp_slice,
    now_ms: u64,
    monotonic_ms: u64,
) -> u64 {
    let entry = guard(|| {
        let gp_verifier(verifier) = handle!(verifier)?;
        match verifier.recall(bytes!(token)?, now(now_ms, monotonic_ms)) {
            Recall::Known(entry) => Ok(entry),
            Recall::New(_digest) => Ok(0),
        }
    });
    entry.unwrap_or(0)
}

/// The verdict on `token`, any bytes. Fails with the reason why the token is refused. Never waits.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gp_verifier_check(
    verifier: *const gp_verifier,
    token: gp_slice,
    now_ms: u64,
    monotonic_ms: u64,
    verdict: *mut gp_verdict,
    error: *mut gp_buf,
) -> gp_status {
    border!(error, || {
        let verdict = out!(verdict = gp_verdict::nothing())?;
        let gp_verifier(verifier) = handle!(verifier)?;
        *verdict = verifier.check(bytes!(token)?, now(now_ms, monotonic_ms))?.into();
        Ok(())
    })
}

/// The token of a request with these headers, any bytes; a slice with a null pointer means a header that the request
/// does not have. Each is given with all its values, and a line feed between each two: which no value can hold. A header
/// that occurs more than once is refused. The caller owns `token`. Fails with TOKEN_MISSING or TOKEN_MALFORMED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gp_verifier_token_from_headers(
    verifier: *const gp_verifier,
    authorization: gp_slice,
    x_serverless_authorization: gp_slice,
    x_goog_iap_jwt_assertion: gp_slice,
    token: *mut gp_buf,
    error: *mut gp_buf,
) -> gp_status {
    border!(error, || {
        let token = out!(token = gp_buf::EMPTY)?;
        let gp_verifier(verifier) = handle!(verifier)?;
        let authorization = header!(authorization)?;
        let x_serverless_authorization = header!(x_serverless_authorization)?;
        let x_goog_iap_jwt_assertion = header!(x_goog_iap_jwt_assertion)?;
        let headers = RequestHeaders {
            authorization: authorization.as_deref(),
            x_serverless_authorization: x_serverless_authorization.as_deref(),
            x_goog_iap_jwt_assertion: x_goog_iap_jwt_assertion.as_deref(),
        };
        *token = verifier.token_from_headers(&headers)?.into();
        Ok(())
    })
}

/// Explains a token: what it is, and all that is wrong with it. With a verifier, to that one, with the keys that it
/// holds; `options` are then {"url":…, "header":…}: the URL that was called and the name of the header that carried the
/// token. With null, to the verifier whose options are among these, as far as they are known. All options may be left
/// out, and no keys are fetched.
///
/// The explanation is JSON, and does not show the token; its members are described in bindings/bridge/src/explain.rs. The caller
/// owns it. Fails with INVALID_OPTION or INVALID_AUDIENCE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gp_explain(
    verifier: *const gp_verifier,
    options: gp_slice,
    token: gp_slice,
    now_ms: u64,
    explanation: *mut gp_buf,
    error: *mut gp_buf,
) -> gp_status {
    border!(error, || {
        let explanation = out!(explanation = gp_buf::EMPTY)?;
        let options = text!(options)?;
        // What is no UTF-8 is no token: it is explained as such.
        let token = String::from_utf8_lossy(bytes!(token)?);
        let json = match handle!(verifier) {
            Ok(gp_verifier(verifier)) => verifier.explain(&token, options, now_ms)?,
            Err(_null) => gatepass_bridge::explain_token(options, &token, now_ms)?,
        };
        *explanation = json.into();
        Ok(())
    })
}

/// Frees a verifier. Null is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gp_verifier_free(verifier: *mut gp_verifier) {
    free!(verifier);
}

/// Takes the reply to the last step, {"reply":"start"} at first, and gives the next step, both JSON. The caller owns
/// `step`. A failed operation is a step too; the call itself fails only with API_MISUSE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gp_op_resume(
    op: *mut gp_op,
    now_ms: u64,
    monotonic_ms: u64,
    reply: gp_slice,
    step: *mut gp_buf,
    error: *mut gp_buf,
) -> gp_status {
    border!(error, || {
        let step = out!(step = gp_buf::EMPTY)?;
        let op = handle!(op)?;
        let reply = text!(reply)?;
        *step = op.locked(|op| op.resume(now(now_ms, monotonic_ms), reply)).into();
        Ok(())
    })
}

/// Ends an operation and gives its flight up, so that another caller can be chosen. Null is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gp_op_cancel(op: *mut gp_op) {
    let _ = guard(|| {
        handle!(op)?.locked(Op::cancel);
        Ok(())
    });
}

/// Frees an operation; ends it first, as `gp_op_cancel` does. Null is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gp_op_free(op: *mut gp_op) {
    free!(op);
}

/// The audience to ask for when calling `url`, by the rules of Cloud Run. The caller owns `audience`. Fails with
/// INVALID_AUDIENCE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gp_audience_for_url(
    url: gp_slice,
    audience: *mut gp_buf,
    error: *mut gp_buf,
) -> gp_status {
    border!(error, || {
        let audience = out!(audience = gp_buf::EMPTY)?;
        *audience = gatepass_bridge::audience_for_url(text!(url)?)?.into();
        Ok(())
    })
}

/// How a request carries its token: `call` is {"url":…, "kind":"id_token"|"access_token", "audience":…,
/// "token_header":"authorization"|"x-serverless-authorization"|"both", "allow_plain_http":…}, all but the URL of which
/// may be left out; `plan` is {"audience":…|null, "headers":[…]}. The caller owns `plan`. Ask anew for every redirect
/// that is followed with a token.
/// Fails with INVALID_OPTION or INVALID_AUDIENCE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gp_plan_call(call: gp_slice, plan: *mut gp_buf, error: *mut gp_buf) -> gp_status {
    border!(error, || {
        let plan = out!(plan = gp_buf::EMPTY)?;
        *plan = gatepass_bridge::plan_call(text!(call)?)?.into();
        Ok(())
    })
}

/// Both spellings of a URL that is its own audience, without and with a slash at the end, as a JSON array; anything
/// else comes back alone. The caller owns `spellings`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gp_same_audience_spellings(
    audience: gp_slice,
    spellings: *mut gp_buf,
    error: *mut gp_buf,
) -> gp_status {
    border!(error, || {
        let spellings = out!(spellings = gp_buf::EMPTY)?;
        *spellings = gatepass_bridge::same_audience_spellings(text!(audience)?).into();
        Ok(())
    })
}

/// The operation that asks for the audiences of the Cloud Run service that this process is. Its last step is
/// {"step":"done","output":{"audiences":[…]}}; elsewhere than on Cloud Run it fails with INVALID_AUDIENCE. The caller
/// owns `op`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gp_own_audiences(op: *mut *mut gp_op, error: *mut gp_buf) -> gp_status {
    border!(error, || {
        let op = out!(op = ptr::null_mut())?;
        (_, *op) = board(Op::own_audiences());
        Ok(())
    })
}

/// Overwrites the bytes with zeros and frees them. A buffer with a null pointer is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gp_buf_free(buf: gp_buf) {
    let _ = guard(|| {
        buf.wipe();
        Ok(())
    });
}

impl gp_op {
    /// The lock turns a call from two threads at once, which the contract rules out, into one call after the other.
    fn locked<T>(&self, work: impl FnOnce(&mut Op) -> T) -> T {
        let Self(op) = self;
        work(&mut op.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl gp_lookup {
    const fn nothing() -> Self {
        Self {
            answer: gp_answer::GP_NOTHING,
            flight: 0,
            op: ptr::null_mut(),
            header: gp_buf::EMPTY,
            expires_at_ms: 0,
            fresh_until_ms: 0,
            fresh_until_monotonic_ms: 0,
        }
    }
}

impl From<Lookup> for gp_lookup {
    fn from(lookup: Lookup) -> Self {
        let (answer, token, op, joined) = match lookup {
            Lookup::Fresh(token) => (gp_answer::GP_FRESH, Some(token), None, 0),
            Lookup::Stale(token, op) => (gp_answer::GP_STALE, Some(token), op, 0),
            Lookup::Fetch(op) => (gp_answer::GP_FETCH, None, Some(op), 0),
            Lookup::Join(flight) => (gp_answer::GP_JOIN, None, None, flight),
        };
        let (flight, op) = op.map_or((joined, ptr::null_mut()), board);
        let Some(token) = token else { return Self { answer, flight, op, ..Self::nothing() } };
        Self {
            answer,
            flight,
            op,
            header: token.header().into(),
            expires_at_ms: token.expires_at_ms(),
            fresh_until_ms: token.fresh_until_ms(),
            fresh_until_monotonic_ms: token.fresh_until_monotonic_ms(),
        }
    }
}

impl gp_verdict {
    const fn nothing() -> Self {
        Self {
            answer: gp_answer::GP_NOTHING,
            flight: 0,
            op: ptr::null_mut(),
            payload: gp_buf::EMPTY,
            entry: 0,
            expires_at_ms: 0,
            is_unverified: false,
        }
    }
}

impl From<Verdict> for gp_verdict {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Accepted(verified, op) => {
                let (flight, op) = op.map_or((0, ptr::null_mut()), board);
                Self {
                    answer: gp_answer::GP_ACCEPTED,
                    flight,
                    op,
                    payload: verified.payload().into(),
                    entry: verified.entry(),
                    expires_at_ms: verified.expires_at().0,
                    is_unverified: verified.is_unverified(),
                }
            }
            Verdict::NeedsKeys(op) => {
                let (flight, op) = board(op);
                Self { answer: gp_answer::GP_NEEDS_KEYS, flight, op, ..Self::nothing() }
            }
            Verdict::Join(flight) => Self { answer: gp_answer::GP_JOIN, flight, ..Self::nothing() },
        }
    }
}

/// The flight of an operation, and its handle. The core counts flights from 1.
fn board(op: Op) -> (u64, *mut gp_op) {
    (op.flight().unwrap_or(0), boxed(gp_op(Mutex::new(op))))
}

fn boxed<T>(value: T) -> *mut T {
    Box::into_raw(Box::new(value))
}
