//! The verifier: one policy, one set of keys, many tokens.
//!
//! The order of the checks is part of the contract: size and shape; header (`alg`, `crit`, `typ`, `kid`); whether
//! there is a signature; key; signature; payload; `iss`, `aud`, times, `sub`; who calls. Nothing of the payload is
//! believed, or even read, before the signature is.

use std::fmt;
use std::sync::Arc;

use crate::crypto;
use crate::error::Error;
use crate::flight::FlightId;
use crate::header::{self, TokenHeaders};
use crate::jose::claims::{Claims, Times};
use crate::jose::jwks::KeySet;
use crate::jose::jws::{self, Compact, Header, MAX_TOKEN_BYTES};
use crate::step::{Millis, Now};
use crate::verify::config::VerifierConfig;
use crate::verify::hints;
use crate::verify::keys::{KeyCache, KeyFetch, KeyStore, Known, Missing};
use crate::verify::policy::Policy;
use crate::verify::reading::{LastHeader, Reading};
use crate::verify::signatures::{InThisProcess, Question, Signatures};
use crate::verify::verified_cache::{Digest, Entry, Remembered, VerifiedCache};

/// Checks received tokens. Made once, used from any thread; clones are the same verifier.
#[derive(Clone)]
pub struct Verifier {
    pub(super) shared: Arc<Shared>,
}

/// What a verifier shares with the [`TokenCheck`](crate::TokenCheck)s that it has begun.
pub(super) struct Shared {
    policy: Policy,
    keys: KeyStore,
    verified: VerifiedCache,
    last_header: LastHeader,
}

/// What the environment adds to a verifier's options.
#[derive(Default)]
pub(crate) struct Surroundings {
    pub(crate) is_on_cloud_run: bool,
    /// The key URL of an emulator, to be taken for the preset's own.
    pub(crate) emulator: Option<String>,
}

/// The answer to "is this token to be accepted?".
#[must_use]
pub enum Verdict {
    /// Yes. `Some`: you were chosen to refresh the keys in the background.
    Accepted(Verified, Option<KeyFetch>),
    /// No, and why.
    Rejected(Error),
    /// You were chosen to fetch the issuer's keys; then check again.
    NeedsKeys(KeyFetch),
    /// Somebody else fetches the keys: wait on your own primitive, then check again.
    Join(FlightId),
}

/// A token that was accepted.
#[derive(Clone)]
pub struct Verified(Accepted);

#[derive(Clone)]
enum Accepted {
    /// Its key proves it. The number is 0 where it is not remembered.
    Proven { token: Arc<Remembered>, number: u64 },
    /// Nothing does.
    Unverified { payload: Arc<[u8]>, expires_at: Millis },
}

/// Whether a token is remembered as accepted.
#[must_use]
pub enum Recall {
    /// It is, and it would be accepted now. The number is the one that [`Verified::entry`] gave when it was checked.
    Known(u64),
    /// Not so simply: [`check_new`](Verifier::check_new) it.
    New(TokenDigest),
}

/// What a token is remembered by, so that it is computed once: its SHA-256, or a name.
#[derive(Clone, Copy, Debug)]
pub struct TokenDigest(Option<Digest>);

impl TokenDigest {
    /// A name in place of a digest, for a host that tells tokens apart by their whole texts and hashes none: SHA-256 takes as long
    /// as all the rest where the core is WebAssembly.
    ///
    /// A number is the name of one token as long as the verifier lives: what was decided about that token is said of whatever has
    /// its number. A verifier that is given names is given no tokens without one.
    pub fn named(number: u64) -> Self {
        // Spread, so that the memory's parts fill evenly.
        let spread = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut digest = Digest::default();
        digest.as_chunks_mut().0.fill(spread.to_be_bytes());
        Self(Some(digest))
    }
}

/// What was made of a signature.
pub(crate) enum SignatureCheck {
    /// It was checked, or there is no need to.
    Made,
    /// There are no keys to check it with.
    WithoutKeys,
    /// Somebody else is to be asked this.
    Open(Box<Question>),
}

impl Verified {
    fn proven(token: &Arc<Remembered>, number: u64) -> Self {
        Self(Accepted::Proven { token: Arc::clone(token), number })
    }

    /// The token's payload as it was signed: one JSON object, with no member name twice.
    pub fn payload(&self) -> &[u8] {
        match &self.0 {
            Accepted::Proven { token, .. } => &token.payload,
            Accepted::Unverified { payload, .. } => payload,
        }
    }

    /// The token's `exp`, without leeway.
    pub fn expires_at(&self) -> Millis {
        match &self.0 {
            Accepted::Proven { token, .. } => token.times.expires_at(),
            Accepted::Unverified { expires_at, .. } => *expires_at,
        }
    }

    /// A number by which a host may keep what it made of the payload: a token that is recalled with this number has the
    /// same payload. It names no other token as long as the verifier lives; 0 when the token is not remembered.
    ///
    /// Its remainder by [`PLACES`](crate::verify::PLACES) is a place that is given again when the token is forgotten, and
    /// not before; the places in use are few for few tokens. So a table with one entry, number and all, at each place
    /// never holds much that is of no more use.
    pub fn entry(&self) -> u64 {
        match self.0 {
            Accepted::Proven { number, .. } => number,
            Accepted::Unverified { .. } => 0,
        }
    }

    /// Whether nothing proves the claims: Cloud Run removed the signature, and this verifier's option
    /// `trust_cloud_run_and_skip_signature` takes Cloud Run's word. Never so without that option.
    pub fn is_unverified(&self) -> bool {
        matches!(self.0, Accepted::Unverified { .. })
    }
}

/// Without the payload: claims are nobody's business but the receiver's.
impl fmt::Debug for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified")
            .field("expires_at", &self.expires_at())
            .field("entry", &self.entry())
            .field("is_unverified", &self.is_unverified())
            .finish_non_exhaustive()
    }
}

impl Verifier {
    /// A verifier with this policy.
    ///
    /// # Errors
    /// [`INVALID_OPTION`](crate::ErrorCode::InvalidOption) when the audience or the callers are left open without
    /// saying so, when issuers, algorithms or keys are missing and no preset gives them, or when an option's value
    /// makes no sense.
    pub fn new(config: VerifierConfig) -> Result<Self, Error> {
        Self::within(Surroundings::default(), config, &KeyCache::default())
    }

    pub(crate) fn within(
        surroundings: Surroundings,
        config: VerifierConfig,
        cache: &KeyCache,
    ) -> Result<Self, Error> {
        let config = config.with_default_preset();
        let policy = config.policy(surroundings.is_on_cloud_run)?;
        let keys = KeyStore::new(&config.keys, config.preset, &policy.issuers, surroundings.emulator, cache)?;
        let verified = VerifiedCache::new(config.remembered_bytes, config.host_cost);
        let last_header = LastHeader::default();
        Ok(Self { shared: Arc::new(Shared { policy, keys, verified, last_header }) })
    }

    /// The verdict on `token` at this moment.
    pub fn check(&self, token: &str, now: Now) -> Verdict {
        let Some(digest) = digest_of(token.as_bytes()) else {
            return self.check_new(token, TokenDigest(None), now);
        };
        match self.shared.recalled(&digest, now, |entry| Verified::proven(&entry.token, entry.number)) {
            Some(verified) => Verdict::Accepted(verified, None),
            None => self.check_new(token, TokenDigest(Some(digest)), now),
        }
    }

    /// Whether `token` is remembered and to be accepted at this moment: the same answer as [`check`](Self::check) gives, for
    /// hosts that keep what they made of a payload. A token that is known costs one hash and a few comparisons.
    ///
    /// Bytes that are no UTF-8 are never known.
    pub fn recall(&self, token: &[u8], now: Now) -> Recall {
        self.recall_digest(TokenDigest(digest_of(token)), now)
    }

    /// The same for a token that has a [name](TokenDigest::named).
    pub fn recall_digest(&self, digest: TokenDigest, now: Now) -> Recall {
        let number = digest.0.and_then(|digest| self.shared.recalled(&digest, now, |entry| entry.number));
        number.map_or(Recall::New(digest), Recall::Known)
    }

    /// The verdict on a token that [`recall`](Self::recall) has just found to be new.
    pub fn check_new(&self, token: &str, digest: TokenDigest, now: Now) -> Verdict {
        let verdict = self.shared.check_new(&Reading::of(token), digest, now, &InThisProcess);
        verdict.unwrap_or_else(|question| Verdict::Rejected(question.not_asked()))
    }

    /// The token of a request with these headers, from the header that this verifier's issuer uses.
    ///
    /// # Errors
    /// [`TOKEN_MISSING`](crate::ErrorCode::TokenMissing) or [`TOKEN_MALFORMED`](crate::ErrorCode::TokenMalformed).
    pub fn token_from_headers<'a>(&self, headers: &TokenHeaders<'a>) -> Result<&'a str, Error> {
        if self.policy().is_iap {
            header::iap_assertion(headers)
        } else {
            header::bearer(headers, self.policy().trusts_cloud_run)
        }
    }

    /// Gives up the key flight, as a forked child must: the thread that flew it is not there.
    pub fn abandon_flights(&self) {
        self.shared.keys.abandon_flight();
    }

    /// Everything that is wrong with `token`, the first refusal of [`check`](Self::check) first; and what was made of its
    /// signature, for which keys must be at hand.
    pub(crate) fn complaints(
        &self,
        token: &str,
        now: Millis,
        signatures: &dyn Signatures,
    ) -> (Vec<Error>, SignatureCheck) {
        let compact = match Compact::split(token) {
            Ok(compact) => compact,
            Err(error) => return (vec![error], SignatureCheck::Made),
        };
        let header = compact.header(&self.policy().algorithms);
        let payload = compact.payload();
        let keys = self.shared.keys.at_hand();
        let mut made = match keys.is_some() || jws::is_stripped(token) {
            true => SignatureCheck::Made,
            false => SignatureCheck::WithoutKeys,
        };
        let signature = match (&header, &keys) {
            (Err(error), _) => Err(error.clone()),
            _ if jws::is_stripped(token) && self.policy().trusts_cloud_run => Ok(()),
            _ if jws::is_stripped(token) => Err(jws::signature_stripped()),
            (Ok(header), Some(keys)) => keys.find(header.kid(), header.alg, now).and_then(|key| {
                payload.as_ref().map_err(Error::clone)?;
                match signatures.is_valid(header.alg, key, compact.signing_input(), &compact.signature()?) {
                    Ok(true) => Ok(()),
                    Ok(false) => Err(jws::bad_signature()),
                    Err(question) => {
                        made = SignatureCheck::Open(question);
                        Ok(())
                    }
                }
            }),
            (Ok(_), None) => Ok(()),
        };
        let mut errors: Vec<_> = signature.err().into_iter().collect();
        match payload.and_then(|payload| Claims::parse(&payload)) {
            Ok(claims) => errors.extend(self.policy().complaints(&claims, now)),
            Err(error) if errors.contains(&error) => {}
            Err(error) => errors.push(error),
        }
        (errors, made)
    }

    /// Why the keys that an option gives are none.
    pub(crate) fn problem_of_keys(&self) -> Option<String> {
        self.shared
            .keys
            .at_hand()
            .and_then(|keys| keys.problem().map(|problem| format!("{problem}; every token is refused")))
    }

    #[cfg(all(test, not(loom)))]
    pub(crate) fn keys_url(&self) -> Option<String> {
        self.shared.keys.url()
    }

    pub(crate) fn policy(&self) -> &Policy {
        &self.shared.policy
    }
}

impl Shared {
    /// The verdict on a token that is not simply remembered, or the question that decides it.
    pub(super) fn check_new(
        &self,
        token: &Reading<'_>,
        digest: TokenDigest,
        now: Now,
        signatures: &dyn Signatures,
    ) -> Result<Verdict, Box<Question>> {
        let Some(digest) = digest.0 else { return Ok(Verdict::Rejected(jws::too_large(token.text().len()))) };
        Ok(match self.check_digest(token, digest, now, signatures)? {
            Verdict::Rejected(error) => Verdict::Rejected(hints::hinted(error, token.text(), &self.policy)),
            verdict => verdict,
        })
    }

    /// What `make` makes of a remembered token, if nothing has to be looked at but its times: the keys are fresh, and
    /// the same in which its own was found.
    fn recalled<R>(&self, digest: &Digest, now: Now, make: impl FnOnce(&Entry) -> R) -> Option<R> {
        let look = |keys: &Arc<KeySet>| {
            self.verified.read(digest, |entry| entry.is_good(keys, now.unix).then(|| make(entry)))
        };
        self.keys.fresh(now, look).flatten().flatten()
    }

    fn check_digest(
        &self,
        token: &Reading<'_>,
        digest: Digest,
        now: Now,
        signatures: &dyn Signatures,
    ) -> Result<Verdict, Box<Question>> {
        let known = self.verified.read(&digest, Entry::clone);
        match known.and_then(|known| self.check_known(&known, digest, now)) {
            Some(verdict) => Ok(verdict),
            None => self.check_unknown(token, digest, now, signatures),
        }
    }

    /// `None` where what is remembered proves nothing any more.
    fn check_known(&self, entry: &Entry, digest: Digest, now: Now) -> Option<Verdict> {
        let known = &entry.token;
        let (keys, refresh) = match self.keys.current(now) {
            Ok(known) => known,
            Err(missing) => return Some(missing.into()),
        };
        // The key has left the set, or its id has gone to another key. What was chosen here ends here: held any longer,
        // it would be joined and never land.
        let is_same = |key: &Arc<_>| Arc::ptr_eq(key, &known.key) || *key == known.key;
        if !keys.find(known.header.kid(), known.header.alg, now.unix).is_ok_and(is_same) {
            return None;
        }
        let number = if Arc::ptr_eq(&keys, &known.keys) {
            entry.number
        } else {
            self.remember(digest, &Arc::new(Remembered { keys, ..Remembered::clone(known) }), now.unix)
        };
        Some(match self.policy.check_times(known.times, now.unix) {
            Ok(()) => Verdict::Accepted(Verified::proven(known, number), refresh),
            Err(error) => Verdict::Rejected(error),
        })
    }

    fn check_unknown(
        &self,
        token: &Reading<'_>,
        digest: Digest,
        now: Now,
        signatures: &dyn Signatures,
    ) -> Result<Verdict, Box<Question>> {
        let header = match token.header(&self.policy.algorithms, &self.last_header) {
            Ok(header) => header,
            Err(error) => return Ok(Verdict::Rejected(error)),
        };
        if jws::is_stripped(token.text()) {
            return Ok(self.check_stripped(token, now.unix));
        }
        let (keys, refresh) = match self.keys_for(header, now) {
            Ok(known) => known,
            Err(missing) => return Ok(missing.into()),
        };
        Ok(match self.verify(token, header, &keys, now.unix, signatures)? {
            Ok(accepted) => self.accept(token, digest, accepted, refresh, now.unix),
            // Without a key id nothing says that the key is unknown; the issuer may have rotated it.
            Err(error) if header.kid.is_none() && error.is_about_keys() => {
                match self.newer_keys(&keys, refresh, now) {
                    Ok(Some(newer)) => match self.verify(token, header, &newer, now.unix, signatures)? {
                        Ok(accepted) => self.accept(token, digest, accepted, None, now.unix),
                        Err(error) => Verdict::Rejected(error),
                    },
                    Ok(None) => Verdict::Rejected(error),
                    Err(missing) => missing.into(),
                }
            }
            Err(error) => Verdict::Rejected(error),
        })
    }

    /// Keys that have come since these, if there are any.
    fn newer_keys(
        &self,
        keys: &Arc<KeySet>,
        refresh: Option<KeyFetch>,
        now: Now,
    ) -> Result<Option<Arc<KeySet>>, Missing> {
        if let Some(refresh) = refresh {
            return Err(Missing::Fetch(refresh));
        }
        let (newer, _refresh) = self.keys.after_unknown_key(keys, now)?;
        Ok(Some(newer).filter(|newer| !Arc::ptr_eq(newer, keys)))
    }

    fn accept(
        &self,
        token: &Reading<'_>,
        digest: Digest,
        accepted: Remembered,
        refresh: Option<KeyFetch>,
        now: Millis,
    ) -> Verdict {
        token.keep_header(&self.last_header);
        let accepted = Arc::new(accepted);
        let number = self.remember(digest, &accepted, now);
        Verdict::Accepted(Verified::proven(&accepted, number), refresh)
    }

    fn remember(&self, digest: Digest, token: &Arc<Remembered>, now: Millis) -> u64 {
        self.verified.put(digest, Arc::clone(token), |other| self.policy.is_over(other.times, now))
    }

    /// No key can help, and nothing is worth remembering: a copy of the token proves as little as the first one.
    fn check_stripped(&self, token: &Reading<'_>, now: Millis) -> Verdict {
        let claims = || {
            let payload = token.payload()?;
            let times = self.check_claims(payload, now)?;
            let (payload, expires_at) = (payload.into(), times.expires_at());
            Ok(Verified(Accepted::Unverified { payload, expires_at }))
        };
        let outcome = if self.policy.trusts_cloud_run { claims() } else { Err(jws::signature_stripped()) };
        match outcome {
            Ok(verified) => Verdict::Accepted(verified, None),
            Err(error) => Verdict::Rejected(error),
        }
    }

    fn keys_for(&self, header: &Header, now: Now) -> Result<Known, Missing> {
        match self.keys.current(now)? {
            (keys, refresh) if keys.knows(header.kid()) => Ok((keys, refresh)),
            (_, Some(refresh)) => Err(Missing::Fetch(refresh)),
            (keys, None) => self.keys.after_unknown_key(&keys, now),
        }
    }

    fn verify(
        &self,
        token: &Reading<'_>,
        header: &Arc<Header>,
        keys: &Arc<KeySet>,
        now: Millis,
        signatures: &dyn Signatures,
    ) -> Result<Result<Remembered, Error>, Box<Question>> {
        let key = match keys.find(header.kid(), header.alg, now) {
            Ok(key) => key,
            Err(error) => return Ok(Err(error)),
        };
        // Decoded, not read: a part that is no base64url is a malformed token, whatever its signature.
        let decoded = || Ok((token.payload()?, token.signature()?, token.signing_input()?));
        let (payload, signature, message) = match decoded() {
            Ok(decoded) => decoded,
            Err(error) => return Ok(Err(error)),
        };
        if !signatures.is_valid(header.alg, key, message, signature)? {
            return Ok(Err(jws::bad_signature()));
        }
        Ok(self.check_claims(payload, now).map(|times| Remembered {
            payload: payload.into(),
            times,
            accepted: key.valid_within(self.policy.accepted(times)),
            header: Arc::clone(header),
            key: Arc::clone(key),
            keys: Arc::clone(keys),
        }))
    }

    fn check_claims(&self, payload: &[u8], now: Millis) -> Result<Times, Error> {
        let claims = Claims::parse(payload)?;
        match self.policy.complaints(&claims, now).next() {
            None => claims.times(),
            Some(error) => Err(error),
        }
    }
}

/// `None` for a token that is refused for its length alone: nobody hashes that.
fn digest_of(token: &[u8]) -> Option<Digest> {
    (token.len() <= MAX_TOKEN_BYTES).then(|| crypto::sha256(token))
}

impl From<Missing> for Verdict {
    fn from(missing: Missing) -> Self {
        match missing {
            Missing::Fetch(fetch) => Self::NeedsKeys(fetch),
            Missing::Join(flight) => Self::Join(flight),
            Missing::Unavailable(error) => Self::Rejected(error),
        }
    }
}
