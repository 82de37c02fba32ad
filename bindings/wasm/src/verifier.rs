//! Checking received tokens.

use gatepass_bridge::{self as bridge, CheckStep, Failure, RequestHeaders};
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

/// The SHA-256 of a token as eight numbers of four bytes each, the least significant first; none for a token that is refused
/// for its length alone.
#[wasm_bindgen(js_name = tokenDigest)]
pub fn token_digest(token: &str) -> Vec<u32> {
    let digest = bridge::TokenDigest::of(token.as_bytes());
    let words = digest.sha256().map(|sha256| sha256.as_chunks().0.iter().copied().map(u32::from_le_bytes));
    words.into_iter().flatten().collect()
}

/// Checks received tokens.
#[wasm_bindgen]
pub struct Verifier(pub(crate) bridge::Verifier);

/// The answer to "is this token to be accepted?".
#[wasm_bindgen]
pub struct Verdict(Answer);

enum Answer {
    Reached(bridge::Verdict),
    /// By this: its signature is to be checked.
    Open(bridge::TokenCheck),
}

/// The check of a token whose signature is left to the host, which is an operation without JSON: it is on the way of every new
/// token.
#[wasm_bindgen]
pub struct TokenCheck {
    check: bridge::TokenCheck,
    question: Option<bridge::SignatureToCheck>,
    verdict: Option<Verdict>,
}

#[wasm_bindgen]
impl Verifier {
    /// The entry of the token with this SHA-256, in words as of [`token_digest`], if it is remembered; otherwise 0.
    // Numbers cross the border as they are, and bytes would be copied to memory that is got for them.
    #[allow(clippy::too_many_arguments)]
    pub fn recall(
        &self,
        first: u32,
        second: u32,
        third: u32,
        fourth: u32,
        fifth: u32,
        sixth: u32,
        seventh: u32,
        eighth: u32,
        now_ms: f64,
        monotonic_ms: f64,
    ) -> f64 {
        let words = [first, second, third, fourth, fifth, sixth, seventh, eighth];
        let sha256 = words.map(u32::to_le_bytes);
        self.0
            .recall_digest(sha256.as_flattened(), now(now_ms, monotonic_ms))
            .map_or(0.0, |entry| entry as f64)
    }

    /// The entry of a token that is remembered, a number; or the [`Verdict`], which it always is if `is_whole` says so.
    ///
    /// # Errors
    /// Why the token is refused.
    pub fn verify(
        &self,
        token: &str,
        now_ms: f64,
        monotonic_ms: f64,
        is_whole: bool,
    ) -> Result<JsValue, JsError> {
        let (token, now) = (token.as_bytes(), now(now_ms, monotonic_ms));
        let answer = match self.0.recall(token, now) {
            bridge::Recall::Known(entry) if !is_whole => return Ok(JsValue::from_f64(entry as f64)),
            bridge::Recall::Known(_) => Answer::Reached(self.0.check(token, now).map_err(thrown)?),
            bridge::Recall::New(digest) => {
                Answer::Open(self.0.begin_typed_check(token, digest).map_err(thrown)?)
            }
        };
        Ok(JsValue::from(Verdict(answer)))
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
impl Verdict {
    /// `accepted`, `needs_keys`, `join`, or `check`: drive that, which has a verdict then.
    #[wasm_bindgen(getter)]
    pub fn status(&self) -> String {
        match &self.0 {
            Answer::Reached(bridge::Verdict::Accepted(..)) => "accepted",
            Answer::Reached(bridge::Verdict::NeedsKeys(_)) => "needs_keys",
            Answer::Reached(bridge::Verdict::Join(_)) => "join",
            Answer::Open(_) => "check",
        }
        .to_owned()
    }

    /// The token's payload, JSON: accepted has one.
    #[wasm_bindgen(getter)]
    pub fn payload(&self) -> Option<String> {
        // An accepted payload is UTF-8; the lossy way is only for the type.
        self.verified().map(|verified| String::from_utf8_lossy(verified.payload()).into_owned())
    }

    /// Whether nothing proves the payload: accepted says so.
    #[wasm_bindgen(getter)]
    pub fn is_unverified(&self) -> bool {
        self.verified().is_some_and(bridge::Verified::is_unverified)
    }

    /// By what number this token is answered from now on; 0 when it is not remembered. Accepted has one.
    #[wasm_bindgen(getter)]
    pub fn entry(&self) -> f64 {
        self.verified().map_or(0.0, |verified| verified.entry() as f64)
    }

    /// The flight to wait for, before checking again: join has one.
    #[wasm_bindgen(getter)]
    pub fn flight(&self) -> Option<f64> {
        match self.0 {
            Answer::Reached(bridge::Verdict::Join(flight)) => Some(flight as f64),
            _ => None,
        }
    }

    /// The operation to drive, if there is one. It is given once.
    pub fn op(self) -> Option<Op> {
        match self.0 {
            Answer::Reached(bridge::Verdict::Accepted(_, op)) => op.map(Op),
            Answer::Reached(bridge::Verdict::NeedsKeys(op)) => Some(Op(op)),
            Answer::Reached(bridge::Verdict::Join(_)) | Answer::Open(_) => None,
        }
    }

    /// The check to be made: check has one. It is given once.
    pub fn check(self) -> Option<TokenCheck> {
        match self.0 {
            Answer::Open(check) => Some(TokenCheck { check, question: None, verdict: None }),
            Answer::Reached(_) => None,
        }
    }

    fn verified(&self) -> Option<&bridge::Verified> {
        match &self.0 {
            Answer::Reached(bridge::Verdict::Accepted(verified, _)) => Some(verified),
            _ => None,
        }
    }
}

#[wasm_bindgen]
impl TokenCheck {
    /// The first step: whether there is a question, or else a verdict.
    ///
    /// # Errors
    /// Why the token is refused.
    pub fn begin(&mut self, now_ms: f64, monotonic_ms: f64) -> Result<bool, JsError> {
        let step = self.check.begin(now(now_ms, monotonic_ms));
        self.reached(step.map_err(thrown)?)
    }

    /// The step after the answer, which is undefined where the host cannot say.
    ///
    /// # Errors
    /// Why the token is refused; `API_MISUSE` when nothing was asked.
    pub fn answer(
        &mut self,
        is_valid: Option<bool>,
        now_ms: f64,
        monotonic_ms: f64,
    ) -> Result<bool, JsError> {
        let step = self.check.answer(is_valid, now(now_ms, monotonic_ms));
        self.reached(step.map_err(thrown)?)
    }

    fn reached(&mut self, step: CheckStep) -> Result<bool, JsError> {
        (self.question, self.verdict) = match step {
            CheckStep::Question(question) => (Some(question), None),
            CheckStep::Reached(verdict) => (None, Some(Verdict::from(*verdict))),
        };
        Ok(self.question.is_some())
    }

    /// The question's algorithm, as in JOSE.
    #[wasm_bindgen(getter)]
    pub fn alg(&self) -> Option<String> {
        self.question.as_ref().map(|question| question.alg.to_owned())
    }

    /// The question's key, a JWK.
    #[wasm_bindgen(getter)]
    pub fn key(&self) -> Option<String> {
        self.question.as_ref().map(|question| question.key.clone())
    }

    /// What is signed, ASCII.
    #[wasm_bindgen(getter)]
    pub fn data(&self) -> Option<String> {
        self.question.as_ref().map(|question| question.data.expose().clone())
    }

    /// The signature, in base64url.
    #[wasm_bindgen(getter)]
    pub fn signature(&self) -> Option<String> {
        self.question.as_ref().map(|question| question.signature.expose().clone())
    }

    /// The verdict that was reached.
    ///
    /// # Errors
    /// `API_MISUSE` before, and a second time.
    pub fn verdict(&mut self) -> Result<Verdict, JsError> {
        self.verdict.take().ok_or_else(|| thrown(Failure::misuse("the check has no verdict")))
    }
}

impl From<bridge::Verifier> for Verifier {
    fn from(verifier: bridge::Verifier) -> Self {
        Self(verifier)
    }
}

impl From<bridge::Verdict> for Verdict {
    fn from(verdict: bridge::Verdict) -> Self {
        Self(Answer::Reached(verdict))
    }
}
