//! What a test orders in advance: errors, odd bodies, slowness, a closed connection, tokens that are wrong in one way.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::http::Response;
use crate::mint::{Changes, TokenChanges};
use crate::paths;

/// The largest body that can be ordered: larger than what any client should read, small enough for any machine.
const MAX_BODY_BYTES: usize = 64 << 20;

/// The longest delay that can be ordered; a test that waits longer has forgotten its time-out.
const MAX_DELAY: Duration = Duration::from_secs(600);

/// The faults that wait, in the order in which they were ordered.
#[derive(Default)]
pub(crate) struct Faults {
    waiting: Mutex<Vec<Fault>>,
}

impl Faults {
    pub(crate) fn add(&self, fault: Fault) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push(fault);
    }

    pub(crate) fn clear(&self) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// What waits, for people to read.
    pub(crate) fn waiting(&self) -> Vec<Waiting> {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let shown = |fault: &Fault| Waiting {
            path: fault.path.clone(),
            times: fault.times,
            effect: fault.describe(),
        };
        waiting.iter().map(shown).collect()
    }

    /// Takes the fault that a request to `path` meets.
    pub(crate) fn next_for(&self, path: &str) -> Option<Fault> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let position = waiting.iter().position(|fault| fault.path == path)?;
        let fault = waiting.get_mut(position)?;
        fault.times -= 1;
        if fault.times == 0 { Some(waiting.remove(position)) } else { Some(fault.clone()) }
    }
}

/// What happens to the next `times` requests for `path`.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Order")]
pub(crate) struct Fault {
    path: String,
    times: u64,
    delay: Duration,
    effect: Effect,
}

/// A fault that waits, as people read it.
#[derive(Serialize)]
pub(crate) struct Waiting {
    path: String,
    times: u64,
    effect: String,
}

#[derive(Clone, Debug)]
enum Effect {
    /// This answer instead of the real one.
    Answer { status: u16, headers: BTreeMap<String, String>, body: Body },
    /// No answer.
    HangUp,
    /// The answer of these endpoints, with other tokens in it if there is something to change.
    Real(Option<TokenChanges>),
    /// The first answer to all requests that meet the fault.
    Same(Arc<OnceLock<Response>>),
}

#[derive(Clone, Debug)]
enum Body {
    Text(String),
    /// That many bytes, made when they are needed.
    Filler(usize),
}

impl Fault {
    fn describe(&self) -> String {
        let effect = match &self.effect {
            Effect::Answer { status, .. } => format!("answers {status}"),
            Effect::HangUp => "closes the connection".to_owned(),
            Effect::Real(None) => "answers".to_owned(),
            Effect::Real(Some(_)) => "answers with other tokens".to_owned(),
            Effect::Same(_) => "gives the same answer again".to_owned(),
        };
        match self.delay.as_millis() {
            0 => effect,
            delay => format!("{effect} {delay} ms late"),
        }
    }

    /// Gives the response; `real` makes the one that an endpoint gives, with what is to be changed about its tokens.
    pub(crate) fn apply(self, real: impl FnOnce(Option<TokenChanges>) -> Response) -> Response {
        let response = match self.effect {
            Effect::Answer { status, headers, body } => {
                let body = match body {
                    Body::Text(text) => text.into_bytes(),
                    Body::Filler(length) => vec![b'x'; length],
                };
                Response { headers: headers.into_iter().collect(), ..Response::bare(status, body) }
            }
            Effect::HangUp => Response { hang_up: true, ..Response::bare(500, Vec::new()) },
            Effect::Real(changes) => real(changes),
            Effect::Same(answer) => answer.get_or_init(|| real(None)).clone(),
        };
        Response { delay: self.delay, ..response }
    }
}

/// A fault as the control API takes it; README.md describes the members.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    path: String,
    status: Option<u16>,
    headers: Option<BTreeMap<String, String>>,
    body: Option<Value>,
    body_bytes: Option<usize>,
    delay_ms: Option<u64>,
    #[serde(default)]
    drop: bool,
    #[serde(default)]
    same_answer: bool,
    lifetime: Option<u64>,
    id_token: Option<Changes>,
    #[serde(default)]
    rotate_refresh_token: bool,
    times: Option<u64>,
}

impl Order {
    fn answers(&self) -> bool {
        self.status.is_some() || self.headers.is_some() || self.body.is_some() || self.body_bytes.is_some()
    }

    fn changes_tokens(&self) -> bool {
        self.lifetime.is_some() || self.id_token.is_some() || self.rotate_refresh_token
    }
}

impl TryFrom<Order> for Fault {
    type Error = String;

    fn try_from(order: Order) -> Result<Self, String> {
        if !order.path.starts_with('/') || order.path.contains('?') || paths::is_control(&order.path) {
            return Err(format!(
                "`path` is `{}`; expected the path of an endpoint outside the control API, without a query",
                order.path
            ));
        }
        let times = order.times.unwrap_or(1);
        if times == 0 {
            return Err("`times` is 0; expected at least 1".to_owned());
        }
        let delay = Duration::from_millis(order.delay_ms.unwrap_or(0));
        if delay > MAX_DELAY {
            return Err(format!("`delay_ms` is above the maximum, {}", MAX_DELAY.as_millis()));
        }
        let path = order.path.clone();
        Ok(Self { path, times, delay, effect: effect(order)? })
    }
}

fn effect(order: Order) -> Result<Effect, String> {
    match (order.drop, order.answers(), order.same_answer, order.changes_tokens()) {
        (true, false, false, false) => Ok(Effect::HangUp),
        (false, true, false, false) => {
            let status = order.status.unwrap_or(500);
            if !(200..=599).contains(&status) {
                return Err(format!("`status` is {status}; expected 200 to 599"));
            }
            let headers = order.headers.unwrap_or_default();
            check_headers(&headers)?;
            Ok(Effect::Answer { status, headers, body: body(order.body, order.body_bytes)? })
        }
        (false, false, true, false) => Ok(Effect::Same(Arc::default())),
        (false, false, false, true) => Ok(Effect::Real(Some(TokenChanges {
            lifetime: order.lifetime.map(Duration::from_secs),
            id_token: order.id_token.unwrap_or_default(),
            rotate_refresh_token: order.rotate_refresh_token,
        }))),
        (false, false, false, false) if order.delay_ms.is_some() => Ok(Effect::Real(None)),
        (false, false, false, false) => Err(
            "nothing is to happen; give `status`, `headers`, `body`, `body_bytes`, `delay_ms`, `drop`, `same_answer`, \
             `lifetime`, `id_token` or `rotate_refresh_token`"
                .to_owned(),
        ),
        _ => Err("too much is to happen: another answer (`status`, `headers`, `body`, `body_bytes`), none (`drop`), the \
                  `same_answer`, and other tokens (`lifetime`, `id_token`, `rotate_refresh_token`) exclude each other"
            .to_owned()),
    }
}

/// A string is the body itself; any other value is sent as JSON, so that nobody has to quote quotes.
fn body(body: Option<Value>, body_bytes: Option<usize>) -> Result<Body, String> {
    match (body, body_bytes) {
        (Some(_), Some(_)) => Err("give `body` or `body_bytes`, not both".to_owned()),
        (None, Some(length)) if length > MAX_BODY_BYTES => {
            Err(format!("`body_bytes` is {length}; the maximum is {MAX_BODY_BYTES}"))
        }
        (None, Some(length)) => Ok(Body::Filler(length)),
        (Some(Value::String(text)), None) => Ok(Body::Text(text)),
        (Some(json), None) => Ok(Body::Text(json.to_string())),
        (None, None) => Ok(Body::Text(String::new())),
    }
}

/// Lets through what an HTTP library can send: tokens as names, visible ASCII as values (RFC 9110 section 5).
fn check_headers(headers: &BTreeMap<String, String>) -> Result<(), String> {
    let is_token = |name: &str| {
        !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
    };
    for (name, value) in headers {
        if !is_token(name) || !value.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\t')) {
            return Err(format!("the header `{name}` is not one that HTTP can carry"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_that_makes_no_sense_is_refused_with_the_reason() {
        for (order, reason) in [
            (r#"{"path": "token", "status": 500}"#, "without a query"),
            (r#"{"path": "/token?a", "status": 500}"#, "without a query"),
            (r#"{"path": "/emulator/v1/mint", "status": 500}"#, "outside the control API"),
            (r#"{"path": "/token"}"#, "nothing is to happen"),
            (r#"{"path": "/token", "status": 99}"#, "expected 200 to 599"),
            (r#"{"path": "/token", "status": 500, "times": 0}"#, "at least 1"),
            (r#"{"path": "/token", "drop": true, "status": 500}"#, "exclude each other"),
            (r#"{"path": "/token", "same_answer": true, "lifetime": 60}"#, "exclude each other"),
            (r#"{"path": "/token", "id_token": {"claim": {}}}"#, "unknown field `claim`"),
            (r#"{"path": "/token", "body": "", "body_bytes": 1}"#, "not both"),
            (r#"{"path": "/token", "body_bytes": 99999999999}"#, "the maximum is"),
            (r#"{"path": "/token", "delay_ms": 600001}"#, "the maximum, 600000"),
            (r#"{"path": "/token", "headers": {"a b": ""}}"#, "`a b`"),
            (r#"{"path": "/token", "headers": {"a": "\r\n"}}"#, "HTTP can carry"),
            (r#"{"path": "/token", "stauts": 500}"#, "unknown field `stauts`"),
        ] {
            let error = serde_json::from_str::<Fault>(order).unwrap_err().to_string();
            assert!(error.contains(reason), "{order}: {error}");
        }
    }
}
