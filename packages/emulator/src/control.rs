//! The control API, with which tests steer the emulator; README.md describes it.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::http::{Request, Response};
use crate::jws::Object;
use crate::mint::{Changes, IdToken};
use crate::state::State;
use crate::time::UnixSeconds;
use crate::{ServiceAccount, page, tls};

/// Answers for a path that [`is_control`](crate::paths::is_control) accepts.
pub(crate) fn answer(state: &State, request: &Request, now: UnixSeconds) -> Response {
    match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/emulator/v1/ca.pem") => authority(),
        ("GET", "/emulator/v1/requests") => list_requests(state),
        ("GET", "/emulator/v1/activity") => list_activity(state, request, now),
        ("POST", "/emulator/v1/requests:reset") => {
            state.requests.reset();
            done()
        }
        ("POST", "/emulator/v1/mint") => mint(state, &request.body, now),
        ("POST", "/emulator/v1/fault") => add_fault(state, &request.body),
        ("POST", "/emulator/v1/fault:clear") => {
            state.faults.clear();
            done()
        }
        ("POST", "/emulator/v1/clock") => set_clock(state, &request.body),
        ("POST", "/emulator/v1/keys:rotate") => {
            state.rotate_keys();
            done()
        }
        ("GET", path) if let Some(asset) = page::asset(&state.config, path) => asset,
        (method, path) => refuse(
            404,
            &format!(
                "no {method} {path} here; the control API has GET /emulator/v1/ca.pem, /emulator/v1/requests, \
                 /emulator/v1/activity, and POST /emulator/v1/requests:reset, /emulator/v1/mint, /emulator/v1/fault, /emulator/v1/fault:clear, \
                 /emulator/v1/clock, /emulator/v1/keys:rotate"
            ),
        ),
    }
}

fn authority() -> Response {
    match tls::authority_pem() {
        Ok(pem) => Response::new(200, "application/x-pem-file", pem),
        Err(error) => refuse(500, &error.to_string()),
    }
}

fn list_requests(state: &State) -> Response {
    let counts = state.requests.counts();
    let total: u64 = counts.values().sum();
    Response::json(200, &json!({ "counts": counts, "total": total }))
}

/// What the page shows, or shows anew: the exchanges after the one of that number.
fn list_activity(state: &State, request: &Request, now: UnixSeconds) -> Response {
    let after = request.query_parameter("after").and_then(|number| number.parse().ok()).unwrap_or(0);
    Response::json(
        200,
        &json!({
            "exchanges": state.activity.after(after),
            "faults": state.faults.waiting(),
            "key_rotations": state.key_rotations(),
            "clock": { "now": now.0, "offset_seconds": state.clock_offset() },
        }),
    )
}

fn add_fault(state: &State, body: &[u8]) -> Response {
    match state.order_fault(body) {
        Ok(()) => done(),
        Err(error) => refuse(400, &format!("not a fault: {error}")),
    }
}

fn set_clock(state: &State, body: &[u8]) -> Response {
    match serde_json::from_slice::<Clock>(body) {
        Ok(clock) => {
            state.set_clock_offset(clock.offset_seconds);
            done()
        }
        Err(error) => refuse(400, &format!("not a setting of the clock: {error}")),
    }
}

/// What the control API takes for the clock.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Clock {
    offset_seconds: i64,
}

fn mint(state: &State, body: &[u8], now: UnixSeconds) -> Response {
    let order: MintOrder = match serde_json::from_slice(body) {
        Ok(order) => order,
        Err(error) => return refuse(400, &format!("not an order for a token: {error}")),
    };
    let Some(token) = order.token(state, now) else {
        return refuse(400, "`claims.aud` is missing; give an audience, or list `aud` in `omit`");
    };
    match state.current_config().sign(token) {
        Ok(token) => Response::json(200, &json!({ "token": token })),
        Err(error) => refuse(500, &error.to_string()),
    }
}

/// A token as the control API takes the order for it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MintOrder {
    #[serde(default)]
    key: OrderedKey,
    #[serde(default)]
    claims: Object,
    #[serde(default)]
    header: Object,
    #[serde(default)]
    omit: Vec<String>,
    lifetime: Option<u64>,
    issued_at: Option<UnixSeconds>,
    #[serde(default)]
    strip_signature: bool,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum OrderedKey {
    #[default]
    Google,
    Iap,
}

impl MintOrder {
    /// Prepares the token; nothing when nobody said whom it is for.
    fn token(self, state: &State, now: UnixSeconds) -> Option<IdToken> {
        if !self.claims.contains_key("aud") && !self.omit.iter().any(|claim| claim == "aud") {
            return None;
        }
        // The claims below replace whatever follows from these two, so a wrong type in them does no harm.
        let audience = self.claims.get("aud").and_then(Value::as_str).unwrap_or_default();
        let account = self.account().unwrap_or_else(|| state.config.service_account.clone());

        let issued_at = self.issued_at.unwrap_or(now);
        let lifetime = self.lifetime.map_or(state.config.token_lifetime, Duration::from_secs);
        let token = match self.key {
            OrderedKey::Google => state.config.id_token(&account, audience, issued_at, lifetime),
            OrderedKey::Iap => IdToken::iap(&account, audience, issued_at, lifetime),
        };
        let Self { claims, header, omit, strip_signature, .. } = self;
        Some(Changes { claims, header, omit, strip_signature }.apply(token))
    }

    /// The account that `email` names: the claims that follow from the e-mail, such as `sub`, are to agree with it.
    fn account(&self) -> Option<ServiceAccount> {
        self.claims.get("email")?.as_str()?.parse().ok()
    }
}

fn done() -> Response {
    Response::json(200, &json!({}))
}

fn refuse(status: u16, error: &str) -> Response {
    Response::json(status, &json!({ "error": error }))
}
