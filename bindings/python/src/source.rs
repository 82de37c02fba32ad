//! Fetched tokens.

use gatepass_bridge::{Lookup, TokenView};
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::op::Op;
use crate::raise;

/// Status, header, `expires_at_ms`, `fresh_until_ms`, flight, operation.
type Answer = (&'static str, Option<String>, u64, u64, Option<u64>, Option<Op>);

/// Tokens of one principal, cached.
#[pyclass(frozen, module = "gatepass._native")]
pub(crate) struct Source(gatepass_bridge::Source);

#[pymethods]
impl Source {
    #[new]
    fn new(options: &str) -> PyResult<Self> {
        gatepass_bridge::Source::new(options).map(Self).map_err(raise)
    }

    /// The token of `kind` for `target` at this moment, or who gets it.
    fn lookup(&self, kind: &str, target: &Bound<'_, PyString>, now_ms: f64) -> PyResult<Answer> {
        let lookup = self.0.lookup(kind, &target.to_string_lossy(), now_ms as u64).map_err(raise)?;
        Ok(match lookup {
            Lookup::Fresh(token) => with_token("fresh", &token, None),
            Lookup::Stale(token, op) => with_token("stale", &token, op),
            Lookup::Fetch(op) => ("fetch", None, 0, 0, op.flight(), Some(op.into())),
            Lookup::Join(flight) => ("join", None, 0, 0, Some(flight), None),
        })
    }

    /// The headers that go with an access token beside `Authorization`, as JSON. They are known once a token was
    /// fetched.
    fn access_token_headers(&self) -> String {
        self.0.access_token_headers()
    }

    /// Gives up every flight, as a forked child must. Tokens are kept.
    fn abandon_flights(&self) {
        self.0.abandon_flights();
    }
}

fn with_token(status: &'static str, token: &TokenView, op: Option<gatepass_bridge::Op>) -> Answer {
    let flight = op.as_ref().and_then(gatepass_bridge::Op::flight);
    let header = Some(token.header().to_owned());
    (status, header, token.expires_at_ms(), token.fresh_until_ms(), flight, op.map(Op::from))
}
