//! A verifier behind a handle.

use std::borrow::Cow;

use gatepass_core::{
    FlightId, HostFailure, Now, OpenSignature, Recall, Reply, TokenDigest, TokenHeaders, Verified,
};

use crate::explain;
use crate::failure::{Failure, guard};
use crate::op::Op;
use crate::options;

/// Checks received tokens.
pub struct Verifier(gatepass_core::Verifier);

/// The keys of issuers, shared by the verifiers that are opened with it, and the flights that fetch them. One for each
/// process; cheap to clone, and clones are the same cache.
#[derive(Clone, Default)]
pub struct KeyCache(gatepass_core::KeyCache);

impl KeyCache {
    /// An empty cache.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives up every flight of keys, as a forked child must. Keys are kept.
    pub fn abandon_flights(&self) {
        self.0.abandon_flights();
    }
}

/// The headers of a request that may carry a token; `None` where the request has none.
pub type RequestHeaders<'a> = TokenHeaders<'a>;

/// The answer to "is this token to be accepted?"; see [`gatepass_core::Verdict`].
pub enum Verdict {
    /// Yes; drive the operation, if there is one, in the background. Hand [`Verified::is_unverified`] over with the
    /// payload: whoever reads the claims must see that nothing proves them.
    Accepted(Verified, Option<Op>),
    /// Drive the operation, then check again.
    NeedsKeys(Op),
    /// Wait for this flight, then check again.
    Join(u64),
}

/// The check of a token by a host that checks its signature, without JSON: every new token takes this way.
pub struct TokenCheck(gatepass_core::TokenCheck);

/// What a [`TokenCheck`] has come to.
pub enum CheckStep<'a> {
    /// Whether a signature is valid: answer it.
    Question(OpenSignature<'a>),
    /// The verdict.
    Reached(Verdict),
}

impl TokenCheck {
    /// The first step.
    ///
    /// # Errors
    /// Why the token is refused.
    pub fn begin(&mut self, now: Now) -> Result<CheckStep<'_>, Failure> {
        self.advance(now, Reply::Start)
    }

    /// The step after the answer to a question: whether the signature is valid, or why the host cannot say, which may be empty.
    ///
    /// # Errors
    /// Why the token is refused; `UNSUPPORTED` where neither the host nor the core can say; `API_MISUSE` when nothing was asked.
    pub fn answer(&mut self, is_valid: Result<bool, String>, now: Now) -> Result<CheckStep<'_>, Failure> {
        let reply = match is_valid {
            Ok(is_valid) => Reply::Checked { is_valid },
            Err(message) => Reply::Failed { kind: HostFailure::Unsupported, message },
        };
        self.advance(now, reply)
    }

    fn advance(&mut self, now: Now, reply: Reply) -> Result<CheckStep<'_>, Failure> {
        guard(|| match self.0.advance(now, reply)? {
            gatepass_core::CheckStep::Question(question) => Ok(CheckStep::Question(question)),
            gatepass_core::CheckStep::Reached(reached) => Ok(CheckStep::Reached(verdict(reached)?)),
        })
    }
}

impl Verifier {
    /// A verifier with these options; see [`options`](crate) for their JSON.
    ///
    /// # Errors
    /// `INVALID_OPTION`.
    pub fn new(options: &str) -> Result<Self, Failure> {
        guard(|| Ok(Self(gatepass_core::Verifier::new(options::verifier(options)?)?)))
    }

    /// The operation that makes a verifier with these options; see [`options`](crate) for their JSON. Its only step is
    /// `read_env`; when it is done, [`made_by`](Self::made_by) takes the verifier out of it.
    ///
    /// # Errors
    /// `INVALID_OPTION` for options that cannot be read; the operation fails for those that make no sense.
    pub fn open(options: &str, keys: &KeyCache) -> Result<Op, Failure> {
        guard(|| Ok(gatepass_core::Verifier::open(options::verifier(options)?, &keys.0).into()))
    }

    /// The verifier that an operation of [`open`](Self::open) has made, once it is done. It is given once.
    ///
    /// # Errors
    /// `API_MISUSE` before, after, and for every other operation.
    pub fn made_by(op: &mut Op) -> Result<Self, Failure> {
        op.verifier().map(Self)
    }

    /// Whether `token` is remembered and to be accepted at this moment. A binding that keeps its host's claims by
    /// [`Verified::entry`] asks this first, and builds nothing on a hit.
    pub fn recall(&self, token: &[u8], now: Now) -> Recall {
        self.0.recall(token, now)
    }

    /// The same for a token that has a [name](TokenDigest::named).
    pub fn recall_digest(&self, digest: TokenDigest, now: Now) -> Recall {
        self.0.recall_digest(digest, now)
    }

    /// The verdict on a token that [`recall`](Self::recall) has just found to be new.
    ///
    /// # Errors
    /// Why the token is refused.
    pub fn check_new(&self, token: &[u8], digest: TokenDigest, now: Now) -> Result<Verdict, Failure> {
        guard(|| verdict(self.0.check_new(&text(token)?, digest, now)))
    }

    /// The check of a token that [`recall`](Self::recall) has just found to be new, with its signature left to the host.
    ///
    /// # Errors
    /// `TOKEN_TOO_LARGE`.
    pub fn begin_check(&self, token: String, digest: TokenDigest) -> Result<TokenCheck, Failure> {
        guard(|| {
            gatepass_core::check_token_length(token.len())?;
            Ok(TokenCheck(self.0.begin_check(token, digest)))
        })
    }

    /// The verdict on `token` at this moment. Bytes that are no UTF-8 are no token.
    ///
    /// # Errors
    /// Why the token is refused.
    pub fn check(&self, token: &[u8], now: Now) -> Result<Verdict, Failure> {
        guard(|| verdict(self.0.check(&text(token)?, now)))
    }

    /// The token of a request with these headers.
    ///
    /// # Errors
    /// `TOKEN_MISSING` or `TOKEN_MALFORMED`.
    pub fn token_from_headers<'a>(&self, headers: &RequestHeaders<'a>) -> Result<&'a str, Failure> {
        guard(|| Ok(self.0.token_from_headers(headers)?))
    }

    /// Explains a token to this verifier, with the keys that it holds: the JSON of [`explain_token`](crate::explain_token).
    /// `place` is `{"url":…, "header":…}`, both of which may be left out.
    ///
    /// # Errors
    /// `INVALID_OPTION`.
    pub fn explain(&self, token: &str, place: &str, now_ms: u64) -> Result<String, Failure> {
        guard(|| Ok(explain::of_verifier(&self.0, &options::place(place)?, token, now_ms)))
    }

    /// As [`explain`](Self::explain), as an operation, which leaves the signature to the host.
    ///
    /// # Errors
    /// `INVALID_OPTION`.
    pub fn begin_explain(&self, token: &str, place: &str, now_ms: u64) -> Result<Op, Failure> {
        guard(|| Ok(explain::begin_of_verifier(&self.0, &options::place(place)?, token, now_ms)))
    }

    /// Gives up the key flight, as a forked child must.
    pub fn abandon_flights(&self) {
        self.0.abandon_flights();
    }
}

/// A token is ASCII; whatever represents other bytes here is refused with them. The plain check comes first because it
/// is several times faster than the lossy one.
///
/// # Errors
/// `TOKEN_TOO_LARGE`, before a byte is read.
fn text(token: &[u8]) -> Result<Cow<'_, str>, Failure> {
    gatepass_core::check_token_length(token.len())?;
    Ok(str::from_utf8(token).map_or_else(|_| String::from_utf8_lossy(token), Cow::Borrowed))
}

fn verdict(verdict: gatepass_core::Verdict) -> Result<Verdict, Failure> {
    match verdict {
        gatepass_core::Verdict::Accepted(verified, refresh) => {
            Ok(Verdict::Accepted(verified, refresh.map(Op::from)))
        }
        gatepass_core::Verdict::Rejected(error) => Err(error.into()),
        gatepass_core::Verdict::NeedsKeys(fetch) => Ok(Verdict::NeedsKeys(Op::from(fetch))),
        gatepass_core::Verdict::Join(FlightId(id)) => Ok(Verdict::Join(id)),
    }
}
