//! Who takes part in the matrices: the languages, and an emulator for each.

use crate::checkout::Checkout;
use crate::emulator::Emulator;
use crate::failure::Result;
use crate::languages::{Demo, Language, log};
use crate::outcome::Outcome;
use crate::threads::side_by_side;

/// A language and whether it can take part.
#[derive(Debug)]
pub(crate) struct Participant {
    pub(crate) language: &'static Language,
    pub(crate) state: State,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum State {
    Ready,
    /// Its toolchain is missing.
    Skipped,
    /// It could not be built.
    Broken,
}

/// The emulators: one for each caller, so that each has an e-mail of its own and its requests are counted by themselves.
/// They all have the same keys, so the issuer's, from which the receivers take them, go with all tokens.
#[derive(Debug)]
pub(crate) struct Emulators {
    pub(crate) issuer: Emulator,
    /// In the order of the participants.
    pub(crate) of_callers: Vec<Emulator>,
}

impl Participant {
    pub(crate) fn name(&self) -> &'static str {
        self.language.name
    }

    /// The service account that its caller has.
    pub(crate) fn email(&self) -> String {
        email(self.name())
    }

    /// Its programs, if it takes part, or what stands in its cells instead.
    pub(crate) fn demo(&self) -> std::result::Result<&'static Demo, Outcome> {
        match (self.state, &self.language.demo) {
            (State::Ready, Some(demo)) => Ok(demo),
            (State::Ready | State::Broken, _) => Err(Outcome::Wrong("not built".to_owned(), None)),
            (State::Skipped, _) => Err(Outcome::Skipped),
        }
    }
}

impl Emulators {
    pub(crate) fn start(checkout: &Checkout, participants: &[Participant]) -> Result<Self> {
        let start = |name: &str| {
            let log = log(checkout, &format!("{name}-emulator"))?;
            Emulator::start(checkout, &["--email", &email(name)], &log)
        };
        let issuer = start("issuer")?;
        let of_callers = side_by_side(participants, |participant| start(participant.name()));
        Ok(Self { issuer, of_callers: of_callers.into_iter().collect::<Result<_>>()? })
    }
}

fn email(name: &str) -> String {
    format!("{name}@demo.test")
}
