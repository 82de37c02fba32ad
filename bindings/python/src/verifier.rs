//! Received tokens.

use std::borrow::Cow;

use gatepass_bridge::{Recall, RequestHeaders, Verdict};
use pyo3::exceptions::PyTypeError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString, PyTuple};

use crate::claims::{self, KeptClaims};
use crate::clock::Clocks;
use crate::fork::while_others_go_on;
use crate::json;
use crate::keys::KeyCache;
use crate::op::Op;
use crate::raise;

/// What the package's `Verifier` is made of.
#[pyclass(frozen, subclass, module = "gatepass._native")]
pub(crate) struct Verifier {
    verifier: gatepass_bridge::Verifier,
    clocks: Clocks,
    kept: KeptClaims,
    keys: KeyCache,
}

#[pymethods]
impl Verifier {
    /// From the operation of `open_verifier`, when it is done.
    #[new]
    fn new(op: &Bound<'_, Op>, clock: Py<PyAny>, monotonic: Option<Py<PyAny>>) -> PyResult<Self> {
        let (verifier, keys) = op.get().verifier().map_err(|failure| raise(op.py(), &failure))?;
        Ok(Self { verifier, clocks: Clocks::new(clock, monotonic), kept: KeptClaims::default(), keys })
    }

    /// The claims of a token that is accepted.
    ///
    /// Raises:
    ///     VerifyError: The token is refused, or the issuer's keys cannot be had; `code` says why.
    // Here and not in Python, so that a token that is remembered takes one call.
    fn verify<'py>(slf: &Bound<'py, Self>, token: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        match slf.get().check(token)? {
            Answer::Claims(claims) => Ok(claims),
            Answer::Undecided(undecided) => slf.call_method1("_decide_now", (token, undecided)),
        }
    }

    /// The verdict on `token` at this moment: its claims when there is nothing else to do, else a tuple of status,
    /// claims, flight and operation.
    fn _check<'py>(&self, token: &Bound<'py, PyAny>) -> PyResult<Answer<'py>> {
        self.check(token)
    }

    /// The token of a request with these headers, from the one that counts.
    fn _token_from_headers(
        &self,
        py: Python<'_>,
        authorization: Option<&Bound<'_, PyString>>,
        x_serverless_authorization: Option<&Bound<'_, PyString>>,
        x_goog_iap_jwt_assertion: Option<&Bound<'_, PyString>>,
    ) -> PyResult<String> {
        let [authorization, serverless, iap] =
            [authorization, x_serverless_authorization, x_goog_iap_jwt_assertion]
                .map(|value| value.map(|value| value.to_string_lossy()));
        let headers = RequestHeaders {
            authorization: authorization.as_deref(),
            x_serverless_authorization: serverless.as_deref(),
            x_goog_iap_jwt_assertion: iap.as_deref(),
        };
        let token = self.verifier.token_from_headers(&headers);
        token.map(str::to_owned).map_err(|failure| raise(py, &failure))
    }

    /// What this token is, and all that is wrong with it. `place` says where it was seen.
    fn _explain<'py>(
        &self,
        token: &Bound<'py, PyString>,
        place: &Bound<'_, PyDict>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = token.py();
        let explained = self.verifier.explain(
            &token.to_string_lossy(),
            &json::write(place)?,
            self.clocks.now(py)?.unix.0,
        );
        json::read(py, &explained.map_err(|failure| raise(py, &failure))?)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.clocks.traverse(&visit)
    }
}

/// What a check has led to.
#[derive(IntoPyObject)]
enum Answer<'py> {
    /// There is nothing else to do.
    Claims(Bound<'py, PyAny>),
    /// There is: status, claims, flight, operation.
    Undecided(Bound<'py, PyTuple>),
}

impl Verifier {
    fn check<'py>(&self, token: &Bound<'py, PyAny>) -> PyResult<Answer<'py>> {
        let (py, token) = (token.py(), bytes(token)?);
        let now = self.clocks.now(py)?;
        let digest = match self.verifier.recall(&token, now) {
            Recall::Known(entry) => match self.kept.get(py, entry) {
                Some(claims) => return Ok(Answer::Claims(claims)),
                None => None,
            },
            Recall::New(digest) => Some(digest),
        };
        self.keys.after_fork();
        let verdict = match digest {
            Some(digest) => while_others_go_on(py, || self.verifier.check_new(&token, digest, now)),
            None => self.verifier.check(&token, now),
        };
        let (status, claims, flight, op) = match verdict.map_err(|failure| raise(py, &failure))? {
            Verdict::Accepted(verified, op) => {
                let claims = claims::read(py, verified.payload(), verified.is_unverified())?;
                // 0: the core does not remember the token.
                if verified.entry() != 0 {
                    self.kept.put(verified.entry(), &claims);
                }
                let Some(op) = op else { return Ok(Answer::Claims(claims)) };
                ("accepted", Some(claims), op.flight(), Some(Op::from(op)))
            }
            Verdict::NeedsKeys(op) => ("needs_keys", None, op.flight(), Some(Op::from(op))),
            Verdict::Join(flight) => ("join", None, Some(flight), None),
        };
        Ok(Answer::Undecided((status, claims, flight, op).into_pyobject(py)?))
    }
}

/// The bytes of a `str` or `bytes`. A `str` may hold surrogates, which no UTF-8 can: U+FFFD replaces them.
fn bytes<'a>(token: &'a Bound<'_, PyAny>) -> PyResult<Cow<'a, [u8]>> {
    if let Ok(bytes) = token.cast::<PyBytes>() {
        return Ok(Cow::Borrowed(bytes.as_bytes()));
    }
    let text = token.cast::<PyString>().map_err(|_| wrong_type(token))?;
    Ok(match text.to_string_lossy() {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    })
}

/// Names the argument and never shows it, as the package's own checks do.
fn wrong_type(token: &Bound<'_, PyAny>) -> PyErr {
    let kind = token.get_type().name().map_or_else(|_| "of another type".to_owned(), |name| name.to_string());
    let hint = if token.hasattr("__await__").unwrap_or(false) { ": is an await missing?" } else { "" };
    PyTypeError::new_err(format!("token is {kind}, expected str or bytes{hint}"))
}
