//! gatepass for Python: the module `gatepass._native`, for the package in `packages/python` and nobody else.
//!
//! A thin shell around the bridge: it converts what Python has, and calls. The bridge's JSON is the dictionaries and
//! lists of Python here, its errors are raised as the package's own.
//!
//! Calls keep the interpreter's lock, which also makes `fork` safe; for the one that does not see fork.rs.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyString};

use crate::keys::KeyCache;
use crate::op::Op;
use crate::source::Source;
use crate::token_source::TokenSource;
use crate::verifier::Verifier;

mod claims;
mod clock;
mod fork;
mod interpreter;
mod json;
mod keys;
mod op;
mod source;
mod token_source;
mod verifier;

/// The border between the package `gatepass` and its core.
#[pymodule]
mod _native {
    #[pymodule_export]
    use super::clock::monotonic;
    #[pymodule_export]
    use super::interpreter::bind;
    #[pymodule_export]
    use super::{
        KeyCache, Op, Source, TokenSource, Verifier, audience_for_url, error_codes, explain, limits,
        open_verifier, own_audiences, plan_call, refusal_log, same_audience_spellings, to_json,
        token_headers,
    };

    #[pymodule_export]
    #[allow(non_upper_case_globals, reason = "a Python module's attribute")]
    const version: &str = gatepass_bridge::VERSION;

    #[pymodule_init]
    fn init(module: &pyo3::Bound<'_, pyo3::types::PyModule>) -> pyo3::PyResult<()> {
        super::fork::register(module)
    }
}

/// Every error code: a list of dictionaries.
#[pyfunction]
fn error_codes(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    json::read(py, &gatepass_bridge::error_codes())
}

/// The bounds that hosts keep to; see [`gatepass_bridge::limits`].
#[pyfunction]
fn limits(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    json::read(py, &gatepass_bridge::limits())
}

/// The names of the headers that may carry a token; see [`gatepass_bridge::token_headers`].
#[pyfunction]
fn token_headers(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    json::read(py, &gatepass_bridge::token_headers())
}

/// The operation that makes a verifier with these options. Its only step is `read_env`; when it is done, `Verifier` takes
/// the verifier out of it.
#[pyfunction]
fn open_verifier(options: &Bound<'_, PyDict>, keys: &Bound<'_, KeyCache>) -> PyResult<Op> {
    let op = gatepass_bridge::Verifier::open(&json::write(options)?, keys.get().cache());
    let op = op.map_err(|failure| raise(options.py(), &failure))?;
    Ok(Op::of_verifier(op, keys.get().clone()))
}

/// What a service writes to its log about a request that it has refused: `level` and `message`; see
/// [`gatepass_bridge::refusal_log`]. Of the error `code`, `message` and `claimed_email` count.
#[pyfunction]
fn refusal_log<'py>(error: &Bound<'py, PyDict>, path: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>> {
    let py = path.py();
    let line = gatepass_bridge::refusal_log(&json::write(error)?, &path.to_string_lossy());
    json::read(py, &line.map_err(|failure| raise(py, &failure))?)
}

/// The audience to ask for when calling `url`.
#[pyfunction]
fn audience_for_url(url: &Bound<'_, PyString>) -> PyResult<String> {
    gatepass_bridge::audience_for_url(&url.to_string_lossy()).map_err(|failure| raise(url.py(), &failure))
}

/// How a request carries its token.
#[pyfunction]
fn plan_call<'py>(call: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyAny>> {
    let plan =
        gatepass_bridge::plan_call(&json::write(call)?).map_err(|failure| raise(call.py(), &failure))?;
    json::read(call.py(), &plan)
}

/// Both spellings of a URL that is its own audience.
#[pyfunction]
fn same_audience_spellings<'py>(audience: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>> {
    let spellings = gatepass_bridge::same_audience_spellings(&audience.to_string_lossy());
    json::read(audience.py(), &spellings)
}

/// The operation that asks for the audiences of the Cloud Run service that this process is.
#[pyfunction]
fn own_audiences() -> Op {
    gatepass_bridge::Op::own_audiences().into()
}

/// What this token is, and all that is wrong with it.
#[pyfunction]
fn explain<'py>(
    options: &Bound<'_, PyDict>,
    token: &Bound<'py, PyString>,
    now_ms: f64,
) -> PyResult<Bound<'py, PyAny>> {
    let (py, options) = (token.py(), json::write(options)?);
    let explained = gatepass_bridge::explain_token(&options, &token.to_string_lossy(), now_ms as u64);
    json::read(py, &explained.map_err(|failure| raise(py, &failure))?)
}

/// The JSON of what `json.loads` gives.
#[pyfunction]
fn to_json(value: &Bound<'_, PyAny>) -> PyResult<String> {
    json::write(value)
}

/// The package's own error for what the core found.
fn raise(py: Python<'_>, failure: &gatepass_bridge::Failure) -> PyErr {
    static ERROR_FROM: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let error = || {
        let fields = json::read(py, &failure.to_json())?;
        ERROR_FROM.import(py, "gatepass.errors", "error_from")?.call1((fields,))
    };
    error().map_or_else(|error| error, PyErr::from_value)
}
