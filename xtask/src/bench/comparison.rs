//! gatepass compared with the others at a job, or with itself at another: one number.

use super::figure::{Figure, of};

/// Ours where it has not seen the tokens before.
pub(super) const NEW: &str = "gatepass, every token new";

/// Google's own library, by language.
const GOOGLES: [&str; 3] = ["google-auth", "google-auth-library", "api/idtoken"];

/// With what gatepass is compared.
#[derive(Clone, Copy)]
pub(super) enum Others {
    /// The best that is neither ours nor a limit.
    All,
    /// The best of those that remember no tokens.
    Forgetful,
    /// Who remembers tokens.
    Remembering,
    /// Google's own.
    Googles,
    /// What is no library: a bare service, or the bare check of a signature, by the same provider where there is one.
    Limit,
}

impl Others {
    fn hold(self, figure: &Figure, job: &[&Figure], provider: &str) -> bool {
        let remembers = figure.library().contains("cache");
        match self {
            Self::Limit => {
                let own = format!("raw {provider}");
                let has_own = job.iter().any(|figure| figure.library() == own);
                let is_raw =
                    if has_own { figure.library() == own } else { figure.library().starts_with("raw ") };
                is_raw || figure.library() == "bare"
            }
            _ if figure.is_limit() => false,
            Self::All => true,
            Self::Forgetful => !remembers,
            Self::Remembering => remembers,
            Self::Googles => GOOGLES.contains(&figure.library()),
        }
    }
}

/// How many times better one is than another.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Ratio {
    pub(super) times: f64,
    /// Whether the rounds of either are too noisy, or too few, to call a goal reached.
    pub(super) is_noisy: bool,
}

/// How many times better our peer of this name is, in whatever setting or in one that the name begins with; of several
/// settings, in the worst.
pub(super) fn ratio(
    figures: &[Figure],
    provider: &str,
    language: &str,
    (job, peer): (&str, &str),
    others: Others,
) -> Option<Ratio> {
    let job = of(figures, provider, language, job);
    let of_one = |ours: &&Figure| {
        let is_peer = |other: &&&Figure| {
            !other.is_ours() && other.setting() == ours.setting() && others.hold(other, &job, provider)
        };
        let of_pair = |other: &&Figure| {
            let is_noisy = ours.is_noisy() || other.is_noisy();
            Some(Ratio { times: ours.times_better(other, &job)?, is_noisy })
        };
        worst(job.iter().filter(is_peer).filter_map(of_pair))
    };
    let is_ours = |figure: &&&Figure| figure.library() == peer || figure.peer == peer;
    worst(job.iter().filter(is_ours).filter_map(of_one))
}

/// How many times better our peer of this name is at a job than at another.
pub(super) fn ratio_to_job(
    figures: &[Figure],
    provider: &str,
    language: &str,
    (job, peer): (&str, &str),
    other: &str,
) -> Option<Ratio> {
    let at = |job| of(figures, provider, language, job).into_iter().find(|figure| figure.peer == peer);
    let (one, other) = (at(job)?, at(other)?);
    Some(Ratio { times: one.times_better(other, &[])?, is_noisy: one.is_noisy() || other.is_noisy() })
}

/// What something adds: to an empty process, to the claims themselves, to a request.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Cost {
    pub(super) median: f64,
    upper_quartile: f64,
    pub(super) unit: String,
    has_enough_rounds: bool,
}

impl Cost {
    /// Whether it is not certain that this bound is kept.
    pub(super) fn is_noisy(&self, bound: f64) -> bool {
        !self.has_enough_rounds || self.upper_quartile > bound
    }
}

/// What our peer of this name adds.
pub(super) fn cost(
    figures: &[Figure],
    provider: &str,
    language: &str,
    (job, peer): (&str, &str),
) -> Option<Cost> {
    let job = of(figures, provider, language, job);
    let ours = job.iter().find(|figure| figure.peer == peer)?;
    let is_base =
        |figure: &&&Figure| figure.is_floor() || figure.peer.contains("claims") && !figure.is_ours();
    // Of several ways to hold claims, the one that takes most is what a program works with.
    let base = job.iter().filter(is_base).map(|figure| figure.median()).fold(0.0, f64::max);
    Some(Cost {
        median: ours.median() - base,
        upper_quartile: ours.upper_quartile() - base,
        unit: ours.unit.clone(),
        has_enough_rounds: ours.has_enough_rounds(),
    })
}

fn worst(ratios: impl Iterator<Item = Ratio>) -> Option<Ratio> {
    ratios.min_by(|one, other| one.times.total_cmp(&other.times))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::bench::figure::read_figures;

    fn ratio_of(ours: &str, theirs: &str) -> Ratio {
        let line = |peer: &str, rounds: &str| {
            format!(
                "{{\"language\":\"go\",\"job\":\"V2\",\"peer\":\"{peer}\",\"version\":\"1\",\"unit\":\"op/s\",\"rounds\":{rounds}}}\n"
            )
        };
        let figures = read_figures(&(line("gatepass", ours) + &line("golang-jwt", theirs)), "ring");
        ratio(&figures, "ring", "go", ("V2", "gatepass"), Others::All).unwrap()
    }

    /// Nine rounds, of which the last so many are 30 % off.
    fn rounds(about: f64, spoilt: usize) -> String {
        let round = |i: usize| about + i as f64 + if i + spoilt >= 9 { 0.3 * about } else { 0.0 };
        format!("{:?}", (0..9).map(round).collect::<Vec<_>>())
    }

    #[test]
    fn rounds_of_which_too_many_are_spoilt_prove_nothing() {
        let (quiet, spoilt) = (ratio_of(&rounds(200.0, 0), &rounds(100.0, 1)), rounds(100.0, 3));
        assert!(!quiet.is_noisy && quiet.times > 1.9, "{quiet:?}");
        assert!(ratio_of(&rounds(200.0, 0), &spoilt).is_noisy);
        assert!(ratio_of(&spoilt, &rounds(100.0, 0)).is_noisy);
    }

    fn figures(lines: &[(&str, &str, &str, &str)]) -> Vec<Figure> {
        let line = |(job, peer, unit, rounds): &(&str, &str, &str, &str)| {
            format!(
                "{{\"language\":\"go\",\"job\":\"{job}\",\"peer\":\"{peer}\",\"version\":\"1\",\"unit\":\"{unit}\",\"rounds\":{rounds}}}\n"
            )
        };
        read_figures(&lines.iter().map(line).collect::<String>(), "ring")
    }

    #[test]
    fn a_bare_check_is_that_of_the_same_provider_where_there_is_one() {
        let raw = |names: [&str; 2]| {
            let rates = ["[50]", "[80]"];
            let mut lines = vec![("V2", "gatepass", "op/s", "[40]"), ("V2", "empty call", "op/s", "[900]")];
            lines.extend(names.into_iter().zip(rates).map(|(name, rate)| ("V2", name, "op/s", rate)));
            ratio(&figures(&lines), "ring", "go", ("V2", "gatepass"), Others::Limit).unwrap().times
        };
        assert_eq!(raw(["raw ring", "raw aws-lc-rs"]), 0.8);
        assert_eq!(raw(["raw ring of another", "raw aws-lc-rs"]), 0.5, "the worst");
    }

    #[test]
    fn what_something_adds_is_beyond_the_floor_and_proven_by_its_upper_quartile() {
        let (few, even) = ("[5.9, 6]", format!("{:?}", [6.0; 9]));
        let uneven = "[6, 6, 6, 6, 6, 6, 9, 9, 9]";
        let of = |rounds: &str| {
            let lines = [("M-start", "empty process", "ms", "[5, 5]"), ("M-start", "gatepass", "ms", rounds)];
            let cost = cost(&figures(&lines), "ring", "go", ("M-start", "gatepass")).unwrap();
            (cost.median, cost.is_noisy(1.0))
        };
        assert_eq!([of(few), of(&even), of(uneven)], [(1.0, true), (1.0, false), (1.0, true)]);
    }

    #[test]
    fn few_rounds_prove_nothing() {
        assert!(ratio_of("[200, 201, 200]", "[100, 100, 100]").is_noisy);
    }
}
