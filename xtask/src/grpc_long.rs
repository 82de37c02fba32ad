//! `cargo xtask grpc-long`: in each language one channel that is called for longer than a token lives, with the endpoint
//! that gives tokens up, and with it down half of the time. Outside of CI: it takes six minutes for each language.

use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::checkout::Checkout;
use crate::demo;
use crate::emulator::Emulator;
use crate::failure::{Failure, Result};
use crate::grpc_matrix::{has_part, programs};
use crate::languages::{Language, log, read};
use crate::outcome::{Outcome, count, troubles};
use crate::participants::{Participant, State};
use crate::receiver::Receiver;
use crate::table::{Cell, Table};
use crate::terminal::Terminal;
use crate::tls::Tls;

const SECONDS: u64 = 180;
const CALLS: i64 = 50_000;
/// Seconds that a token lives.
const LIFETIME: i64 = 20;
/// How long the endpoint is down each time. A token that lives 20 s goes stale in its 15th second and is given out
/// until its 18th, so that this can be bridged; of one that lives an hour it is minutes.
const DOWN: Duration = Duration::from_secs(2);
const CALLER_LIMIT: Duration = Duration::from_secs(SECONDS + 300);

/// What the metadata server gives ID tokens at.
const IDENTITY: &str = "/computeMetadata/v1/instance/service-accounts/default/identity";

/// Makes both runs in each of these languages, one after the other, and prints what came of them.
pub(crate) fn run(checkout: &Checkout, terminal: &Terminal, names: &[&str]) -> Result<bool> {
    demo::build_cli(checkout, terminal)?;
    let mut table = Table::new(
        [
            "caller and\nreceiver",
            "endpoint",
            "calls",
            "seconds",
            "failed",
            "refused",
            "least ms left",
            "tokens\nfetched",
            "",
        ]
        .map(Cell::from),
    );
    let mut outcomes = Vec::new();
    for language in names.iter().filter_map(|name| Language::named(name)) {
        let participant = Participant { language, state: State::Ready };
        if !has_part(&participant) {
            continue;
        }
        demo::build_demo(checkout, terminal, language)?;
        for is_down_at_times in [false, true] {
            let what = if is_down_at_times { "down half of the time" } else { "up" };
            let _task = terminal.begin(&format!("{} for {SECONDS} s, endpoint {what}", language.name));
            let report = call_for_long(checkout, &participant, is_down_at_times)?;
            let outcome = judge(&report);
            let numbers =
                FIGURES.map(|name| number(&report, name).map_or("?".to_owned(), |it| it.to_string()));
            let cells = [language.name.to_owned(), what.to_owned()].into_iter().chain(numbers);
            table.row(cells.map(Cell::new).chain([outcome.cell()]));
            outcomes.push(outcome);
        }
    }
    terminal.say(&format!(
        "\nTokens live {LIFETIME} s. One channel was called for {SECONDS} s from four threads or tasks, or for as long as that\n\
         took. No call may fail, no token be refused or be past its end when the server sees it; and half as many tokens\n\
         again may be fetched as live one after the other in that time.\n\n{}{}",
        table.draw(terminal),
        troubles(outcomes.iter())
    ));
    let counts = count(outcomes.iter());
    Ok(counts.failed == 0 && counts.passed > 0)
}

/// Gives the caller's report, with what the receiver refused and how many requests for tokens were answered.
fn call_for_long(checkout: &Checkout, participant: &Participant, is_down_at_times: bool) -> Result<Value> {
    let name = participant.name();
    let programs =
        programs(participant).map_err(|_| Failure::new(format!("{name} has no programs for gRPC")))?;
    let file = |what: &str| log(checkout, &format!("{name}-grpc-long-{what}"));
    let emulator_log = file("emulator")?;
    let emulator = Emulator::start(checkout, &["--lifetime", &LIFETIME.to_string()], &emulator_log)?;
    let tls = Tls::make(checkout, &[name])?;
    let receiver_log = file("receiver")?;
    let program = tls.give_to((programs.receiver)(checkout));
    let receiver = Receiver::start(name, Ok(program), &emulator, &receiver_log);
    let address = receiver
        .address()
        .ok_or_else(|| Failure::new("the receiver did not start").with_output(read(&receiver_log)))?;

    let run = json!({"target": address, "authority": receiver.host(), "seconds": SECONDS, "calls": CALLS});
    let caller = emulator.show_to((programs.caller)(checkout)).env("TLS_CA", tls.ca()).arg("--long");
    let caller = caller.arg(run.to_string());
    let caller_log = file("caller")?;
    let (ended, end) = mpsc::channel();
    let began = Instant::now();
    let (output, fetched) = thread::scope(|scope| {
        let calling = scope.spawn(|| {
            let (output, _) = caller.read(&caller_log, CALLER_LIMIT);
            drop(ended);
            output
        });
        let fetched = if is_down_at_times {
            take_down(&emulator, &end)
        } else {
            let _ = end.recv();
            emulator.token_requests()
        };
        (calling.join().unwrap_or_default(), fetched)
    });
    // On a machine that has much to do it takes longer than it should.
    let seconds = began.elapsed().as_secs();
    drop(receiver);
    let mut report: Value = serde_json::from_str(output.trim()).map_err(|_| {
        Failure::new(format!("`{}` has made no report", caller.line()))
            .with_output(output.clone() + &read(&caller_log))
    })?;
    if let Some(figures) = report.as_object_mut() {
        figures.insert("fetched".to_owned(), json!(fetched?));
        figures.insert("refused".to_owned(), json!(refusals(&receiver_log)));
        figures.insert("seconds".to_owned(), json!(seconds));
    }
    Ok(report)
}

/// Takes the endpoint down half of the time, until the caller has ended; gives how many requests it answered.
fn take_down(emulator: &Emulator, end: &mpsc::Receiver<()>) -> Result<u64> {
    let fault = json!({"path": IDENTITY, "status": 503, "times": u32::MAX});
    // Not before there is a token to go on with.
    while emulator.token_requests()? == 0 {
        if end.recv_timeout(Duration::from_millis(50)) != Err(RecvTimeoutError::Timeout) {
            return Ok(0);
        }
    }
    let mut answered = 1;
    loop {
        let before = emulator.token_requests()?;
        let is_over = end.recv_timeout(DOWN) != Err(RecvTimeoutError::Timeout);
        answered += emulator.token_requests()? - before;
        if is_over {
            return Ok(answered);
        }
        if answered == 0 {
            continue; // The caller is starting: it has no token yet to bridge an outage with.
        }
        emulator.order_fault(&fault)?;
        let is_over = end.recv_timeout(DOWN) != Err(RecvTimeoutError::Timeout);
        emulator.clear_faults()?;
        if is_over {
            return Ok(answered);
        }
    }
}

/// What the receiver says that it has refused.
fn refusals(log: &Path) -> usize {
    read(log).lines().filter(|line| line.starts_with("refused ")).count()
}

/// What a report has, in the order of the table.
const FIGURES: [&str; 6] = ["calls", "seconds", "failed", "refused", "least_millis_left", "fetched"];

fn number(report: &Value, name: &str) -> Option<i64> {
    report.get(name)?.as_i64()
}

fn judge(report: &Value) -> Outcome {
    let is = |name, right: &dyn Fn(i64) -> bool| number(report, name).is_some_and(right);
    let is_right = is("calls", &|calls| calls == CALLS)
        && is("failed", &|failed| failed == 0)
        && is("refused", &|refused| refused == 0)
        && is("least_millis_left", &|left| left > 0)
        && is("fetched", &|fetched| is("seconds", &|seconds| 2 * fetched * LIFETIME <= 3 * seconds));
    if is_right { Outcome::Right("✓".to_owned()) } else { Outcome::wrong("", report) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_right_without_a_failure_and_with_few_tokens() {
        let report = |failed, left, fetched| {
            json!({
                "calls": CALLS, "seconds": 180, "failed": failed, "refused": 0, "least_millis_left": left,
                "fetched": fetched,
            })
        };
        assert_eq!(judge(&report(0, 5000, 13)), Outcome::Right("✓".to_owned()));
        for wrong in [report(1, 5000, 13), report(0, -1, 13), report(0, 5000, 14)] {
            assert!(matches!(judge(&wrong), Outcome::Wrong(..)), "{wrong}");
        }
        assert!(matches!(judge(&Value::Null), Outcome::Wrong(..)));
    }
}
