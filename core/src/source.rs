//! Fetched tokens: the cache, the refresh window, and one flight for each token.
//!
//! ```text
//!               lookup: Fetch                 Refresh ends well
//!   ┌─────────┐ ─────────────▶ ┌──────────┐ ─────────────────▶ ┌───────┐
//!   │ missing │                │ in flight │                    │ fresh │◀───────────────┐
//!   └─────────┘ ◀───────────── └──────────┘                    └───────┘                │
//!        ▲      fails / dropped     ▲ lookup: Join                  │ fresh_until       │
//!        │                          │                               ▼                   │
//!        │        end of life       │   lookup: Stale(_, Some)  ┌───────┐  refreshed    │
//!        └──────────────────────────┼────────────────────────── │ stale │ ──────────────┘
//!                                   └── (in the background) ──── └───────┘
//! ```
//!
//! The decision is made here; the waiting is native: the host keeps a future, a channel or a latch for each
//! [`FlightId`], made when it is told [`Lookup::Fetch`] and set when that operation ends, however it ends.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, PoisonError};

use crate::adc::{Adc, Found};
use crate::config::SourceConfig;
use crate::credentials::{Context, Credential, Fetch, Principal, Signature};
use crate::error::{Error, ErrorCode};
use crate::flight::{FlightId, FlightIds, SingleFlight};
use crate::retry::Jitter;
use crate::step::{Deadline, Now, Operation, Reply, Step, ended};
use crate::sync::{Mutex, MutexGuard};
use crate::token::{Issued, Token, TokenKey};

/// Tokens that are kept at most; the one that was not used for longest makes way.
const MAX_ENTRIES: usize = 1_000;
/// The metadata server hands out the same token until about four minutes before its end: asking earlier is in vain.
const METADATA_MARGIN_MS: u64 = 225_000;
/// Refreshes are spread over at most this time, so that a fleet that was started at once does not stay in step.
const MAX_JITTER_MS: u64 = 30_000;
/// An answer that is no newer than the token that is held is not asked for again for this long.
const SAME_TOKEN_PAUSE_MS: u64 = 10_000;
/// A token is not handed out in its last moments, in which it would end on its way.
const LAST_MOMENTS_MS: u64 = 10_000;
/// A token that a receiver has refused is not replaced before its time more often than this.
const FORCED_REFRESH_PAUSE_MS: u64 = 60_000;
/// Entries that are looked at, at most, to find the one that makes way: nobody waits for a walk through all of them.
const EVICTION_LOOKS: usize = 16;
/// Where no metadata server answers, none is asked for again for this long at first; twice as long each time, because a
/// question costs seconds, but a machine that has just started has one soon.
const NO_METADATA_SERVER_MS: u64 = 1_000;
/// The most of it.
const NO_METADATA_SERVER_LONGEST_MS: u64 = 64_000;
/// Credentials that were refused are looked for again: there may be a new login, or a new key in the same file. Twice as
/// long after each time that it did not help.
const SEARCH_AGAIN_MS: u64 = 1_000;
/// The most of it.
const SEARCH_AGAIN_LONGEST_MS: u64 = 64_000;
/// Names the project that a call is billed to (Google Cloud documentation, "System parameters").
const QUOTA_PROJECT_HEADER: &str = "x-goog-user-project";

/// Tokens of one principal, cached. Cheap to clone; clones share the cache.
#[derive(Clone)]
pub struct TokenSource {
    shared: Arc<Shared>,
}

/// The answer to "which token now?".
#[must_use]
pub enum Lookup {
    /// Use it.
    Fresh(Token),
    /// Still valid: use it. `Some`: you were chosen to refresh it in the background.
    Stale(Token, Option<Refresh>),
    /// Nothing usable, and you were chosen to fetch.
    Fetch(Refresh),
    /// Somebody else was chosen: wait on your own primitive, then look again.
    Join(FlightId),
}

impl TokenSource {
    /// A source with an empty cache. Credentials are looked for when the first token is fetched.
    pub fn new(config: SourceConfig) -> Self {
        let jitter = Jitter::new(config.seed);
        let state = State {
            found: None,
            no_metadata_server: 0,
            no_metadata_server_until: Deadline::default(),
            refused: 0,
            doubts_found: false,
            no_search_before: Deadline::default(),
            entries: HashMap::new(),
            order: VecDeque::new(),
            flights: FlightIds::default(),
            lookups: 0,
            jitter,
        };
        Self { shared: Arc::new(Shared { config, state: Mutex::new(state) }) }
    }

    /// The token for `key` at this moment, or who gets it.
    pub fn lookup(&self, key: &TokenKey, now: Now) -> Lookup {
        let mut guard = self.shared.lock();
        let state = &mut *guard;
        state.lookups += 1;
        let lookups = state.lookups;
        // Nearly every look-up ends here: one search, and no copy of anything but the token's handle.
        if let Some(entry) = state.entries.get_mut(key)
            && let Some(token) = entry.token.as_ref().filter(|token| !token.fresh_until().has_come(now))
        {
            entry.last_used = lookups;
            return Lookup::Fresh(token.clone());
        }
        let Some(entry) = state.entry(key) else {
            // Every place is taken by a flight: this one flies alone, and nothing is kept of it.
            return Lookup::Fetch(self.depart(state, key, None, now));
        };
        entry.last_used = lookups;
        let token = entry.token.clone().filter(|token| token.is_usable(now));
        let may_ask = entry.flight.may_depart(now);
        match (token, entry.flight.under_way()) {
            (Some(token), _) if !may_ask => Lookup::Stale(token, None),
            (Some(token), _) => Lookup::Stale(token, Some(self.board(state, key, now))),
            (None, Some(flight)) => Lookup::Join(flight),
            (None, None) => match entry.flight.failure().filter(|_| !may_ask).cloned() {
                Some(error) => Lookup::Fetch(self.remembered(key, error)),
                None => Lookup::Fetch(self.board(state, key, now)),
            },
        }
    }

    /// Gives up every flight, as a forked child must: the threads that flew them are not there. Tokens are kept.
    pub fn abandon_flights(&self) {
        for entry in self.shared.lock().entries.values_mut() {
            entry.flight.abandon();
        }
    }

    /// The headers that go with an access token on a call of Google's APIs, besides `Authorization`: name and value.
    /// They are known once a token was fetched.
    pub fn access_token_headers(&self) -> Vec<(&'static str, String)> {
        let project = self.shared.lock().found.as_ref().and_then(|found| found.quota_project_id.clone());
        project.into_iter().map(|project| (QUOTA_PROJECT_HEADER, project)).collect()
    }

    /// Whether a request that was answered with this status is worth repeating once, with what a new look-up gives.
    ///
    /// A 401 may mean that the token was revoked, that the receiver has new keys, or that its clock differs: a token is
    /// replaced for it before its time, at most once a minute. Every other status says nothing about the token. `header`
    /// is the value that the request was sent with.
    pub fn retry_after_refusal(&self, key: &TokenKey, header: &str, status: u16, now: Now) -> bool {
        status == 401 && self.invalidate(key, header, now)
    }

    /// Replaces the token of this header value before its time, at most once a minute, for those who write their own
    /// client. Says whether a look-up now gives another token than that.
    pub fn invalidate(&self, key: &TokenKey, header: &str, now: Now) -> bool {
        let mut state = self.shared.lock();
        let Some(entry) = state.entries.get_mut(key) else { return true };
        match &entry.token {
            Some(token) if token.header() != header => true,
            Some(_) if !entry.no_force_before.has_come(now) => false,
            Some(_) => {
                entry.doubted = entry.token.take();
                entry.no_force_before = now.after(FORCED_REFRESH_PAUSE_MS);
                true
            }
            None => true,
        }
    }

    /// The operation that says who the credentials are: for adapters to other clients.
    pub fn principal(&self) -> DescribePrincipal {
        DescribePrincipal(self.inquire(|credential, context| Ok(credential.principal(context))))
    }

    /// The operation that signs these bytes as the credentials' service account: with its key, or by IAM (`signBlob`).
    /// Fails with [`ErrorCode::SelfSignedJwtUnsupported`] where they are no service account's.
    pub fn sign_bytes(&self, bytes: Vec<u8>) -> Inquiry<Signature> {
        self.inquire(move |credential, context| credential.sign_bytes(bytes, context))
    }

    fn inquire<T>(
        &self,
        ask: impl FnOnce(Arc<dyn Credential>, Context<'_>) -> Result<Answering<T>, Error> + Send + 'static,
    ) -> Inquiry<T> {
        Inquiry { shared: Arc::clone(&self.shared), ask: Some(Box::new(ask)), stage: InquiryStage::Created }
    }

    /// A flight that others join.
    fn board(&self, state: &mut State, key: &TokenKey, now: Now) -> Refresh {
        let flight = state.flights.next();
        if let Some(entry) = state.entries.get_mut(key) {
            entry.flight.depart(flight);
        }
        self.depart(state, key, Some(flight), now)
    }

    fn depart(&self, state: &mut State, key: &TokenKey, flight: Option<FlightId>, now: Now) -> Refresh {
        let searches = state.found.is_none() || (state.doubts_found && state.no_search_before.has_come(now));
        let stage = match &state.found {
            Some(found) if !searches => self.shared.fetch(Arc::clone(found), key, state.jitter.fork()),
            _ => self.shared.search(state, now),
        };
        Refresh { shared: Arc::clone(&self.shared), key: key.clone(), flight, has_searched: searches, stage }
    }

    fn remembered(&self, key: &TokenKey, error: Error) -> Refresh {
        Refresh {
            shared: Arc::clone(&self.shared),
            key: key.clone(),
            flight: None,
            has_searched: true,
            stage: Stage::Failed(error),
        }
    }
}

/// The operation that gets a token and puts it into the cache. Dropping it gives the flight up.
pub struct Refresh {
    shared: Arc<Shared>,
    key: TokenKey,
    /// `None` when this only repeats a remembered failure, or flies alone.
    flight: Option<FlightId>,
    /// Whether the credentials were looked for in this operation.
    has_searched: bool,
    stage: Stage,
}

enum Stage {
    Failed(Error),
    Find(Box<Adc>),
    Fetch(Arc<Found>, Fetch),
}

impl Refresh {
    /// The flight that others join, if this is one.
    pub fn flight(&self) -> Option<FlightId> {
        self.flight
    }

    fn advance(&mut self, now: Now, reply: Reply) -> Step<Token> {
        match &mut self.stage {
            Stage::Failed(error) => Step::Fail(error.clone()),
            Stage::Find(adc) => {
                let step = adc.resume(now, reply);
                if adc.found_no_metadata_server() {
                    let mut state = self.shared.lock();
                    let pause = doubled(
                        NO_METADATA_SERVER_MS,
                        state.no_metadata_server,
                        NO_METADATA_SERVER_LONGEST_MS,
                    );
                    state.no_metadata_server_until = now.after(pause);
                    state.no_metadata_server = state.no_metadata_server.saturating_add(1);
                }
                step.and_then(|found| {
                    let found = Arc::new(found);
                    let jitter = {
                        let mut state = self.shared.lock();
                        state.found = Some(Arc::clone(&found));
                        state.no_metadata_server = 0;
                        state.jitter.fork()
                    };
                    self.stage = self.shared.fetch(found, &self.key, jitter);
                    self.advance(now, Reply::Start)
                })
            }
            Stage::Fetch(found, fetch) => {
                let mints = found.credential.mints_on_demand();
                let step = fetch.resume(now, reply);
                match found.proxies.apply(step) {
                    Step::Fail(error)
                        if found.is_of_file && is_refusal(&error) && self.shared.may_search_again(now) =>
                    {
                        // The file may hold others by now: a new login, a new key.
                        if self.has_searched {
                            return Step::Fail(error);
                        }
                        self.has_searched = true;
                        self.stage = self.shared.search(&self.shared.lock(), now);
                        self.advance(now, Reply::Start)
                    }
                    step => {
                        step.and_then(|issued| Step::Done(self.shared.keep(&self.key, &issued, mints, now)))
                    }
                }
            }
        }
    }

    fn land(&mut self) {
        if let Some(flight) = self.flight.take() {
            let mut state = self.shared.lock();
            if let Some(entry) = state.entries.get_mut(&self.key) {
                entry.flight.land(flight);
            }
        }
    }
}

impl Operation for Refresh {
    type Output = Token;

    fn resume(&mut self, now: Now, reply: Reply) -> Step<Token> {
        let step = self.advance(now, reply);
        match &step {
            Step::Done(_) => self.land(),
            Step::Fail(error) if self.flight.is_some() => {
                self.shared.note_failure(&self.key, error, now);
                self.land();
            }
            _ => {}
        }
        if step.is_end() {
            self.stage = Stage::Failed(ended());
        }
        step
    }
}

impl Drop for Refresh {
    fn drop(&mut self) {
        self.land();
    }
}

/// A question to the credentials, which are looked for first if none were found yet. It holds no flight.
pub struct Inquiry<T> {
    shared: Arc<Shared>,
    ask: Option<Ask<T>>,
    stage: InquiryStage<T>,
}

type Ask<T> = Box<dyn FnOnce(Arc<dyn Credential>, Context<'_>) -> Result<Answering<T>, Error> + Send>;
type Answering<T> = Box<dyn Operation<Output = T> + Send>;

enum InquiryStage<T> {
    Created,
    Find(Box<Adc>),
    Answer(Arc<Found>, Answering<T>),
    Ended,
}

impl<T> Inquiry<T> {
    fn ask(&mut self, found: Arc<Found>, now: Now) -> Step<T> {
        let Some(ask) = self.ask.take() else { return Step::Fail(ended()) };
        let jitter = self.shared.lock().jitter.fork();
        let context = Context { preferences: &self.shared.config.preferences, jitter };
        match ask(Arc::clone(&found.credential), context) {
            Ok(answering) => {
                self.stage = InquiryStage::Answer(found, answering);
                self.advance(now, Reply::Start)
            }
            Err(error) => Step::Fail(error),
        }
    }

    fn advance(&mut self, now: Now, reply: Reply) -> Step<T> {
        match &mut self.stage {
            InquiryStage::Ended => Step::Fail(ended()),
            InquiryStage::Created => {
                let state = self.shared.lock();
                let found = state.found.clone();
                let skips_ping = !state.no_metadata_server_until.has_come(now);
                drop(state);
                match (found, reply) {
                    (Some(found), Reply::Start) => self.ask(found, now),
                    (_, reply) => {
                        self.stage = InquiryStage::Find(Box::new(Adc::new(&self.shared.config, skips_ping)));
                        self.advance(now, reply)
                    }
                }
            }
            InquiryStage::Find(adc) => adc.resume(now, reply).and_then(|found| {
                let found = Arc::new(found);
                self.shared.lock().found.get_or_insert_with(|| Arc::clone(&found));
                self.ask(found, now)
            }),
            InquiryStage::Answer(found, answering) => found.proxies.apply(answering.resume(now, reply)),
        }
    }
}

impl<T> Operation for Inquiry<T> {
    type Output = T;

    fn resume(&mut self, now: Now, reply: Reply) -> Step<T> {
        let step = self.advance(now, reply);
        if step.is_end() {
            self.stage = InquiryStage::Ended;
        }
        step
    }
}

/// Looks into what the environment adds: the project that it names comes before that of the credentials.
pub struct DescribePrincipal(Inquiry<Principal>);

impl Operation for DescribePrincipal {
    type Output = Principal;

    fn resume(&mut self, now: Now, reply: Reply) -> Step<Principal> {
        let shared = Arc::clone(&self.0.shared);
        self.0.resume(now, reply).and_then(|mut principal| {
            if let Some(project) = shared.lock().found.as_ref().and_then(|found| found.project_id.clone()) {
                principal.project_id = Some(project);
            }
            Step::Done(principal)
        })
    }
}

struct Shared {
    config: SourceConfig,
    state: Mutex<State>,
}

struct State {
    found: Option<Arc<Found>>,
    /// How often in a row no metadata server answered.
    no_metadata_server: u32,
    no_metadata_server_until: Deadline,
    /// How often in a row the credentials that were found were refused.
    refused: u32,
    /// Whether they are to be looked for again before they are used again.
    doubts_found: bool,
    no_search_before: Deadline,
    entries: HashMap<TokenKey, Entry>,
    /// The keys of the entries, each once, and when it was used last as far as this has been looked at.
    order: VecDeque<(TokenKey, u64)>,
    flights: FlightIds,
    lookups: u64,
    jitter: Jitter,
}

#[derive(Default)]
struct Entry {
    token: Option<Token>,
    /// The token that a receiver has refused: it comes back if there is no better one to be had.
    doubted: Option<Token>,
    /// No token is replaced before its time before this moment.
    no_force_before: Deadline,
    flight: SingleFlight,
    last_used: u64,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic while the lock was held cannot have left an entry half-written: each is written in one go.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn search(&self, state: &State, now: Now) -> Stage {
        let skips_ping = !state.no_metadata_server_until.has_come(now);
        Stage::Find(Box::new(Adc::new(&self.config, skips_ping)))
    }

    /// Notes that the credentials that were found have been refused, and says whether they are worth looking for again.
    fn may_search_again(&self, now: Now) -> bool {
        let mut state = self.lock();
        state.doubts_found = true;
        if !state.no_search_before.has_come(now) {
            return false;
        }
        let pause = doubled(SEARCH_AGAIN_MS, state.refused, SEARCH_AGAIN_LONGEST_MS);
        state.no_search_before = now.after(pause);
        state.refused = state.refused.saturating_add(1);
        true
    }

    fn fetch(&self, found: Arc<Found>, key: &TokenKey, jitter: Jitter) -> Stage {
        let context = Context { preferences: &self.config.preferences, jitter };
        match Arc::clone(&found.credential).fetch(key, context) {
            Ok(fetch) => Stage::Fetch(found, fetch),
            Err(error) => Stage::Failed(error),
        }
    }

    /// Puts an issued token into the cache, unless the one that is held lives as long.
    fn keep(&self, key: &TokenKey, issued: &Issued, mints_on_demand: bool, now: Now) -> Token {
        let mut state = self.lock();
        let lifetime = issued.lifetime_ms(now.unix);
        let end = now.after(lifetime);
        let jitter = state.jitter.up_to(MAX_JITTER_MS.min(lifetime / 20));
        let fresh_until = if mints_on_demand {
            now.after((lifetime / 2).saturating_sub(jitter))
        } else {
            end.minus(METADATA_MARGIN_MS.min(lifetime / 4) + jitter)
        };
        let usable_until = end.minus(LAST_MOMENTS_MS.min(lifetime / 10));
        let token = Token::new(issued, fresh_until, usable_until);
        state.doubts_found = false;
        state.refused = 0;
        let Some(entry) = state.entries.get_mut(key) else { return token };
        entry.doubted = None;
        entry.flight.note_success();
        match entry.token.as_ref().filter(|held| held.is_usable(now) && !token.is_newer_than(held)) {
            Some(held) => {
                entry.flight.rest_until(now.after(SAME_TOKEN_PAUSE_MS));
                held.clone()
            }
            None => {
                entry.token = Some(token.clone());
                token
            }
        }
    }

    fn note_failure(&self, key: &TokenKey, error: &Error, now: Now) {
        let mut state = self.lock();
        let Some(entry) = state.entries.get_mut(key) else { return };
        if let Some(doubted) = entry.doubted.take().filter(|token| token.is_usable(now)) {
            entry.token.get_or_insert(doubted);
        }
        entry.flight.note_failure(error, entry.token.is_some(), now);
    }
}

/// Whether an endpoint has refused the credentials, rather than failed.
fn is_refusal(error: &Error) -> bool {
    matches!(error.code(), ErrorCode::TokenRefused | ErrorCode::ClientCertificateUnusable)
}

/// A pause that is twice as long each time, and no longer than `longest`.
fn doubled(first: u64, times: u32, longest: u64) -> u64 {
    first.saturating_mul(1 << times.min(20)).min(longest)
}

impl State {
    /// The entry of this key, made if there is room for it.
    fn entry(&mut self, key: &TokenKey) -> Option<&mut Entry> {
        if !self.entries.contains_key(key) {
            if self.entries.len() >= MAX_ENTRIES && !self.make_room() {
                return None;
            }
            self.order.push_back((key.clone(), self.lookups));
            self.entries.insert(key.clone(), Entry::default());
        }
        self.entries.get_mut(key)
    }

    /// Drops the entry that was not used for longest, as far as a few looks show. None that is in flight.
    fn make_room(&mut self) -> bool {
        let mut oldest: Option<(TokenKey, u64)> = None;
        for _ in 0..EVICTION_LOOKS {
            let Some((key, seen)) = self.order.pop_front() else { break };
            let Some(entry) = self.entries.get(&key) else { continue };
            let (idle, last_used) = (entry.flight.under_way().is_none(), entry.last_used);
            if idle && last_used == seen {
                self.entries.remove(&key);
                return true;
            }
            if idle && oldest.as_ref().is_none_or(|(_, used)| last_used < *used) {
                oldest = Some((key.clone(), last_used));
            }
            self.order.push_back((key, last_used));
        }
        let Some((oldest, _)) = oldest else { return false };
        // It was put there a moment ago: the search is short.
        if let Some(place) = self.order.iter().rposition(|(key, _)| *key == oldest) {
            self.order.remove(place);
        }
        self.entries.remove(&oldest).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::CredentialsFrom;
    use crate::secret::Secret;
    use crate::signing::signed_by_ring;
    use crate::step::{HostFailure, Millis};

    const NOW: Now = Now::steady(Millis(1_800_000_000_000));

    fn later(millis: u64) -> Now {
        Now::steady(NOW.unix.plus(millis))
    }

    fn key(name: &str) -> TokenKey {
        TokenKey::id_token(name).unwrap()
    }

    fn keep(source: &TokenSource, name: &str) {
        let _flight = source.lookup(&key(name), NOW);
        let issued =
            Issued { value: Secret::from(name), expires_at: NOW.unix.plus(3_600_000), issued_at: None };
        source.shared.keep(&key(name), &issued, true, NOW);
    }

    #[test]
    fn the_token_that_was_not_used_for_longest_makes_way() {
        let source = TokenSource::new(SourceConfig::default());
        for index in 0..MAX_ENTRIES {
            let name = format!("audience-{index}");
            assert!(matches!(source.lookup(&key(&name), NOW), Lookup::Fetch(_)));
            keep(&source, &name);
        }
        assert!(matches!(source.lookup(&key("audience-0"), NOW), Lookup::Fresh(_)));
        assert!(matches!(source.lookup(&key("one-more"), NOW), Lookup::Fetch(_)));
        assert_eq!(source.shared.lock().entries.len(), MAX_ENTRIES);
        assert!(matches!(source.lookup(&key("audience-0"), NOW), Lookup::Fresh(_)), "it was used last");
        assert!(matches!(source.lookup(&key("audience-1"), NOW), Lookup::Fetch(_)), "it was not");
    }

    #[test]
    fn a_burst_takes_no_more_places_than_there_are() {
        let source = TokenSource::new(SourceConfig::default());
        let flights: Vec<_> = (0..MAX_ENTRIES + 50)
            .map(|index| source.lookup(&key(&format!("audience-{index}")), NOW))
            .collect();
        let alone =
            flights.iter().filter(|look| matches!(look, Lookup::Fetch(alone) if alone.flight().is_none()));
        assert_eq!(alone.count(), 50);
        let state = source.shared.lock();
        assert_eq!((state.entries.len(), state.order.len()), (MAX_ENTRIES, MAX_ENTRIES));
        drop(state);
        drop(flights);
        for index in 0..3 * MAX_ENTRIES {
            let name = format!("later-{index}");
            assert!(
                matches!(source.lookup(&key(&name), NOW), Lookup::Fetch(flight) if flight.flight().is_some())
            );
            // What was used since it was looked at makes the looks long; the order holds each key once all the same.
            for used in 0..20 {
                let _flight = source.lookup(&key(&format!("later-{}", index.saturating_sub(used))), NOW);
            }
        }
        let state = source.shared.lock();
        assert_eq!((state.entries.len(), state.order.len()), (MAX_ENTRIES, MAX_ENTRIES));
        let keys: std::collections::HashSet<_> = state.order.iter().map(|(key, _)| key).collect();
        assert_eq!(keys.len(), MAX_ENTRIES);
    }

    #[test]
    fn a_refused_token_is_replaced_once_a_minute() {
        let source = TokenSource::new(SourceConfig::default());
        let held = key("a");
        keep(&source, "a");
        assert!(
            !source.retry_after_refusal(&held, "Bearer a", 403, NOW),
            "a 403 says nothing about the token"
        );
        assert!(source.retry_after_refusal(&held, "Bearer older", 401, NOW), "a newer one is held already");
        assert!(matches!(source.lookup(&held, NOW), Lookup::Fresh(_)));
        assert!(source.retry_after_refusal(&held, "Bearer a", 401, NOW));
        assert!(source.retry_after_refusal(&held, "Bearer a", 401, NOW), "the others look again, too");
        let Lookup::Fetch(flight) = source.lookup(&held, NOW) else { panic!("no fetch") };
        assert!(matches!(source.lookup(&held, NOW), Lookup::Join(_)));
        drop(flight);
        keep(&source, "a");
        assert!(!source.retry_after_refusal(&held, "Bearer a", 401, later(59_999)));
        assert!(matches!(source.lookup(&held, later(59_999)), Lookup::Fresh(_)));
        assert!(source.invalidate(&held, "Bearer a", later(60_000)));
        assert!(source.invalidate(&key("never asked for"), "Bearer b", NOW));
    }

    #[test]
    fn a_refused_token_comes_back_where_there_is_no_other() {
        let source = TokenSource::new(SourceConfig::default());
        let held = key("a");
        keep(&source, "a");
        assert!(source.retry_after_refusal(&held, "Bearer a", 401, NOW));
        let Lookup::Fetch(mut flight) = source.lookup(&held, NOW) else { panic!("no fetch") };
        let _env = flight.resume(NOW, Reply::Start);
        let no_server = Reply::Env(vec![("NO_GCE_CHECK".to_owned(), Secret::from("true"))]);
        assert!(matches!(flight.resume(NOW, no_server), Step::Fail(_)));
        assert!(matches!(source.lookup(&held, NOW), Lookup::Fresh(token) if token.value() == "a"));
    }

    #[test]
    fn a_forked_child_keeps_the_tokens_and_no_flight() {
        let source = TokenSource::new(SourceConfig::default());
        keep(&source, "held");
        let Lookup::Fetch(parents) = source.lookup(&key("wanted"), NOW) else { panic!("no fetch") };
        source.abandon_flights();
        let Lookup::Fetch(childs) = source.lookup(&key("wanted"), NOW) else {
            panic!("no fetch in the child")
        };
        drop(parents);
        assert!(
            matches!(source.lookup(&key("wanted"), NOW), Lookup::Join(id) if Some(id) == childs.flight())
        );
        assert!(matches!(source.lookup(&key("held"), NOW), Lookup::Fresh(_)));
    }

    /// Drives a fetch whose environment is empty until it ends, and says how often it asked for a metadata server.
    fn pings(source: &TokenSource, now: Now) -> usize {
        let Lookup::Fetch(mut fetch) = source.lookup(&key(&format!("at {now:?}")), now) else {
            panic!("no fetch")
        };
        let _env = fetch.resume(now, Reply::Start);
        let mut reply = Reply::Env(Vec::new());
        let mut asked = 0;
        for _ in 0..20 {
            let failed = |kind| Reply::Failed { kind, message: String::new() };
            reply = match fetch.resume(now, reply) {
                Step::ReadFile { .. } => failed(HostFailure::NotFound),
                Step::Send(_) => {
                    asked += 1;
                    failed(HostFailure::Connect)
                }
                Step::Wait { .. } => Reply::Elapsed,
                Step::Fail(error) => {
                    assert_eq!(error.code(), ErrorCode::CredentialsNotFound);
                    assert!(error.is_retryable(), "it may start yet");
                    return asked;
                }
                other => panic!("{other:?}"),
            };
        }
        panic!("no end")
    }

    #[test]
    fn a_metadata_server_that_does_not_answer_is_left_alone_for_longer_each_time() {
        let source = TokenSource::new(SourceConfig::default());
        let mut at = 0;
        for pause in [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 64_000] {
            assert_eq!(pings(&source, later(at)), 3, "{at}");
            assert_eq!(pings(&source, later(at + pause - 1)), 0, "{at}");
            at += pause;
        }
    }

    /// Drives a fetch by gcloud's file, which holds this refresh token, and says which refresh tokens were sent. The one
    /// that is good gets an answer.
    fn sent(source: &TokenSource, name: &str, in_file: &str, now: Now) -> Vec<String> {
        let Lookup::Fetch(mut fetch) = source.lookup(&TokenKey::access_token(name).unwrap(), now) else {
            return Vec::new();
        };
        let file = format!(
            r#"{{"type":"authorized_user","client_id":"c","client_secret":"s","refresh_token":"{in_file}"}}"#
        );
        let (mut reply, mut sent) = (Reply::Start, Vec::new());
        for _ in 0..20 {
            reply = match fetch.resume(now, reply) {
                Step::ReadEnv { .. } => Reply::Env(vec![("HOME".to_owned(), "/h".into())]),
                Step::ReadFile { .. } => Reply::Text(file.clone().into()),
                Step::Send(request) => {
                    let body = request.body.unwrap().expose().clone();
                    let token =
                        body.split('&').find_map(|field| field.strip_prefix("refresh_token=")).unwrap();
                    sent.push(token.to_owned());
                    let (status, body) = match token {
                        "good" => (200, r#"{"access_token":"a","expires_in":3600}"#),
                        _ => (400, r#"{"error":"invalid_grant"}"#),
                    };
                    let body = Secret::new(body.as_bytes().to_vec());
                    Reply::Response { status, headers: Vec::new(), body }
                }
                Step::Done(_) | Step::Fail(_) => return sent,
                other => panic!("{other:?}"),
            };
        }
        panic!("no end")
    }

    #[test]
    fn refused_credentials_are_looked_for_again() {
        let source = TokenSource::new(SourceConfig::default());
        assert_eq!(sent(&source, "a", "good", NOW), ["good"]);
        // They are revoked, and there is a new login: the same operation finds it.
        source.shared.lock().found = None;
        assert_eq!(sent(&source, "b", "old", NOW), ["old"], "it had just looked");
        assert_eq!(sent(&source, "c", "old", NOW), ["old"], "not again at once");
        assert_eq!(sent(&source, "d", "good", later(1_000)), ["good"], "the new login");
        assert_eq!(sent(&source, "e", "elsewhere", later(1_000)), ["good"], "which is used from now on");
    }

    #[test]
    fn credentials_that_were_good_are_looked_for_again_in_the_same_operation() {
        let source = TokenSource::new(SourceConfig::default());
        assert_eq!(sent(&source, "a", "old", NOW), ["old"]);
        assert_eq!(sent(&source, "b", "old", later(10_000)), ["old"]);
        source.shared.lock().doubts_found = false;
        assert_eq!(sent(&source, "c", "good", later(20_000)), ["old", "good"]);
    }

    #[test]
    fn the_quota_project_is_the_programs_then_the_environments_then_the_files() {
        let text = r#"{"type":"authorized_user","client_id":"c","client_secret":"s","refresh_token":"r","quota_project_id":"of-file"}"#;
        let env = || vec![("GOOGLE_CLOUD_QUOTA_PROJECT".to_owned(), Secret::from("of-env"))];
        for (option, env, expected) in [
            (Some("of-program"), env(), "of-program"),
            (None, env(), "of-env"),
            (None, Vec::new(), "of-file"),
        ] {
            let source = TokenSource::new(SourceConfig {
                credentials: CredentialsFrom::Json(text.into()),
                quota_project_id: option.map(str::to_owned),
                ..SourceConfig::default()
            });
            assert_eq!(source.access_token_headers(), []);
            let Lookup::Fetch(mut fetch) = source.lookup(&TokenKey::access_token("").unwrap(), NOW) else {
                panic!("no fetch")
            };
            let _env = fetch.resume(NOW, Reply::Start);
            assert!(matches!(fetch.resume(NOW, Reply::Env(env)), Step::Send(_)));
            assert_eq!(source.access_token_headers(), [("x-goog-user-project", expected.to_owned())]);
        }
    }

    #[test]
    fn a_token_ends_with_its_life_whatever_the_clocks_do() {
        // This machine's clock is two hours slow: the token seems to have three hours.
        let source = TokenSource::new(SourceConfig::default());
        let _flight = source.lookup(&key("a"), NOW);
        let issued = Issued {
            value: Secret::from("a"),
            expires_at: NOW.unix.plus(3 * 3_600_000),
            issued_at: Some(NOW.unix.plus(2 * 3_600_000)),
        };
        let token = source.shared.keep(&key("a"), &issued, true, NOW);
        assert!(token.is_usable(later(3_580_000)) && !token.is_usable(later(3_600_000)));
        // The clock is set back by ten hours, and the time goes on.
        let set_back = |millis| Now {
            unix: NOW.unix.minus(36_000_000).plus(millis),
            monotonic: crate::step::Monotonic(NOW.monotonic.0 + millis),
        };
        assert!(token.is_usable(set_back(3_580_000)) && !token.is_usable(set_back(3_600_000)));
    }

    /// Answers an operation's requests by their URLs until it ends.
    fn drive<T>(
        mut op: impl Operation<Output = T>,
        environment: &[(&str, &str)],
        answers: &[(&str, &str)],
    ) -> Result<T, ErrorCode> {
        let mut reply = Reply::Start;
        for _ in 0..20 {
            reply = match op.resume(NOW, reply) {
                Step::ReadEnv { .. } => {
                    let values = environment.iter();
                    Reply::Env(values.map(|(n, v)| ((*n).to_owned(), Secret::from(*v))).collect())
                }
                Step::Send(request) => {
                    let answer = answers.iter().find(|(url, _)| request.url.ends_with(url));
                    let (_, body) = answer.unwrap_or_else(|| panic!("{}", request.url));
                    let headers = vec![("Metadata-Flavor".to_owned(), "Google".to_owned())];
                    let body = Secret::new(body.as_bytes().to_vec());
                    Reply::Response { status: 200, headers, body }
                }
                Step::Sign(question) => signed_by_ring(&question),
                Step::Done(output) => return Ok(output),
                Step::Fail(error) => return Err(error.code()),
                other => panic!("{:?}", other.and_then(|_| Step::<()>::Done(()))),
            };
        }
        panic!("no end")
    }

    fn given(file: &serde_json::Value, impersonate: Option<&str>) -> TokenSource {
        TokenSource::new(SourceConfig {
            credentials: CredentialsFrom::Json(file.to_string().into()),
            impersonate: impersonate
                .map(|email| crate::config::Impersonate { email: email.to_owned(), delegates: Vec::new() }),
            ..SourceConfig::default()
        })
    }

    #[test]
    fn a_source_says_who_it_is_and_signs_bytes() {
        const MACHINE: [(&str, &str); 5] = [
            ("/default/email", "vm@shop.iam.gserviceaccount.com"),
            ("/project/project-id", "shop"),
            (
                "/default/token?scopes=https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fcloud-platform",
                r#"{"access_token":"a"}"#,
            ),
            (
                "/serviceAccounts/vm@shop.iam.gserviceaccount.com:signBlob",
                r#"{"keyId":"k","signedBlob":"c2ln"}"#,
            ),
            (
                "/serviceAccounts/to@shop.iam.gserviceaccount.com:signBlob",
                r#"{"keyId":"k","signedBlob":"c2ln"}"#,
            ),
        ];
        let pem = include_str!("../../tests/vectors/acquire/test_key.pem");
        let pem = pem.get(pem.find("-----BEGIN").unwrap()..).unwrap();
        let key = serde_json::json!({
            "type": "service_account", "client_email": "o@shop.example", "private_key": pem,
            "private_key_id": "1", "project_id": "shop",
        });
        let person = serde_json::json!({
            "type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "r",
        });
        let who = |email: &str, project: Option<&str>| {
            let email = Some(email.to_owned()).filter(|email| !email.is_empty());
            Ok(Principal { email, project_id: project.map(str::to_owned) })
        };
        let machine = TokenSource::new(SourceConfig::default());
        let here = [("GCE_METADATA_HOST", "m")];
        assert_eq!(
            drive(machine.principal(), &here, &MACHINE),
            who("vm@shop.iam.gserviceaccount.com", Some("shop"))
        );
        let by_iam = Ok(Signature { key_id: Some("k".to_owned()), bytes: b"sig".to_vec() });
        assert_eq!(drive(machine.sign_bytes(b"x".to_vec()), &here, &MACHINE), by_iam);
        let named = [("GOOGLE_CLOUD_PROJECT", "other")];
        assert_eq!(drive(given(&key, None).principal(), &[], &[]), who("o@shop.example", Some("shop")));
        assert_eq!(drive(given(&key, None).principal(), &named, &[]), who("o@shop.example", Some("other")));
        let signed = drive(given(&key, None).sign_bytes(b"x".to_vec()), &[], &[]).unwrap();
        assert_eq!((signed.key_id.as_deref(), signed.bytes.len()), (Some("1"), 256));
        let token = [("/token", r#"{"access_token":"a"}"#)];
        let answers = [&MACHINE[..], &token].concat();
        let acting = given(&person, Some("to@shop.iam.gserviceaccount.com"));
        assert_eq!(drive(acting.principal(), &[], &[]), who("to@shop.iam.gserviceaccount.com", None));
        assert_eq!(drive(acting.sign_bytes(b"x".to_vec()), &[], &answers), by_iam);
        assert_eq!(drive(given(&person, None).principal(), &[], &[]), who("", None));
        assert_eq!(
            drive(given(&person, None).sign_bytes(b"x".to_vec()), &[], &[]),
            Err(ErrorCode::SelfSignedJwtUnsupported)
        );
        assert_eq!(
            drive(machine.sign_bytes(b"x".to_vec()), &[], &[("/default/email", "a/../b")]),
            Err(ErrorCode::TokenResponseInvalid)
        );
    }

    #[test]
    fn a_thousand_lookups_make_one_flight() {
        let source = TokenSource::new(SourceConfig::default());
        let lookups: Vec<Lookup> = (0..1000).map(|_| source.lookup(&key("a"), NOW)).collect();
        let fetches = lookups.iter().filter(|lookup| matches!(lookup, Lookup::Fetch(_))).count();
        let joins = lookups.iter().filter(|lookup| matches!(lookup, Lookup::Join(_))).count();
        assert_eq!((fetches, joins), (1, 999));
    }

    /// Fetches a token of this scope with a credential file, from an endpoint that answers with this body; gives the
    /// operation, its last step and what was sent.
    fn fetch_with_file(source: &TokenSource, scope: &str, body: &str) -> (Refresh, Step<Token>, String) {
        const FILE: &str =
            r#"{"type":"authorized_user","client_id":"c","client_secret":"s","refresh_token":"first"}"#;
        let Lookup::Fetch(mut fetch) = source.lookup(&TokenKey::access_token(scope).unwrap(), NOW) else {
            panic!("no fetch")
        };
        let mut reply = Reply::Start;
        for _ in 0..4 {
            reply = match fetch.resume(NOW, reply) {
                Step::ReadEnv { .. } => {
                    Reply::Env(vec![("GOOGLE_APPLICATION_CREDENTIALS".to_owned(), Secret::from("/f.json"))])
                }
                Step::ReadFile { .. } => Reply::Text(Secret::from(FILE)),
                Step::Send(request) => {
                    let sent = request.body.map(|body| body.expose().clone()).unwrap_or_default();
                    let body = Secret::new(body.as_bytes().to_vec());
                    let step = fetch.resume(NOW, Reply::Response { status: 200, headers: Vec::new(), body });
                    return (fetch, step, sent);
                }
                other => panic!("{other:?}"),
            };
        }
        panic!("nothing was sent")
    }

    #[test]
    fn a_flight_has_landed_once_its_token_is_there() {
        let source = TokenSource::new(SourceConfig::default());
        let (held, step, _) = fetch_with_file(&source, "a", r#"{"access_token":"a","expires_in":3600}"#);
        assert!(matches!(step, Step::Done(_)));
        let key = TokenKey::access_token("a").unwrap();
        // The host has not dropped the operation yet.
        assert!(matches!(source.lookup(&key, later(3_000_000)), Lookup::Stale(_, Some(_))));
        drop(held);
    }

    #[test]
    fn a_refresh_token_that_was_replaced_is_not_used_again() {
        let source = TokenSource::new(SourceConfig::default());
        let (_, _, sent) = fetch_with_file(&source, "a", r#"{"access_token":"a","refresh_token":"second"}"#);
        assert!(sent.contains("refresh_token=first"), "{sent}");
        let (_, _, sent) = fetch_with_file(&source, "b", r#"{"access_token":"b"}"#);
        assert!(sent.contains("refresh_token=second"), "{sent}");
        let (_, _, sent) = fetch_with_file(&source, "c", r#"{"access_token":"c"}"#);
        assert!(sent.contains("refresh_token=second"), "{sent}");
    }

    #[test]
    fn an_answer_that_makes_no_sense_is_no_reason_to_look_for_other_credentials() {
        let source = TokenSource::new(SourceConfig::default());
        let (_, step, _) = fetch_with_file(&source, "a", r#"{"access_token":"a"}"#);
        assert!(matches!(step, Step::Done(_)));
        let (_, step, _) = fetch_with_file(&source, "b", "[]");
        let Step::Fail(error) = step else { panic!("{step:?}") };
        assert_eq!(error.code(), ErrorCode::TokenResponseInvalid);
    }

    #[test]
    fn a_short_life_is_jittered_by_a_twentieth_at_most() {
        let mut earliest = u64::MAX;
        for seed in 0..40 {
            let source = TokenSource::new(SourceConfig { seed, ..SourceConfig::default() });
            let _flight = source.lookup(&key("a"), NOW);
            let expires_at = NOW.unix.plus(60_000);
            let issued = Issued { value: Secret::from("a"), expires_at, issued_at: None };
            let token = source.shared.keep(&key("a"), &issued, true, NOW);
            assert!(token.is_usable(later(53_999)) && !token.is_usable(later(54_000)), "its last tenth");
            let fresh_for = token.fresh_until().monotonic.0 - NOW.monotonic.0;
            assert!((27_000..=30_000).contains(&fresh_for), "{fresh_for}");
            earliest = earliest.min(fresh_for);
        }
        assert!(earliest < 29_000, "{earliest}: there is no jitter");
    }

    #[test]
    fn no_metadata_server_is_asked_for_a_principal_right_after_none_has_answered() {
        for (pause, asks) in [(0, true), (10_000, false)] {
            let source = TokenSource::new(SourceConfig::default());
            source.shared.lock().no_metadata_server_until = NOW.after(pause);
            let mut principal = source.principal();
            let (mut reply, mut has_asked) = (Reply::Start, false);
            for _ in 0..6 {
                let missing = Reply::Failed { kind: HostFailure::NotFound, message: String::new() };
                reply = match principal.resume(NOW, reply) {
                    Step::ReadEnv { .. } => Reply::Env(Vec::new()),
                    Step::ReadFile { .. } => missing,
                    Step::Send(_) => {
                        has_asked = true;
                        break;
                    }
                    Step::Fail(error) => {
                        assert_eq!(error.code(), ErrorCode::CredentialsNotFound);
                        break;
                    }
                    other => panic!("{other:?}"),
                };
            }
            assert_eq!(has_asked, asks, "{pause}");
        }
    }
}
