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

/// How many times better our peer of this name is; of several settings, in the worst.
pub(super) fn ratio(
    figures: &[Figure],
    provider: &str,
    language: &str,
    (job, peer): (&str, &str),
    others: Others,
) -> Option<f64> {
    let job = of(figures, provider, language, job);
    let of_one = |ours: &&Figure| {
        let is_peer = |other: &&&Figure| {
            !other.is_ours() && !other.is_limit() && other.setting() == ours.setting() && others.hold(other)
        };
        let ratios = job.iter().filter(is_peer).filter_map(|other| ours.times_better(other, &job));
        ratios.min_by(f64::total_cmp)
    };
    let is_ours = |figure: &&&Figure| figure.library() == peer;
    job.iter().filter(is_ours).filter_map(of_one).min_by(f64::total_cmp)
}
