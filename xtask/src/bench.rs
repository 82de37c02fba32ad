//! `cargo xtask bench`: gatepass beside the libraries that a user would otherwise pick.
//!
//! Each language has a program below tests/bench that measures its peers in interleaved rounds and prints a line of JSON
//! for each job and peer: `{"language", "job", "peer", "version", "unit", "rounds": […]}`. Here they become tables of medians,
//! with the ratio of gatepass to each, and a picture. Each provider of cryptography has its own runs and tables.

mod chart;
mod comparison;
mod goals;
mod report;

use std::fs;
use std::time::Duration;

use serde_json::Value;

use crate::checkout::Checkout;
use crate::demo;
use crate::failure::{Failure, Result};
use crate::instructions;
use crate::languages::{Language, log, read};
use crate::process::Program;
use crate::terminal::Terminal;
use crate::toolchains;

const RESULTS: &str = "tests/bench/RESULTS.md";
const CHART: &str = "tests/bench/results.svg";
/// What was measured last, of every language: a run of one language leaves the others' figures as they were.
const FIGURES: &str = "tests/bench/results.jsonl";
const DEFAULT_PROVIDER: &str = "ring";
const LIMIT: Duration = Duration::from_secs(60 * 60);

/// What a peer came to at a job.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    /// The cryptographic library that gatepass was built with.
    provider: String,
    language: String,
    job: String,
    peer: String,
    version: String,
    unit: String,
    rounds: Vec<f64>,
}

/// Measures these languages and writes the report.
pub(crate) fn run(
    checkout: &Checkout,
    terminal: &Terminal,
    names: &[&str],
    options: &[&str],
) -> Result<bool> {
    let mut figures = read_figures(&fs::read_to_string(checkout.path(FIGURES)).unwrap_or_default());
    for language in names.iter().filter_map(|name| Language::named(name)) {
        let new = measure(checkout, terminal, language, options)?;
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
    language: &Language,
    options: &[&str],
) -> Result<Vec<Figure>> {
    let Some(bench) = &language.bench else { return Ok(Vec::new()) };
    if let Some(missing) = toolchains::missing(language.toolchains) {
        return Err(Failure::new(missing.to_string()));
    }
    for build in (language.builds)(checkout)?.iter().chain(&(bench.builds)(checkout)?) {
        demo::announce(checkout, terminal, language.name, build)?;
    }
    let mut figures = Vec::new();
    for program in (bench.programs)(checkout)? {
        let _task = terminal.begin(&format!("{} benchmark", language.name));
        figures.extend(one(checkout, language.name, program.args(options))?);
    }
    Ok(figures)
}

fn one(checkout: &Checkout, language: &str, program: Program) -> Result<Vec<Figure>> {
    let log = log(checkout, &format!("bench-{language}"))?;
    let (output, end) = program.read(&log, LIMIT);
    end.map_err(|failure| failure.with_output(read(&log)))?;
    let provider = checkout.provider().unwrap_or(DEFAULT_PROVIDER);
    Ok(read_figures(&output)
        .into_iter()
        .map(|figure| Figure { provider: provider.to_owned(), ..figure })
        .collect())
}

fn read_figures(lines: &str) -> Vec<Figure> {
    lines.lines().filter_map(|line| Figure::from_json(&serde_json::from_str(line).ok()?)).collect()
}

impl Figure {
    fn from_json(line: &Value) -> Option<Self> {
        let text = |name| Some(line.get(name)?.as_str()?.to_owned());
        let rounds = line.get("rounds")?.as_array()?.iter().filter_map(Value::as_f64).collect();
        let (language, job, peer) = (text("language")?, text("job")?, text("peer")?);
        let provider = text("provider").unwrap_or_else(|| DEFAULT_PROVIDER.to_owned());
        Some(Self { provider, language, job, peer, version: text("version")?, unit: text("unit")?, rounds })
    }

    fn to_json(&self) -> Value {
        serde_json::json!({
            "provider": self.provider, "language": self.language, "job": self.job, "peer": self.peer, "version": self.version,
            "unit": self.unit, "rounds": self.rounds,
        })
    }

    fn is_of_the_same_job(&self, other: &Self) -> bool {
        let key = |figure: &'_ Self| [&figure.provider, &figure.language, &figure.job].map(String::clone);
        key(self) == key(other)
    }

    fn median(&self) -> f64 {
        median(self.rounds.clone())
    }

    /// The distance from the least to the most, in percent of the median.
    fn spread(&self) -> f64 {
        let least = self.rounds.iter().copied().fold(f64::INFINITY, f64::min);
        let most = self.rounds.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        (most - least) / self.median() * 100.0
    }

    /// Where it was measured, such as a framework, and what: the peer's name may begin with the first, and a comma.
    fn setting_and_library(&self) -> (&str, &str) {
        match self.peer.split_once(", ") {
            Some((setting, library)) if !setting.starts_with("gatepass") => (setting, library),
            _ => ("", &self.peer),
        }
    }

    fn setting(&self) -> &str {
        self.setting_and_library().0
    }

    fn library(&self) -> &str {
        self.setting_and_library().1
    }

    fn is_ours(&self) -> bool {
        self.library().starts_with("gatepass")
    }

    /// Nothing but the process or the service around what is measured: the others count from here.
    fn is_floor(&self) -> bool {
        matches!(self.library(), "bare" | "empty process") && !self.more_is_better()
    }

    /// A bare signature check, an empty call or an empty service: a bound, no library.
    fn is_limit(&self) -> bool {
        let library = self.library();
        library == "bare" || library.starts_with("raw ") || library.starts_with("empty ")
    }

    fn more_is_better(&self) -> bool {
        self.unit == "op/s"
    }

    /// How many times better `self` is than `other` of the same job: the median of the ratios within each round, for a
    /// processor that changes its pace has about the same one then. Where there is a floor, or noise is larger than what is
    /// measured, it is the ratio of the medians, beyond the floor; nothing where nothing is left.
    fn times_better(&self, other: &Self, job: &[&Self]) -> Option<f64> {
        let floor = job.iter().find(|floor| floor.is_floor() && floor.setting() == self.setting());
        let is_positive = |(ours, theirs): &(f64, f64)| *ours > 0.0 && *theirs > 0.0;
        let mut pairs: Vec<_> = self.rounds.iter().copied().zip(other.rounds.iter().copied()).collect();
        if floor.is_some() || !pairs.iter().all(is_positive) {
            let floor = floor.map_or(0.0, |floor| floor.median());
            pairs = vec![(self.median() - floor, other.median() - floor)];
        }
        let ratio =
            |(ours, theirs): &(f64, f64)| if self.more_is_better() { ours / theirs } else { theirs / ours };
        pairs.iter().all(is_positive).then(|| median(pairs.iter().map(ratio).collect()))
    }
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}
