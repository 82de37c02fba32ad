//! `cargo xtask instructions`: how many instructions the hot paths take, counted by callgrind.
//!
//! Unlike times they do not depend on what else the machine does, so that a test can hold them to what they were. The
//! hash that a check begins with and the check of a signature are counted by themselves and taken off: ring chooses its
//! code by the processor. So does base64, which is counted: on a processor without AVX2 a new token takes 4,000 more.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use crate::checkout::Checkout;
use crate::failure::{Failure, Result};
use crate::languages::{log, read};
use crate::process::Program;
use crate::table::{Cell, Table};
use crate::terminal::{Terminal, Tone};

/// What they were when somebody looked last.
const KNOWN: &str = "tests/bench/instructions.json";
/// Growth that is let through, in percent.
const TOLERANCE: u64 = 5;
/// The difference of two runs is what so many more rounds take; start and end of the program are in both.
const ROUNDS: [u64; 2] = [200, 600];
const LIMIT: Duration = Duration::from_secs(40 * 60);

pub(crate) type Counts = BTreeMap<String, u64>;

/// Counts, prints and compares; `update` writes the counts down as the known ones. Tells whether none has grown.
pub(crate) fn run(checkout: &Checkout, terminal: &Terminal, update: bool) -> Result<bool> {
    let counts = measure(checkout, terminal)?;
    let file = checkout.path(KNOWN);
    if update {
        let text = serde_json::to_string_pretty(&counts).map_err(|error| Failure::new(error.to_string()))?;
        fs::write(&file, text + "\n").map_err(|error| Failure::file(&file, &error))?;
    }
    let known = known(checkout)?;

    let mut table = Table::new(["hot path", "instructions", "known", ""].map(Cell::from));
    let mut all_right = true;
    for (path, count) in &counts {
        let before = known.get(path).copied().unwrap_or_default();
        let fits = *count * 100 <= before * (100 + TOLERANCE);
        all_right &= fits;
        let verdict = if fits { Cell::from("") } else { Cell::toned("has grown", Tone::Bad) };
        table.row([Cell::new(path), Cell::new(count.to_string()), Cell::new(before.to_string()), verdict]);
    }
    terminal.say(&table.draw(terminal));
    Ok(all_right)
}

/// What the counts were when somebody looked last.
pub(crate) fn known(checkout: &Checkout) -> Result<Counts> {
    let file = checkout.path(KNOWN);
    let text = fs::read_to_string(&file).map_err(|error| Failure::file(&file, &error))?;
    serde_json::from_str(&text).map_err(|error| Failure::new(format!("{KNOWN}: {error}")))
}

fn measure(checkout: &Checkout, terminal: &Terminal) -> Result<Counts> {
    let _task = terminal.begin("counting instructions");
    let log = log(checkout, "instructions")?;
    let build = ["build", "--release", "--package", "gatepass-core", "--example", "hot_path"];
    checkout.cargo(&build).run(&log, LIMIT).map_err(|failure| failure.with_output(read(&log)))?;
    let one = |job: &str| -> Result<u64> {
        let [few, many] = ROUNDS;
        let (few_counted, many_counted) = (count(checkout, job, few)?, count(checkout, job, many)?);
        Ok(many_counted.saturating_sub(few_counted) / (many - few))
    };
    let digest = one("digest")?;
    let recall = one("recall")?.saturating_sub(digest);
    let new = one("new")?.saturating_sub(digest + one("signature")?);
    Ok(Counts::from([
        ("recall a verified token, without its hash".to_owned(), recall),
        ("check a new token, without its hash and its signature".to_owned(), new),
        ("header of a warm token".to_owned(), one("header")?),
    ]))
}

/// The instructions of the whole program.
fn count(checkout: &Checkout, job: &str, times: u64) -> Result<u64> {
    let program: Program = checkout
        .program("valgrind")
        .args(&["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(checkout.built("release/examples/hot_path"))
        .args(&[job, &times.to_string()]);
    let log = log(checkout, "callgrind")?;
    program.run(&log, LIMIT).map_err(|failure| failure.with_output(read(&log)))?;
    let output = read(&log);
    let collected = output.lines().find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok());
    collected.ok_or_else(|| Failure::new("callgrind counted nothing").with_output(output))
}
