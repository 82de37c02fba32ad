//! gatepass compared with the others at a job: one number.

use super::figure::{Figure, of};

/// Ours where it has not seen the tokens before.
pub(super) const NEW: &str = "gatepass, every token new";

/// Google's own library, by language.
const GOOGLES: [&str; 3] = ["google-auth", "google-auth-library", "api/idtoken"];

/// With whom gatepass is compared.
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
}

impl Others {
    fn hold(self, figure: &Figure) -> bool {
        let remembers = figure.library().contains("cache");
        match self {
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

/// How many times better our peer of this name is; of several settings, in the worst.
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
            !other.is_ours() && !other.is_limit() && other.setting() == ours.setting() && others.hold(other)
        };
        let of_pair = |other: &&Figure| {
            let is_noisy = ours.is_noisy() || other.is_noisy();
            Some(Ratio { times: ours.times_better(other, &job)?, is_noisy })
        };
        worst(job.iter().filter(is_peer).filter_map(of_pair))
    };
    let is_ours = |figure: &&&Figure| figure.library() == peer;
    worst(job.iter().filter(is_ours).filter_map(of_one))
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
        let figures = read_figures(&(line("gatepass", ours) + &line("golang-jwt", theirs)));
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

    #[test]
    fn few_rounds_prove_nothing() {
        assert!(ratio_of("[200, 201, 200]", "[100, 100, 100]").is_noisy);
    }
}
