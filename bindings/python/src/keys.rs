//! The keys of issuers.

use std::sync::Arc;

use pyo3::prelude::*;

use crate::fork::Flights;

/// The keys of issuers, shared by the verifiers that are opened with it.
#[pyclass(frozen, module = "gatepass._native")]
#[derive(Clone)]
pub(crate) struct KeyCache(Arc<Keys>);

struct Keys {
    cache: gatepass_bridge::KeyCache,
    flights: Flights,
}

#[pymethods]
impl KeyCache {
    #[new]
    fn new() -> Self {
        Self(Arc::new(Keys { cache: gatepass_bridge::KeyCache::new(), flights: Flights::of_this_process() }))
    }
}

impl KeyCache {
    pub(crate) fn cache(&self) -> &gatepass_bridge::KeyCache {
        &self.0.cache
    }

    /// Gives up what a parent had under way.
    pub(crate) fn after_fork(&self) {
        if self.0.flights.are_lost() {
            self.0.cache.abandon_flights();
        }
    }
}
