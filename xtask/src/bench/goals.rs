//! What gatepass should reach, and what it does.

use super::comparison::Others::{self, All, Forgetful, Googles, Limit, Remembering};
use super::comparison::{Cost, NEW, Ratio, cost, ratio, ratio_to_job};
use super::figure::{AWS_LC, DEFAULT_PROVIDER as RING, Figure, INSTALLED, WITHOUT_CGO, short};

/// A row of the table.
struct Goal {
    job: &'static str,
    what: &'static str,
    peer: &'static str,
    measure: Measure,
    /// For gatepass on these.
    providers: &'static [&'static str],
    /// What is asked for, in the order of [`LANGUAGES`]; 0 where nothing is.
    bounds: [f64; 5],
}

enum Measure {
    /// How many times as good as others: at least.
    Times(Others),
    /// How many times as good as at another job: at least.
    TimesOf(&'static str),
    /// How many times as good at this job as at another: at most, because it should not get worse there.
    Slowdown(&'static str),
    /// What it takes, beyond what there would be without it: at most.
    Cost,
}

const LANGUAGES: [&str; 5] = ["python", "node", "go", "java", "rust"];
const ANY: &[&str] = &[RING, AWS_LC, INSTALLED];
/// What is installed carries AWS-LC.
const ON_AWS_LC: &[&str] = &[AWS_LC, INSTALLED];
const MODULE: &[&str] = &[WITHOUT_CGO];

const GOALS: [Goal; 30] = [
    Goal::times("V1", "same token", "gatepass", Forgetful, ANY, [60.0, 30.0, 60.0, 60.0, 100.0]),
    Goal::times("V1", "same token", "gatepass", Forgetful, MODULE, in_go(10.0)),
    Goal::times("V1", "same token", "gatepass", Remembering, ANY, in_node(3.0)),
    Goal::times("V2", "new tokens", NEW, Forgetful, &[RING], [1.0; 5]),
    Goal::times("V2", "new tokens", NEW, Forgetful, ON_AWS_LC, [2.5, 1.35, 1.8, 1.9, 1.15]),
    Goal::times("V2", "new tokens", NEW, Forgetful, MODULE, in_go(0.6)),
    // The bare check is that of the same library in Rust only.
    Goal::times("V2", "new tokens", NEW, Limit, ANY, in_rust(0.85)),
    Goal::times("V3", "new ES256 tokens", NEW, Forgetful, ANY, in_java(14.0)),
    Goal::times("V3", "new ES256 tokens", NEW, Limit, ANY, [0.9; 5]),
    Goal::times("V4-distinct", "new tokens, 4 threads", NEW, Forgetful, ANY, [1.3; 5]),
    Goal::times("V4-distinct", "new tokens, 4 threads", NEW, Forgetful, MODULE, [0.0; 5]),
    Goal::new("V4-repeated", "same token, 4 threads", "gatepass", Measure::TimesOf("V1"), ANY, [0.0; 5]),
    Goal::times("S", "sign", "gatepass", All, ANY, [1.0; 5]),
    Goal::times("H", "warm header", "gatepass", All, ANY, [15.0, 10.0, 10.0, 1.0, 0.0]),
    Goal::times("W", "middleware", "gatepass", Googles, ANY, [10.0, 10.0, 10.0, 10.0, 0.0]),
    Goal::cost("W", "middleware", "gatepass", [0.0, 0.0, 4.0, 10.0, 0.0]),
    Goal::cost("W", "middleware, Flask", "flask, gatepass", in_python(40.0)),
    Goal::cost("W", "middleware, FastAPI", "fastapi, gatepass", in_python(20.0)),
    Goal::cost("W", "middleware, Express", "express, gatepass", in_node(15.0)),
    Goal::cost("W", "middleware, Fastify", "fastify, gatepass", in_node(8.0)),
    Goal::times("W-rate", "service", "gatepass", Limit, ANY, [0.9, 0.0, 0.9, 0.9, 0.0]),
    Goal::times("W-rate", "service, Express", "express, gatepass", Limit, ANY, in_node(0.9)),
    Goal::times("W-rate", "service, Fastify", "fastify, gatepass", Limit, ANY, in_node(0.8)),
    Goal::times("M-start", "cold start", "gatepass", Googles, ANY, [10.0, 2.0, 0.83, 3.33, 0.0]),
    Goal::new("M-start", "cold start", "gatepass", Measure::Cost, MODULE, in_go(150.0)),
    Goal::cost("M-start", "cold start", "gatepass", in_rust(1.0)),
    Goal::new("M-size", "growth of a program", "gatepass", Measure::Cost, &[RING, WITHOUT_CGO], [0.0; 5]),
    Goal::new("G-10", "10 tokens remembered", "gatepass", Measure::Slowdown("G-100000"), ANY, [1.5; 5]),
    // Rust keeps the claims as they came, and they are in its figure.
    Goal::cost(
        "G-bytes",
        "memory of a token beyond its claims",
        "gatepass",
        [600.0, 600.0, 600.0, 600.0, 0.0],
    ),
    Goal::cost("F", "requests of a cold herd", "gatepass", [1.0, 1.0, 1.0, 1.0, 0.0]),
];

const fn in_python(bound: f64) -> [f64; 5] {
    [bound, 0.0, 0.0, 0.0, 0.0]
}

const fn in_node(bound: f64) -> [f64; 5] {
    [0.0, bound, 0.0, 0.0, 0.0]
}

const fn in_go(bound: f64) -> [f64; 5] {
    [0.0, 0.0, bound, 0.0, 0.0]
}

const fn in_java(bound: f64) -> [f64; 5] {
    [0.0, 0.0, 0.0, bound, 0.0]
}

const fn in_rust(bound: f64) -> [f64; 5] {
    [0.0, 0.0, 0.0, 0.0, bound]
}

impl Goal {
    const fn new(
        job: &'static str,
        what: &'static str,
        peer: &'static str,
        measure: Measure,
        providers: &'static [&'static str],
        bounds: [f64; 5],
    ) -> Self {
        Self { job, what, peer, measure, providers, bounds }
    }

    const fn times(
        job: &'static str,
        what: &'static str,
        peer: &'static str,
        others: Others,
        providers: &'static [&'static str],
        bounds: [f64; 5],
    ) -> Self {
        Self::new(job, what, peer, Measure::Times(others), providers, bounds)
    }

    const fn cost(job: &'static str, what: &'static str, peer: &'static str, bounds: [f64; 5]) -> Self {
        Self::new(job, what, peer, Measure::Cost, ANY, bounds)
    }

    fn row(&self, figures: &[Figure], provider: &str) -> Option<String> {
        let cells: Vec<_> = LANGUAGES
            .iter()
            .zip(self.bounds)
            .map(|(language, bound)| self.reached(figures, provider, language)?.cell(bound))
            .collect();
        cells.iter().any(Option::is_some).then(|| {
            let cells: Vec<_> = cells.into_iter().map(Option::unwrap_or_default).collect();
            format!(
                "| {}: {} | {} | {provider} | {} |\n",
                self.job,
                self.what,
                self.measured(),
                cells.join(" | ")
            )
        })
    }

    /// What the numbers of the row are.
    fn measured(&self) -> String {
        match self.measure {
            Measure::Times(All) => "the best other library".to_owned(),
            Measure::Times(Forgetful) => "the best that remembers no tokens".to_owned(),
            Measure::Times(Remembering) => "the best that remembers tokens".to_owned(),
            Measure::Times(Googles) => "Google's library".to_owned(),
            Measure::Times(Limit) if self.job == "W-rate" => "the bare service".to_owned(),
            Measure::Times(Limit) => "the bare check".to_owned(),
            Measure::TimesOf(job) | Measure::Slowdown(job) => job.to_owned(),
            Measure::Cost => "what it adds".to_owned(),
        }
    }

    fn reached(&self, figures: &[Figure], provider: &str, language: &str) -> Option<Reached> {
        let ours = (self.job, self.peer);
        Some(match self.measure {
            Measure::Times(others) => Reached::AtLeast(ratio(figures, provider, language, ours, others)?),
            Measure::TimesOf(job) => Reached::AtLeast(ratio_to_job(figures, provider, language, ours, job)?),
            Measure::Slowdown(job) => Reached::AtMost(ratio_to_job(figures, provider, language, ours, job)?),
            Measure::Cost => Reached::Cost(cost(figures, provider, language, ours)?),
        })
    }
}

/// What gatepass has come to.
enum Reached {
    AtLeast(Ratio),
    AtMost(Ratio),
    Cost(Cost),
}

impl Reached {
    /// The number; in brackets what is asked for, bold where it is reached.
    fn cell(&self, bound: f64) -> Option<String> {
        let (number, limit, is_reached, is_noisy) = match self {
            Self::AtLeast(ratio) => (times(ratio), bound.to_string(), ratio.times >= bound, ratio.is_noisy),
            Self::AtMost(ratio) => (times(ratio), at_most(bound), ratio.times <= bound, ratio.is_noisy),
            Self::Cost(cost) => {
                let number = format!("{} {}", short(cost.median), cost.unit);
                (number, at_most(bound), cost.median <= bound, cost.is_noisy(bound))
            }
        };
        Some(match bound {
            0.0 => number,
            _ if is_reached && is_noisy => format!("{number} ({limit}), too noisy"),
            _ if is_reached => format!("**{number}** ({limit})"),
            _ => format!("{number} ({limit})"),
        })
    }
}

fn times(ratio: &Ratio) -> String {
    format!("{} ×", short(ratio.times))
}

fn at_most(bound: f64) -> String {
    format!("at most {bound}")
}

/// A table of what is reached, with a row for each provider; in brackets what is asked for, bold where it is reached.
pub(super) fn table(figures: &[Figure]) -> String {
    let mut text = String::from(
        "What gatepass should reach, and what it does: how many times as good as others it is, or at a job as at another, or what \
         it adds to an empty process, a request, or the claims themselves. In brackets is what is asked for, **bold** where it is \
         reached. Where a spread is over 15 %, or the upper quartile of what is added over the bound, or there are fewer than nine \
         rounds, it is too noisy to tell.\n\n\
         | job | next to | gatepass on | Python | Node | Go | Java | Rust |\n\
         | --- | --- | --- | ---: | ---: | ---: | ---: | ---: |\n",
    );
    for goal in &GOALS {
        text.extend(goal.providers.iter().filter_map(|provider| goal.row(figures, provider)));
    }
    text
}
