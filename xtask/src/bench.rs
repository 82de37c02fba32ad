//! `cargo xtask bench`: gatepass compared with the libraries that a user would otherwise pick.
//!
//! Each language has a program below tests/bench that measures its peers in interleaved rounds and prints a line of JSON
//! for each job and peer: `{"language", "job", "peer", "version", "unit", "rounds": […]}`. Here they become tables of medians,
//! with the ratio of gatepass to each, and a picture. Each provider of cryptography has its own runs and tables; a program that
//! has one of its own names it as `"provider"`.

mod calls;
mod chart;
mod comparison;
mod figure;
mod goals;
mod report;

use std::fs;
use std::time::Duration;

use crate::checkout::Checkout;
use crate::demo;
use crate::dist;
use crate::failure::{Failure, Result};
use crate::instructions;
use crate::languages::{Language, log, read};
use crate::process::Program;
use crate::terminal::Terminal;
use crate::toolchains;

use figure::{DEFAULT_PROVIDER, Figure, INSTALLED, read_figures};

/// What of gatepass is measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Build {
    /// What the checkout builds.
    Checkout,
    /// What `cargo xtask dist` has made, installed as users install it.
    Installed,
}

const RESULTS: &str = "tests/bench/RESULTS.md";
const CHART: &str = "tests/bench/results.svg";
/// What was measured last, of every language: a run of one language leaves the others' figures as they were.
const FIGURES: &str = "tests/bench/results.jsonl";
const LIMIT: Duration = Duration::from_secs(60 * 60);

/// Measures these languages and writes the report.
pub(crate) fn run(
    checkout: &Checkout,
    terminal: &Terminal,
    build: Build,
    names: &[&str],
    options: &[&str],
) -> Result<bool> {
    let mut figures =
        read_figures(&fs::read_to_string(checkout.path(FIGURES)).unwrap_or_default(), DEFAULT_PROVIDER);
    for language in names.iter().filter_map(|name| Language::named(name)) {
        let new = measure(checkout, terminal, build, language, options)?;
        figures.retain(|old| !new.iter().any(|new| new.is_of_the_same_job(old)));
        figures.extend(new);
    }
    let write = |path: &str, text: String| {
        let file = checkout.path(path);
        fs::write(&file, text).map_err(|error| Failure::file(&file, &error))
    };
    write(FIGURES, figures.iter().map(|figure| figure.to_json().to_string() + "\n").collect())?;
    write(CHART, chart::draw(&figures))?;
    write(RESULTS, report::write(&figures, &instructions::known(checkout)?))?;
    terminal.say(&format!("{RESULTS} and {CHART} are written"));
    Ok(true)
}

fn measure(
    checkout: &Checkout,
    terminal: &Terminal,
    build: Build,
    language: &Language,
    options: &[&str],
) -> Result<Vec<Figure>> {
    let Some(bench) = &language.bench else { return Ok(Vec::new()) };
    if let Some(missing) = toolchains::missing(language.toolchains) {
        return Err(Failure::new(missing.to_string()));
    }
    let (provider, programs) = match build {
        Build::Installed => (INSTALLED, dist::benchmark(checkout, language.name)?),
        Build::Checkout => {
            for build in (language.builds)(checkout)?.iter().chain(&(bench.builds)(checkout)?) {
                demo::announce(checkout, terminal, language.name, build)?;
            }
            (checkout.provider().unwrap_or(DEFAULT_PROVIDER), (bench.programs)(checkout)?)
        }
    };
    let mut figures = Vec::new();
    for program in programs {
        let _task = terminal.begin(&format!("{} benchmark", language.name));
        figures.extend(one(checkout, language.name, provider, program.args(options))?);
    }
    Ok(figures)
}

fn one(checkout: &Checkout, language: &str, provider: &str, program: Program) -> Result<Vec<Figure>> {
    let log = log(checkout, &format!("bench-{language}"))?;
    let (output, end) = program.read(&log, LIMIT);
    end.map_err(|failure| failure.with_output(read(&log)))?;
    Ok(read_figures(&output, provider))
}
