//! One figure: what a peer came to at a job.

use serde_json::Value;

/// The cryptographic library that gatepass is built with unless another is named.
pub(super) const DEFAULT_PROVIDER: &str = "ring";

/// The other one.
pub(super) const AWS_LC: &str = "aws-lc-rs";

/// What stands in its place for Go without cgo, where the core is WebAssembly and Go computes: the benchmark says so itself.
pub(super) const WITHOUT_CGO: &str = "WebAssembly, without cgo";

/// What stands in its place for what was installed from the artefacts, which carry AWS-LC.
pub(super) const INSTALLED: &str = "AWS-LC, as installed";

/// A spread over this many percent proves nothing.
pub(super) const TOO_NOISY: f64 = 15.0;

/// With fewer rounds there is no middle half to speak of.
const ENOUGH_ROUNDS: usize = 9;

/// What a peer came to at a job.
#[derive(Clone, Debug)]
pub(super) struct Figure {
    /// The cryptographic library that gatepass was built with.
    pub(super) provider: String,
    pub(super) language: String,
    pub(super) job: String,
    pub(super) peer: String,
    pub(super) version: String,
    pub(super) unit: String,
    pub(super) rounds: Vec<f64>,
}

/// Reads a figure from each line; lines that hold none are left out. Those that name no provider are of this one.
pub(super) fn read_figures(lines: &str, provider: &str) -> Vec<Figure> {
    lines.lines().filter_map(|line| Figure::from_json(&serde_json::from_str(line).ok()?, provider)).collect()
}

/// The figures of one job.
pub(super) fn of<'a>(figures: &'a [Figure], provider: &str, language: &str, job: &str) -> Vec<&'a Figure> {
    let is_one = |figure: &&Figure| {
        [&figure.provider, &figure.language, &figure.job].map(String::as_str) == [provider, language, job]
    };
    figures.iter().filter(is_one).collect()
}

/// A number as tables show it.
pub(super) fn short(number: f64) -> String {
    match number {
        n if n >= 1e6 => format!("{:.3} M", n / 1e6).replace(".000", ""),
        n if n >= 1e4 => format!("{:.1} k", n / 1e3),
        n if n >= 100.0 => format!("{n:.0}"),
        n if n >= 10.0 => format!("{n:.1}"),
        n if n > -10.0 => format!("{n:.2}"),
        n => format!("{n:.0}"),
    }
}

impl Figure {
    fn from_json(line: &Value, provider: &str) -> Option<Self> {
        let text = |name| Some(line.get(name)?.as_str()?.to_owned());
        let rounds = line.get("rounds")?.as_array()?.iter().filter_map(Value::as_f64).collect();
        let (language, job, peer) = (text("language")?, text("job")?, text("peer")?);
        let provider = text("provider").unwrap_or_else(|| provider.to_owned());
        Some(Self { provider, language, job, peer, version: text("version")?, unit: text("unit")?, rounds })
    }

    pub(super) fn to_json(&self) -> Value {
        serde_json::json!({
            "provider": self.provider, "language": self.language, "job": self.job, "peer": self.peer, "version": self.version,
            "unit": self.unit, "rounds": self.rounds,
        })
    }

    pub(super) fn is_of_the_same_job(&self, other: &Self) -> bool {
        let key = |figure: &'_ Self| [&figure.provider, &figure.language, &figure.job].map(String::clone);
        key(self) == key(other)
    }

    pub(super) fn median(&self) -> f64 {
        median(self.rounds.clone())
    }

    /// The distance between the quartiles, in percent of the median: what the middle half of the rounds differs by. One
    /// round that a neighbour spoilt does not change it; half of them do.
    pub(super) fn spread(&self) -> f64 {
        interquartile_range(self.rounds.clone()) / self.median().abs() * 100.0
    }

    pub(super) fn upper_quartile(&self) -> f64 {
        quartiles(self.rounds.clone()).1
    }

    /// Whether there is a middle half to speak of. What comes to the same each time, such as a number of requests, has one.
    pub(super) fn has_enough_rounds(&self) -> bool {
        let is_the_same =
            self.rounds.len() > 1 && self.rounds.iter().all(|round| Some(round) == self.rounds.first());
        is_the_same || self.rounds.len() >= ENOUGH_ROUNDS
    }

    /// Whether the rounds lie too far apart, or are too few, to prove anything.
    pub(super) fn is_noisy(&self) -> bool {
        !self.has_enough_rounds() || self.spread() > TOO_NOISY
    }

    /// Where it was measured, such as a framework, and what: the peer's name may begin with the first, and a comma.
    pub(super) fn setting_and_library(&self) -> (&str, &str) {
        match self.peer.split_once(", ") {
            Some((setting, library)) if !setting.starts_with("gatepass") => (setting, library),
            _ => ("", &self.peer),
        }
    }

    pub(super) fn setting(&self) -> &str {
        self.setting_and_library().0
    }

    pub(super) fn library(&self) -> &str {
        self.setting_and_library().1
    }

    pub(super) fn is_ours(&self) -> bool {
        self.library().starts_with("gatepass")
    }

    /// Nothing but the process or the service around what is measured: the others count from here.
    pub(super) fn is_floor(&self) -> bool {
        matches!(self.library(), "bare" | "empty process") && !self.more_is_better()
    }

    /// A bare signature check, an empty call or an empty service: a bound, no library.
    pub(super) fn is_limit(&self) -> bool {
        let library = self.library();
        library == "bare" || library.starts_with("raw ") || library.starts_with("empty ")
    }

    pub(super) fn more_is_better(&self) -> bool {
        self.unit == "op/s"
    }

    /// How many times better `self` is than `other` of the same job: the median of the ratios within each round, for a
    /// processor that changes its pace has about the same one then. Where there is a floor, or noise is larger than what is
    /// measured, it is the ratio of the medians, beyond the floor; nothing where nothing is left.
    pub(super) fn times_better(&self, other: &Self, job: &[&Self]) -> Option<f64> {
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

/// The distance between the quartiles.
pub(super) fn interquartile_range(numbers: Vec<f64>) -> f64 {
    let (lower, upper) = quartiles(numbers);
    upper - lower
}

fn quartiles(mut numbers: Vec<f64>) -> (f64, f64) {
    numbers.sort_by(f64::total_cmp);
    let quarter = numbers.len() / 4;
    let at = |place: usize| numbers.get(place).copied().unwrap_or(f64::NAN);
    (at(quarter), at(numbers.len().saturating_sub(quarter + 1)))
}

pub(super) fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}
