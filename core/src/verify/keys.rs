//! The issuer's keys: given once, or fetched, refreshed in the background and kept while the issuer is down.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock, PoisonError, Weak};

use crate::error::{Error, ErrorCode};
use crate::exchange::Exchange;
use crate::exchange::discovery::{Discovered, FetchDiscovery, Issuer};
use crate::exchange::key_set::{FetchKeySet, Published};
use crate::flight::{FlightId, FlightIds, SingleFlight};
use crate::jose::alg::Algorithm;
use crate::jose::jwks::KeySet;
use crate::proxy::Proxies;
use crate::retry::Jitter;
use crate::step::{Deadline, Now, Operation, Reply, Step, ended};
use crate::sync::{Mutex, MutexGuard, Snapshot};
use crate::url::Url;
use crate::verify::config::KeySource;
use crate::verify::issuers::Preset;

/// A key set whose life is over is used for this long while it is fetched anew.
const STALE_MS: u64 = 24 * 3600 * 1000;
/// Unknown key ids cause one fetch in this time, however many tokens carry one: an attacker picks key ids. The first one
/// after a fetch for any other reason causes one at once: the issuer may have rotated its keys since.
const UNKNOWN_KEY_COOLDOWN_MS: u64 = 30_000;

/// The keys of issuers, for all verifiers that are made with it: those with the same key URL or the same issuer share
/// what was fetched, and who fetches it. Cheap to clone; clones are the same cache.
///
/// A host has one for each process. Verifiers with a clock of their own get one of their own.
#[derive(Clone, Default)]
pub struct KeyCache {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// A [`FlightId`] names one fetch of the whole cache.
    flights: Arc<FlightIds>,
    /// How issuers are reached; directly until somebody has read the environment.
    proxies: Arc<OnceLock<Proxies>>,
    /// By place. Only verifiers keep them alive.
    remote: Mutex<HashMap<String, Weak<RemoteKeys>>>,
}

impl KeyCache {
    /// Gives up every flight, as a forked child must: the threads that flew them are not there. Keys are kept.
    pub fn abandon_flights(&self) {
        let all: Vec<_> = self.lock().values().filter_map(Weak::upgrade).collect();
        for remote in all {
            remote.lock().flight.abandon();
        }
    }

    /// Has issuers reached by these proxies from now on, unless it was said before: the environment is one.
    pub(crate) fn reach_by(&self, proxies: Proxies) {
        let _ = self.shared.proxies.set(proxies);
    }

    fn remote(&self, place: Place) -> Arc<RemoteKeys> {
        let mut remote = self.lock();
        if let Some(known) = remote.get(place.name()).and_then(Weak::upgrade) {
            return known;
        }
        remote.retain(|_, keys| keys.strong_count() > 0);
        let name = place.name().to_owned();
        let keys = Arc::new(RemoteKeys {
            place,
            flights: Arc::clone(&self.shared.flights),
            proxies: Arc::clone(&self.shared.proxies),
            state: Mutex::default(),
            fresh: Snapshot::default(),
        });
        remote.insert(name, Arc::downgrade(&keys));
        keys
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Weak<RemoteKeys>>> {
        self.shared.remote.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A verifier's keys.
pub(crate) enum KeyStore {
    Static(Arc<KeySet>),
    Remote(Arc<RemoteKeys>),
}

impl KeyStore {
    /// The keys of this source, for tokens of these issuers; those of an emulator at this URL in place of a preset's own.
    pub(crate) fn new(
        source: &KeySource,
        preset: Option<Preset>,
        issuers: &[String],
        emulator: Option<String>,
        cache: &KeyCache,
    ) -> Result<Self, Error> {
        let place = match (source, preset.map(Preset::keys_url)) {
            (KeySource::Static(document), _) => {
                // An issuer of one's own may have one key. Those of a preset publish sets, of which one key is but a part.
                let keys = if preset.is_none() { KeySet::given(document)? } else { KeySet::parse(document)? };
                return Ok(Self::Static(Arc::new(keys)));
            }
            (KeySource::Url(url), _) => Place::url(url)?,
            (KeySource::Preset, Some(Some(url))) => match emulator {
                Some(emulator) => Place::Url(emulator),
                None => Place::url(url)?,
            },
            (KeySource::Preset, Some(None)) => Place::issuer(issuers)?,
            (KeySource::Preset, None) => {
                return Err(invalid(
                    "no keys are given, expected `keys`, `keys_url`, or a preset: oidc finds them by discovery",
                ));
            }
        };
        Ok(Self::Remote(cache.remote(place)))
    }

    /// What `look` makes of the keys, if they need no refresh at this moment. Nobody waits for it.
    pub(crate) fn fresh<R>(&self, now: Now, look: impl FnOnce(&Arc<KeySet>) -> R) -> Option<R> {
        match self {
            Self::Static(keys) => Some(look(keys)),
            Self::Remote(remote) => remote.fresh.read(|fresh| match fresh {
                Some(Fresh { keys, refresh_at }) if !refresh_at.has_come(now) => Some(look(keys)),
                _ => None,
            }),
        }
    }

    /// The keys at this moment.
    pub(crate) fn current(&self, now: Now) -> Result<Known, Missing> {
        match self {
            Self::Static(keys) => Ok((Arc::clone(keys), None)),
            Self::Remote(remote) => remote.current(now),
        }
    }

    /// The keys for a token whose key id is not in `known`: fetched again, but rarely.
    pub(crate) fn after_unknown_key(&self, known: &Arc<KeySet>, now: Now) -> Result<Known, Missing> {
        match self {
            Self::Static(keys) => Ok((Arc::clone(keys), None)),
            Self::Remote(remote) => remote.after_unknown_key(known, now),
        }
    }

    /// The keys that are at hand, for who would rather do without than wait.
    pub(crate) fn at_hand(&self) -> Option<Arc<KeySet>> {
        match self {
            Self::Static(keys) => Some(Arc::clone(keys)),
            Self::Remote(remote) => remote.lock().keys.clone(),
        }
    }

    #[cfg(all(test, not(loom)))]
    pub(crate) fn url(&self) -> Option<String> {
        match self {
            Self::Remote(remote) => match &remote.place {
                Place::Url(url) => Some(url.clone()),
                Place::Issuer(_) => None,
            },
            Self::Static(_) => None,
        }
    }

    /// Gives the flight up, as a forked child must.
    pub(crate) fn abandon_flight(&self) {
        if let Self::Remote(remote) = self {
            remote.lock().flight.abandon();
        }
    }
}

/// Where keys are fetched from.
enum Place {
    Url(String),
    /// From where this issuer's discovery document says.
    Issuer(Issuer),
}

impl Place {
    /// What no other place is called: discovery documents and key sets have URLs of different paths.
    fn name(&self) -> &str {
        match self {
            Self::Url(url) => url,
            Self::Issuer(issuer) => issuer.as_str(),
        }
    }

    fn url(url: &str) -> Result<Self, Error> {
        let refused = |why: &str| invalid(format!("`keys_url` {why}, expected an https URL"));
        let parsed = Url::parse(url).map_err(refused)?;
        if !parsed.is_https() && !parsed.is_loopback() {
            return Err(refused("begins with http://"));
        }
        Ok(Self::Url(url.to_owned()))
    }

    fn issuer(issuers: &[String]) -> Result<Self, Error> {
        let refused = |why: &str| invalid(format!("the issuer of preset oidc {why}, expected an https URL"));
        let issuer = issuers.first().ok_or_else(|| refused("is missing"))?;
        Issuer::parse(issuer).map(Self::Issuer).map_err(refused)
    }
}

/// Keys that are fetched, shared by a verifier and its [`KeyFetch`] operations.
pub(crate) struct RemoteKeys {
    place: Place,
    /// Of the cache.
    flights: Arc<FlightIds>,
    proxies: Arc<OnceLock<Proxies>>,
    state: Mutex<State>,
    /// Of the state, what nearly every check needs: kept next to it, to be read without the lock.
    fresh: Snapshot<Option<Fresh>>,
}

/// Keys that need no refresh before this moment.
struct Fresh {
    keys: Arc<KeySet>,
    refresh_at: Deadline,
}

#[derive(Default)]
struct State {
    /// What the discovery document says, until the moment next to it.
    discovered: Option<(Discovered, Deadline)>,
    keys: Option<Arc<KeySet>>,
    /// Unknown key ids cause no fetch before this moment.
    unknown_not_before: Deadline,
    /// 80 % of the keys' life: from here on they are refreshed in the background.
    refresh_at: Deadline,
    /// The end of their life and of the time after it in which they are used all the same.
    unusable_at: Deadline,
    flight: SingleFlight,
    jitter: u64,
}

/// Keys to check with; `Some`: you were chosen to refresh them in the background.
pub(crate) type Known = (Arc<KeySet>, Option<KeyFetch>);

/// Why there are no keys to check with at this moment.
pub(crate) enum Missing {
    Fetch(KeyFetch),
    Join(FlightId),
    Unavailable(Error),
}

impl RemoteKeys {
    fn current(self: &Arc<Self>, now: Now) -> Result<Known, Missing> {
        let mut state = self.lock();
        match state.keys.clone() {
            Some(keys) if !state.refresh_at.has_come(now) => Ok((keys, None)),
            // Nobody waits for new keys while old ones are good, be the issuer slow, hung or away.
            Some(keys) if !state.unusable_at.has_come(now) => {
                let refresh = state.flight.may_depart(now).then(|| self.depart(&mut state, false, now));
                Ok((keys, refresh))
            }
            _ => Err(self.ask(&mut state, false, now)),
        }
    }

    fn after_unknown_key(self: &Arc<Self>, known: &Arc<KeySet>, now: Now) -> Result<Known, Missing> {
        let mut state = self.lock();
        match state.keys.clone() {
            // Somebody else has fetched them in the meantime.
            Some(keys) if !Arc::ptr_eq(&keys, known) => Ok((keys, None)),
            Some(keys) if state.flight.under_way().is_none() && !state.unknown_not_before.has_come(now) => {
                match state.flight.failure() {
                    // The key may be one that could not be fetched: that is not the sender's fault.
                    Some(error) => Err(Missing::Unavailable(error.clone())),
                    None => Ok((keys, None)),
                }
            }
            _ => Err(self.ask(&mut state, true, now)),
        }
    }

    fn ask(self: &Arc<Self>, state: &mut State, is_for_unknown_key: bool, now: Now) -> Missing {
        match (state.flight.under_way(), state.flight.failure()) {
            (Some(flight), _) => Missing::Join(flight),
            (None, Some(error)) if !state.flight.may_depart(now) => Missing::Unavailable(error.clone()),
            (None, _) => Missing::Fetch(self.depart(state, is_for_unknown_key, now)),
        }
    }

    fn depart(self: &Arc<Self>, state: &mut State, is_for_unknown_key: bool, now: Now) -> KeyFetch {
        state.jitter = state.jitter.wrapping_add(now.unix.0);
        let flight = self.flights.next();
        state.flight.depart(flight);
        let jitter = Jitter::new(state.jitter);
        let stage = match (&self.place, &state.discovered) {
            (Place::Url(url), _) => Stage::keys(url.clone(), None, jitter.clone()),
            (Place::Issuer(_), Some((discovered, until))) if !until.has_come(now) => {
                Stage::keys_of(discovered.clone(), jitter.clone())
            }
            (Place::Issuer(issuer), _) => {
                let endpoint = FetchDiscovery { issuer: issuer.clone() };
                Stage::Discovery(Exchange::new(endpoint, jitter.clone()))
            }
        };
        let keys = Arc::clone(self);
        KeyFetch {
            keys,
            flight: Some(flight),
            is_for_unknown_key,
            is_nowhere: false,
            jitter,
            stage: Box::new(stage),
        }
    }

    fn keep_discovered(&self, discovered: Discovered, now: Now) {
        let until = now.after(discovered.lifetime_ms);
        self.lock().discovered = Some((discovered, until));
    }

    fn keep(&self, published: Published, algorithms: Option<Vec<Algorithm>>, now: Now) {
        let mut state = self.lock();
        state.refresh_at = now.after(published.lifetime_ms / 5 * 4);
        state.unusable_at = now.after(published.lifetime_ms).plus(STALE_MS);
        state.flight.note_success();
        let keys = Arc::new(published.keys.only_for(algorithms));
        self.fresh.replace(Some(Fresh { keys: Arc::clone(&keys), refresh_at: state.refresh_at }));
        state.keys = Some(keys);
    }

    /// Notes the failure of a fetch; gives the error that callers see, and whether old keys can serve them.
    fn note_failure(&self, error: &Error, is_nowhere: bool, now: Now) -> (Error, bool) {
        let mut state = self.lock();
        // The keys may have moved.
        state.discovered = None;
        let has_old_keys = state.keys.is_some();
        let error = unavailable(error, is_nowhere && !has_old_keys, &self.place);
        state.flight.note_failure(&error, has_old_keys, now);
        (error, has_old_keys)
    }

    fn reach<T>(&self, step: Step<T>) -> Step<T> {
        match self.proxies.get() {
            Some(proxies) => proxies.apply(step),
            None => step,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The operation that fetches the issuer's keys. When it is done, check the token again.
pub struct KeyFetch {
    keys: Arc<RemoteKeys>,
    flight: Option<FlightId>,
    is_for_unknown_key: bool,
    /// Whether the last response said that there is nothing at its URL.
    is_nowhere: bool,
    jitter: Jitter,
    stage: Box<Stage>,
}

enum Stage {
    Discovery(Exchange<FetchDiscovery>),
    Keys {
        exchange: Exchange<FetchKeySet>,
        /// Those that the discovery document names, if there is one.
        algorithms: Option<Vec<Algorithm>>,
    },
    Ended,
}

impl Stage {
    fn keys(url: String, algorithms: Option<Vec<Algorithm>>, jitter: Jitter) -> Self {
        Self::Keys { exchange: Exchange::new(FetchKeySet { url }, jitter), algorithms }
    }

    fn keys_of(discovered: Discovered, jitter: Jitter) -> Self {
        Self::keys(discovered.keys_url, Some(discovered.algorithms), jitter)
    }
}

impl KeyFetch {
    /// The flight that others join.
    pub fn flight(&self) -> Option<FlightId> {
        self.flight
    }

    /// Ends the flight. Whoever waited for it looks again.
    fn land(&mut self) {
        *self.stage = Stage::Ended;
        if let Some(flight) = self.flight.take() {
            self.keys.lock().flight.land(flight);
        }
    }

    /// Ends the flight with an answer, good or bad.
    fn arrive(&mut self, now: Now) {
        if self.is_for_unknown_key {
            self.keys.lock().unknown_not_before = now.after(UNKNOWN_KEY_COOLDOWN_MS);
        }
        self.land();
    }

    fn after_discovery(&mut self, discovered: Discovered, now: Now) -> Step<()> {
        self.keys.keep_discovered(discovered.clone(), now);
        *self.stage = Stage::keys_of(discovered, self.jitter.fork());
        self.resume(now, Reply::Start)
    }

    fn fail(&mut self, error: Error, now: Now) -> Step<()> {
        if error.code() == ErrorCode::ApiMisuse {
            self.land();
            return Step::Fail(error);
        }
        let (error, has_old_keys) = self.keys.note_failure(&error, self.is_nowhere, now);
        self.arrive(now);
        // Whoever waited looks again, and is served with the old keys unless they are too old: an issuer that is away is
        // nobody's error as long as they are good.
        if has_old_keys { Step::Done(()) } else { Step::Fail(error) }
    }
}

impl Operation for KeyFetch {
    type Output = ();

    fn resume(&mut self, now: Now, reply: Reply) -> Step<()> {
        if let Reply::Response { status, .. } = reply {
            self.is_nowhere = matches!(status, 404 | 410);
        }
        let keys = Arc::clone(&self.keys);
        match &mut *self.stage {
            Stage::Ended => Step::Fail(ended()),
            Stage::Discovery(exchange) => match keys.reach(exchange.resume(now, reply)) {
                Step::Done(discovered) => self.after_discovery(discovered, now),
                Step::Fail(error) => self.fail(error, now),
                other => other.and_then(|_| Step::Done(())),
            },
            Stage::Keys { exchange, algorithms } => match keys.reach(exchange.resume(now, reply)) {
                Step::Done(published) => {
                    self.keys.keep(published, algorithms.take(), now);
                    self.arrive(now);
                    Step::Done(())
                }
                Step::Fail(error) => self.fail(error, now),
                other => other.and_then(|_| Step::Done(())),
            },
        }
    }
}

impl Drop for KeyFetch {
    fn drop(&mut self) {
        self.land();
    }
}

/// Whatever kept the keys away, the token's sender is told to try again: the next fetch may succeed. But a place that has
/// never given keys and says that there is nothing is a mistake in the options.
fn unavailable(error: &Error, is_mistake: bool, place: &Place) -> Error {
    let code = match error.code() {
        code @ (ErrorCode::KeysUnavailable | ErrorCode::DiscoveryInvalid) => code,
        _ => ErrorCode::KeysUnavailable,
    };
    // Without the query: it may hold a key of an API.
    let place = place.name().split('?').next().unwrap_or_default();
    let found = format!("the issuer's keys cannot be fetched ({place}): {}", error.detail());
    // Nor does a certificate that is not trusted become so.
    let is_untrusted = error.code() == ErrorCode::ConnectionFailed && !error.is_retryable();
    let error = Error::new(code, found).retry_after(error.retry_after_ms());
    if is_mistake || is_untrusted { error.permanent() } else { error.retryable() }
}

fn invalid(found: impl Into<String>) -> Error {
    Error::new(ErrorCode::InvalidOption, found)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn remote(cache: &KeyCache, url: &str) -> Arc<RemoteKeys> {
        cache.remote(Place::url(url).unwrap())
    }

    #[test]
    fn keys_that_nobody_uses_any_more_are_forgotten() {
        let cache = KeyCache::default();
        let kept = remote(&cache, "https://kept.example");
        for n in 0..3 {
            drop(remote(&cache, &format!("https://{n}.example")));
        }
        let _last = remote(&cache, "https://last.example");
        assert!(Arc::ptr_eq(&kept, &remote(&cache, "https://kept.example")));
        let mut places: Vec<_> = cache.lock().keys().cloned().collect();
        places.sort();
        assert_eq!(places, ["https://kept.example", "https://last.example"]);
    }

    #[test]
    fn a_certificate_that_is_not_trusted_does_not_become_so() {
        use crate::step::{HostFailure, Millis};
        let now = Now::steady(Millis::from_secs(1_800_000_000));
        for (kind, retryable) in [(HostFailure::Connect, true), (HostFailure::UntrustedCertificate, false)] {
            let keys = remote(&KeyCache::default(), "https://issuer.example/keys");
            let Err(Missing::Fetch(mut fetch)) = keys.current(now) else { panic!("no fetch") };
            let mut reply = Reply::Start;
            let error = loop {
                reply = match fetch.resume(now, reply) {
                    Step::Send(_) => Reply::Failed { kind, message: String::new() },
                    Step::Wait { .. } => Reply::Elapsed,
                    Step::Fail(error) => break error,
                    other => panic!("{other:?}"),
                };
            };
            assert_eq!(
                (error.code(), error.is_retryable()),
                (ErrorCode::KeysUnavailable, retryable),
                "{kind:?}"
            );
        }
    }
}
