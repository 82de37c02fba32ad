//! Simulated days, in an order that looks random and is the same in each run: clocks are set and stop, endpoints hang,
//! dribble and are away, keys rotate, and callers have little time. What must hold all the same:
//!
//! 1. A good token is accepted at once while its key is held, or was good within 24 hours; otherwise its sender is told
//!    to try again, never that the token is bad.
//! 2. No token is handed out that has ended by either clock.
//! 3. Nobody waits while something usable is held.
//! 4. Endpoints see at most three times as many requests as without faults.
//!
//! A short run is part of the tests. The long one: `GATEPASS_DAYS=10000 cargo test --release -p gatepass-core --test days --
//! --nocapture`; docs/simulation.md has results.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::collections::HashMap;

use gatepass_core::{
    Algorithm, CredentialsFrom, Deadline, Error, ErrorCode, FlightId, HostFailure, HttpRequest, KeyFetch,
    KeySource, Lookup, Millis, Monotonic, Now, Operation, Refresh, Reply, Secret, SourceConfig, Step, Token,
    TokenKey, TokenSource, Verdict, Verifier, VerifierConfig,
};
use serde_json::json;
use support::NOW;
use support::issuer::{Key, key_set};

const SECOND: u64 = 1000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const ISSUER: &str = "https://issuer.example";
const AUDIENCE: &str = "https://receiver.example";
/// A call of each kind in so much time, on average.
const CALL_EVERY: u64 = 6 * MINUTE;
/// The life that the issuer gives its key set.
const KEYS_LIFE: u64 = HOUR;
/// Between two rotations of the issuer's keys.
const ROTATION: u64 = 17 * HOUR;

#[test]
fn days_with_every_fault() {
    let days: u64 = std::env::var("GATEPASS_DAYS").map_or(40, |days| days.parse().unwrap());
    let mut total = [Counts::default(), Counts::default()];
    // Runs of ten days, each with a seed of its own: a fault at the end of one does not hide what follows.
    for seed in 0..days.div_ceil(10) {
        for (counts, with_faults) in total.iter_mut().zip([false, true]) {
            World::new(seed, with_faults).run(10 * DAY, counts);
        }
    }
    let [calm, stormy] = &total;
    println!("{days} days without faults: {calm:?}\n{days} days with faults: {stormy:?}");
    assert_eq!(calm.waits_of_verifiers, calm.waited_first, "without faults only the very first caller waits");
    for (name, faulty, fault_free) in [
        ("key requests", stormy.key_requests, calm.key_requests),
        ("token requests", stormy.token_requests, calm.token_requests),
    ] {
        assert!(faulty <= 3 * fault_free, "{faulty} {name}, {fault_free} without faults");
    }
    assert!(stormy.faults > 0 && stormy.clock_steps > 0 && stormy.old_keys_served > 0, "{stormy:?}");
}

#[derive(Debug, Default)]
struct Counts {
    calls: u64,
    accepted: u64,
    /// Accepted with keys whose life was over.
    old_keys_served: u64,
    /// 503: the key is new, and cannot be fetched.
    keys_unavailable: u64,
    waits_of_verifiers: u64,
    waited_first: u64,
    tokens_served: u64,
    token_failures: u64,
    deadlines_passed: u64,
    key_requests: u64,
    token_requests: u64,
    faults: u64,
    clock_steps: u64,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Fault {
    Hung,
    Dribbling,
    Absent,
    Failing,
}

/// Something under way: its next reply comes at a moment.
struct Flight {
    op: Op,
    id: Option<FlightId>,
    due: u64,
    reply: Option<Reply>,
    /// Ids of the keys that the reply brings.
    kids: Vec<String>,
}

enum Op {
    Keys(KeyFetch),
    Token(Refresh),
}

/// What became of a flight.
type Landed = Result<(), Error>;

struct World {
    dice: u64,
    with_faults: bool,
    /// Milliseconds since the beginning, as they truly pass.
    time: u64,
    /// How far the wall clock is off, and how long the machine slept.
    off: i64,
    slept: u64,
    faults: [Option<(Fault, u64)>; 2],
    next_fault: [u64; 2],
    next_clock_step: u64,
    verifier: Verifier,
    source: TokenSource,
    flights: Vec<Flight>,
    landed: HashMap<(bool, u64), Landed>,
    /// Ids of the keys that the verifier holds, the end of their life and the end of their use.
    held_keys: Option<(Vec<String>, Deadline, Deadline)>,
    /// A token of the source, and its end by the clocks at the moment of its issue.
    held_token: Option<(Token, Deadline)>,
    emergency: u64,
    senders: Vec<(String, String, u64)>,
}

impl World {
    fn new(seed: u64, with_faults: bool) -> Self {
        let verifier = Verifier::new(VerifierConfig {
            issuers: vec![ISSUER.into()],
            audiences: AUDIENCE.into(),
            algorithms: vec![Algorithm::EdDsa],
            keys: KeySource::Url(format!("{ISSUER}/keys")),
            ..VerifierConfig::default()
        });
        let file = r#"{"type":"authorized_user","client_id":"c","client_secret":"s","refresh_token":"r"}"#;
        let source = TokenSource::new(SourceConfig {
            credentials: CredentialsFrom::Json(Secret::from(file)),
            seed,
            ..SourceConfig::default()
        });
        let mut world = Self {
            dice: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            with_faults,
            time: 0,
            off: 0,
            slept: 0,
            faults: [None; 2],
            next_fault: [0; 2],
            next_clock_step: 0,
            verifier: verifier.unwrap(),
            source,
            flights: Vec::new(),
            landed: HashMap::new(),
            held_keys: None,
            held_token: None,
            emergency: 0,
            senders: vec![(String::new(), String::new(), 0); 5],
        };
        world.next_fault = [0, 1].map(|_| world.up_to(12 * HOUR));
        world.next_clock_step = world.up_to(12 * HOUR);
        world
    }

    /// A number from 0 to `limit`.
    fn up_to(&mut self, limit: u64) -> u64 {
        self.dice = self.dice.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.dice;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % (limit + 1)
    }

    fn now(&self) -> Now {
        let unix = NOW.0.checked_add(self.time).unwrap().checked_add_signed(self.off).unwrap();
        Now { unix: Millis(unix), monotonic: Monotonic(1_000_000 + self.time - self.slept) }
    }

    fn run(&mut self, length: u64, counts: &mut Counts) {
        let mut first = true;
        while self.time < length {
            let pause = self.up_to(2 * CALL_EVERY);
            self.advance(self.time + pause, counts);
            if self.with_faults {
                self.disturb(counts);
            }
            counts.calls += 1;
            self.fetch_a_token(counts);
            let waits = counts.waits_of_verifiers;
            self.verify_a_token(counts);
            if first {
                counts.waited_first += counts.waits_of_verifiers - waits;
                first = false;
            }
        }
    }

    /// Begins and ends faults, sets clocks, and puts the machine to sleep.
    fn disturb(&mut self, counts: &mut Counts) {
        for endpoint in [0, 1] {
            if self.faults[endpoint].is_some_and(|(_, until)| self.time >= until) {
                self.faults[endpoint] = None;
            }
            if self.time >= self.next_fault[endpoint] {
                let kinds = [Fault::Hung, Fault::Dribbling, Fault::Absent, Fault::Failing];
                let kind = kinds[self.up_to(3) as usize];
                // Most are short; one in five takes up to an hour, one in fifty up to thirty.
                let length = match self.up_to(49) {
                    0 => self.up_to(30 * HOUR),
                    1..=9 => self.up_to(HOUR),
                    _ => self.up_to(5 * MINUTE),
                };
                self.faults[endpoint] = Some((kind, self.time + length));
                self.next_fault[endpoint] = self.time + length + self.up_to(16 * HOUR);
                counts.faults += 1;
            }
        }
        if self.time < self.next_clock_step {
            return;
        }
        counts.clock_steps += 1;
        self.next_clock_step = self.time + self.up_to(DAY);
        let hours = self.up_to(10) as i64 * HOUR as i64;
        match self.up_to(5) {
            0 => self.off += 1000,
            1 => self.off -= 1000,
            // As when somebody sets it wrongly, and when it is set right again.
            2 => self.off = hours,
            3 => self.off = -hours,
            4 => self.off = 0,
            _ => {
                // The wall clock is right when a machine wakes: it goes on while it sleeps, and NTP sets it.
                self.off = 0;
                let length = self.up_to(10 * HOUR);
                self.slept += length;
                self.time += length;
                let failed = || Reply::Failed { kind: HostFailure::Connect, message: "reset".into() };
                for flight in self.flights.iter_mut().filter(|flight| flight.reply.is_some()) {
                    if !matches!(flight.reply, Some(Reply::Elapsed)) {
                        flight.reply = Some(failed());
                        flight.kids.clear();
                    }
                    flight.due = self.time;
                }
            }
        }
    }

    /// Lets time pass, with all that happens in it.
    fn advance(&mut self, until: u64, counts: &mut Counts) {
        while let Some(index) = self.next_event(until) {
            self.time = self.time.max(self.flights[index].due);
            let reply = self.flights[index].reply.take().unwrap();
            let flight = self.flights.swap_remove(index);
            self.resume(flight, reply, counts);
        }
        self.time = self.time.max(until);
    }

    fn next_event(&self, until: u64) -> Option<usize> {
        let due = self.flights.iter().enumerate().filter(|(_, flight)| flight.due <= until);
        due.min_by_key(|(_, flight)| flight.due).map(|(index, _)| index)
    }

    fn depart(&mut self, op: Op, counts: &mut Counts) -> Option<FlightId> {
        let id = match &op {
            Op::Keys(op) => op.flight(),
            Op::Token(op) => op.flight(),
        };
        self.resume(Flight { op, id, due: self.time, reply: None, kids: Vec::new() }, Reply::Start, counts);
        id
    }

    fn resume(&mut self, mut flight: Flight, mut reply: Reply, counts: &mut Counts) {
        loop {
            let now = self.now();
            let is_keys = matches!(flight.op, Op::Keys(_));
            let step = match &mut flight.op {
                Op::Keys(op) => to_step(op.resume(now, reply)),
                Op::Token(op) => {
                    let step = op.resume(now, reply);
                    let is_new = |token: &Token| {
                        self.held_token.as_ref().is_none_or(|(held, _)| held.header() != token.header())
                    };
                    if let Step::Done(token) = &step
                        && is_new(token)
                    {
                        self.held_token = Some((token.clone(), now.until(token.expires_at())));
                    }
                    to_step(step)
                }
            };
            match step {
                Todo::Env => reply = Reply::Env(Vec::new()),
                Todo::Wait(delay) => {
                    (flight.due, flight.reply) = (self.time + delay, Some(Reply::Elapsed));
                    return self.flights.push(flight);
                }
                Todo::Send(request) => {
                    let (delay, answer) = self.answer(is_keys, &request, counts);
                    flight.kids.clear();
                    if is_keys && matches!(answer, Reply::Response { status: 200, .. }) {
                        flight.kids.extend(self.published().into_iter().map(|key| key.kid));
                    }
                    (flight.due, flight.reply) = (self.time + delay, Some(answer));
                    return self.flights.push(flight);
                }
                Todo::Ended(outcome) => {
                    if outcome.is_ok() && !flight.kids.is_empty() {
                        let (life, unusable) = (now.after(KEYS_LIFE), now.after(KEYS_LIFE + DAY));
                        self.held_keys = Some((flight.kids, life, unusable));
                    }
                    if let Some(FlightId(id)) = flight.id {
                        self.landed.insert((is_keys, id), outcome);
                    }
                    return;
                }
            }
        }
    }

    /// The reply of an endpoint, and how long it takes.
    fn answer(&mut self, is_keys: bool, request: &HttpRequest, counts: &mut Counts) -> (u64, Reply) {
        *(if is_keys { &mut counts.key_requests } else { &mut counts.token_requests }) += 1;
        let failed = |kind| Reply::Failed { kind, message: "gone".into() };
        let response = |status, headers: Vec<(String, String)>, body: String| Reply::Response {
            status,
            headers,
            body: Secret::new(body.into_bytes()),
        };
        let mut delay = 50 + self.up_to(100);
        match self.faults[usize::from(is_keys)].filter(|(_, until)| self.time < *until).map(|(kind, _)| kind)
        {
            Some(Fault::Hung) => return (request.timeout_ms, failed(HostFailure::Timeout)),
            Some(Fault::Absent) => return (10, failed(HostFailure::Connect)),
            Some(Fault::Failing) => return (delay, response(503, Vec::new(), String::new())),
            Some(Fault::Dribbling) => {
                delay = self.up_to(2 * request.timeout_ms);
                if delay > request.timeout_ms {
                    return (request.timeout_ms, failed(HostFailure::Timeout));
                }
            }
            None => {}
        }
        if !is_keys {
            let body = json!({"access_token": format!("ya29.{}", self.time), "expires_in": 3600}).to_string();
            return (delay, response(200, Vec::new(), body));
        }
        let headers = vec![("Cache-Control".to_owned(), format!("max-age={}", KEYS_LIFE / SECOND))];
        (delay, response(200, headers, key_set(&self.published()).to_string()))
    }

    /// The number of the key that the issuer signs with.
    fn signing(&self) -> u64 {
        1000 + self.time / ROTATION + 1_000_000 * self.emergency
    }

    /// The last key, the present one, and the next: a rotation is announced, unless it is an emergency.
    fn published(&self) -> Vec<Key> {
        let signing = self.signing();
        (signing - 1..=signing + 1).map(|number| Key::eddsa(&number.to_string(), number)).collect()
    }

    fn fetch_a_token(&mut self, counts: &mut Counts) {
        let key = TokenKey::access_token("scope").unwrap();
        let deadline = self.time + 100 + self.up_to(20 * SECOND);
        loop {
            let now = self.now();
            let wait_for = match self.source.lookup(&key, now) {
                Lookup::Fresh(token) => return self.served(token, counts),
                Lookup::Stale(token, refresh) => {
                    refresh.map(|refresh| self.depart(Op::Token(refresh), counts));
                    return self.served(token, counts);
                }
                Lookup::Fetch(refresh) => match self.depart(Op::Token(refresh), counts) {
                    Some(id) => id,
                    // A failure that is remembered.
                    None => break,
                },
                Lookup::Join(id) => id,
            };
            if let Some((_, end)) = &self.held_token {
                // The last moments of a token are not handed out.
                assert!(end.minus(11 * SECOND).has_come(now), "a caller waits although a token is held");
            }
            match self.wait_for(false, wait_for, deadline, counts) {
                Some(Ok(())) => {}
                Some(Err(_)) => break,
                None => {
                    counts.deadlines_passed += 1;
                    return;
                }
            }
        }
        counts.token_failures += 1;
    }

    fn served(&mut self, token: Token, counts: &mut Counts) {
        counts.tokens_served += 1;
        let now = self.now();
        assert!(now.unix < token.expires_at(), "a token that has ended was handed out");
        let (held, end) = self.held_token.as_ref().unwrap();
        assert_eq!(held.header(), token.header());
        assert!(!end.has_come(now), "a token that has ended by one of the clocks was handed out");
    }

    fn verify_a_token(&mut self, counts: &mut Counts) {
        if self.with_faults && self.up_to(2_000) == 0 {
            self.emergency += 1;
        }
        let (kid, token) = self.token_of_a_sender();
        let deadline = self.time + 100 + self.up_to(20 * SECOND);
        loop {
            let now = self.now();
            let is_held = self
                .held_keys
                .as_ref()
                .is_some_and(|(kids, _, unusable)| kids.contains(&kid) && !unusable.has_come(now));
            let wait_for = match self.verifier.check(&token, now) {
                Verdict::Accepted(_, refresh) => {
                    counts.accepted += 1;
                    if self.held_keys.as_ref().is_some_and(|(_, life, _)| life.has_come(now)) {
                        counts.old_keys_served += 1;
                    }
                    refresh.map(|refresh| self.depart(Op::Keys(refresh), counts));
                    return;
                }
                Verdict::Rejected(error) => {
                    assert!(!is_held, "a good token was refused although its key is held: {error}");
                    assert_eq!(
                        error.code(),
                        ErrorCode::KeysUnavailable,
                        "a good token was called bad: {error}"
                    );
                    counts.keys_unavailable += 1;
                    return;
                }
                Verdict::NeedsKeys(fetch) => self.depart(Op::Keys(fetch), counts).unwrap(),
                Verdict::Join(id) => id,
            };
            assert!(!is_held, "a caller waits although the key is held");
            counts.waits_of_verifiers += 1;
            match self.wait_for(true, wait_for, deadline, counts) {
                Some(Ok(())) => {}
                Some(Err(error)) => {
                    assert_eq!(error.code(), ErrorCode::KeysUnavailable);
                    counts.keys_unavailable += 1;
                    return;
                }
                None => {
                    counts.deadlines_passed += 1;
                    return;
                }
            }
        }
    }

    /// A token of one of the senders, who keep theirs for most of an hour.
    fn token_of_a_sender(&mut self) -> (String, String) {
        let now = self.now().unix.as_secs();
        let sender = self.up_to(4) as usize;
        let kid = self.signing().to_string();
        let (known, _, until) = &self.senders[sender];
        if *known != kid || now + 60 > *until || now + 3000 < *until {
            let claims = json!({
                "iss": ISSUER, "aud": AUDIENCE, "sub": sender.to_string(), "iat": now - 10, "exp": now + 3000,
            });
            let token = Key::eddsa(&kid, self.signing()).token(&claims.to_string());
            self.senders[sender] = (kid, token, now + 3000);
        }
        let (kid, token, _) = &self.senders[sender];
        (kid.clone(), token.clone())
    }

    /// Waits for a flight as long as the caller can; `None`: it had to go.
    fn wait_for(
        &mut self,
        is_keys: bool,
        id: FlightId,
        deadline: u64,
        counts: &mut Counts,
    ) -> Option<Landed> {
        let FlightId(id) = id;
        loop {
            if let Some(outcome) = self.landed.get(&(is_keys, id)) {
                return Some(outcome.clone());
            }
            let index = self.next_event(deadline)?;
            let due = self.flights[index].due;
            self.advance(due.min(deadline), counts);
        }
    }
}

enum Todo {
    Env,
    Wait(u64),
    Send(Box<HttpRequest>),
    Ended(Landed),
}

fn to_step<T>(step: Step<T>) -> Todo {
    match step {
        Step::ReadEnv { .. } => Todo::Env,
        Step::Wait { delay_ms } => Todo::Wait(delay_ms),
        Step::Send(request) => Todo::Send(Box::new(request)),
        Step::Done(_) => Todo::Ended(Ok(())),
        Step::Fail(error) => Todo::Ended(Err(error)),
        _ => panic!("another step"),
    }
}
