//! Checking received tokens.

use std::borrow::Cow;

use gatepass_bridge::{
    self as bridge, CheckStep, Failure, KeyCache, Recall, RequestHeaders, Verdict, Verifier,
};

use crate::room::{Input, Output, ROOM, Room, answer, misuse, text};
use crate::source::{JOIN, turn};

// What a check has found, in the numbers of the C ABI; the last one is not among those.
const ACCEPTED: u32 = 5;
const NEEDS_KEYS: u32 = 6;
const QUESTION: u32 = 7;

/// An empty cache of issuers' keys: its handle.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn keys_new() -> u64 {
    answer(|room| Ok(room.keys.keep(KeyCache::new()).into()))
}

/// The operation that makes a verifier with these options, as JSON: its handle.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn verifier_open(keys: u32, options: u32) -> u64 {
    let input = Input::take();
    answer(|room| {
        let [options] = input.texts([options])?;
        let keys = room.keys.find(keys).ok_or_else(|| misuse("cache of keys"))?;
        let op = Verifier::open(options, keys)?;
        Ok(room.ops.keep(op).into())
    })
}

/// The verifier that an operation has made, once: its handle.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn op_verifier(op: u32) -> u64 {
    answer(|room| {
        let op = room.ops.find(op).ok_or_else(|| misuse("operation"))?;
        let verifier = Verifier::made_by(op)?;
        Ok(room.verifiers.keep(verifier).into())
    })
}

/// Gives up a verifier.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn verifier_free(verifier: u32) {
    ROOM.with_borrow_mut(|room| drop(room.verifiers.take(verifier)));
}

/// The entry of a token that is remembered and to be accepted now; of any other, 0.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn verifier_recall(verifier: u32, token: u32, now_ms: u64, monotonic_ms: u64) -> u64 {
    let input = Input::take();
    ROOM.with_borrow_mut(|room| {
        let (Some(verifier), Ok([token])) = (room.verifiers.find(verifier), input.bytes([token])) else {
            return 0;
        };
        entry(verifier.recall(token, bridge::now(now_ms, monotonic_ms)))
    })
}

fn entry(recall: Recall) -> u64 {
    match recall {
        Recall::Known(entry) => entry,
        Recall::New(_) => 0,
    }
}

/// The verdict on a token, of which one that is too long need not be in the input; or a question, which [`check_answer`] answers. A verdict is what was found (`ACCEPTED` and so
/// on), the handle of the operation to drive or 0, its flight or the one to wait for or 0, the token's entry, whether it is
/// unverified, its payload. A question is `QUESTION`, the handle of the check, and with their lengths the algorithm, the
/// JWK, the signed text and the signature in base64url.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn verifier_check(verifier: u32, token: u32, now_ms: u64, monotonic_ms: u64) -> u64 {
    let input = Input::take();
    answer(|room| {
        bridge::check_token_length(token as usize)?;
        let [token] = input.bytes([token])?;
        let now = bridge::now(now_ms, monotonic_ms);
        let verifier = room.verifiers.find(verifier).ok_or_else(|| misuse("verifier"))?;
        let digest = match verifier.recall(token, now) {
            Recall::Known(_) => {
                let verdict = verifier.check(token, now)?;
                return Ok(of_verdict(room, verdict));
            }
            Recall::New(digest) => digest,
        };
        let token = String::from_utf8_lossy(token).into_owned();
        let mut check = verifier.begin_check(token, digest)?;
        Ok(match check.begin(now)? {
            CheckStep::Reached(verdict) => of_verdict(room, verdict),
            CheckStep::Question(question) => {
                let question = question.to_check();
                of_question(room.checks.keep(check), &question)
            }
        })
    })
}

/// What comes of the answer to a question: 0 is not valid, 1 is valid, anything else that the host could not say.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn check_answer(check: u32, answer: u32, now_ms: u64, monotonic_ms: u64) -> u64 {
    crate::room::answer(|room| {
        let mut open = room.checks.take(check).ok_or_else(|| misuse("check"))?;
        let is_valid = match answer {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(String::new()),
        };
        Ok(match open.answer(is_valid, bridge::now(now_ms, monotonic_ms))? {
            CheckStep::Reached(verdict) => of_verdict(room, verdict),
            CheckStep::Question(question) => {
                let question = question.to_check();
                of_question(room.checks.keep(open), &question)
            }
        })
    })
}

fn of_verdict(room: &mut Room, verdict: Verdict) -> Output {
    match verdict {
        Verdict::Accepted(verified, op) => turn(room, ACCEPTED, op)
            .with_u64(verified.entry())
            .with_u32(verified.is_unverified().into())
            .with_bytes(verified.payload()),
        Verdict::NeedsKeys(op) => turn(room, NEEDS_KEYS, Some(op)),
        Verdict::Join(flight) => Output::default().with_u32(JOIN).with_u32(0).with_u64(flight),
    }
}

fn of_question(check: u32, question: &bridge::SignatureToCheck) -> Output {
    Output::default()
        .with_u32(QUESTION)
        .with_u32(check)
        .with_text(question.alg)
        .with_text(&question.key)
        .with_text(question.data.expose())
        .with_text(question.signature.expose())
}

/// The token of a request with these headers, each with all its values and a line feed between each two.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn verifier_token_from_headers(
    verifier: u32,
    authorization: u32,
    x_serverless_authorization: u32,
    x_goog_iap_jwt_assertion: u32,
) -> u64 {
    let input = Input::take();
    answer(|room| {
        let verifier = room.verifiers.find(verifier).ok_or_else(|| misuse("verifier"))?;
        let lengths = [authorization, x_serverless_authorization, x_goog_iap_jwt_assertion];
        let headers = Headers::of(&input, lengths)?;
        Ok(verifier.token_from_headers(&headers.of_request())?.into())
    })
}

/// [`verifier_recall`] for the token of a request with these headers.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn verifier_recall_headers(
    verifier: u32,
    authorization: u32,
    x_serverless_authorization: u32,
    x_goog_iap_jwt_assertion: u32,
    now_ms: u64,
    monotonic_ms: u64,
) -> u64 {
    let input = Input::take();
    ROOM.with_borrow_mut(|room| {
        let lengths = [authorization, x_serverless_authorization, x_goog_iap_jwt_assertion];
        let (Some(verifier), Ok(headers)) = (room.verifiers.find(verifier), Headers::of(&input, lengths))
        else {
            return 0;
        };
        match verifier.token_from_headers(&headers.of_request()) {
            Ok(token) => entry(verifier.recall(token.as_bytes(), bridge::now(now_ms, monotonic_ms))),
            Err(_) => 0,
        }
    })
}

/// The length of a header that the request does not have.
const NONE: u32 = u32::MAX;

/// The headers of a request. Bytes that are not UTF-8 are replaced by what no token holds.
struct Headers<'a>([Option<Cow<'a, str>>; 3]);

impl<'a> Headers<'a> {
    fn of(input: &'a Input, lengths: [u32; 3]) -> Result<Self, Failure> {
        let values = input.bytes(lengths.map(|length| if length == NONE { 0 } else { length }))?;
        let mut headers = values.map(|value| Some(String::from_utf8_lossy(value)));
        for (header, length) in headers.iter_mut().zip(lengths) {
            header.take_if(|_| length == NONE);
        }
        Ok(Self(headers))
    }

    fn of_request(&self) -> RequestHeaders<'_> {
        let [authorization, x_serverless_authorization, x_goog_iap_jwt_assertion] = &self.0;
        RequestHeaders {
            authorization: authorization.as_deref(),
            x_serverless_authorization: x_serverless_authorization.as_deref(),
            x_goog_iap_jwt_assertion: x_goog_iap_jwt_assertion.as_deref(),
        }
    }
}

/// Explains a token to this verifier; see [`Verifier::explain`].
#[unsafe(no_mangle)]
pub(crate) extern "C" fn verifier_explain(verifier: u32, place: u32, token: u32, now_ms: u64) -> u64 {
    let input = Input::take();
    answer(|room| {
        let [place, token] = input.bytes([place, token])?;
        let token = String::from_utf8_lossy(token);
        let verifier = room.verifiers.find(verifier).ok_or_else(|| misuse("verifier"))?;
        Ok(verifier.explain(&token, text(place)?, now_ms)?.into())
    })
}
