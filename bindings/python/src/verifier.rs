//! Received tokens.

use std::borrow::Cow;

use gatepass_bridge::{RequestHeaders, Verdict};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use crate::op::Op;
use crate::raise;

/// Status, payload, `expires_at_ms`, flight, operation.
type Answer<'py> = (&'static str, Option<Bound<'py, PyBytes>>, u64, Option<u64>, Option<Op>);

/// Checks received tokens.
#[pyclass(frozen, module = "gatepass._native")]
pub(crate) struct Verifier(gatepass_bridge::Verifier);

#[pymethods]
impl Verifier {
    #[new]
    fn new(options: &str) -> PyResult<Self> {
        gatepass_bridge::Verifier::new(options).map(Self).map_err(raise)
    }

    /// The verdict on `token` at this moment.
    fn check<'py>(&self, py: Python<'py>, token: &Bound<'py, PyAny>, now_ms: u64) -> PyResult<Answer<'py>> {
        Ok(match self.0.check(&octets(token)?, now_ms).map_err(raise)? {
            Verdict::Accepted(verified, op) => {
                let payload = PyBytes::new(py, verified.payload());
                let flight = op.as_ref().and_then(gatepass_bridge::Op::flight);
                ("accepted", Some(payload), verified.expires_at().0, flight, op.map(Op::from))
            }
            Verdict::NeedsKeys(op) => ("needs_keys", None, 0, op.flight(), Some(op.into())),
            Verdict::Join(flight) => ("join", None, 0, Some(flight), None),
        })
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
        self.0.token_from_headers(&headers).map(str::to_owned).map_err(raise)
    }

    /// Gives up the key flight, as a forked child must.
    fn abandon_flights(&self) {
        self.0.abandon_flights();
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
