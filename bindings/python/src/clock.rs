//! The clock that is never set.

use std::sync::OnceLock;
use std::time::Instant;

use gatepass_bridge::Now;
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
