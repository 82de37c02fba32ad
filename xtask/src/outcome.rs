//! What became of one of the things that were tried.

use crate::counts::Counts;
use crate::table::Cell;
use crate::terminal::Tone;

/// What stands in one cell.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    Right(String),
    /// With what does not fit into a cell: an error, and all that a program printed.
    Wrong(String, Option<String>),
    Skipped,
}

impl Outcome {
    pub(crate) fn wrong(cell: &str, why: impl ToString) -> Self {
        Self::Wrong(cell.to_owned(), Some(why.to_string()))
    }

    pub(crate) fn cell(&self) -> Cell {
        match self {
            Self::Right(text) => Cell::new(text.clone()),
            Self::Wrong(text, _) => Cell::toned(format!("✗ {text}"), Tone::Bad),
            Self::Skipped => Cell::new("skipped"),
        }
    }
}

/// How many of them are as they should be.
pub(crate) fn count<'a>(outcomes: impl Iterator<Item = &'a Outcome>) -> Counts {
    let mut counts = Counts::default();
    for outcome in outcomes {
        counts += match outcome {
            Outcome::Right(_) => Counts::PASSED,
            Outcome::Wrong(..) => Counts::FAILED,
            Outcome::Skipped => Counts { skipped: 1, ..Counts::default() },
        };
    }
    counts
}

/// What did not fit into the cells, each once.
pub(crate) fn troubles<'a>(outcomes: impl Iterator<Item = &'a Outcome>) -> String {
    let mut troubles: Vec<&str> = Vec::new();
    for outcome in outcomes {
        match outcome {
            Outcome::Wrong(_, Some(why)) if !troubles.contains(&why.as_str()) => troubles.push(why),
            _ => {}
        }
    }
    troubles.iter().map(|trouble| format!("\n✗ {}\n", trouble.trim_end())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_skipped_is_neither_right_nor_wrong_and_a_trouble_is_told_once() {
        let trouble = Outcome::wrong("did not start", "no such file");
        let outcomes = [Outcome::Right(String::new()), trouble.clone(), trouble, Outcome::Skipped];
        assert_eq!(count(outcomes.iter()), Counts { passed: 1, failed: 2, skipped: 1 });
        assert_eq!(troubles(outcomes.iter()), "\n✗ no such file\n");
    }
}
