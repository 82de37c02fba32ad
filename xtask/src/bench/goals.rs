//! What gatepass should reach, and what it does.

use super::comparison::Others::{self, All, Forgetful, Googles, Remembering};
use super::comparison::{NEW, ratio};
use super::figure::{Figure, INSTALLED, short};

struct Goal {
    job: &'static str,
    peer: &'static str,
    others: Others,
    what: &'static str,
    /// How many times better gatepass should be, in the order of [`LANGUAGES`]; 0 where nothing is asked for.
    least: [f64; 5],
}

const LANGUAGES: [&str; 5] = ["python", "node", "go", "java", "rust"];
const PROVIDERS: [&str; 3] = ["ring", "aws-lc-rs", INSTALLED];

const GOALS: [Goal; 10] = [
    Goal::new("V1", "gatepass", Forgetful, "same token", [60.0, 30.0, 60.0, 60.0, 100.0]),
    Goal::new("V1", "gatepass", Remembering, "same token, who remembers it, too", [0.0, 3.0, 0.0, 0.0, 0.0]),
    Goal::new("V2", NEW, Forgetful, "new tokens", [2.5, 1.3, 1.6, 1.8, 1.15]),
    Goal::new("V3", NEW, Forgetful, "new ES256 tokens", [0.0, 0.0, 0.0, 14.0, 0.0]),
    Goal::new("V4-distinct", NEW, Forgetful, "new tokens, 4 threads", [1.3; 5]),
    Goal::new("S", "gatepass", All, "sign", [1.0; 5]),
    Goal::new("H", "gatepass", All, "warm header", [15.0, 10.0, 10.0, 1.0, 0.0]),
    Goal::new("W", "gatepass", Googles, "middleware, Google's library", [10.0, 10.0, 10.0, 10.0, 0.0]),
    Goal::new("M-start", "gatepass", Googles, "cold start, Google's library", [10.0, 2.0, 0.83, 3.3, 0.0]),
    Goal::new("F", "gatepass", All, "requests of a cold herd", [0.0; 5]),
];

impl Goal {
    const fn new(
        job: &'static str,
        peer: &'static str,
        others: Others,
        what: &'static str,
        least: [f64; 5],
    ) -> Self {
        Self { job, peer, others, what, least }
    }

    fn cell(&self, figures: &[Figure], provider: &str, place: usize) -> Option<String> {
        let (language, least) = (LANGUAGES.get(place)?, *self.least.get(place)?);
        let peer = (self.job, self.peer);
        let reached = ratio(figures, provider, language, peer, self.others)?;
        let number = format!("{} ×", short(reached.times));
        Some(match least {
            0.0 => number,
            least if reached.times >= least && reached.is_noisy => format!("{number} ({least}), too noisy"),
            least if reached.times >= least => format!("**{number}** ({least})"),
            least => format!("{number} ({least})"),
        })
    }
}

/// A table of ratios for each provider; in brackets what is asked for, bold where it is reached.
pub(super) fn table(figures: &[Figure]) -> String {
    let mut text = String::from(
        "How many times as good as the best other library gatepass is; in brackets what it should be, **bold** where it is. \
         Where a spread is over 15 %, or there are fewer than nine rounds, it is too noisy to tell.\n\n\
         | job | gatepass on | Python | Node | Go | Java | Rust |\n| --- | --- | ---: | ---: | ---: | ---: | ---: |\n",
    );
    for goal in &GOALS {
        for provider in PROVIDERS {
            let cells: Vec<_> =
                (0..LANGUAGES.len()).map(|place| goal.cell(figures, provider, place)).collect();
            if cells.iter().any(Option::is_some) {
                let cells: Vec<_> = cells.into_iter().map(Option::unwrap_or_default).collect();
                text += &format!("| {}: {} | {provider} | {} |\n", goal.job, goal.what, cells.join(" | "));
            }
        }
    }
    text
}
