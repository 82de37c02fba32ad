//! Fetched tokens.

use gatepass_bridge::{Lookup, TokenView};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::clock;
use crate::fork::Flights;
use crate::json;
use crate::op::Op;
use crate::raise;

/// Status, header, `expires_at_ms`, `fresh_until_ms`, `fresh_until_monotonic_ms`, flight, operation.
type Answer = (&'static str, Option<String>, u64, u64, u64, Option<u64>, Option<Op>);

/// Tokens of one principal, cached.
#[pyclass(frozen, module = "gatepass._native")]
pub(crate) struct Source {
    source: gatepass_bridge::Source,
    flights: Flights,
}

#[pymethods]
impl Source {
    #[new]
    fn new(options: &Bound<'_, PyDict>) -> PyResult<Self> {
        let source = gatepass_bridge::Source::new(&json::write(options)?);
        let source = source.map_err(|failure| raise(options.py(), &failure))?;
        Ok(Self { source, flights: Flights::of_this_process() })
    }

    /// The token of `kind` for `target` at this moment, or who gets it.
    fn lookup(
        &self,
        kind: &str,
        target: &Bound<'_, PyString>,
        now_ms: f64,
        monotonic_ms: f64,
    ) -> PyResult<Answer> {
        if self.flights.are_lost() {
            self.source.abandon_flights();
        }
        let now = clock::now(now_ms, monotonic_ms);
        let lookup = self.source.lookup(kind, &target.to_string_lossy(), now);
        Ok(match lookup.map_err(|failure| raise(target.py(), &failure))? {
            Lookup::Fresh(token) => with_token("fresh", &token, None),
            Lookup::Stale(token, op) => with_token("stale", &token, op),
            Lookup::Fetch(op) => ("fetch", None, 0, 0, 0, op.flight(), Some(op.into())),
            Lookup::Join(flight) => ("join", None, 0, 0, 0, Some(flight), None),
        })
    }

    /// Whether a request that was answered with this status is worth repeating once, after a new look-up.
    fn retry_after_refusal(
        &self,
        kind: &str,
        target: &Bound<'_, PyString>,
        header: &str,
        status: u16,
        now_ms: f64,
        monotonic_ms: f64,
    ) -> PyResult<bool> {
        let now = clock::now(now_ms, monotonic_ms);
        let answer = self.source.retry_after_refusal(kind, &target.to_string_lossy(), header, status, now);
        answer.map_err(|failure| raise(target.py(), &failure))
    }

    /// Replaces the token of this header value before its time, at most once a minute.
    fn invalidate(
        &self,
        kind: &str,
        target: &Bound<'_, PyString>,
        header: &str,
        now_ms: f64,
        monotonic_ms: f64,
    ) -> PyResult<bool> {
        let now = clock::now(now_ms, monotonic_ms);
        let answer = self.source.invalidate(kind, &target.to_string_lossy(), header, now);
        answer.map_err(|failure| raise(target.py(), &failure))
    }

    /// The operation that says who the credentials are.
    fn principal(&self) -> Op {
        self.source.principal().into()
    }

    /// The operation that signs these bytes as the credentials' service account.
    fn sign_bytes(&self, bytes: &[u8]) -> Op {
        self.source.sign_bytes(bytes).into()
    }

    /// The names and values of the headers that go with an access token besides `Authorization`. They are known once a
    /// token was fetched.
    fn access_token_headers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        json::read(py, &self.source.access_token_headers())
    }
}

fn with_token(status: &'static str, token: &TokenView, op: Option<gatepass_bridge::Op>) -> Answer {
    let flight = op.as_ref().and_then(gatepass_bridge::Op::flight);
    let header = Some(token.header().to_owned());
    let (expires, fresh, monotonic) =
        (token.expires_at_ms(), token.fresh_until_ms(), token.fresh_until_monotonic_ms());
    (status, header, expires, fresh, monotonic, flight, op.map(Op::from))
}
