//! Two tables of outcomes: callers against receivers, and tokens that receivers must refuse.

use std::iter;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::bad_tokens::BAD_TOKENS;
use crate::counts::Counts;
use crate::emulator::Emulator;
use crate::failure::Result;
use crate::languages::read;
use crate::outcome::{Outcome, count, troubles};
use crate::process::Program;
use crate::table::{Cell, Table};
use crate::terminal::Terminal;

/// What became of a matrix.
#[derive(Debug)]
pub(crate) struct Grid {
    /// What the reader of the first table has to know, and of the second.
    pub(crate) about: [&'static str; 2],
    pub(crate) names: Vec<&'static str>,
    /// For each caller, what each receiver made of it.
    pub(crate) calls: Vec<Vec<Outcome>>,
    /// For each caller, how often the emulator was asked for a token.
    pub(crate) fetches: Vec<Outcome>,
    /// For each of [`BAD_TOKENS`], what each receiver made of it.
    pub(crate) refusals: Vec<Vec<Outcome>>,
}

impl Grid {
    /// How many of all the outcomes are as they should be.
    pub(crate) fn counts(&self) -> Counts {
        count(self.outcomes())
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
        let [about_calls, about_refusals] = self.about;
        format!(
            "{about_calls}\n\n{}\n{about_refusals}\n\n{}{}",
            calls.draw(terminal),
            refusals.draw(terminal),
            troubles(self.outcomes())
        )
    }

    fn outcomes(&self) -> impl Iterator<Item = &Outcome> {
        self.calls.iter().chain(&self.refusals).flatten().chain(&self.fetches)
    }
}

/// A caller may take so long for all its calls.
const CALLER_LIMIT: Duration = Duration::from_secs(600);

/// Has a caller make its calls; gives what it reports, a line for each receiver, and how it failed itself, if it did.
pub(crate) fn reports(caller: &Program, log: &Path) -> (Vec<Value>, Option<String>) {
    let (output, end) = caller.read(log, CALLER_LIMIT);
    let why = end.err().map(|failure| failure.with_output(output.clone() + &read(log)).to_string());
    (output.lines().filter_map(|line| serde_json::from_str(line).ok()).collect(), why)
}

/// Judges how often the emulator of a caller was asked for a token: once for each receiver.
pub(crate) fn fetched(emulator: &Emulator, receivers: usize) -> Result<Outcome> {
    Ok(match emulator.token_requests()? {
        fetched if fetched == receivers as u64 => Outcome::Right(fetched.to_string()),
        fetched => Outcome::Wrong(format!("{fetched}, expected {receivers}"), None),
    })
}

pub(crate) fn time(micros: u64) -> String {
    let millis = Duration::from_micros(micros).as_secs_f64() * 1e3;
    if micros < 1000 { format!("{micros} µs") } else { format!("{millis:.1} ms") }
}
