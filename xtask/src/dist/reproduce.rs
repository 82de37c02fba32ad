//! `cargo xtask dist --reproduce`: builds the last commit once more, in another folder, and compares.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::Duration;

use super::workshop::Workshop;
use crate::checkout::Checkout;
use crate::failure::{Failure, Result};
use crate::terminal::{Terminal, Tone};

const SUMS: &str = "SHA256SUMS";

/// Twice what a compiler needs on a busy machine with two cores.
const LIMIT: Duration = Duration::from_secs(80 * 60);

/// Compares what `cargo xtask dist` has left with what it makes of a clone; tells whether all of it is the same.
pub(crate) fn run(checkout: &Checkout, terminal: &Terminal) -> Result<bool> {
    let workshop = Workshop::as_it_is(checkout)?;
    let first = sums(&workshop.dist(SUMS))?;
    let clone = workshop.scratch("clone")?;
    let root = checkout.root();
    workshop.run(&workshop.program("git").in_folder(root).args(&["clone", "--quiet", "."]).arg(&clone))?;
    let again = checkout.xtask(&["dist"]).in_folder(&clone);
    // A folder of its own: nothing that the first has compiled is in it.
    let again = again.env("CARGO_TARGET_DIR", clone.join("target"));
    let log = crate::languages::log(checkout, "dist-reproduce")?;
    again.run(&log, LIMIT).map_err(|failure| failure.with_output(crate::languages::read(&log)))?;
    let second = sums(&clone.join("target/dist").join(SUMS))?;

    let names: BTreeSet<&String> = first.keys().chain(second.keys()).collect();
    let differ: Vec<_> = names.iter().filter(|name| first.get(**name) != second.get(**name)).collect();
    for name in &differ {
        let (one, other) = (workshop.dist(name), clone.join("target/dist").join(name));
        let what = match (one.exists(), other.exists()) {
            (true, true) => {
                let script = workshop.program("python3").arg(checkout.path("xtask/dist/differences.py"));
                workshop.read(&script.arg(name).arg(one).arg(other))?
            }
            _ => format!("was made once alone: {name}"),
        };
        terminal.say(&terminal.paint(what.trim_end(), Tone::Bad));
    }
    terminal.say(&format!("{} of {} files are the same", names.len() - differ.len(), names.len()));
    Ok(differ.is_empty())
}

/// File → checksum.
fn sums(path: &Path) -> Result<BTreeMap<String, String>> {
    let text = fs::read_to_string(path).map_err(|error| Failure::file(path, &error))?;
    let line = |line: &str| line.split_once("  ").map(|(sum, file)| (file.to_owned(), sum.to_owned()));
    Ok(text.lines().filter_map(line).collect())
}
