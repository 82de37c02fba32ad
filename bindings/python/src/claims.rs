//! The claims of accepted tokens as Python objects, kept for tokens that come again.

use std::sync::{Mutex, PoisonError};

use gatepass_bridge::PLACES;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

use crate::json;

/// The claims of the tokens that the core remembers, by the numbers under which it does: each at the place that its
/// number tells, until the core gives the place to another token.
#[derive(Default)]
pub(crate) struct KeptClaims(Mutex<Vec<Option<Kept>>>);

/// The number of a token, and its claims.
type Kept = (u64, Py<PyAny>);

impl KeptClaims {
    /// The claims of the token with this number, if they are kept.
    pub(crate) fn get<'py>(&self, py: Python<'py>, entry: u64) -> Option<Bound<'py, PyAny>> {
        // Under the lock nothing of Python runs, which could come back here; nor does anything panic.
        let places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match places.get(place(entry))? {
            Some((kept, claims)) if *kept == entry => Some(claims.bind(py).clone()),
            _ => None,
        }
    }

    /// Keeps the claims of the token with this number.
    pub(crate) fn put(&self, entry: u64, claims: &Bound<'_, PyAny>) {
        let mut claims = Some((entry, claims.clone().unbind()));
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if places.len() <= place(entry) {
            places.resize_with(place(entry) + 1, || None);
        }
        if let Some(old) = places.get_mut(place(entry)) {
            std::mem::swap(old, &mut claims);
        }
        drop(places);
        drop(claims);
    }
}

fn place(entry: u64) -> usize {
    (entry % PLACES) as usize
}

/// What a payload says, as claims that nobody can change, for all callers share them.
pub(crate) fn read<'py>(py: Python<'py>, payload: &[u8], is_unverified: bool) -> PyResult<Bound<'py, PyAny>> {
    static CLAIMS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    static UNVERIFIED_CLAIMS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    static OBJECT: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    static ARRAY: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let whole = if is_unverified {
        UNVERIFIED_CLAIMS.import(py, "gatepass.claims", "UnverifiedClaims")?
    } else {
        CLAIMS.import(py, "gatepass.claims", "Claims")?
    };
    let object = OBJECT.import(py, "gatepass.claims", "Object")?;
    let array = ARRAY.import(py, "gatepass.claims", "Array")?;
    json::read_as(payload, json::Classes { whole, object, array })
}
