//! The clocks: the wall's, and one that is never set.

use std::sync::OnceLock;
use std::time::Instant;

use gatepass_bridge::Now;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

/// When it began: the first time that it was read.
static START: OnceLock<Instant> = OnceLock::new();

/// Seconds of a clock that is never set; its start is arbitrary. While a machine is suspended it may stop: then the wall
/// clock is ahead when the machine goes on, and what has ended by either clock has ended.
#[pyfunction]
pub(crate) fn monotonic() -> f64 {
    START.get_or_init(Instant::now).elapsed().as_secs_f64()
}

/// Readings in milliseconds, for the core.
pub(crate) fn now(now_ms: f64, monotonic_ms: f64) -> Now {
    gatepass_bridge::now(now_ms as u64, monotonic_ms as u64)
}

/// The two clocks of one object of the package.
pub(crate) struct Clocks {
    /// Gives Unix time in seconds.
    wall: Py<PyAny>,
    /// Gives seconds of a clock that is never set; `None` is this module's own.
    monotonic: Option<Py<PyAny>>,
}

impl Clocks {
    pub(crate) fn new(wall: Py<PyAny>, monotonic: Option<Py<PyAny>>) -> Self {
        Self { wall, monotonic }
    }

    /// Seconds of both clocks.
    pub(crate) fn seconds(&self, py: Python<'_>) -> PyResult<[f64; 2]> {
        let seconds = |clock: &Py<PyAny>| clock.bind(py).call0()?.extract::<f64>();
        let monotonic = self.monotonic.as_ref().map_or_else(|| Ok(monotonic()), seconds)?;
        Ok([seconds(&self.wall)?, monotonic])
    }

    /// Readings for the core.
    pub(crate) fn now(&self, py: Python<'_>) -> PyResult<Now> {
        let [wall, monotonic] = self.seconds(py)?;
        Ok(now(wall * 1000.0, monotonic * 1000.0))
    }

    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.wall)?;
        visit.call(&self.monotonic)
    }
}
