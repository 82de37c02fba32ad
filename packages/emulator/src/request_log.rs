//! How often each path was asked for: a test of a cache has nothing better to look at.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// The counts. Paths are as they were in the request line, without the query.
#[derive(Default)]
pub(crate) struct RequestLog {
    counts: Mutex<BTreeMap<String, u64>>,
}

impl RequestLog {
    pub(crate) fn record(&self, path: &str) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(path.to_owned()).or_default() += 1;
    }

    pub(crate) fn counts(&self) -> BTreeMap<String, u64> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn reset(&self) {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
