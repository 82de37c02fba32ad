//! `cargo xtask dist --check demo`: the demo of all languages, by what was installed from the artefacts.

use std::path::PathBuf;

use super::checks::{CHECKS, Check, run_all};
use super::room::Room;
use crate::checkout::Checkout;
use crate::failure::{Failure, Result};
use crate::languages::{Demo, Language, log};
use crate::matrix;
use crate::participants::{Emulators, Participant, State};
use crate::process::Program;
use crate::terminal::Terminal;

/// Each with the kind of artefact that it is installed from.
const LANGUAGES: [(&str, &Language); 4] = [
    (
        "python",
        &language(
            "python",
            Demo {
                builds: |_| Ok(Vec::new()),
                receiver: |checkout| python(checkout, "receiver.py"),
                caller: |checkout| python(checkout, "caller.py"),
                grpc: None,
                middlewares: None,
            },
        ),
    ),
    (
        "npm",
        &language(
            "node",
            Demo {
                builds: |_| Ok(Vec::new()),
                receiver: |checkout| room(checkout, "npm").program("node").arg("receiver.mjs"),
                caller: |checkout| room(checkout, "npm").program("node").arg("caller.mjs"),
                grpc: None,
                middlewares: None,
            },
        ),
    ),
    (
        "go",
        &language(
            "go",
            Demo {
                builds: |_| Ok(Vec::new()),
                receiver: |checkout| room(checkout, "go").program(room(checkout, "go").path("bin/receiver")),
                caller: |checkout| room(checkout, "go").program(room(checkout, "go").path("bin/caller")),
                grpc: None,
                middlewares: None,
            },
        ),
    ),
    (
        "maven",
        &language(
            "java",
            Demo {
                builds: |_| Ok(Vec::new()),
                receiver: |checkout| java(checkout, "Receiver"),
                caller: |checkout| java(checkout, "Caller"),
                grpc: None,
                middlewares: None,
            },
        ),
    ),
];

/// Installs what is not installed yet, and runs the demo; prints it, and a line that counts.
pub(crate) fn run(checkout: &Checkout, terminal: &Terminal) -> Result<bool> {
    let program = program(checkout)?;
    let checkout = &checkout.with_cli(program);
    let log = log(checkout, "dist-check-demo")?;
    for (kind, _) in LANGUAGES {
        let check = check(kind)?;
        let room = Room::of(checkout, kind, check.compilers);
        run_all(&room, &(check.demo)(&room)?, &log)?;
    }
    let participants = LANGUAGES.map(|(_, language)| Participant { language, state: State::Ready });
    let emulators = Emulators::start(checkout, &participants)?;
    let matrix = matrix::run(checkout, terminal, &participants, &emulators)?;
    let counts = matrix.counts();
    let all_right = counts.failed == 0 && counts.passed > 0;
    terminal.say(&matrix.draw(terminal));
    terminal.say(&format!(
        "test result: {}. {} passed; {} failed; {} ignored",
        if all_right { "ok" } else { "FAILED" },
        counts.passed,
        counts.failed,
        counts.skipped
    ));
    Ok(all_right)
}

const fn language(name: &'static str, demo: Demo) -> Language {
    Language {
        name,
        toolchains: &[],
        builds: |_| Ok(Vec::new()),
        suites: |_| Ok(Vec::new()),
        demo: Some(demo),
        mistakes: None,
        bench: None,
    }
}

/// The installed `gatepass` program, which is the emulator of all.
fn program(checkout: &Checkout) -> Result<PathBuf> {
    let program = room(checkout, "cli").path("gatepass");
    if program.exists() {
        return Ok(program);
    }
    Err(Failure::new(
        "the artefacts are not installed: run cargo xtask dist --check with each of the others first",
    ))
}

fn check(kind: &str) -> Result<&'static Check> {
    let found = CHECKS.iter().find(|check| check.kind == kind);
    found.ok_or_else(|| Failure::new(format!("there is no check of {kind}")))
}

/// The room that a kind of artefact was installed in.
fn room(checkout: &Checkout, kind: &str) -> Room {
    let compilers = check(kind).map_or(super::room::Compilers::None, |check| check.compilers);
    Room::of(checkout, kind, compilers)
}

fn python(checkout: &Checkout, file: &str) -> Program {
    let program = checkout.path("tests/e2e/python").join(file);
    let room = room(checkout, "python");
    room.program(room.path("venv/bin/python")).arg(program)
}

fn java(checkout: &Checkout, class: &str) -> Program {
    room(checkout, "maven").program("java").args(&["-cp", "e2e/target/*", class])
}
