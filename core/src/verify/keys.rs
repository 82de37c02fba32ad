//! The issuer's keys: given once, or fetched, refreshed in the background and kept while the issuer is down.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::{Error, ErrorCode};
use crate::exchange::Exchange;
use crate::exchange::key_set::{FetchKeySet, Published};
use crate::jose::jwks::KeySet;
use crate::retry::{Jitter, back_off_ms};
use crate::source::FlightId;
use crate::step::{Millis, Operation, Reply, Step};

/// A key set whose life is over is used for this long while the issuer is down.
const STALE_MS: u64 = 24 * 3600 * 1000;
/// Unknown key ids cause one request in this time, however many tokens carry one: an attacker picks key ids.
const UNKNOWN_KEY_COOLDOWN_MS: u64 = 30_000;

/// Keys that are fetched from a URL, shared by a verifier and its [`KeyFetch`] operations.
pub(crate) struct RemoteKeys {
    url: String,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    keys: Option<Arc<KeySet>>,
    fetched_at: Millis,
    /// 80 % of the keys' life: from here on they are refreshed behind a caller.
    refresh_at: Millis,
    expires_at: Millis,
    flight: Option<FlightId>,
    last_flight: u64,
    /// No request before this moment.
    not_before: Millis,
    failures: u32,
    failure: Option<Error>,
    jitter: u64,
}

/// Keys to check with; `Some`: you were chosen to refresh them behind the caller.
pub(crate) type Known = (Arc<KeySet>, Option<KeyFetch>);

/// Why there are no keys to check with at this moment.
pub(crate) enum Missing {
    Fetch(KeyFetch),
    Join(FlightId),
    Unavailable(Error),
}

impl RemoteKeys {
    pub(crate) fn new(url: String) -> Arc<Self> {
        Arc::new(Self { url, state: Mutex::default() })
    }

    /// The keys at this moment.
    pub(crate) fn current(self: &Arc<Self>, now: Millis) -> Result<Known, Missing> {
        let mut state = self.lock();
        let may_ask = state.may_ask(now);
        match state.keys.clone() {
            Some(keys) if now < state.refresh_at => Ok((keys, None)),
            Some(keys) if now < state.expires_at => Ok((keys, may_ask.then(|| self.depart(&mut state)))),
            // Past their life: ask first, and use the old ones only if that has just failed.
            Some(keys) if state.is_resting(now) && now < state.expires_at.plus(STALE_MS) => Ok((keys, None)),
            _ => Err(self.ask(&mut state, now)),
        }
    }

    /// The keys for a token whose key id is not in `known`: fetched again, but rarely.
    pub(crate) fn after_unknown_key(
        self: &Arc<Self>,
        known: &Arc<KeySet>,
        now: Millis,
    ) -> Result<Known, Missing> {
        let mut state = self.lock();
        match state.keys.clone() {
            // Somebody else has fetched them in the meantime.
            Some(keys) if !Arc::ptr_eq(&keys, known) => Ok((keys, None)),
            Some(keys) if now < state.fetched_at.plus(UNKNOWN_KEY_COOLDOWN_MS) => Ok((keys, None)),
            Some(keys) if state.is_resting(now) => Ok((keys, None)),
            _ => Err(self.ask(&mut state, now)),
        }
    }

    fn ask(self: &Arc<Self>, state: &mut State, now: Millis) -> Missing {
        match (state.flight, &state.failure) {
            (Some(flight), _) => Missing::Join(flight),
            (None, Some(error)) if state.is_resting(now) => Missing::Unavailable(error.clone()),
            (None, _) => Missing::Fetch(self.depart(state)),
        }
    }

    fn depart(self: &Arc<Self>, state: &mut State) -> KeyFetch {
        state.last_flight += 1;
        state.jitter = state.jitter.wrapping_add(state.fetched_at.0);
        let flight = FlightId(state.last_flight);
        state.flight = Some(flight);
        let exchange = Exchange::new(FetchKeySet { url: self.url.clone() }, Jitter::new(state.jitter));
        KeyFetch { keys: Arc::clone(self), flight: Some(flight), exchange }
    }

    fn keep(&self, published: Published, now: Millis) {
        let mut state = self.lock();
        state.fetched_at = now;
        state.refresh_at = now.plus(published.lifetime_ms / 5 * 4);
        state.expires_at = now.plus(published.lifetime_ms);
        state.failures = 0;
        state.failure = None;
        state.not_before = Millis(0);
        state.keys = Some(Arc::new(published.keys));
    }

    fn note_failure(&self, error: &Error, now: Millis) {
        let mut state = self.lock();
        state.failures = state.failures.saturating_add(1);
        // With keys in hand nobody waits for the fetch, so even a first failure may be followed by a pause.
        let failures = if state.keys.is_some() { state.failures.saturating_add(1) } else { state.failures };
        state.not_before = now.plus(back_off_ms(failures));
        state.failure = Some(error.clone());
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the flight up, as a forked child must.
    pub(crate) fn abandon_flight(&self) {
        self.lock().flight = None;
    }
}

impl State {
    fn may_ask(&self, now: Millis) -> bool {
        self.flight.is_none() && !self.is_resting(now)
    }

    /// Whether the last fetch failed so recently that the issuer is left alone.
    fn is_resting(&self, now: Millis) -> bool {
        self.flight.is_none() && now < self.not_before
    }
}

/// The operation that fetches the issuer's keys. When it is done, check the token again.
pub struct KeyFetch {
    keys: Arc<RemoteKeys>,
    flight: Option<FlightId>,
    exchange: Exchange<FetchKeySet>,
}

impl KeyFetch {
    /// The flight that others join.
    pub fn flight(&self) -> Option<FlightId> {
        self.flight
    }

    fn land(&mut self) {
        if let Some(flight) = self.flight.take() {
            let mut state = self.keys.lock();
            if state.flight == Some(flight) {
                state.flight = None;
            }
        }
    }
}

impl Operation for KeyFetch {
    type Output = ();

    fn resume(&mut self, now: Millis, reply: Reply) -> Step<()> {
        match self.exchange.resume(now, reply) {
            Step::Done(published) => {
                self.keys.keep(published, now);
                self.land();
                Step::Done(())
            }
            Step::Fail(error) => {
                let error = unavailable(error);
                self.keys.note_failure(&error, now);
                self.land();
                Step::Fail(error)
            }
            other => other.and_then(|_| Step::Done(())),
        }
    }
}

impl Drop for KeyFetch {
    fn drop(&mut self) {
        self.land();
    }
}

/// Whatever kept the keys away, the token's sender is told to try again.
fn unavailable(error: Error) -> Error {
    match error.code() {
        ErrorCode::ApiMisuse => error,
        // Final for the operation that failed; the next one may succeed.
        ErrorCode::KeysUnavailable => error.retryable(),
        _ => Error::new(ErrorCode::KeysUnavailable, format!("the issuer's keys cannot be fetched: {error}")),
    }
}
