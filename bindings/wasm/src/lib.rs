//! gatepass for JavaScript without native code: the handles of [`gatepass_bridge`] as classes of a WebAssembly module. Glue
//! only; the package `packages/js` is what users see.
//!
//! It is the interface of the add-on for Node.js (`bindings/node`), but for two things: what is done with an object of these
//! classes is said by `free()`, and a token that is not remembered is checked, or any is explained, by an operation, so that
//! its signature can be checked by the runtime. That signs for accounts as well, unless the feature `ring` is on.
//!
//! Times are milliseconds: `now_ms` since the epoch, `monotonic_ms` of a clock that is never set. An error is thrown with
//! the bridge's JSON form of it as its message. After a panic, which is a `WebAssembly.RuntimeError`, the instance is not
//! to be used any more.
//!
//! Without the feature `full` it only verifies.

#[cfg(feature = "full")]
mod calls;
#[cfg(feature = "full")]
mod explain;
#[cfg(feature = "full")]
mod source;
mod verifier;

use gatepass_bridge::{self as bridge, Failure};
use wasm_bindgen::JsError;
use wasm_bindgen::prelude::wasm_bindgen;

#[cfg(feature = "full")]
pub use calls::{audience_for_url, error_codes, plan_call, same_audience_spellings};
#[cfg(feature = "full")]
pub use explain::explain;
#[cfg(feature = "full")]
pub use source::{Lookup, Source};
pub use verifier::{KeyCache, Listener, TokenCheck, Verifier, open_verifier};

/// The version of gatepass, the same in all its packages.
#[wasm_bindgen]
pub fn version() -> String {
    bridge::VERSION.to_owned()
}

/// The bounds that hosts keep to, as a JSON object; see [`bridge::limits`].
#[wasm_bindgen]
pub fn limits() -> String {
    bridge::limits()
}

/// The names of the headers that may carry a token, as a JSON array; see [`bridge::token_headers`].
#[wasm_bindgen(js_name = tokenHeaders)]
pub fn token_headers() -> String {
    bridge::token_headers()
}

/// What a service writes to its log about a request that it has refused, as JSON; see [`bridge::refusal_log`].
///
/// # Errors
/// `API_MISUSE` when `error` is no error of gatepass.
#[wasm_bindgen(js_name = refusalLog)]
pub fn refusal_log(error: &str, path: &str) -> Result<String, JsError> {
    bridge::refusal_log(error, path).map_err(thrown)
}

/// The error of a call that has ended in a panic, as JSON.
#[wasm_bindgen]
pub fn panicked(message: &str) -> String {
    Failure::panicked(message).to_json()
}

/// Asks for the audiences of the Cloud Run service that this process is: drive it.
#[wasm_bindgen(js_name = ownAudiences)]
pub fn own_audiences() -> Op {
    Op(bridge::Op::own_audiences())
}

/// An operation under way.
#[wasm_bindgen]
pub struct Op(bridge::Op);

#[wasm_bindgen]
impl Op {
    /// The flight that others join while this operation is under way, if it is one.
    #[wasm_bindgen(getter)]
    pub fn flight(&self) -> Option<f64> {
        self.0.flight().map(|flight| flight as f64)
    }

    /// Takes the reply to the last step and gives the next step, both JSON.
    pub fn resume(&mut self, now_ms: f64, monotonic_ms: f64, reply: &str) -> String {
        self.0.resume(now(now_ms, monotonic_ms), reply)
    }

    /// The verifier that the operation of `openVerifier` has made.
    ///
    /// # Errors
    /// `API_MISUSE` for any other operation, and a second time.
    pub fn verifier(&mut self) -> Result<Verifier, JsError> {
        bridge::Verifier::made_by(&mut self.0).map(Verifier::from).map_err(thrown)
    }

    /// Ends the operation now and gives its flight up.
    pub fn cancel(&mut self) {
        self.0.cancel();
    }
}

fn thrown(failure: Failure) -> JsError {
    JsError::new(&failure.to_json())
}

fn now(now_ms: f64, monotonic_ms: f64) -> bridge::Now {
    bridge::now(millis(now_ms), millis(monotonic_ms))
}

/// JavaScript's numbers are doubles; what is no moment (negative, not a number) becomes the epoch.
fn millis(now_ms: f64) -> u64 {
    now_ms as u64
}
