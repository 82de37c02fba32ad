//! ID tokens that are at hand: while one is fresh, the core need not be asked for it.

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::clock::Clocks;

// The places in a tuple of the package's `Held`.
const FRESH_UNTIL: [usize; 2] = [0, 1];
const HEADER: usize = 2;
const TOKEN: usize = 3;

/// What the package's `TokenSource` is made of.
#[pyclass(frozen, subclass, module = "gatepass._native")]
pub(crate) struct TokenSource {
    clocks: Clocks,
    /// By audience; the package keeps them there.
    #[pyo3(get, name = "_id_tokens")]
    id_tokens: Py<PyDict>,
}

#[pymethods]
impl TokenSource {
    #[new]
    fn new(py: Python<'_>, clock: Py<PyAny>, monotonic: Option<Py<PyAny>>) -> Self {
        Self { clocks: Clocks::new(clock, monotonic), id_tokens: PyDict::new(py).unbind() }
    }

    /// The ID token for `audience`: the receiver's URL, a custom audience, or the OAuth client id of IAP.
    ///
    /// Raises:
    ///     CredentialsError: The credentials cannot be found, read or used.
    ///     TransportError: The endpoint that gives the token cannot be reached.
    ///     GatepassError: The audience makes no sense.
    // This and the next here and not in Python, so that a token that is at hand takes one call.
    fn fetch_id_token<'py>(
        slf: &Bound<'py, Self>,
        audience: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        Self::held(slf, audience)?.get_item(TOKEN)
    }

    /// The value of an `Authorization` header with the token of `fetch_id_token`.
    fn id_token_header<'py>(
        slf: &Bound<'py, Self>,
        audience: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        Self::held(slf, audience)?.get_item(HEADER)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.clocks.traverse(&visit)?;
        visit.call(&self.id_tokens)
    }
}

impl TokenSource {
    fn held<'py>(slf: &Bound<'py, Self>, audience: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyTuple>> {
        let (py, source) = (slf.py(), slf.get());
        // An audience that no dictionary can hold is none: `_fetch_now` says so.
        if let Ok(Some(held)) = source.id_tokens.bind(py).get_item(audience) {
            let held = held.cast_into::<PyTuple>()?;
            if source.is_fresh(&held)? {
                return Ok(held);
            }
        }
        let fetched = slf.call_method1(intern!(py, "_fetch_now"), (intern!(py, "id_token"), audience))?;
        Ok(fetched.cast_into::<PyTuple>()?)
    }

    fn is_fresh(&self, held: &Bound<'_, PyTuple>) -> PyResult<bool> {
        let [wall, monotonic] = self.clocks.seconds(held.py())?;
        let [until, until_monotonic] = FRESH_UNTIL;
        let is_before =
            |now: f64, place| PyResult::Ok(now < held.get_borrowed_item(place)?.extract::<f64>()?);
        Ok(is_before(wall, until)? && is_before(monotonic, until_monotonic)?)
    }
}
