//! Tokens of calls, but for the tokens themselves.

use gatepass_bridge as bridge;
use wasm_bindgen::JsError;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::thrown;

/// Every error code, as a JSON array.
#[wasm_bindgen(js_name = errorCodes)]
pub fn error_codes() -> String {
    bridge::error_codes()
}

/// The audience to ask for when calling `url`.
///
/// # Errors
/// `INVALID_AUDIENCE`.
#[wasm_bindgen(js_name = audienceForUrl)]
pub fn audience_for_url(url: &str) -> Result<String, JsError> {
    bridge::audience_for_url(url).map_err(thrown)
}

/// How a request carries its token, both JSON; see [`bridge::plan_call`].
///
/// # Errors
/// `INVALID_OPTION` or `INVALID_AUDIENCE`.
#[wasm_bindgen(js_name = planCall)]
pub fn plan_call(call: &str) -> Result<String, JsError> {
    bridge::plan_call(call).map_err(thrown)
}

/// Both spellings of a URL that is its own audience, as a JSON array.
#[wasm_bindgen(js_name = sameAudienceSpellings)]
pub fn same_audience_spellings(audience: &str) -> String {
    bridge::same_audience_spellings(audience)
}
