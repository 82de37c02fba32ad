//! Checking received tokens: a verifier is an object of functions.
//!
//! It is no class, because napi-rs looks up and locks the receiver with every call of a method, in tables that all
//! threads share; that takes longer than all there is to do for a token that is remembered. A closure has its verifier
//! at hand.

use std::rc::Rc;

use gatepass_bridge::{self as bridge, Now, RequestHeaders};
use napi::bindgen_prelude::{Either3, FunctionCallContext, Latin1String, Object, Utf16String};
use napi::{Env, Result};
use napi_derive::napi;

use crate::{Op, millis, now, thrown};

/// What is usual is a plain value, because objects are dear: the entry of a token that was accepted before, or the payload
/// of one that is new, is proven, and leaves nothing to be done.
type Answer = Either3<f64, Latin1String, Verdict>;

/// The answer to "is this token to be accepted?".
#[napi(object, object_from_js = false)]
pub struct Verdict {
    /// `accepted`, `needs_keys` or `join`.
    pub status: &'static str,
    /// The token's payload, JSON: accepted has one.
    pub payload: Option<String>,
    /// Whether nothing proves the payload: accepted says so.
    #[napi(js_name = "is_unverified")]
    pub is_unverified: Option<bool>,
    /// By what number this token is answered from now on; 0 when it is not remembered. Accepted has one.
    pub entry: Option<f64>,
    /// The flight to wait for, before checking again.
    pub flight: Option<f64>,
    /// The operation to drive.
    pub op: Option<Op>,
}

/// The keys of issuers, shared by the verifiers that are opened with it.
#[napi]
pub struct KeyCache(bridge::KeyCache);

#[napi]
impl KeyCache {
    /// An empty cache.
    #[napi(constructor)]
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Self(bridge::KeyCache::new())
    }
}

/// The operation that makes a verifier with these options, as JSON. Its only step is `read_env`; when it is done,
/// `op.verifier()` gives the verifier.
///
/// # Errors
/// `INVALID_OPTION`.
#[napi]
pub fn open_verifier(options: String, keys: &KeyCache) -> Result<Op> {
    bridge::Verifier::open(&options, &keys.0).map(Op).map_err(thrown)
}

/// A verifier's functions:
///
/// * `verify(token, now_ms, monotonic_ms, whole)`: the entry of a token that is remembered, a number; the payload of another one, a
///   string; or the [`Verdict`], which it always is if `whole` says so.
/// * `verifyHeaders(authorization, x_serverless_authorization, x_goog_iap_jwt_assertion, now_ms, monotonic_ms, whole)`: the
///   same for the token of a request with these headers, each with all its values and a line feed between each two; one
///   that the request has not is undefined.
/// * `explain(token, place, now_ms)`: see [`bridge::Verifier::explain`].
///
/// They throw why the token is refused.
pub(crate) fn functions(env: &Env, verifier: bridge::Verifier) -> Result<Object<'_>> {
    let verifier = Rc::new(verifier);
    let mut functions = Object::new(env)?;

    let own = Rc::clone(&verifier);
    let verify = move |call: FunctionCallContext<'_>| {
        let token = bytes(&call.get::<Utf16String>(0)?);
        answer(&own, &token, now(call.get(1)?, call.get(2)?), call.get(3)?)
    };
    functions.set("verify", env.create_function_from_closure::<(), _, _>("verify", verify)?)?;

    let own = Rc::clone(&verifier);
    let verify_headers = move |call: FunctionCallContext<'_>| {
        let headers = Headers::of(&call)?;
        let token = own.token_from_headers(&headers.borrow()).map_err(thrown)?;
        answer(&own, token.as_bytes(), now(call.get(3)?, call.get(4)?), call.get(5)?)
    };
    functions.set(
        "verifyHeaders",
        env.create_function_from_closure::<(), _, _>("verifyHeaders", verify_headers)?,
    )?;

    let explain = move |call: FunctionCallContext<'_>| {
        let (token, place) = (call.get::<String>(0)?, call.get::<String>(1)?);
        verifier.explain(&token, &place, millis(call.get(2)?)).map_err(thrown)
    };
    functions.set("explain", env.create_function_from_closure::<(), _, _>("explain", explain)?)?;
    Ok(functions)
}

/// The first three arguments of a call.
struct Headers([Option<String>; 3]);

impl Headers {
    fn of(call: &FunctionCallContext<'_>) -> Result<Self> {
        let header =
            |index| -> Result<Option<String>> { Ok(call.get::<Option<Utf16String>>(index)?.map(text)) };
        Ok(Self([header(0)?, header(1)?, header(2)?]))
    }

    fn borrow(&self) -> RequestHeaders<'_> {
        let Self([authorization, serverless, iap]) = self;
        RequestHeaders {
            authorization: authorization.as_deref(),
            x_serverless_authorization: serverless.as_deref(),
            x_goog_iap_jwt_assertion: iap.as_deref(),
        }
    }
}

fn answer(verifier: &bridge::Verifier, token: &[u8], now: Now, is_whole: bool) -> Result<Answer> {
    if is_whole {
        return verifier.check(token, now).map(|verdict| Either3::C(verdict.into())).map_err(thrown);
    }
    let digest = match verifier.recall(token, now) {
        bridge::Recall::Known(entry) => return Ok(Either3::A(entry as f64)),
        bridge::Recall::New(digest) => digest,
    };
    Ok(match verifier.check_new(token, digest, now).map_err(thrown)? {
        // An ASCII string is made several times faster than any other.
        bridge::Verdict::Accepted(verified, None)
            if !verified.is_unverified() && verified.payload().is_ascii() =>
        {
            Either3::B(Latin1String::from(json(verified.payload())))
        }
        verdict => Either3::C(verdict.into()),
    })
}

impl From<bridge::Verdict> for Verdict {
    fn from(verdict: bridge::Verdict) -> Self {
        let nothing =
            |status| Self { status, payload: None, is_unverified: None, entry: None, flight: None, op: None };
        match verdict {
            bridge::Verdict::Accepted(verified, op) => Self {
                payload: Some(json(verified.payload())),
                is_unverified: Some(verified.is_unverified()),
                entry: Some(verified.entry() as f64),
                op: op.map(Op),
                ..nothing("accepted")
            },
            bridge::Verdict::NeedsKeys(op) => Self { op: Some(Op(op)), ..nothing("needs_keys") },
            bridge::Verdict::Join(flight) => Self { flight: Some(flight as f64), ..nothing("join") },
        }
    }
}

/// An accepted payload is UTF-8; the lossy way is only for the type.
fn json(payload: &[u8]) -> String {
    String::from_utf8_lossy(payload).into_owned()
}

fn text(utf16: Utf16String) -> String {
    String::from_utf8(bytes(&utf16)).unwrap_or_default()
}

/// UTF-8 from JavaScript's UTF-16. Not read as Latin-1, which is what a string of ASCII is inside: of any other string Node
/// would drop the upper bytes, and so take it for a token that it is not.
fn bytes(utf16: &[u16]) -> Vec<u8> {
    // Without a branch in the loops, so that the compiler takes many units at once.
    if utf16.iter().fold(0, |all, unit| all | unit) < 0x80 {
        utf16.iter().map(|unit| *unit as u8).collect()
    } else {
        String::from_utf16_lossy(utf16).into_bytes()
    }
}
