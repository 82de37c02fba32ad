//! Tokens of one principal: cached, refreshed in the background, fetched once however many threads need them.

use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;

use gatepass_core::{
    Call, CallToken, Error, ErrorCode, Lookup, Refresh, SourceConfig, Token, TokenKey, plan_call,
};

use crate::driver::{Flight, Flights, Host};

/// How often a look-up may be answered by another thread's flight: far beyond what happens.
const MAX_LOOKS: usize = 1_000;

/// Gives tokens of one principal, from any thread. Cheap to clone; clones share the cache.
#[derive(Clone)]
pub struct TokenSource {
    core: gatepass_core::TokenSource,
    flights: Arc<Flights<Token>>,
    host: Host,
}

impl TokenSource {
    /// A source of tokens from Application Default Credentials, which are looked for when the first token is fetched.
    pub fn new() -> Self {
        Self::with(SourceConfig::default())
    }

    /// A source with these options.
    pub fn with(config: SourceConfig) -> Self {
        Self::on(Host::default(), config)
    }

    /// A source with these options, on a host of one's own: with suppliers, or with another clock.
    pub fn on(host: Host, mut config: SourceConfig) -> Self {
        if config.seed == 0 {
            // Any number will do, if it differs between processes: it spreads their requests.
            config.seed = RandomState::new().build_hasher().finish();
        }
        Self { core: gatepass_core::TokenSource::new(config), flights: Arc::default(), host }
    }

    /// An ID token for `audience`: the receiver's URL, a custom audience, or the OAuth client ID of IAP.
    ///
    /// # Errors
    /// Of [`ErrorKind::Credentials`](crate::ErrorKind) and [`ErrorKind::Transport`](crate::ErrorKind), and
    /// [`ErrorCode::InvalidAudience`].
    pub fn id_token(&self, audience: &str) -> Result<Token, Error> {
        self.token(&TokenKey::id_token(audience)?)
    }

    /// An access token with these OAuth 2.0 scopes.
    ///
    /// # Errors
    /// As [`id_token`](Self::id_token), with [`ErrorCode::InvalidOption`] for scopes that make no sense.
    pub fn access_token(&self, scopes: &[&str]) -> Result<Token, Error> {
        self.token(&TokenKey::access_token(&scopes.join(" "))?)
    }

    /// A JWT for `audience` that the service account has signed itself (AIP-4111).
    ///
    /// # Errors
    /// As [`id_token`](Self::id_token).
    pub fn self_signed_jwt(&self, audience: &str) -> Result<Token, Error> {
        self.token(&TokenKey::self_signed_jwt(audience)?)
    }

    /// The headers that this call carries its ID token in. The audience is derived from the URL unless it is given.
    /// For each redirect that is followed, ask anew.
    ///
    /// # Errors
    /// As [`id_token`](Self::id_token), and [`ErrorCode::InvalidOption`] where the token would travel in clear.
    pub fn headers(&self, call: &Call<'_>) -> Result<Vec<(&'static str, String)>, Error> {
        let plan = plan_call(call)?;
        let CallToken::IdToken { .. } = call.token else {
            return Err(Error::new(
                ErrorCode::InvalidOption,
                "the call carries an access token, whose scopes are not known here: see access_token",
            ));
        };
        let token = self.id_token(plan.audience.as_deref().unwrap_or_default())?;
        Ok(plan.headers.iter().map(|name| (*name, token.header().to_owned())).collect())
    }

    /// Any token.
    ///
    /// # Errors
    /// As [`id_token`](Self::id_token).
    pub fn token(&self, key: &TokenKey) -> Result<Token, Error> {
        let mut joined = None;
        for _ in 0..MAX_LOOKS {
            match self.core.lookup(key, self.host.now()) {
                Lookup::Fresh(token) | Lookup::Stale(token, None) => return Ok(token),
                Lookup::Stale(token, Some(refresh)) => {
                    let _in_the_background = self.fly(refresh);
                    return Ok(token);
                }
                Lookup::Fetch(refresh) => return self.fly(refresh).wait(),
                Lookup::Join(id) => {
                    let known: Option<(_, Arc<Flight<Token>>)> = joined.take();
                    match known {
                        // The place to wait at was there before this look-up: whoever lands finds it.
                        Some((known, flight)) if known == id => return flight.wait(),
                        _ => joined = Some((id, self.flights.at(id))),
                    }
                }
            }
        }
        Err(Error::new(ErrorCode::Internal, "a look-up was answered by 1,000 flights of others; report this"))
    }

    /// Whether a request that was answered with this status is worth repeating once, with a token that is looked up
    /// anew. `header` is the value that it was sent with.
    pub fn retry_after_refusal(&self, key: &TokenKey, header: &str, status: u16) -> bool {
        self.core.retry_after_refusal(key, header, status, self.host.now())
    }

    /// Replaces the token of this header value before its time, at most once a minute.
    pub fn invalidate(&self, key: &TokenKey, header: &str) -> bool {
        self.core.invalidate(key, header, self.host.now())
    }

    /// The headers that go with an access token on a call of Google's APIs, besides `Authorization`. They are known once
    /// a token was fetched.
    pub fn access_token_headers(&self) -> Vec<(&'static str, String)> {
        self.core.access_token_headers()
    }

    fn fly(&self, refresh: Refresh) -> Arc<Flight<Token>> {
        let host = self.host.clone();
        match refresh.flight() {
            Some(id) => self.flights.fly(id, move || host.drive(refresh)),
            // It only repeats a failure that is remembered.
            None => Flight::landed(host.drive(refresh)),
        }
    }
}

impl Default for TokenSource {
    fn default() -> Self {
        Self::new()
    }
}

/// Without its tokens.
impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenSource { … }")
    }
}
