//! gatepass for Node.js: the handles of [`gatepass_bridge`] as classes of a Node-API add-on. Glue only; the package
//! `packages/js` is what users see.
//!
//! Times are milliseconds: `now_ms` since the epoch, `monotonic_ms` of a clock that is never set. Members of the returned objects are spelt as in the bridge's JSON. An error is thrown
//! with the bridge's JSON form of it as its message.

mod verifier;

use gatepass_bridge::{self as bridge, Failure};
use napi::bindgen_prelude::Object;
use napi::{Env, Error, Result};
use napi_derive::napi;

pub use verifier::{KeyCache, Verdict, open_verifier};

/// The version of gatepass, the same in all its packages.
#[napi]
pub const VERSION: &str = bridge::VERSION;

/// How many places there are for remembered tokens: an entry's place is the remainder of its division by this.
#[napi]
pub const PLACES: u32 = bridge::PLACES as u32;

/// Every error code, as a JSON array.
#[napi]
pub fn error_codes() -> String {
    bridge::error_codes()
}

/// The bounds that hosts keep to, as a JSON object; see [`bridge::limits`].
#[napi]
pub fn limits() -> String {
    bridge::limits()
}

/// The names of the headers that may carry a token, as a JSON array; see [`bridge::token_headers`].
#[napi]
pub fn token_headers() -> String {
    bridge::token_headers()
}

/// What a service writes to its log about a request that it has refused, as JSON; see [`bridge::refusal_log`].
///
/// # Errors
/// `API_MISUSE` when `error` is no error of gatepass.
#[napi]
pub fn refusal_log(error: String, path: String) -> Result<String> {
    bridge::refusal_log(&error, &path).map_err(thrown)
}

/// The audience to ask for when calling `url`.
///
/// # Errors
/// `INVALID_AUDIENCE`.
#[napi]
pub fn audience_for_url(url: String) -> Result<String> {
    bridge::audience_for_url(&url).map_err(thrown)
}

/// How a request carries its token, both JSON; see [`bridge::plan_call`].
///
/// # Errors
/// `INVALID_OPTION` or `INVALID_AUDIENCE`.
#[napi]
pub fn plan_call(call: String) -> Result<String> {
    bridge::plan_call(&call).map_err(thrown)
}

/// Both spellings of a URL that is its own audience, as a JSON array.
#[napi]
pub fn same_audience_spellings(audience: String) -> String {
    bridge::same_audience_spellings(&audience)
}

/// Asks for the audiences of the Cloud Run service that this process is: drive it.
#[napi]
pub fn own_audiences() -> Op {
    Op(bridge::Op::own_audiences())
}

/// Explains a token, as JSON; see [`bridge::explain_token`].
///
/// # Errors
/// `INVALID_OPTION` or `INVALID_AUDIENCE`.
#[napi]
pub fn explain(options: String, token: String, now_ms: f64) -> Result<String> {
    bridge::explain_token(&options, &token, millis(now_ms)).map_err(thrown)
}

/// Tokens of one principal, cached.
#[napi]
pub struct Source(bridge::Source);

/// The answer to "which token now?".
#[napi(object, object_from_js = false)]
pub struct Lookup {
    /// `fresh`, `stale`, `fetch` or `join`.
    pub status: &'static str,
    /// The value of the `Authorization` header: fresh and stale have one.
    pub header: Option<String>,
    /// When the token ends.
    #[napi(js_name = "expires_at_ms")]
    pub expires_at_ms: Option<f64>,
    /// Until when the header may be handed out again without a look-up.
    #[napi(js_name = "fresh_until_ms")]
    pub fresh_until_ms: Option<f64>,
    /// The same by the monotonic clock.
    #[napi(js_name = "fresh_until_monotonic_ms")]
    pub fresh_until_monotonic_ms: Option<f64>,
    /// The flight to wait for, before looking again.
    pub flight: Option<f64>,
    /// The operation to drive.
    pub op: Option<Op>,
}

#[napi]
impl Source {
    /// A source with these options, as JSON.
    ///
    /// # Errors
    /// `INVALID_OPTION`.
    #[napi(constructor)]
    pub fn new(options: String) -> Result<Self> {
        bridge::Source::new(&options).map(Self).map_err(thrown)
    }

    /// The token of `kind` for `target` at this moment, or who gets it.
    ///
    /// # Errors
    /// `INVALID_AUDIENCE` or `INVALID_OPTION`.
    #[napi]
    pub fn lookup(&self, kind: String, target: String, now_ms: f64, monotonic_ms: f64) -> Result<Lookup> {
        let found = self.0.lookup(&kind, &target, now(now_ms, monotonic_ms)).map_err(thrown)?;
        Ok(match found {
            bridge::Lookup::Fresh(token) => Lookup::held("fresh", &token, None),
            bridge::Lookup::Stale(token, op) => Lookup::held("stale", &token, op),
            bridge::Lookup::Fetch(op) => Lookup { op: Some(Op(op)), ..Lookup::nothing("fetch") },
            bridge::Lookup::Join(flight) => Lookup { flight: Some(flight as f64), ..Lookup::nothing("join") },
        })
    }

    /// Whether a request that was answered with this status is worth repeating once, after a new look-up.
    ///
    /// # Errors
    /// As `lookup`.
    #[napi]
    pub fn retry_after_refusal(
        &self,
        kind: String,
        target: String,
        header: String,
        status: u16,
        now_ms: f64,
        monotonic_ms: f64,
    ) -> Result<bool> {
        let now = bridge::now(millis(now_ms), millis(monotonic_ms));
        self.0.retry_after_refusal(&kind, &target, &header, status, now).map_err(thrown)
    }

    /// Replaces the token of this header value before its time, at most once a minute.
    ///
    /// # Errors
    /// As `lookup`.
    #[napi]
    pub fn invalidate(
        &self,
        kind: String,
        target: String,
        header: String,
        now_ms: f64,
        monotonic_ms: f64,
    ) -> Result<bool> {
        let now = bridge::now(millis(now_ms), millis(monotonic_ms));
        self.0.invalidate(&kind, &target, &header, now).map_err(thrown)
    }

    /// Says who the credentials are: drive it.
    #[napi]
    pub fn principal(&self) -> Op {
        Op(self.0.principal())
    }

    /// Signs these bytes as the credentials' service account: drive it.
    #[napi]
    pub fn sign_bytes(&self, bytes: &[u8]) -> Op {
        Op(self.0.sign_bytes(bytes))
    }

    /// The headers that go with an access token in addition to `Authorization`, as JSON; known once a token was fetched.
    #[napi]
    pub fn access_token_headers(&self) -> String {
        self.0.access_token_headers()
    }
}

impl Lookup {
    fn held(status: &'static str, token: &bridge::TokenView, op: Option<bridge::Op>) -> Self {
        Self {
            header: Some(token.header().to_owned()),
            expires_at_ms: Some(token.expires_at_ms() as f64),
            fresh_until_ms: Some(token.fresh_until_ms() as f64),
            fresh_until_monotonic_ms: Some(token.fresh_until_monotonic_ms() as f64),
            op: op.map(Op),
            ..Self::nothing(status)
        }
    }

    fn nothing(status: &'static str) -> Self {
        Self {
            status,
            header: None,
            expires_at_ms: None,
            fresh_until_ms: None,
            fresh_until_monotonic_ms: None,
            flight: None,
            op: None,
        }
    }
}

/// An operation under way.
#[napi]
pub struct Op(bridge::Op);

#[napi]
impl Op {
    /// The flight that others join while this operation is under way, if it is one.
    #[napi(getter)]
    pub fn flight(&self) -> Option<f64> {
        self.0.flight().map(|flight| flight as f64)
    }

    /// Takes the reply to the last step and gives the next step, both JSON.
    #[napi]
    pub fn resume(&mut self, now_ms: f64, monotonic_ms: f64, reply: String) -> String {
        self.0.resume(now(now_ms, monotonic_ms), &reply)
    }

    /// The verifier that the operation of `openVerifier` has made, as an object of its functions.
    ///
    /// # Errors
    /// `API_MISUSE` for any other operation, and a second time.
    #[napi]
    pub fn verifier<'env>(&mut self, env: &'env Env) -> Result<Object<'env>> {
        verifier::functions(env, bridge::Verifier::made_by(&mut self.0).map_err(thrown)?)
    }

    /// Ends the operation now and gives its flight up: the garbage collector may take its time.
    #[napi]
    pub fn cancel(&mut self) {
        self.0.cancel();
    }
}

fn thrown(failure: Failure) -> Error {
    Error::from_reason(failure.to_json())
}

fn now(now_ms: f64, monotonic_ms: f64) -> bridge::Now {
    bridge::now(millis(now_ms), millis(monotonic_ms))
}

/// JavaScript's numbers are doubles; what is no moment (negative, not a number) becomes the epoch.
fn millis(now_ms: f64) -> u64 {
    now_ms as u64
}
