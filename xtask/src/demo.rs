//! `cargo xtask demo`: every caller language against every receiver language, over HTTP and over gRPC.

use std::panic;
use std::thread;
use std::time::Instant;

use crate::checkout::Checkout;
use crate::failure::Result;
use crate::grpc_matrix::{self, has_part};
use crate::languages::{self, Build, Language};
use crate::matrix;
use crate::participants::{Emulators, Participant, State};
use crate::terminal::{Terminal, Tone, seconds};
use crate::threads::side_by_side;
use crate::toolchains;

/// The languages that take part.
pub(crate) fn names() -> Vec<&'static str> {
    let languages = languages::ALL.iter().filter(|language| language.demo.is_some());
    languages.map(|language| language.name).collect()
}

/// Builds what is needed, runs it and prints what happened; tells whether all of it is as it should be.
pub(crate) fn run(checkout: &Checkout, terminal: &Terminal, names: &[&str]) -> Result<bool> {
    let began = Instant::now();
    let languages: Vec<_> = names.iter().filter_map(|name| Language::named(name)).collect();
    let (cli, participants) = thread::scope(|scope| {
        let cli = scope.spawn(|| build_cli(checkout, terminal));
        let participants = side_by_side(&languages, |language| participant(checkout, terminal, language));
        (cli.join(), participants)
    });
    cli.unwrap_or_else(|why| panic::resume_unwind(why))?;
    let task = terminal.begin("starting emulators");
    let emulators = Emulators::start(checkout, &participants)?;
    drop(task);
    let matrix = matrix::run(checkout, terminal, &participants, &emulators)?;
    terminal.say(&format!("\n{}", matrix.draw(terminal)));
    let mut counts = matrix.counts();
    if participants.iter().any(has_part) {
        let matrix = grpc_matrix::run(checkout, terminal, &participants, &emulators)?;
        terminal.say(&format!("\n{}", matrix.draw(terminal)));
        counts += matrix.counts();
    }

    let all_right = counts.failed == 0 && counts.passed > 0;
    let verdict = match (all_right, counts.skipped) {
        (true, 0) => "Everything is as it should be.".to_owned(),
        (true, skipped) => format!("Everything is as it should be, but for {skipped} that were skipped."),
        (false, _) => {
            format!("{} of {} are not as they should be.", counts.failed, counts.failed + counts.passed)
        }
    };
    let verdict = terminal.paint(&verdict, if all_right { Tone::Good } else { Tone::Bad });
    terminal.say(&format!("{verdict} {}", seconds(began.elapsed()).trim()));
    Ok(all_right)
}

/// Builds the `gatepass` program, which serves the emulator.
pub(crate) fn build_cli(checkout: &Checkout, terminal: &Terminal) -> Result<()> {
    announce(checkout, terminal, "gatepass", &languages::gatepass_program(checkout))
}

/// Builds what a language needs in the demo and says how it went.
fn participant(checkout: &Checkout, terminal: &Terminal, language: &'static Language) -> Participant {
    let state = match toolchains::missing(language.toolchains) {
        Some(missing) => {
            terminal.say(&format!("{:8} skipped: {missing}", language.name));
            State::Skipped
        }
        None => match build_demo(checkout, terminal, language) {
            Ok(()) => State::Ready,
            Err(failure) => {
                terminal.say(&terminal.paint(&format!("{:8} {failure}", language.name), Tone::Bad));
                State::Broken
            }
        },
    };
    Participant { language, state }
}

/// Builds the package of a language and its programs in tests/e2e.
pub(crate) fn build_demo(checkout: &Checkout, terminal: &Terminal, language: &Language) -> Result<()> {
    let mut builds = (language.builds)(checkout)?;
    if let Some(demo) = &language.demo {
        builds.extend((demo.builds)(checkout)?);
    }
    builds.iter().try_for_each(|build| announce(checkout, terminal, language.name, build))
}

/// Builds, and prints how long it took if there was something to do.
pub(crate) fn announce(checkout: &Checkout, terminal: &Terminal, name: &str, build: &Build) -> Result<()> {
    let task = terminal.begin(&format!("building {name} {}", build.what));
    if build.run(checkout, name)? {
        let elapsed = task.elapsed();
        drop(task);
        terminal.say(&format!("{name:8} {:48} {}", format!("{} built", build.what), seconds(elapsed)));
    }
    Ok(())
}
