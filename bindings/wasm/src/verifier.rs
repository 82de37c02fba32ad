//! Checking received tokens.

use std::cell::RefCell;

use gatepass_bridge::{self as bridge, CheckStep, Failure, Now, PublicJwk, RequestHeaders, TokenDigest};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsError, JsValue};

use crate::{Op, now, thrown};

/// The keys of issuers, shared by the verifiers that are opened with it.
#[wasm_bindgen]
pub struct KeyCache(bridge::KeyCache);

#[wasm_bindgen]
impl KeyCache {
    /// An empty cache.
    #[wasm_bindgen(constructor)]
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Self(bridge::KeyCache::new())
    }
}

/// The operation that makes a verifier with these options, as JSON. Its only step is `read_env`; when it is done,
/// `op.verifier()` gives the verifier.
///
/// # Errors
/// `INVALID_OPTION`.
#[wasm_bindgen(js_name = openVerifier)]
pub fn open_verifier(options: &str, keys: &KeyCache) -> Result<Op, JsError> {
    bridge::Verifier::open(options, &keys.0).map(Op).map_err(thrown)
}

/// Checks received tokens.
#[wasm_bindgen]
pub struct Verifier(pub(crate) bridge::Verifier);

#[wasm_bindgen]
extern "C" {
    /// What is told how a check goes: a call of its method takes less than an object of this module with members to read.
    pub type Listener;

    /// This number is a key of this algorithm, a JWK, from now on. It is said before the key is asked about.
    #[wasm_bindgen(method, js_name = isKey)]
    fn is_key(this: &Listener, number: u32, alg: &str, jwk: &str);

    /// Whether this is the key's signature of these bytes, which are lent for the call.
    #[wasm_bindgen(method)]
    fn asks(this: &Listener, key: u32, data: &[u8], signature: &[u8]);

    /// The token is accepted: its payload, JSON; whether nothing proves it; by what number it is known from now on, 0 when it is
    /// not remembered.
    #[wasm_bindgen(method)]
    fn accepts(this: &Listener, payload: &str, is_unverified: bool, entry: f64);

    /// This flight is to be waited for, before checking again.
    #[wasm_bindgen(method)]
    fn joins(this: &Listener, flight: f64);
}

/// The check of a token whose signature is left to the host, which is an operation without JSON: it is on the way of every new
/// token.
#[wasm_bindgen]
pub struct TokenCheck(bridge::TokenCheck);

#[wasm_bindgen]
impl Verifier {
    /// The entry of the token with this name, if it is remembered and to be accepted; otherwise 0.
    ///
    /// A name is a number that no other token of this verifier has.
    pub fn recall(&self, name: f64, now_ms: f64, monotonic_ms: f64) -> f64 {
        match self.0.recall_digest(TokenDigest::named(name as u64), now(now_ms, monotonic_ms)) {
            bridge::Recall::Known(entry) => entry as f64,
            bridge::Recall::New(_) => 0.0,
        }
    }

    /// Checks a token, to be remembered by this name. Where the listener is asked about a signature, the check is what is given,
    /// to be answered; otherwise the operation to drive, if there is one: before checking again where the listener was told
    /// nothing, and in the background of a token that is accepted.
    ///
    /// # Errors
    /// Why the token is refused.
    pub fn verify(
        &self,
        token: String,
        name: f64,
        now_ms: f64,
        monotonic_ms: f64,
        listener: &Listener,
    ) -> Result<JsValue, JsError> {
        let name = TokenDigest::named(name as u64);
        let mut check = self.0.begin_check(token, name).map_err(thrown)?;
        let op = told(check.begin(now(now_ms, monotonic_ms)), listener).map_err(thrown)?;
        Ok(match op {
            Rest::Check => TokenCheck(check).into(),
            Rest::Op(op) => op.map(Op).into(),
        })
    }

    /// The token of a request with these headers, each with all its values and a line feed between each two; one that the
    /// request has not is undefined.
    ///
    /// # Errors
    /// `TOKEN_MISSING` or `TOKEN_MALFORMED`.
    #[wasm_bindgen(js_name = tokenFromHeaders)]
    pub fn token_from_headers(
        &self,
        authorization: Option<String>,
        x_serverless_authorization: Option<String>,
        x_goog_iap_jwt_assertion: Option<String>,
    ) -> Result<String, JsError> {
        let headers = RequestHeaders {
            authorization: authorization.as_deref(),
            x_serverless_authorization: x_serverless_authorization.as_deref(),
            x_goog_iap_jwt_assertion: x_goog_iap_jwt_assertion.as_deref(),
        };
        self.0.token_from_headers(&headers).map(str::to_owned).map_err(thrown)
    }
}

#[wasm_bindgen]
impl TokenCheck {
    /// Goes on after the answer. Either the listener is asked once more, or the operation is given as by `verify`.
    ///
    /// # Errors
    /// Why the token is refused; `API_MISUSE` when nothing was asked.
    pub fn answer(
        &mut self,
        is_valid: bool,
        now_ms: f64,
        monotonic_ms: f64,
        listener: &Listener,
    ) -> Result<Option<Op>, JsError> {
        self.after(Ok(is_valid), now(now_ms, monotonic_ms), listener)
    }

    /// The same where the host cannot say, with its reason.
    ///
    /// # Errors
    /// As of `answer`; `UNSUPPORTED` where the module cannot say either.
    #[wasm_bindgen(js_name = leaveOpen)]
    pub fn leave_open(
        &mut self,
        reason: String,
        now_ms: f64,
        monotonic_ms: f64,
        listener: &Listener,
    ) -> Result<Option<Op>, JsError> {
        self.after(Err(reason), now(now_ms, monotonic_ms), listener)
    }

    fn after(
        &mut self,
        is_valid: Result<bool, String>,
        now: Now,
        listener: &Listener,
    ) -> Result<Option<Op>, JsError> {
        match told(self.0.answer(is_valid, now), listener).map_err(thrown)? {
            Rest::Check => Ok(None),
            Rest::Op(op) => Ok(op.map(Op)),
        }
    }
}

/// What is left to be done after the listener was told.
enum Rest {
    Check,
    Op(Option<bridge::Op>),
}

/// Tells the listener what there is to tell.
fn told(step: Result<CheckStep<'_>, Failure>, listener: &Listener) -> Result<Rest, Failure> {
    Ok(match step? {
        CheckStep::Question(question) => {
            let key = number_of(question.key, question.alg, listener);
            listener.asks(key, question.data.as_bytes(), question.signature);
            Rest::Check
        }
        CheckStep::Reached(bridge::Verdict::Accepted(verified, op)) => {
            // An accepted payload is UTF-8.
            let payload = str::from_utf8(verified.payload()).unwrap_or_default();
            listener.accepts(payload, verified.is_unverified(), verified.entry() as f64);
            Rest::Op(op)
        }
        CheckStep::Reached(bridge::Verdict::NeedsKeys(op)) => Rest::Op(Some(op)),
        CheckStep::Reached(bridge::Verdict::Join(flight)) => {
            listener.joins(flight as f64);
            Rest::Op(None)
        }
    })
}

/// Most keys that have numbers: issuers have a few each.
const MOST_KEYS: usize = 64;

thread_local! {
    /// Keys that the listener knows by their places here.
    static KEYS: RefCell<Vec<(PublicJwk, &'static str)>> = const { RefCell::new(Vec::new()) };
}

/// The number of a key with this algorithm, of which the listener has been told.
fn number_of(key: &PublicJwk, alg: &'static str, listener: &Listener) -> u32 {
    KEYS.with_borrow_mut(|keys| {
        let known = keys.iter().position(|(other, its)| other.is(key) && *its == alg);
        let number = known.unwrap_or_else(|| {
            if keys.len() == MOST_KEYS {
                keys.clear();
            }
            keys.push((key.clone(), alg));
            listener.is_key(keys.len() as u32 - 1, alg, &key.to_json());
            keys.len() - 1
        });
        number as u32
    })
}

impl From<bridge::Verifier> for Verifier {
    fn from(verifier: bridge::Verifier) -> Self {
        Self(verifier)
    }
}
