//! The claims of accepted tokens as Python objects, kept for tokens that come again.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// The most claims that are kept: a few megabytes.
const MAX_ENTRIES: usize = 4096;

/// What the package made of payloads, by the number under which the core remembers the token.
pub(crate) struct ParsedClaims {
    /// Takes a payload, and whether nothing proves it; gives claims that nobody can change, for all callers share them.
    make: Py<PyAny>,
    entries: Mutex<HashMap<u64, Py<PyAny>>>,
}

impl ParsedClaims {
    pub(crate) fn new(make: Py<PyAny>) -> Self {
        Self { make, entries: Mutex::default() }
    }

    // Under the lock nothing of Python runs: whatever did could come back here.

    /// The claims of the token that the core remembers under this number, if they are kept.
    pub(crate) fn known<'py>(&self, py: Python<'py>, entry: u64) -> Option<Bound<'py, PyAny>> {
        self.lock().get(&entry).map(|claims| claims.bind(py).clone())
    }

    /// The claims that this payload holds.
    pub(crate) fn of<'py>(
        &self,
        py: Python<'py>,
        entry: u64,
        payload: &[u8],
        is_unverified: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        if let Some(known) = self.known(py, entry) {
            return Ok(known);
        }
        let claims = self.make.bind(py).call1((PyBytes::new(py, payload), is_unverified))?;
        // 0: the core does not remember the token.
        if entry != 0 {
            let mut entries = self.lock();
            let dropped = (entries.len() >= MAX_ENTRIES).then(|| std::mem::take(&mut *entries));
            let replaced = entries.insert(entry, claims.clone().unbind());
            drop(entries);
            drop((dropped, replaced));
        }
        Ok(claims)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Py<PyAny>>> {
        // Nothing panics while it is held.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
