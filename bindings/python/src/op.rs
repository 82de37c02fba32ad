//! An operation under way.

use std::sync::{Mutex, MutexGuard, PoisonError};

use gatepass_bridge::Failure;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::clock;
use crate::json;
use crate::keys::KeyCache;

/// An operation under way; the driver resumes it until its step is `done` or `fail`.
#[pyclass(frozen, module = "gatepass._native")]
pub(crate) struct Op {
    /// The flight that others join while this operation is under way, or `None` when it is none.
    #[pyo3(get)]
    flight: Option<u64>,
    op: Mutex<gatepass_bridge::Op>,
    /// Of a verifier that this operation makes.
    keys: Option<KeyCache>,
}

#[pymethods]
impl Op {
    /// Takes the reply to the last step and gives the next step.
    fn resume<'py>(
        &self,
        now_ms: f64,
        monotonic_ms: f64,
        reply: &Bound<'py, PyDict>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let reply_json = json::write(reply)?;
        let step = self.lock().resume(clock::now(now_ms, monotonic_ms), &reply_json);
        json::read(reply.py(), &step)
    }

    /// Ends the operation and gives its flight up, so that another caller can be chosen.
    fn cancel(&self) {
        self.lock().cancel();
    }
}

impl Op {
    pub(crate) fn of_verifier(op: gatepass_bridge::Op, keys: KeyCache) -> Self {
        Self { keys: Some(keys), ..op.into() }
    }

    /// The verifier that this operation has made, and where its keys are.
    pub(crate) fn verifier(&self) -> Result<(gatepass_bridge::Verifier, KeyCache), Failure> {
        let verifier = gatepass_bridge::Verifier::made_by(&mut self.lock())?;
        let keys = self.keys.clone().ok_or_else(|| Failure::misuse("the operation makes no verifier"))?;
        Ok((verifier, keys))
    }

    fn lock(&self) -> MutexGuard<'_, gatepass_bridge::Op> {
        // The bridge catches panics, and an operation that one has ended says so.
        self.op.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<gatepass_bridge::Op> for Op {
    fn from(op: gatepass_bridge::Op) -> Self {
        Self { flight: op.flight(), op: Mutex::new(op), keys: None }
    }
}
