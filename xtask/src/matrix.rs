//! Every caller against every receiver, and every receiver against tokens that it must refuse.

use std::iter;
use std::time::Duration;

use serde_json::{Value, json};

use crate::bad_tokens::{BAD_TOKENS, BadToken};
use crate::checkout::Checkout;
use crate::counts::Counts;
use crate::emulator::Emulator;
use crate::failure::Result;
use crate::http;
use crate::languages::{Demo, Language, log, read};
use crate::process::Service;
use crate::table::{Cell, Table};
use crate::terminal::{Terminal, Tone};
use crate::threads::side_by_side;

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
    /// With what does not fit into a cell: an error, and all that a program printed.
    Wrong(String, Option<String>),
    Skipped,
}

/// A receiver that is running, or what stands in its cells instead.
struct Receiver {
    name: &'static str,
    audience: String,
    running: std::result::Result<Running, Outcome>,
}

struct Running {
    _service: Service,
    url: String,
}

/// How often a caller calls each receiver.
const CALLS: u64 = 100;

const CALLER_LIMIT: Duration = Duration::from_secs(600);

/// Runs it all. Ends with an error only when an emulator cannot be started; the rest stands in the matrix.
pub(crate) fn run(checkout: &Checkout, terminal: &Terminal, participants: &[Participant]) -> Result<Matrix> {
    let names: Vec<_> = participants.iter().map(|participant| participant.language.name).collect();
    let task = terminal.begin("starting emulators");
    // One for each caller, so that each has an e-mail of its own and its requests are counted by themselves. They all
    // have the same keys, so the issuer's, from which the receivers take them, go with all tokens.
    let issuer = start_emulator(checkout, "issuer")?;
    let emulators = side_by_side(&names, |name| start_emulator(checkout, name));
    let emulators = emulators.into_iter().collect::<Result<Vec<_>>>()?;
    drop(task);

    let task = terminal.begin("starting receivers");
    let receivers = side_by_side(participants, |one| Receiver::start(checkout, &issuer, one));
    let receivers = receivers.into_iter().collect::<Result<Vec<_>>>()?;
    drop(task);

    let (mut calls, mut fetches) = (Vec::new(), Vec::new());
    for (participant, emulator) in participants.iter().zip(&emulators) {
        let _task = terminal.begin(&format!("calling from {}", participant.language.name));
        let (row, fetched) = call(checkout, participant, emulator, &receivers)?;
        calls.push(row);
        fetches.push(fetched);
    }

    let _task = terminal.begin("sending tokens that must be refused");
    let refusals =
        BAD_TOKENS.iter().map(|bad| receivers.iter().map(|one| refuse(&issuer, one, bad)).collect());
    Ok(Matrix { names, calls, fetches, refusals: refusals.collect() })
}

impl Matrix {
    /// How many of all the outcomes are as they should be.
    pub(crate) fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for outcome in self.outcomes() {
            counts += match outcome {
                Outcome::Right(_) => Counts::PASSED,
                Outcome::Wrong(..) => Counts::FAILED,
                Outcome::Skipped => Counts { skipped: 1, ..Counts::default() },
            };
        }
        counts
    }

    pub(crate) fn draw(&self, terminal: &Terminal) -> String {
        let across = |first: &'static str| iter::once(first).chain(self.names.iter().copied());
        let mut calls = Table::new(across("caller").chain(["tokens\nfetched"]).map(Cell::from));
        for ((name, row), fetched) in self.names.iter().zip(&self.calls).zip(&self.fetches) {
            let cells = row.iter().chain([fetched]).map(Outcome::cell);
            calls.row(iter::once(Cell::from(*name)).chain(cells));
        }
        let mut refusals = Table::new(across("token").map(Cell::from));
        for (bad, row) in BAD_TOKENS.iter().zip(&self.refusals) {
            refusals.row(iter::once(Cell::from(bad.what)).chain(row.iter().map(Outcome::cell)));
        }
        format!(
            "Callers down, receivers across: the e-mail that the receiver saw, and how long the first call\n\
             and the hundredth took. The first fetches a token (and a receiver's very first, its keys); the\n\
             others have it from the cache: in the last column, how many the emulator was asked for, which\n\
             must be one for each receiver.\n\n{}\n\
             What each receiver answers to a token that it must refuse; the last is as Cloud Run passes it on.\n\n{}{}",
            calls.draw(terminal),
            refusals.draw(terminal),
            self.troubles()
        )
    }

    fn outcomes(&self) -> impl Iterator<Item = &Outcome> {
        self.calls.iter().chain(&self.refusals).flatten().chain(&self.fetches)
    }

    /// What did not fit into the cells, each once.
    fn troubles(&self) -> String {
        let mut troubles: Vec<&str> = Vec::new();
        for outcome in self.outcomes() {
            match outcome {
                Outcome::Wrong(_, Some(why)) if !troubles.contains(&why.as_str()) => troubles.push(why),
                _ => {}
            }
        }
        troubles.iter().map(|trouble| format!("\n✗ {}\n", trouble.trim_end())).collect()
    }
}

/// Starts an emulator whose metadata server speaks for a service account of that name.
fn start_emulator(checkout: &Checkout, name: &str) -> Result<Emulator> {
    Emulator::start(checkout, &email(name), &log(checkout, &format!("{name}-emulator"))?)
}

fn email(name: &str) -> String {
    format!("{name}@demo.test")
}

impl Receiver {
    fn start(checkout: &Checkout, issuer: &Emulator, participant: &Participant) -> Result<Self> {
        let name = participant.language.name;
        let audience = format!("https://receiver-{name}.example");
        let log = log(checkout, &format!("{name}-receiver"))?;
        let running = ready(participant).and_then(|demo| {
            let program = issuer.show_to((demo.receiver)(checkout)).env("PORT", "0");
            let program = program.env("AUDIENCE", &audience).env("KEYS_URL", issuer.keys_url());
            let service = program.start(&log, |line| port_in(line).is_some());
            let service = service.map_err(|failure| Outcome::wrong("did not start", failure))?;
            let port = service.lines().iter().find_map(|line| port_in(line)).unwrap_or_default();
            Ok(Running { url: format!("http://127.0.0.1:{port}/"), _service: service })
        });
        Ok(Self { name, audience, running })
    }
}

fn port_in(line: &str) -> Option<u16> {
    line.strip_prefix("listening ")?.trim().parse().ok()
}

/// The programs of a language that takes part, or what stands in its cells instead.
fn ready(participant: &Participant) -> std::result::Result<&'static Demo, Outcome> {
    match (participant.state, &participant.language.demo) {
        (State::Ready, Some(demo)) => Ok(demo),
        (State::Ready | State::Broken, _) => Err(Outcome::Wrong("not built".to_owned(), None)),
        (State::Skipped, _) => Err(Outcome::Skipped),
    }
}

/// Has the caller call all receivers that run; tells what came of each and how many tokens were fetched.
fn call(
    checkout: &Checkout,
    participant: &Participant,
    emulator: &Emulator,
    receivers: &[Receiver],
) -> Result<(Vec<Outcome>, Outcome)> {
    let name = participant.language.name;
    let demo = match ready(participant) {
        Ok(demo) => demo,
        Err(outcome) => return Ok((vec![outcome.clone(); receivers.len()], outcome)),
    };
    let running = receivers.iter().filter_map(|one| Some((one, &one.running.as_ref().ok()?.url)));
    let list = running.map(|(one, url)| json!({"name": one.name, "url": url, "audience": one.audience}));
    let list: Vec<Value> = list.collect();
    let program = emulator.show_to((demo.caller)(checkout)).arg(json!(list).to_string());

    let log = log(checkout, &format!("{name}-caller"))?;
    let (output, end) = program.read(&log, CALLER_LIMIT);
    let why = end.err().map(|failure| failure.with_output(output.clone() + &read(&log)).to_string());
    let reports: Vec<Value> = output.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let outcomes = receivers.iter().map(|receiver| match &receiver.running {
        Ok(_) => judge_call(&reports, receiver.name, &email(name), &why),
        Err(outcome) => outcome.clone(),
    });
    let fetched = match emulator.token_requests()? {
        fetched if fetched == list.len() as u64 => Outcome::Right(fetched.to_string()),
        fetched => Outcome::Wrong(format!("{fetched}, expected {}", list.len()), None),
    };
    Ok((outcomes.collect(), fetched))
}

/// Judges what the caller reports on one receiver; `why` is how the caller itself failed, if it did.
fn judge_call(reports: &[Value], receiver: &str, email: &str, why: &Option<String>) -> Outcome {
    let is_on_receiver = |report: &&Value| report.get("receiver").is_some_and(|name| name == receiver);
    let Some(report) = reports.iter().find(is_on_receiver) else {
        return Outcome::Wrong("not called".to_owned(), why.clone());
    };
    let number = |name| report.get(name).and_then(Value::as_u64);
    let seen = report.get("email").and_then(Value::as_str).unwrap_or("nobody");
    match (number("status"), number("calls"), number("first_us"), number("hundredth_us")) {
        (Some(200), Some(CALLS), Some(first), Some(hundredth)) => {
            let cell = format!("{seen}\n{}, {}", time(first), time(hundredth));
            if seen == email { Outcome::Right(cell) } else { Outcome::Wrong(cell, None) }
        }
        _ => Outcome::Wrong("failed".to_owned(), Some(report.to_string())),
    }
}

fn refuse(issuer: &Emulator, receiver: &Receiver, bad: &BadToken) -> Outcome {
    let url = match &receiver.running {
        Ok(running) => &running.url,
        Err(outcome) => return outcome.clone(),
    };
    let answer = bad.make(issuer, &receiver.audience).and_then(|token| {
        let authorization = token.map(|token| format!("Bearer {token}"));
        http::get(url, authorization.as_deref())
    });
    let code = bad.code;
    match answer {
        Ok(answer) if answer.status == 401 && answer.body == json!({ "error": code }) => {
            Outcome::Right(format!("401 {code}"))
        }
        Ok(answer) => Outcome::Wrong(format!("{} {}\nexpected 401 {code}", answer.status, answer.body), None),
        Err(failure) => Outcome::wrong("no answer", failure),
    }
}

impl Outcome {
    fn wrong(cell: &str, why: impl ToString) -> Self {
        Self::Wrong(cell.to_owned(), Some(why.to_string()))
    }

    fn cell(&self) -> Cell {
        match self {
            Self::Right(text) => Cell::new(text.clone()),
            Self::Wrong(text, _) => Cell::toned(format!("✗ {text}"), Tone::Bad),
            Self::Skipped => Cell::new("skipped"),
        }
    }
}

fn time(micros: u64) -> String {
    let millis = Duration::from_micros(micros).as_secs_f64() * 1e3;
    if micros < 1000 { format!("{micros} µs") } else { format!("{millis:.1} ms") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_right_when_all_hundred_were_and_the_caller_was_seen() {
        let report = |email, calls| {
            json!({
                "receiver": "go", "status": 200, "email": email, "calls": calls,
                "first_us": 12_340, "hundredth_us": 56,
            })
        };
        let judge = |report| judge_call(&[report], "go", "a@b", &None);
        assert_eq!(judge(report("a@b", 100)), Outcome::Right("a@b\n12.3 ms, 56 µs".to_owned()));
        assert!(matches!(judge(report("a@b", 99)), Outcome::Wrong(..)));
        assert_eq!(judge(report("x@b", 100)), Outcome::Wrong("x@b\n12.3 ms, 56 µs".to_owned(), None));
        let error = json!({"receiver": "go", "error": "connection refused"});
        assert_eq!(judge(error.clone()), Outcome::wrong("failed", error));
        assert_eq!(judge(json!({"receiver": "java"})), Outcome::Wrong("not called".to_owned(), None));
    }

    #[test]
    fn what_was_skipped_is_neither_right_nor_wrong_and_a_trouble_is_told_once() {
        let trouble = Outcome::wrong("did not start", "no such file");
        let calls = vec![vec![Outcome::Right(String::new()), trouble.clone(), trouble, Outcome::Skipped]];
        let matrix = Matrix { names: vec!["go"], calls, fetches: Vec::new(), refusals: Vec::new() };
        assert_eq!(matrix.counts(), Counts { passed: 1, failed: 2, skipped: 1 });
        assert_eq!(matrix.troubles(), "\n✗ no such file\n");
    }
}
