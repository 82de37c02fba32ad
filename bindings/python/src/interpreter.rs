//! The one interpreter that this module serves.

use pyo3::exceptions::PyImportError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

/// The `sys.modules` of the interpreter that has imported the package first; held, so that no other gets its address.
static MODULES: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// Binds this module to the interpreter that imports the package. A second one of the same process would get the first
/// one's classes: its `except VerifyError` would miss.
///
/// Raises:
///     ImportError: Another interpreter has imported the package before.
#[pyfunction]
pub(crate) fn bind(py: Python<'_>) -> PyResult<()> {
    let modules = py.import("sys")?.getattr("modules")?;
    let first = MODULES.get_or_init(py, || modules.clone().unbind());
    if first.bind(py).is(&modules) {
        return Ok(());
    }
    Err(PyImportError::new_err(
        "gatepass is in use by another interpreter of this process, and can serve only one: run each application in a \
         process of its own (with mod_wsgi: a WSGIDaemonProcess for each, and WSGIApplicationGroup %{GLOBAL})",
    ))
}
