//! gatepass for Python: the module `gatepass._native`, for the package in `packages/python` and nobody else.
//!
//! A thin shell around the bridge: it converts strings and numbers, and calls. Everything runs with the interpreter's
//! lock held, which also makes `fork` safe: no other thread can hold a lock of the core at that moment.

use pyo3::prelude::*;

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
    use super::{Failure, Op, Source, Verifier, audience_for_url, error_codes};

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
fn audience_for_url(url: &Bound<'_, pyo3::types::PyString>) -> PyResult<String> {
    gatepass_bridge::audience_for_url(&url.to_string_lossy()).map_err(raise)
}

fn raise(failure: gatepass_bridge::Failure) -> PyErr {
    Failure::new_err(failure.to_json())
}
