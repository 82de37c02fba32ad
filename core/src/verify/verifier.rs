//! The verifier: one policy, one set of keys, many tokens.
//!
//! The order of the checks is part of the contract: size and shape; header (`alg`, `crit`, `typ`, `kid`); key;
//! signature; payload; `iss`, `aud`, times, `sub`; e-mail. Nothing of the payload is believed, or even read,
//! before the signature is.

use std::sync::Arc;

use crate::crypto;
use crate::error::{Error, ErrorCode};
use crate::header::{self, TokenHeaders};
use crate::jose::alg::Algorithm;
use crate::jose::claims::Claims;
use crate::jose::jwks::KeySet;
use crate::jose::jws::{Compact, Header};
use crate::source::FlightId;
use crate::step::Millis;
use crate::url::Url;
use crate::verify::issuers::Preset;
use crate::verify::keys::{KeyFetch, Known, Missing, RemoteKeys};
use crate::verify::verified_cache::{Digest, Remembered, VerifiedCache};

/// The leeway that a verifier grants to clocks unless it is told otherwise, in seconds. Google's page on IAP allows
/// as much.
pub const DEFAULT_LEEWAY_SECONDS: u64 = 30;
/// The most leeway that may be asked for, in seconds: a token lives for an hour.
pub const MAX_LEEWAY_SECONDS: u64 = 3600;

/// Whom a [`Verifier`] accepts.
#[derive(Clone, Debug)]
pub struct VerifierConfig {
    /// An issuer that gatepass knows; gives issuers, algorithms and the key URL where they are not given below.
    pub preset: Option<Preset>,
    /// Values of `iss`, to the letter.
    pub issuers: Vec<String>,
    /// Algorithms that the issuer signs with.
    pub algorithms: Vec<Algorithm>,
    /// Values of `aud`, to the letter; the token must be for one of them.
    pub audiences: Vec<String>,
    /// Accept a token for anybody. Only for services that check `aud` themselves.
    pub any_audience: bool,
    /// Where the keys come from.
    pub keys: KeySource,
    /// Seconds that clocks may be apart.
    pub leeway_seconds: u64,
    /// E-mails of the callers that are accepted, to the letter; `None` accepts any.
    pub allowed_emails: Option<Vec<String>>,
}

/// Where a verifier's keys come from.
#[derive(Clone, Debug, Default)]
pub enum KeySource {
    /// The preset's own URL.
    #[default]
    Preset,
    /// This document: a JWK set or a PEM map.
    Static(String),
    /// This URL: `https`, or `http` on a loopback host.
    Url(String),
}

impl Default for VerifierConfig {
    fn default() -> Self {
        Self {
            preset: None,
            issuers: Vec::new(),
            algorithms: Vec::new(),
            audiences: Vec::new(),
            any_audience: false,
            keys: KeySource::default(),
            leeway_seconds: DEFAULT_LEEWAY_SECONDS,
            allowed_emails: None,
        }
    }
}

/// Checks received tokens. Made once, used from any thread.
pub struct Verifier {
    issuers: Vec<String>,
    algorithms: Vec<Algorithm>,
    /// `None`: any.
    audiences: Option<Vec<String>>,
    leeway_ms: u64,
    /// `None`: any.
    allowed_emails: Option<Vec<String>>,
    is_iap: bool,
    keys: KeyStore,
    verified: VerifiedCache,
}

enum KeyStore {
    Static(Arc<KeySet>),
    Remote(Arc<RemoteKeys>),
}

/// The answer to "is this token to be accepted?".
#[must_use]
pub enum Verdict {
    /// Yes. `Some`: you were chosen to refresh the keys behind the caller.
    Accepted(Verified, Option<KeyFetch>),
    /// No, and why.
    Rejected(Error),
    /// You were chosen to fetch the issuer's keys; then check again.
    NeedsKeys(KeyFetch),
    /// Somebody else fetches the keys: wait on your own primitive, then check again.
    Join(FlightId),
}

/// A token that was accepted.
#[derive(Clone, Debug)]
pub struct Verified {
    payload: Arc<[u8]>,
    expires_at: Millis,
}

impl Verified {
    /// The token's payload as it was signed: one JSON object, with no member name twice.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The token's `exp`, without leeway.
    pub fn expires_at(&self) -> Millis {
        self.expires_at
    }
}

impl Verifier {
    /// A verifier with this policy.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidOption`] when the audience is left open without saying so, when issuers, algorithms or
    /// keys are missing and no preset gives them, or when an option's value makes no sense.
    pub fn new(config: VerifierConfig) -> Result<Self, Error> {
        let audiences = match (config.audiences.is_empty(), config.any_audience) {
            (false, false) => Some(config.audiences),
            (true, true) => None,
            (true, false) => {
                return Err(invalid(
                    "no audience is given, expected this service's own (or any_audience, if you check aud yourself)",
                ));
            }
            (false, true) => {
                return Err(invalid("both an audience and any_audience are given, expected one of them"));
            }
        };
        if audiences.iter().flatten().any(String::is_empty) {
            return Err(invalid("an audience is empty, expected this service's URL or custom audience"));
        }
        // A list that a program makes from an empty setting must not open it to everybody.
        if config.allowed_emails.as_ref().is_some_and(Vec::is_empty) {
            return Err(invalid(
                "allowed_emails is an empty list, expected at least one (or none given, to accept any caller)",
            ));
        }
        if config.leeway_seconds > MAX_LEEWAY_SECONDS {
            let found = config.leeway_seconds;
            return Err(invalid(format!("leeway_seconds is {found}, expected at most {MAX_LEEWAY_SECONDS}")));
        }
        let issuers = match (config.issuers.is_empty(), config.preset) {
            (false, _) => config.issuers,
            (true, Some(preset)) => preset.issuers().iter().map(|iss| (*iss).to_owned()).collect(),
            (true, None) => return Err(invalid("no issuer is given, expected a preset or issuers")),
        };
        let algorithms = match (config.algorithms.is_empty(), config.preset) {
            (false, _) => config.algorithms,
            (true, Some(preset)) => preset.algorithms().to_vec(),
            (true, None) => return Err(invalid("no algorithm is given, expected a preset or algorithms")),
        };
        let keys = match (config.keys, config.preset) {
            (KeySource::Static(document), _) => KeyStore::Static(Arc::new(KeySet::parse(&document)?)),
            (KeySource::Url(url), _) => KeyStore::remote(&url)?,
            (KeySource::Preset, Some(preset)) => KeyStore::remote(preset.keys_url())?,
            (KeySource::Preset, None) => {
                return Err(invalid("no keys are given, expected a preset, keys or keys_url"));
            }
        };
        Ok(Self {
            issuers,
            algorithms,
            audiences,
            leeway_ms: config.leeway_seconds * 1000,
            allowed_emails: config.allowed_emails,
            is_iap: config.preset == Some(Preset::Iap),
            keys,
            verified: VerifiedCache::new(),
        })
    }

    /// The verdict on `token` at this moment.
    pub fn check(&self, token: &str, now: Millis) -> Verdict {
        let digest = crypto::sha256(token.as_bytes());
        match self.verified.get(&digest) {
            Some(known) => self.check_known(&known, token, digest, now),
            None => self.check_new(token, digest, now),
        }
    }

    /// The token of a request with these headers, from the header that this verifier's issuer uses.
    ///
    /// # Errors
    /// [`ErrorCode::TokenMissing`] or [`ErrorCode::TokenMalformed`].
    pub fn token_from_headers<'a>(&self, headers: &TokenHeaders<'a>) -> Result<&'a str, Error> {
        if self.is_iap { header::iap_assertion(headers) } else { header::bearer(headers) }
    }

    /// Gives up the key flight, as a forked child must: the thread that flew it is not there.
    pub fn abandon_flights(&self) {
        if let KeyStore::Remote(remote) = &self.keys {
            remote.abandon_flight();
        }
    }

    fn check_known(&self, known: &Remembered, token: &str, digest: Digest, now: Millis) -> Verdict {
        let (keys, refresh) = match self.keys.current(now) {
            Ok(known) => known,
            Err(missing) => return missing.into(),
        };
        // The key has left the set, or its id has gone to another key: the signature proves nothing any more.
        let is_same = |key: &Arc<_>| Arc::ptr_eq(key, &known.key) || *key == known.key;
        if !keys.find(&known.header.kid, known.header.alg, now).is_ok_and(is_same) {
            return self.check_new(token, digest, now);
        }
        match known.times.check(now, self.leeway_ms) {
            Ok(()) => {
                let payload = Arc::clone(&known.payload);
                Verdict::Accepted(Verified { payload, expires_at: known.times.expires_at() }, refresh)
            }
            Err(error) => Verdict::Rejected(error),
        }
    }

    fn check_new(&self, token: &str, digest: Digest, now: Millis) -> Verdict {
        let (compact, header) = match self.open(token) {
            Ok(opened) => opened,
            Err(error) => return Verdict::Rejected(error),
        };
        let (keys, refresh) = match self.keys_for(&header, now) {
            Ok(known) => known,
            Err(missing) => return missing.into(),
        };
        match self.verify(compact, &header, &keys, now) {
            Ok(remembered) => {
                let payload = Arc::clone(&remembered.payload);
                let expires_at = remembered.times.expires_at();
                self.verified.put(digest, remembered);
                Verdict::Accepted(Verified { payload, expires_at }, refresh)
            }
            Err(error) => Verdict::Rejected(error),
        }
    }

    fn open<'a>(&self, token: &'a str) -> Result<(Compact<'a>, Header), Error> {
        let compact = Compact::split(token)?;
        let header = compact.header(&self.algorithms)?;
        Ok((compact, header))
    }

    fn keys_for(&self, header: &Header, now: Millis) -> Result<Known, Missing> {
        match self.keys.current(now)? {
            (keys, refresh) if keys.knows(&header.kid) => Ok((keys, refresh)),
            (_, Some(refresh)) => Err(Missing::Fetch(refresh)),
            (keys, None) => self.keys.after_unknown_key(&keys, now),
        }
    }

    fn verify(
        &self,
        compact: Compact<'_>,
        header: &Header,
        keys: &KeySet,
        now: Millis,
    ) -> Result<Remembered, Error> {
        let key = keys.find(&header.kid, header.alg, now)?;
        // Decoded, not read: a part that is no base64url is a malformed token, whatever its signature.
        let payload = compact.payload()?;
        compact.verify(header.alg, key)?;
        let claims = Claims::parse(&payload)?;
        claims.check_issuer(&self.issuers)?;
        claims.check_audience(self.audiences.as_deref())?;
        let times = claims.times()?;
        times.check(now, self.leeway_ms)?;
        claims.check_subject()?;
        if let Some(allowed) = &self.allowed_emails {
            claims.check_email(allowed)?;
            // IAP asserts the e-mail itself and sends no email_verified.
            if !self.is_iap {
                claims.check_email_verified()?;
            }
        }
        Ok(Remembered { payload: payload.into(), times, header: header.clone(), key: Arc::clone(key) })
    }
}

impl KeyStore {
    fn remote(url: &str) -> Result<Self, Error> {
        let refused = |why: &str| invalid(format!("keys_url {why}, expected an https URL"));
        let parsed = Url::parse(url).map_err(refused)?;
        if !parsed.is_https() && !parsed.is_loopback() {
            return Err(refused("begins with http://"));
        }
        Ok(Self::Remote(RemoteKeys::new(url.to_owned())))
    }

    fn current(&self, now: Millis) -> Result<Known, Missing> {
        match self {
            Self::Static(keys) => Ok((Arc::clone(keys), None)),
            Self::Remote(remote) => remote.current(now),
        }
    }

    fn after_unknown_key(&self, known: &Arc<KeySet>, now: Millis) -> Result<Known, Missing> {
        match self {
            Self::Static(keys) => Ok((Arc::clone(keys), None)),
            Self::Remote(remote) => remote.after_unknown_key(known, now),
        }
    }
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

fn invalid(found: impl Into<String>) -> Error {
    Error::new(ErrorCode::InvalidOption, found)
}
