//! What a token is, and all that is wrong with it.

use gatepass_bridge as bridge;
use wasm_bindgen::JsError;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::{Op, Verifier, millis, thrown};

/// The operation that explains a token, whose output is the explanation; see [`bridge::begin_explain_token`].
///
/// # Errors
/// `INVALID_OPTION` or `INVALID_AUDIENCE`.
#[wasm_bindgen]
pub fn explain(options: &str, token: &str, now_ms: f64) -> Result<Op, JsError> {
    bridge::begin_explain_token(options, token, millis(now_ms)).map(Op).map_err(thrown)
}

#[wasm_bindgen]
impl Verifier {
    /// The operation that explains a token to this verifier; see [`bridge::Verifier::begin_explain`].
    ///
    /// # Errors
    /// `INVALID_OPTION`.
    pub fn explain(&self, token: &str, place: &str, now_ms: f64) -> Result<Op, JsError> {
        self.0.begin_explain(token, place, millis(now_ms)).map(Op).map_err(thrown)
    }
}
