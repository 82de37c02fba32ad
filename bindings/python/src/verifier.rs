//! Received tokens.

use std::borrow::Cow;

use gatepass_bridge::{Recall, RequestHeaders, Verdict};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use crate::claims::ParsedClaims;
use crate::op::Op;
use crate::raise;

/// Checks received tokens.
#[pyclass(frozen, module = "gatepass._native")]
pub(crate) struct Verifier {
    verifier: gatepass_bridge::Verifier,
    parsed: ParsedClaims,
}

#[pymethods]
impl Verifier {
    /// `make_claims` takes the octets of a payload, and whether nothing proves it; it gives claims that nobody can
    /// change, for all callers share them.
    #[new]
    fn new(options: &str, make_claims: Py<PyAny>) -> PyResult<Self> {
        let verifier = gatepass_bridge::Verifier::new(options).map_err(raise)?;
        Ok(Self { verifier, parsed: ParsedClaims::new(make_claims) })
    }

    /// The verdict on `token` at this moment: its claims when there is nothing else to do, else a tuple of status,
    /// claims, flight and operation.
    fn check<'py>(&self, token: &Bound<'py, PyAny>, now_ms: f64) -> PyResult<Bound<'py, PyAny>> {
        let (py, now_ms, token) = (token.py(), now_ms as u64, octets(token)?);
        let verdict = match self.verifier.recall(&token, now_ms) {
            Recall::Known(recalled) => match self.parsed.known(py, recalled.entry) {
                Some(claims) => return Ok(claims),
                None => self.verifier.check(&token, now_ms),
            },
            Recall::New(digest) => self.verifier.check_new(&token, digest, now_ms),
        };
        match verdict.map_err(raise)? {
            Verdict::Accepted(verified, op) => {
                let (payload, is_unverified) = (verified.payload(), verified.is_unverified());
                let claims = self.parsed.of(py, verified.entry(), payload, is_unverified)?;
                match op {
                    None => Ok(claims),
                    Some(op) => ("accepted", claims, op.flight(), Op::from(op)).into_bound_py_any(py),
                }
            }
            Verdict::NeedsKeys(op) => {
                ("needs_keys", py.None(), op.flight(), Op::from(op)).into_bound_py_any(py)
            }
            Verdict::Join(flight) => ("join", py.None(), flight, py.None()).into_bound_py_any(py),
        }
    }

    /// The token of a request with these headers, from the one that counts.
    fn token_from_headers(
        &self,
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
        self.verifier.token_from_headers(&headers).map(str::to_owned).map_err(raise)
    }

    /// What this token is, and all that is wrong with it, as JSON. `place` is JSON too.
    fn explain(&self, token: &Bound<'_, PyString>, place: &str, now_ms: f64) -> PyResult<String> {
        self.verifier.explain(&token.to_string_lossy(), place, now_ms as u64).map_err(raise)
    }

    /// Gives up the key flight, as a forked child must.
    fn abandon_flights(&self) {
        self.verifier.abandon_flights();
    }
}

/// The octets of a `str` or `bytes`. A `str` may hold surrogates, which no UTF-8 can: U+FFFD stands for them.
fn octets<'a>(token: &'a Bound<'_, PyAny>) -> PyResult<Cow<'a, [u8]>> {
    if let Ok(octets) = token.cast::<PyBytes>() {
        return Ok(Cow::Borrowed(octets.as_bytes()));
    }
    Ok(match token.cast::<PyString>()?.to_string_lossy() {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    })
}
