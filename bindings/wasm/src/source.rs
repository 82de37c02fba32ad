//! Tokens of one principal.

use gatepass_bridge as bridge;
use wasm_bindgen::JsError;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::{Op, now, thrown};

/// Tokens of one principal, cached.
#[wasm_bindgen]
pub struct Source(bridge::Source);

/// The answer to "which token now?".
#[wasm_bindgen]
pub struct Lookup(bridge::Lookup);

#[wasm_bindgen]
impl Source {
    /// A source with these options, as JSON.
    ///
    /// # Errors
    /// `INVALID_OPTION`.
    #[wasm_bindgen(constructor)]
    pub fn new(options: &str) -> Result<Self, JsError> {
        bridge::Source::new(options).map(Self).map_err(thrown)
    }

    /// The token of `kind` for `target` at this moment, or who gets it.
    ///
    /// # Errors
    /// `INVALID_AUDIENCE` or `INVALID_OPTION`.
    pub fn lookup(
        &self,
        kind: &str,
        target: &str,
        now_ms: f64,
        monotonic_ms: f64,
    ) -> Result<Lookup, JsError> {
        self.0.lookup(kind, target, now(now_ms, monotonic_ms)).map(Lookup).map_err(thrown)
    }

    /// Whether a request that was answered with this status is worth repeating once, after a new look-up.
    ///
    /// # Errors
    /// As `lookup`.
    #[wasm_bindgen(js_name = retryAfterRefusal)]
    pub fn retry_after_refusal(
        &self,
        kind: &str,
        target: &str,
        header: &str,
        status: u16,
        now_ms: f64,
        monotonic_ms: f64,
    ) -> Result<bool, JsError> {
        let now = now(now_ms, monotonic_ms);
        self.0.retry_after_refusal(kind, target, header, status, now).map_err(thrown)
    }

    /// Replaces the token of this header value before its time, at most once a minute.
    ///
    /// # Errors
    /// As `lookup`.
    pub fn invalidate(
        &self,
        kind: &str,
        target: &str,
        header: &str,
        now_ms: f64,
        monotonic_ms: f64,
    ) -> Result<bool, JsError> {
        self.0.invalidate(kind, target, header, now(now_ms, monotonic_ms)).map_err(thrown)
    }

    /// Says who the credentials are: drive it.
    pub fn principal(&self) -> Op {
        Op(self.0.principal())
    }

    /// Signs these bytes as the credentials' service account: drive it.
    #[wasm_bindgen(js_name = signBytes)]
    pub fn sign_bytes(&self, bytes: &[u8]) -> Op {
        Op(self.0.sign_bytes(bytes))
    }

    /// The headers that go with an access token in addition to `Authorization`, as JSON; known once a token was fetched.
    #[wasm_bindgen(js_name = accessTokenHeaders)]
    pub fn access_token_headers(&self) -> String {
        self.0.access_token_headers()
    }
}

#[wasm_bindgen]
impl Lookup {
    /// The answer without the operation, as JSON: `status` is `fresh`, `stale`, `fetch` or `join`. Fresh and stale have
    /// `header`, `expires_at_ms`, `fresh_until_ms` and `fresh_until_monotonic_ms`; join has `flight`.
    #[wasm_bindgen(js_name = toJson)]
    pub fn to_json(&self) -> String {
        self.0.to_json()
    }

    /// The operation to drive, if there is one. It is given once.
    pub fn op(self) -> Option<Op> {
        match self.0 {
            bridge::Lookup::Stale(_, op) => op.map(Op),
            bridge::Lookup::Fetch(op) => Some(Op(op)),
            bridge::Lookup::Fresh(_) | bridge::Lookup::Join(_) => None,
        }
    }
}
