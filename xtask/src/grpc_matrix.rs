//! Every caller against every receiver over gRPC and TLS, and every receiver against tokens that it must refuse.
//! tests/e2e/grpc/README.md says what the programs do.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::bad_tokens::{BAD_TOKENS, BadToken};
use crate::checkout::Checkout;
use crate::emulator::Emulator;
use crate::failure::Result;
use crate::grid::{Grid, fetched, reports, time};
use crate::languages::{Programs, log};
use crate::outcome::Outcome;
use crate::participants::{Emulators, Participant};
use crate::receiver::Receiver;
use crate::terminal::Terminal;
use crate::threads::side_by_side;
use crate::tls::Tls;

const ABOUT: [&str; 2] = [
    "Over gRPC, with TLS. Callers down, receivers across: the e-mail that the receiver saw in unary calls and in\n\
     all three kinds of streams, and how long the first unary call and the hundredth took.",
    "What each receiver answers to a token that it must refuse, the same to all callers and in all four kinds\n\
     of calls: the number of the status (16 is UNAUTHENTICATED), and the reason in its details.",
];

/// The methods of the service, one of each kind, and how often a caller sees its e-mail in their answers.
const METHODS: [(&str, u64); 4] = [("GetBook", CALLS), ("ListBooks", 3), ("AddBooks", 1), ("Discuss", 3)];
const CALLS: u64 = 100;

/// The number of UNAUTHENTICATED.
const UNAUTHENTICATED: u64 = 16;

/// Whether a language has its programs for this.
pub(crate) fn has_part(participant: &Participant) -> bool {
    participant.language.demo.as_ref().is_some_and(|demo| demo.grpc.is_some())
}

/// Runs it all with those that have a part in it. Ends with an error only when an emulator does not answer; the rest
/// stands in the matrix.
pub(crate) fn run(
    checkout: &Checkout,
    terminal: &Terminal,
    participants: &[Participant],
    emulators: &Emulators,
) -> Result<Grid> {
    let callers: Vec<_> =
        participants.iter().zip(&emulators.of_callers).filter(|(one, _)| has_part(one)).collect();
    let names: Vec<_> = callers.iter().map(|(participant, _)| participant.name()).collect();
    let task = terminal.begin("starting gRPC receivers");
    let tls = Tls::make(checkout, &names)?;
    let receivers = side_by_side(&callers, |(participant, _)| {
        let log = log(checkout, &format!("{}-grpc-receiver", participant.name()))?;
        let program = programs(participant).map(|programs| tls.give_to((programs.receiver)(checkout)));
        Ok(Receiver::start(participant.name(), program, &emulators.issuer, &log))
    });
    let receivers = receivers.into_iter().collect::<Result<Vec<_>>>()?;
    let list = list(&emulators.issuer, &receivers)?;
    drop(task);

    let (mut calls, mut fetches, mut reports) = (Vec::new(), Vec::new(), Vec::new());
    for (participant, emulator) in &callers {
        let _task = terminal.begin(&format!("calling from {} over gRPC", participant.name()));
        let called = call(checkout, &tls, participant, emulator, &receivers, &list)?;
        calls.push(called.row);
        fetches.push(called.fetched);
        reports.extend(called.reports);
    }
    let refusals =
        BAD_TOKENS.iter().map(|bad| receivers.iter().map(|one| judge_refusals(&reports, one, bad)).collect());
    Ok(Grid { about: ABOUT, names, calls, fetches, refusals: refusals.collect() })
}

/// The programs of a participant, or what stands in its cells instead.
pub(crate) fn programs(participant: &Participant) -> std::result::Result<&'static Programs, Outcome> {
    let grpc = participant.demo()?.grpc.as_ref();
    grpc.ok_or_else(|| Outcome::Wrong("not built".to_owned(), None))
}

/// The argument of the callers.
fn list(issuer: &Emulator, receivers: &[Receiver]) -> Result<Vec<Value>> {
    let running = receivers.iter().filter_map(|receiver| Some((receiver, receiver.address()?)));
    let described = running.map(|(receiver, address)| {
        let bad_tokens = BAD_TOKENS.iter().map(|bad| {
            let token = bad.make(issuer, &receiver.audience())?;
            Ok(json!({"what": bad.what, "token": token}))
        });
        let bad_tokens = bad_tokens.collect::<Result<Vec<_>>>()?;
        Ok(json!({
            "name": receiver.name, "target": address, "authority": receiver.host(), "bad_tokens": bad_tokens,
        }))
    });
    described.collect()
}

/// What came of a caller.
struct Called {
    row: Vec<Outcome>,
    fetched: Outcome,
    reports: Vec<Value>,
}

fn call(
    checkout: &Checkout,
    tls: &Tls,
    participant: &Participant,
    emulator: &Emulator,
    receivers: &[Receiver],
    list: &[Value],
) -> Result<Called> {
    let programs = match programs(participant) {
        Ok(programs) => programs,
        Err(outcome) => {
            let row = vec![outcome.clone(); receivers.len()];
            return Ok(Called { row, fetched: outcome, reports: Vec::new() });
        }
    };
    emulator.forget_requests()?;
    let program = emulator.show_to((programs.caller)(checkout)).env("TLS_CA", tls.ca());
    let log = log(checkout, &format!("{}-grpc-caller", participant.name()))?;
    let (reports, why) = reports(&program.arg(json!(list).to_string()), &log);
    let row = receivers.iter().map(|receiver| match &receiver.running {
        Ok(_) => judge_call(&reports, receiver.name, &participant.email(), &why),
        Err(outcome) => outcome.clone(),
    });
    let fetched = fetched(emulator, list.len())?;
    Ok(Called { row: row.collect(), fetched, reports })
}

/// Judges what the caller reports on one receiver; `why` is how the caller itself failed, if it did.
fn judge_call(reports: &[Value], receiver: &str, email: &str, why: &Option<String>) -> Outcome {
    let Some(report) = reports.iter().find(|report| report["receiver"] == receiver) else {
        return Outcome::Wrong("not called".to_owned(), why.clone());
    };
    let expected: serde_json::Map<String, Value> =
        METHODS.iter().map(|(method, times)| ((*method).to_owned(), json!({ email: times }))).collect();
    let number = |name: &str| report[name].as_u64();
    match (number("first_us"), number("hundredth_us")) {
        (Some(first), Some(hundredth)) if report["seen"] == Value::Object(expected) => {
            Outcome::Right(format!("{email}\n{}, {}", time(first), time(hundredth)))
        }
        (Some(_), Some(_)) => Outcome::Wrong("others were seen".to_owned(), Some(report["seen"].to_string())),
        _ => Outcome::wrong("failed", report),
    }
}

/// Judges how a receiver refuses a token, as all callers report it.
fn judge_refusals(reports: &[Value], receiver: &Receiver, bad: &BadToken) -> Outcome {
    if let Err(outcome) = &receiver.running {
        return outcome.clone();
    }
    let of_receiver = reports.iter().filter(|report| report["receiver"] == receiver.name);
    let answers: Vec<_> =
        of_receiver.flat_map(|report| METHODS.map(|(method, _)| answer_in(report, bad, method))).collect();
    match answers.iter().find(|answer| !is_refusal(answer, bad.code)) {
        Some(wrong) => Outcome::wrong(&format!("expected {UNAUTHENTICATED} {}", bad.code), wrong),
        None if answers.is_empty() => Outcome::Wrong("not called".to_owned(), None),
        None => Outcome::Right(format!("{UNAUTHENTICATED} {}", bad.code)),
    }
}

/// What a caller reports on a call with a bad token, null if nothing.
fn answer_in<'a>(report: &'a Value, bad: &BadToken, method: &str) -> &'a Value {
    report.pointer(&format!("/refusals/{}/{method}", bad.what)).unwrap_or(&Value::Null)
}

/// Whether a call was refused with this code: in the message, and in the `ErrorInfo` of the details.
fn is_refusal(answer: &Value, code: &str) -> bool {
    let details = answer["details"].as_str().and_then(|text| BASE64_STANDARD.decode(text).ok());
    let info = [code, "gatepass.dev"];
    answer["code"] == UNAUTHENTICATED
        && answer["message"].as_str().is_some_and(|message| message.starts_with(&format!("{code}: ")))
        && details.is_some_and(|details| info.iter().all(|part| contains(&details, part.as_bytes())))
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_right_when_the_caller_was_seen_in_every_answer() {
        let report = |discussed| {
            json!({
                "receiver": "go", "first_us": 12_340, "hundredth_us": 56,
                "seen": {"GetBook": {"a@b": 100}, "ListBooks": {"a@b": 3}, "AddBooks": {"a@b": 1}, "Discuss": discussed},
            })
        };
        let judge = |report| judge_call(&[report], "go", "a@b", &None);
        assert_eq!(judge(report(json!({"a@b": 3}))), Outcome::Right("a@b\n12.3 ms, 56 µs".to_owned()));
        assert!(matches!(judge(report(json!({"a@b": 2}))), Outcome::Wrong(..)));
        assert!(matches!(judge(report(json!({"a@b": 3, "c@d": 1}))), Outcome::Wrong(..)));
        assert!(matches!(judge(json!({"receiver": "go", "error": "no"})), Outcome::Wrong(..)));
        assert_eq!(judge(json!({"receiver": "java"})), Outcome::Wrong("not called".to_owned(), None));
    }

    #[test]
    fn a_refusal_has_its_code_in_the_message_and_in_the_details() {
        let answer = |code, message, details: &str| json!({"code": code, "message": message, "details": BASE64_STANDARD.encode(details)});
        let details = "…TOKEN_EXPIRED…gatepass.dev";
        assert!(is_refusal(&answer(16, "TOKEN_EXPIRED: x", details), "TOKEN_EXPIRED"));
        assert!(!is_refusal(&answer(7, "TOKEN_EXPIRED: x", details), "TOKEN_EXPIRED"));
        assert!(!is_refusal(&answer(16, "BAD_AUDIENCE: x", details), "TOKEN_EXPIRED"));
        assert!(!is_refusal(&answer(16, "TOKEN_EXPIRED: x", "TOKEN_EXPIRED"), "TOKEN_EXPIRED"));
        assert!(!is_refusal(
            &json!({"code": 16, "message": "TOKEN_EXPIRED: x", "details": null}),
            "TOKEN_EXPIRED"
        ));
        assert!(!is_refusal(&Value::Null, "TOKEN_EXPIRED"));
    }
}
