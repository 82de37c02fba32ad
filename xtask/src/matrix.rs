//! Every caller against every receiver, and every receiver against tokens that it must refuse.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::checkout::Checkout;
use crate::counts::Counts;
use crate::emulator::{Emulator, order};
use crate::failure::{Failure, Result};
use crate::http;
use crate::languages::{Demo, Language, log, read};
use crate::process::Service;
use crate::table::{Cell, Table};
use crate::terminal::{Terminal, Tone};

/// What became of it all.
#[derive(Debug)]
pub(crate) struct Matrix {
    names: Vec<&'static str>,
    /// For each caller, what each receiver made of it.
    calls: Vec<Vec<Outcome>>,
    /// For each caller, how often the emulator was asked for a token.
    fetches: Vec<Outcome>,
    /// For each of [`BAD_TOKENS`], what each receiver made of it.
    refusals: Vec<Vec<Outcome>>,
    /// What does not fit into a cell: errors, with all that a program printed.
    troubles: Vec<String>,
}

/// A language and whether it can take part.
#[derive(Debug)]
pub(crate) struct Participant {
    pub(crate) language: &'static Language,
    pub(crate) state: State,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum State {
    Ready,
    /// Its toolchain is missing.
    Skipped,
    /// It could not be built.
    Broken,
}

/// What stands in one cell.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Outcome {
    Right(String),
    Wrong(String),
    Skipped,
}

/// What a receiver must refuse, and with which code.
const BAD_TOKENS: &[(BadToken, &str, &str)] = &[
    (BadToken::None, "no token", "TOKEN_MISSING"),
    (BadToken::OtherAudience, "other audience", "BAD_AUDIENCE"),
    (BadToken::Expired, "expired", "TOKEN_EXPIRED"),
    (BadToken::TamperedPayload, "tampered", "BAD_SIGNATURE"),
    (BadToken::SignatureRemoved, "signature removed", "SIGNATURE_STRIPPED"),
];

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum BadToken {
    None,
    OtherAudience,
    Expired,
    TamperedPayload,
    SignatureRemoved,
}

/// How often a caller calls each receiver.
const CALLS: u64 = 100;

const CALLER_LIMIT: Duration = Duration::from_secs(120);

/// A receiver that is running, or why it is not.
struct Receiver {
    name: &'static str,
    audience: String,
    running: std::result::Result<Running, Outcome>,
}

struct Running {
    _service: Service,
    url: String,
}

/// Runs it all. Ends with an error only when the emulator cannot be started; the rest stands in the matrix.
pub(crate) fn run(checkout: &Checkout, terminal: &Terminal, participants: &[Participant]) -> Result<Matrix> {
    let mut troubles = Vec::new();
    let task = terminal.begin("starting the emulator");
    // Every emulator has the same keys, so this one's tokens and keys go with any other's.
    let issuer = Emulator::start(checkout, "issuer@demo.test", &log(checkout, "emulator")?)?;
    drop(task);

    let mut receivers = Vec::new();
    for participant in participants {
        let _task = terminal.begin(&format!("starting the receiver in {}", participant.language.name));
        receivers.push(Receiver::start(checkout, &issuer, participant, &mut troubles)?);
    }
    let mut calls = Vec::new();
    let mut fetches = Vec::new();
    for participant in participants {
        let _task = terminal.begin(&format!("calling from {}", participant.language.name));
        let (row, fetched) = call(checkout, participant, &receivers, &mut troubles)?;
        calls.push(row);
        fetches.push(fetched);
    }
    let _task = terminal.begin("sending tokens that must be refused");
    let refusals =
        BAD_TOKENS.iter().map(|bad| receivers.iter().map(|one| refuse(&issuer, one, bad)).collect());
    let names = participants.iter().map(|participant| participant.language.name).collect();
    Ok(Matrix { names, calls, fetches, refusals: refusals.collect(), troubles })
}

impl Matrix {
    /// How many of all the outcomes are as they should be.
    pub(crate) fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for outcome in self.calls.iter().chain(&self.refusals).flatten().chain(&self.fetches) {
            counts += match outcome {
                Outcome::Right(_) => Counts::PASSED,
                Outcome::Wrong(_) => Counts::FAILED,
                Outcome::Skipped => Counts { skipped: 1, ..Counts::default() },
            };
        }
        counts
    }

    pub(crate) fn draw(&self, terminal: &Terminal) -> String {
        let across = |first: &'static str| std::iter::once(first).chain(self.names.iter().copied());
        let mut calls = Table::new(across("caller").chain(["tokens\nfetched"]).map(Cell::from));
        for ((name, row), fetched) in self.names.iter().zip(&self.calls).zip(&self.fetches) {
            let cells = row.iter().chain([fetched]).map(Outcome::cell);
            calls.row(std::iter::once(Cell::from(*name)).chain(cells));
        }
        let mut refusals = Table::new(across("token").map(Cell::from));
        for ((_, what, _), row) in BAD_TOKENS.iter().zip(&self.refusals) {
            refusals.row(std::iter::once(Cell::from(*what)).chain(row.iter().map(Outcome::cell)));
        }
        let troubles: String = self.troubles.iter().map(|trouble| format!("\n✗ {trouble}\n")).collect();
        format!(
            "Callers down, receivers across: the e-mail that the receiver saw, and how long the first call\n\
             and the hundredth took. The first fetches a token (and a receiver's very first, its keys); the\n\
             others have it from the cache: in the last column, how many the emulator was asked for, which\n\
             must be one for each receiver.\n\n{}\n\
             What each receiver answers to a token that it must refuse; the last is as Cloud Run passes it on.\n\n{}\
             {troubles}",
            calls.draw(terminal),
            refusals.draw(terminal)
        )
    }
}

impl Receiver {
    fn start(
        checkout: &Checkout,
        issuer: &Emulator,
        participant: &Participant,
        troubles: &mut Vec<String>,
    ) -> Result<Self> {
        let name = participant.language.name;
        let audience = format!("https://receiver-{name}.example");
        let log = log(checkout, &format!("{name}-receiver"))?;
        let start = |demo: &Demo| {
            let program = issuer.show_to((demo.receiver)(checkout)).env("PORT", "0");
            let program = program.env("AUDIENCE", &audience).env("KEYS_URL", issuer.keys_url());
            program.start(&log, |line| line.starts_with("listening "))
        };
        let running = ready(participant).and_then(|demo| match start(demo) {
            Ok(service) => {
                let port = service.lines().last().and_then(|line| line.strip_prefix("listening "));
                let url = format!("http://127.0.0.1:{}/", port.unwrap_or_default().trim());
                Ok(Running { url, _service: service })
            }
            Err(failure) => {
                troubles.push(failure.to_string());
                Err(Outcome::Wrong("did not start".to_owned()))
            }
        });
        Ok(Self { name, audience, running })
    }
}

/// The programs of a language that takes part, or what stands in its cells instead.
fn ready(participant: &Participant) -> std::result::Result<&'static Demo, Outcome> {
    match (participant.state, &participant.language.demo) {
        (State::Ready, Some(demo)) => Ok(demo),
        (State::Ready | State::Broken, _) => Err(Outcome::Wrong("not built".to_owned())),
        (State::Skipped, _) => Err(Outcome::Skipped),
    }
}

/// Has the caller call all receivers that run; tells what came of each and how many tokens were fetched.
fn call(
    checkout: &Checkout,
    participant: &Participant,
    receivers: &[Receiver],
    troubles: &mut Vec<String>,
) -> Result<(Vec<Outcome>, Outcome)> {
    let name = participant.language.name;
    let demo = match ready(participant) {
        Ok(demo) => demo,
        Err(outcome) => return Ok((vec![outcome.clone(); receivers.len()], outcome)),
    };
    let email = format!("{name}@demo.test");
    // One for each caller, so that each has an e-mail of its own and its requests are counted by themselves.
    let emulator = Emulator::start(checkout, &email, &log(checkout, &format!("{name}-emulator"))?)?;
    let running = receivers.iter().filter_map(|one| Some((one, &one.running.as_ref().ok()?.url)));
    let list = running.map(|(one, url)| json!({"name": one.name, "url": url, "audience": one.audience}));
    let list: Vec<Value> = list.collect();
    let program = emulator.show_to((demo.caller)(checkout)).arg(Value::from(list.clone()).to_string());

    let log = log(checkout, &format!("{name}-caller"))?;
    let (output, end) = program.read(&log, CALLER_LIMIT);
    if let Err(failure) = end {
        troubles.push(failure.with_output(output.clone() + &read(&log)).to_string());
    }
    let reports: Vec<Value> = output.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let outcomes = receivers.iter().map(|receiver| match &receiver.running {
        Ok(_) => judge_call(&reports, receiver.name, &email),
        Err(outcome) => outcome.clone(),
    });
    let fetched = match emulator.token_requests()? {
        fetched if fetched == list.len() as u64 => Outcome::Right(fetched.to_string()),
        fetched => Outcome::Wrong(format!("{fetched}, expected {}", list.len())),
    };
    Ok((outcomes.collect(), fetched))
}

fn judge_call(reports: &[Value], receiver: &str, email: &str) -> Outcome {
    let text = |report: &'_ Value, name| report.get(name).and_then(Value::as_str).map(str::to_owned);
    let Some(report) = reports.iter().find(|report| text(report, "receiver").as_deref() == Some(receiver))
    else {
        return Outcome::Wrong("not called".to_owned());
    };
    let number = |name| report.get(name).and_then(Value::as_u64);
    let seen = text(report, "email").unwrap_or_else(|| "nobody".to_owned());
    match (number("status"), number("calls"), number("first_us"), number("hundredth_us")) {
        (Some(200), Some(CALLS), Some(first), Some(hundredth)) => {
            let cell = format!("{seen}\n{}, {}", time(first), time(hundredth));
            if seen == email { Outcome::Right(cell) } else { Outcome::Wrong(cell) }
        }
        _ => Outcome::Wrong("failed".to_owned()),
    }
}

fn refuse(issuer: &Emulator, receiver: &Receiver, (bad, _, code): &(BadToken, &str, &str)) -> Outcome {
    let url = match &receiver.running {
        Ok(running) => &running.url,
        Err(outcome) => return outcome.clone(),
    };
    let answer = bad.make(issuer, &receiver.audience).and_then(|token| {
        let authorization = token.map(|token| format!("Bearer {token}"));
        http::get(url, authorization.as_deref())
    });
    match answer {
        Ok(answer) if answer.status == 401 && answer.body == json!({ "error": code }) => {
            Outcome::Right(format!("401 {code}"))
        }
        Ok(answer) => Outcome::Wrong(format!("{} {}\nexpected 401 {code}", answer.status, answer.body)),
        Err(_) => Outcome::Wrong(format!("no answer\nexpected 401 {code}")),
    }
}

impl BadToken {
    fn make(self, issuer: &Emulator, audience: &str) -> Result<Option<String>> {
        let good = || issuer.mint(&order(audience));
        let token = match self {
            Self::None => return Ok(None),
            Self::OtherAudience => issuer.mint(&order("https://somebody-else.example"))?,
            Self::Expired => {
                let two_hours_ago = unix_seconds().saturating_sub(7200);
                let order =
                    json!({"claims": {"aud": audience}, "issued_at": two_hours_ago, "lifetime": 3600});
                issuer.mint(&order)?
            }
            Self::TamperedPayload => {
                let other = issuer.mint(&json!({"claims": {"aud": audience, "email": "root@demo.test"}}))?;
                with_signature_of(&other, &good()?)
                    .ok_or_else(|| Failure::new("the emulator mints no JWT"))?
            }
            Self::SignatureRemoved => {
                issuer.mint(&json!({"claims": {"aud": audience}, "strip_signature": true}))?
            }
        };
        Ok(Some(token))
    }
}

/// The header and the payload of the one token with the signature of the other.
fn with_signature_of(token: &str, other: &str) -> Option<String> {
    let (content, _) = token.rsplit_once('.')?;
    let (_, signature) = other.rsplit_once('.')?;
    Some(format!("{content}.{signature}"))
}

impl Outcome {
    fn cell(&self) -> Cell {
        match self {
            Self::Right(text) => Cell::new(text.clone()),
            Self::Wrong(text) => Cell::toned(format!("✗ {text}"), Tone::Bad),
            Self::Skipped => Cell::new("skipped"),
        }
    }
}

fn time(micros: u64) -> String {
    if micros < 1000 {
        format!("{micros} µs")
    } else {
        format!("{:.1} ms", Duration::from_micros(micros).as_secs_f64() * 1e3)
    }
}

fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_right_when_all_hundred_were_and_the_caller_was_seen() {
        let report = |email, calls| json!({"receiver": "go", "status": 200, "email": email, "first_us": 12_340, "hundredth_us": 56, "calls": calls});
        let judge = |report| judge_call(&[report], "go", "a@b");
        assert_eq!(judge(report("a@b", 100)), Outcome::Right("a@b\n12.3 ms, 56 µs".to_owned()));
        assert_eq!(judge(report("a@b", 99)), Outcome::Wrong("failed".to_owned()));
        assert_eq!(judge(report("x@b", 100)), Outcome::Wrong("x@b\n12.3 ms, 56 µs".to_owned()));
        let error = json!({"receiver": "go", "error": "connection refused"});
        assert_eq!(judge(error), Outcome::Wrong("failed".to_owned()));
        assert_eq!(judge(json!({"receiver": "java"})), Outcome::Wrong("not called".to_owned()));
    }

    #[test]
    fn a_tampered_token_has_the_signature_of_another() {
        assert_eq!(with_signature_of("h.p.s", "g.q.t").as_deref(), Some("h.p.t"));
        assert_eq!(with_signature_of("hps", "g.q.t"), None);
    }

    #[test]
    fn what_was_skipped_is_neither_right_nor_wrong() {
        let outcomes = vec![Outcome::Right(String::new()), Outcome::Wrong(String::new()), Outcome::Skipped];
        let matrix = Matrix {
            names: vec!["go"],
            calls: vec![outcomes],
            fetches: Vec::new(),
            refusals: Vec::new(),
            troubles: Vec::new(),
        };
        assert_eq!(matrix.counts(), Counts { passed: 1, failed: 1, skipped: 1 });
    }
}
