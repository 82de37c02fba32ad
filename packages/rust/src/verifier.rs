//! Received tokens: one policy, many tokens.

use std::fmt;
use std::sync::Arc;

use gatepass_core::explain::{Explanation, Question};
use gatepass_core::{
    Error, ErrorCode, KeyFetch, Opened, OwnAudiences, TokenHeaders, Verdict, Verified, VerifierConfig,
};

use crate::claims::Claims;
use crate::driver::{Flight, Host};

/// How often a check may be answered by a flight: far beyond what happens.
const MAX_LOOKS: usize = 1_000;

/// Checks received tokens, from any thread. Cheap to clone; clones share what is remembered.
#[derive(Clone)]
pub struct Verifier {
    core: Arc<gatepass_core::Verifier>,
    host: Host,
}

impl Verifier {
    /// A verifier with this policy. What its user must know is logged as a warning.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidOption`].
    pub fn new(config: VerifierConfig) -> Result<Self, Error> {
        Self::on(Host::default(), config)
    }

    /// A verifier of Google's ID tokens for `audience`, whoever calls.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn google(audience: &str) -> Result<Self, Error> {
        Self::new(VerifierConfig { audiences: audience.into(), ..VerifierConfig::default() })
    }

    /// A verifier on a host of one's own, with another clock for example.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn on(host: Host, config: VerifierConfig) -> Result<Self, Error> {
        let Opened { verifier, warnings } = host.drive(gatepass_core::Verifier::open(config, &host.keys))?;
        for warning in warnings {
            log::warn!("{warning}");
        }
        Ok(Self { core: Arc::new(verifier), host })
    }

    /// The claims of `token`, if it is to be accepted.
    ///
    /// # Errors
    /// Of [`ErrorKind::Verify`](crate::ErrorKind) if it is not, and of [`ErrorKind::Transport`](crate::ErrorKind) if the
    /// issuer's keys cannot be had.
    pub fn verify(&self, token: &str) -> Result<Claims, Error> {
        Claims::new(self.check(token)?)
    }

    /// The claims of the token in these headers. Give every value of a header, with line feeds between them.
    ///
    /// # Errors
    /// As [`verify`](Self::verify).
    pub fn verify_headers(&self, headers: &TokenHeaders<'_>) -> Result<Claims, Error> {
        self.verify(self.core.token_from_headers(headers)?)
    }

    /// What a token is, and all that is wrong with it, for this verifier. No keys are fetched for it.
    pub fn explain(&self, question: &Question<'_>) -> Explanation {
        self.core.explain(question)
    }

    fn check(&self, token: &str) -> Result<Verified, Error> {
        let mut joined = None;
        for _ in 0..MAX_LOOKS {
            match self.core.check(token, self.host.now()) {
                Verdict::Accepted(verified, refresh) => {
                    let _in_the_background = refresh.map(|refresh| self.fly(refresh));
                    return Ok(verified);
                }
                Verdict::Rejected(error) => return Err(error),
                Verdict::NeedsKeys(fetch) => self.fly(fetch).wait()?,
                Verdict::Join(id) => {
                    let known: Option<(_, Arc<Flight<()>>)> = joined.take();
                    match known {
                        // The place to wait at was there before this check: whoever lands finds it.
                        Some((known, flight)) if known == id => flight.wait()?,
                        _ => joined = Some((id, self.host.key_flights.at(id))),
                    }
                }
            }
        }
        Err(Error::new(ErrorCode::Internal, "a check was answered by 1,000 flights; report this"))
    }

    fn fly(&self, fetch: KeyFetch) -> Arc<Flight<()>> {
        let host = self.host.clone();
        match fetch.flight() {
            Some(id) => self.host.key_flights.fly(id, move || host.drive(fetch)),
            None => Flight::landed(host.drive(fetch)),
        }
    }
}

/// Without its options, which may name callers.
impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier { … }")
    }
}

/// On Cloud Run, the audiences of this service itself, in both of its spellings.
///
/// # Errors
/// Where this is not Cloud Run, or the metadata server cannot be asked.
pub fn own_audiences() -> Result<Vec<String>, Error> {
    Host::default().drive(OwnAudiences::new())
}
