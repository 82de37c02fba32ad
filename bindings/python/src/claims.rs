//! The claims of accepted tokens as Python objects, kept for tokens that come again.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict, PyList};

/// As many as the core remembers tokens.
const MAX_ENTRIES: usize = 16 * 1024;

/// Parsed claims, by the address of the payload that they were parsed from.
///
/// While the core remembers a token its payload stays where it is, so the address finds the claims without a hash of
/// the payload. It is no more than a hint: the payload itself decides, for an address may be used again.
#[derive(Default)]
pub(crate) struct ParsedClaims(Mutex<HashMap<usize, Entry>>);

struct Entry {
    payload: Box<[u8]>,
    claims: Py<PyDict>,
}

impl ParsedClaims {
    /// The claims of this payload, in a dictionary of the caller's own.
    pub(crate) fn of<'py>(&self, py: Python<'py>, payload: &[u8]) -> PyResult<Bound<'py, PyDict>> {
        if let Some(known) = self.known(py, payload) {
            return known.bind(py).copy();
        }
        static LOADS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let loads = LOADS.import(py, "json", "loads")?;
        let claims = loads.call1((PyBytes::new(py, payload),))?.cast_into::<PyDict>()?;
        // A copy shares what is inside: only flat claims can be given to several callers.
        let is_flat =
            |value: Bound<'py, PyAny>| !value.is_instance_of::<PyDict>() && !value.is_instance_of::<PyList>();
        if claims.iter().all(|(_, value)| is_flat(value)) {
            self.keep(payload, claims.copy()?.unbind());
        }
        Ok(claims)
    }

    // Under the lock nothing of Python runs: whatever did could come back here.

    fn known(&self, py: Python<'_>, payload: &[u8]) -> Option<Py<PyDict>> {
        let entries = self.lock();
        let entry = entries.get(&payload.as_ptr().addr()).filter(|entry| *entry.payload == *payload)?;
        Some(entry.claims.clone_ref(py))
    }

    fn keep(&self, payload: &[u8], claims: Py<PyDict>) {
        let entry = Entry { payload: payload.into(), claims };
        let mut entries = self.lock();
        let dropped =
            if entries.len() < MAX_ENTRIES { HashMap::new() } else { std::mem::take(&mut *entries) };
        let replaced = entries.insert(payload.as_ptr().addr(), entry);
        drop(entries);
        drop((dropped, replaced));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<usize, Entry>> {
        // Nothing panics while it is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
