//! What a token is, and all that is wrong with it.

use gatepass_bridge as bridge;
use wasm_bindgen::JsError;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::{Verifier, millis, thrown};

/// Explains a token, as JSON; see [`bridge::explain_token`].
///
/// # Errors
/// `INVALID_OPTION` or `INVALID_AUDIENCE`.
#[wasm_bindgen]
pub fn explain(options: &str, token: &str, now_ms: f64) -> Result<String, JsError> {
    bridge::explain_token(options, token, millis(now_ms)).map_err(thrown)
}

#[wasm_bindgen]
impl Verifier {
    /// Explains a token to this verifier; see [`bridge::Verifier::explain`].
    ///
    /// # Errors
    /// `INVALID_OPTION`.
    pub fn explain(&self, token: &str, place: &str, now_ms: f64) -> Result<String, JsError> {
        self.0.explain(token, place, millis(now_ms)).map_err(thrown)
    }
}
