//! `cargo xtask dist --check demo`: the demo of all languages, over HTTP and over gRPC, by what was installed from the
//! artefacts.

use std::path::PathBuf;

use super::checks::{CHECKS, Check, run_all};
use super::room::{Compilers, Room};
use crate::checkout::Checkout;
use crate::failure::{Failure, Result};
use crate::grpc_matrix;
use crate::languages::{Demo, Language, Programs, log};
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
                grpc: Some(Programs {
                    receiver: |checkout| python(checkout, "grpc_receiver.py"),
                    caller: |checkout| python(checkout, "grpc_caller.py"),
                }),
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
                receiver: |checkout| node(checkout, "receiver.mjs"),
                caller: |checkout| node(checkout, "caller.mjs"),
                grpc: Some(Programs {
                    receiver: |checkout| node(checkout, "grpc-receiver.mjs"),
                    caller: |checkout| node(checkout, "grpc-caller.mjs"),
                }),
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
                receiver: |checkout| go(checkout, "receiver"),
                caller: |checkout| go(checkout, "caller"),
                grpc: Some(Programs {
                    receiver: |checkout| go(checkout, "grpc-receiver"),
                    caller: |checkout| go(checkout, "grpc-caller"),
                }),
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
                grpc: Some(Programs {
                    receiver: |checkout| java(checkout, "GrpcReceiver"),
                    caller: |checkout| java(checkout, "GrpcCaller"),
                }),
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
        let room = check.room(checkout);
        run_all(&room, &(check.demo)(&room)?, &log)?;
    }
    let participants = LANGUAGES.map(|(_, language)| Participant { language, state: State::Ready });
    let emulators = Emulators::start(checkout, &participants)?;
    let over_http = matrix::run(checkout, terminal, &participants, &emulators)?;
    let over_grpc = grpc_matrix::run(checkout, terminal, &participants, &emulators)?;
    let mut counts = over_http.counts();
    counts += over_grpc.counts();
    let all_right = counts.failed == 0 && counts.passed > 0;
    terminal.say(&format!("{}\n{}", over_http.draw(terminal), over_grpc.draw(terminal)));
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
    check(kind).map_or_else(|_| Room::of(checkout, kind, Compilers::None), |check| check.room(checkout))
}

fn python(checkout: &Checkout, file: &str) -> Program {
    let program = checkout.path("tests/e2e/python").join(file);
    let room = room(checkout, "python");
    room.program(room.path("venv/bin/python")).arg(program)
}

fn node(checkout: &Checkout, file: &str) -> Program {
    room(checkout, "npm").program("node").arg(format!("e2e/node/{file}"))
}

fn go(checkout: &Checkout, name: &str) -> Program {
    let room = room(checkout, "go");
    room.program(room.path("bin").join(name))
}

fn java(checkout: &Checkout, class: &str) -> Program {
    room(checkout, "maven").program("java").args(&["-cp", "e2e/target/*", class])
}
