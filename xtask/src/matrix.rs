//! Every caller against every receiver over HTTP, and every receiver against tokens that it must refuse.

use serde_json::{Value, json};

use crate::bad_tokens::{BAD_TOKENS, BadToken};
use crate::checkout::Checkout;
use crate::emulator::Emulator;
use crate::failure::Result;
use crate::grid::{Grid, fetched, reports, time};
use crate::http;
use crate::languages::log;
use crate::outcome::Outcome;
use crate::participants::{Emulators, Participant};
use crate::receiver::Receiver;
use crate::terminal::Terminal;
use crate::threads::side_by_side;

const ABOUT: [&str; 2] = [
    "Over HTTP. Callers down, receivers across: the e-mail that the receiver saw, and how long the first call\n\
     and the hundredth took. The first fetches a token (and a receiver's very first, its keys); the\n\
     others have it from the cache: in the last column, how many the emulator was asked for, which\n\
     must be one for each receiver.",
    "What each receiver answers to a token that it must refuse; the last is as Cloud Run passes it on.",
];

/// How often a caller calls each receiver.
const CALLS: u64 = 100;

/// Runs it all. Ends with an error only when an emulator does not answer; the rest stands in the matrix.
pub(crate) fn run(
    checkout: &Checkout,
    terminal: &Terminal,
    participants: &[Participant],
    emulators: &Emulators,
) -> Result<Grid> {
    let issuer = &emulators.issuer;
    let task = terminal.begin("starting receivers");
    let receivers = side_by_side(participants, |participant| {
        let log = log(checkout, &format!("{}-receiver", participant.name()))?;
        let program = participant.demo().map(|demo| (demo.receiver)(checkout));
        Ok(Receiver::start(participant.name(), program, issuer, &log))
    });
    let receivers = receivers.into_iter().collect::<Result<Vec<_>>>()?;
    drop(task);

    let (mut calls, mut fetches) = (Vec::new(), Vec::new());
    for (participant, emulator) in participants.iter().zip(&emulators.of_callers) {
        let _task = terminal.begin(&format!("calling from {}", participant.name()));
        let (row, fetched) = call(checkout, participant, emulator, &receivers)?;
        calls.push(row);
        fetches.push(fetched);
    }

    let _task = terminal.begin("sending tokens that must be refused");
    let refusals =
        BAD_TOKENS.iter().map(|bad| receivers.iter().map(|one| refuse(issuer, one, bad)).collect());
    let names = participants.iter().map(Participant::name).collect();
    Ok(Grid { about: ABOUT, names, calls, fetches, refusals: refusals.collect() })
}

/// Has the caller call all receivers that run; tells what came of each and how many tokens were fetched.
fn call(
    checkout: &Checkout,
    participant: &Participant,
    emulator: &Emulator,
    receivers: &[Receiver],
) -> Result<(Vec<Outcome>, Outcome)> {
    let name = participant.name();
    let demo = match participant.demo() {
        Ok(demo) => demo,
        Err(outcome) => return Ok((vec![outcome.clone(); receivers.len()], outcome)),
    };
    let running = receivers.iter().filter_map(|one| Some((one, one.address()?)));
    let list = running.map(|(one, address)| {
        json!({"name": one.name, "url": format!("http://{address}/"), "audience": one.audience()})
    });
    let list: Vec<Value> = list.collect();
    let program = emulator.show_to((demo.caller)(checkout)).arg(json!(list).to_string());

    let log = log(checkout, &format!("{name}-caller"))?;
    let (reports, why) = reports(&program, &log);
    let outcomes = receivers.iter().map(|receiver| match &receiver.running {
        Ok(_) => judge_call(&reports, receiver.name, &participant.email(), &why),
        Err(outcome) => outcome.clone(),
    });
    let fetched = fetched(emulator, list.len())?;
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
        Ok(running) => format!("http://{}/", running.address),
        Err(outcome) => return outcome.clone(),
    };
    let answer = bad.make(issuer, &receiver.audience()).and_then(|token| {
        let authorization = token.map(|token| format!("Bearer {token}"));
        http::get(&url, authorization.as_deref())
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
}
