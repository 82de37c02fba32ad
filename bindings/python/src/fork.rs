//! Forks of the process, while other threads of it are at work.
//!
//! The child has none of those threads. What they had under way, it gives up; and a lock that one of them held would
//! stay locked there for ever. All calls but one keep the interpreter's lock, which whoever forks holds, so that none is
//! under way at that moment. The one is the check of a new token, a tenth of a millisecond's work that several threads
//! may do at once: a fork waits until those have ended.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use pyo3::exceptions::PyAttributeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// Checks without the interpreter's lock. They begin with it held; they end at any moment.
static CHECKS: AtomicUsize = AtomicUsize::new(0);
/// Threads that are about to fork. This and the next are changed with the interpreter's lock held.
static FORKS: AtomicUsize = AtomicUsize::new(0);
/// How many forks lead from the first process to this one.
static GENERATION: AtomicUsize = AtomicUsize::new(0);

/// Has Python tell this module of forks, where the system has such.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    let register = match py.import("os")?.getattr("register_at_fork") {
        Err(error) if error.is_instance_of::<PyAttributeError>(py) => return Ok(()),
        register => register?,
    };
    let hooks = PyDict::new(py);
    hooks.set_item("before", wrap_pyfunction!(before, module)?)?;
    hooks.set_item("after_in_parent", wrap_pyfunction!(after_in_parent, module)?)?;
    hooks.set_item("after_in_child", wrap_pyfunction!(after_in_child, module)?)?;
    register.call((), Some(&hooks))?;
    Ok(())
}

/// Does this while other threads of Python go on, unless one of them is about to fork.
pub(crate) fn while_others_go_on<T: Send>(py: Python<'_>, check: impl Send + FnOnce() -> T) -> T {
    if FORKS.load(Ordering::Relaxed) > 0 {
        return check();
    }
    let under_way = UnderWay::begin();
    py.detach(|| {
        let outcome = check();
        // Before the interpreter's lock is waited for: whoever forks holds it.
        drop(under_way);
        outcome
    })
}

/// The process in which flights were begun.
pub(crate) struct Flights(AtomicUsize);

impl Flights {
    pub(crate) fn of_this_process() -> Self {
        Self(AtomicUsize::new(GENERATION.load(Ordering::Relaxed)))
    }

    /// Whether they are those of a parent, and to be abandoned now.
    pub(crate) fn are_lost(&self) -> bool {
        let now = GENERATION.load(Ordering::Relaxed);
        self.0.load(Ordering::Relaxed) != now && self.0.swap(now, Ordering::Relaxed) != now
    }
}

#[pyfunction]
fn before() {
    FORKS.fetch_add(1, Ordering::Relaxed);
    while CHECKS.load(Ordering::Acquire) > 0 {
        thread::yield_now();
    }
}

#[pyfunction]
fn after_in_parent() {
    FORKS.fetch_sub(1, Ordering::Relaxed);
}

#[pyfunction]
fn after_in_child() {
    // Another thread of the parent's may have been about to fork as well.
    FORKS.store(0, Ordering::Relaxed);
    GENERATION.fetch_add(1, Ordering::Relaxed);
}

struct UnderWay;

impl UnderWay {
    fn begin() -> Self {
        CHECKS.fetch_add(1, Ordering::Relaxed);
        Self
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        CHECKS.fetch_sub(1, Ordering::Release);
    }
}
