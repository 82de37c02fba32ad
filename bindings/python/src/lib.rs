//! gatepass for Python: the module `gatepass._native`, for the package in `packages/python` and nobody else.
//!
//! A thin shell around the bridge: it converts strings and numbers, and calls. Everything runs with the interpreter's
//! lock held, which also makes `fork` safe: no other thread can hold a lock of the core at that moment.

use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::op::Op;
use crate::source::Source;
use crate::verifier::Verifier;

mod claims;
mod op;
mod source;
mod verifier;

pyo3::create_exception!(
    gatepass._native,
    Failure,
    pyo3::exceptions::PyException,
    "An error of the core. Its only argument is the error's JSON form."
);

/// The border between the package `gatepass` and its core.
#[pymodule]
mod _native {
    #[pymodule_export]
    use super::{
        Failure, Op, Source, Verifier, audience_for_url, error_codes, explain, own_audiences,
        same_audience_spellings,
    };

    #[pymodule_export]
    #[allow(non_upper_case_globals, reason = "a Python module's attribute")]
    const version: &str = gatepass_bridge::VERSION;
}

/// Every error code as a JSON array.
#[pyfunction]
fn error_codes() -> String {
    gatepass_bridge::error_codes()
}

/// The audience to ask for when calling `url`.
#[pyfunction]
fn audience_for_url(url: &Bound<'_, PyString>) -> PyResult<String> {
    gatepass_bridge::audience_for_url(&url.to_string_lossy()).map_err(raise)
}

/// Both spellings of a URL that is its own audience, as a JSON array.
#[pyfunction]
fn same_audience_spellings(audience: &Bound<'_, PyString>) -> String {
    gatepass_bridge::same_audience_spellings(&audience.to_string_lossy())
}

/// The operation that asks for the audiences of the Cloud Run service that this process is.
#[pyfunction]
fn own_audiences() -> Op {
    gatepass_bridge::Op::own_audiences().into()
}

/// What this token is, and all that is wrong with it, as JSON. `options` are JSON too.
#[pyfunction]
fn explain(options: &str, token: &Bound<'_, PyString>, now_ms: f64) -> PyResult<String> {
    gatepass_bridge::explain_token(options, &token.to_string_lossy(), now_ms as u64).map_err(raise)
}

fn raise(failure: gatepass_bridge::Failure) -> PyErr {
    Failure::new_err(failure.to_json())
}
