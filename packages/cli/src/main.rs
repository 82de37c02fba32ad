//! The `gatepass` program: one file per subcommand.

#![deny(clippy::print_stdout)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod adc;
mod completions;
mod decode;
mod emulator;
mod explain;
mod hidden;
mod input;
mod man;
mod option_names;
mod output;
mod serve;
mod source_options;
mod token;
mod verifier_options;
mod verify;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

fn main() -> ExitCode {
    // It fails only where there is a logger already.
    let _ = log::set_logger(&WARNINGS).map(|()| log::set_max_level(log::LevelFilter::Warn));
    let command = match Gatepass::try_parse() {
        Ok(program) => program.command,
        Err(error) => return wrong_arguments(&error),
    };
    let outcome = match command {
        Command::Token(command) => command.run(),
        Command::Adc(command) => command.run(),
        Command::Verify(command) => command.run(),
        Command::Explain(command) => command.run(),
        Command::Decode(command) => command.run(),
        Command::Emulator(command) => command.run(),
        Command::Completions(command) => command.run(),
        Command::Man(command) => command.run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if let Some(message) = failure.message {
                eprintln!("gatepass: {}", without_secrets(&message));
            }
            ExitCode::from(failure.exit_code)
        }
    }
}

/// Help and version are no errors; anything else is said as clap says it, but for what may be secret.
fn wrong_arguments(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        error.exit();
    }
    eprint!("{}", without_secrets(&error.render().to_string()));
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

fn without_secrets(text: &str) -> String {
    hidden::without_secrets(text, std::env::args_os().skip(1).map(|one| one.to_string_lossy().into_owned()))
}

/// What the package warns of, for whoever reads standard error.
struct Warnings;

static WARNINGS: Warnings = Warnings;

impl log::Log for Warnings {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.target().starts_with("gatepass")
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            eprintln!("gatepass: warning: {}", record.args());
        }
    }

    fn flush(&self) {}
}

/// Service-to-service identity tokens on Google Cloud.
#[derive(Parser)]
#[command(name = "gatepass", version)]
struct Gatepass {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Token(token::Command),
    Adc(adc::Command),
    Verify(Box<verify::Command>),
    Explain(Box<explain::Command>),
    Decode(decode::Command),
    Emulator(Box<emulator::Command>),
    Completions(completions::Command),
    Man(man::Command),
}

/// An error as this program says it: with its code, and options as they are typed here.
fn shown(error: &gatepass::Error) -> String {
    format!("{}: {}", error.code(), option_names::spelled(&error.to_string()))
}

/// Why a subcommand ended early: what was found, what was expected, what to do.
struct Failure {
    exit_code: u8,
    /// `None` when standard output has said it already.
    message: Option<String>,
}

impl Failure {
    /// The options make no sense together. The exit code is the one that clap gives for a wrong option.
    fn usage(message: impl Into<String>) -> Self {
        Self { exit_code: 2, message: Some(message.into()) }
    }

    /// The options make no sense to gatepass.
    fn refused_options(error: &gatepass::Error) -> Self {
        Self::usage(shown(error))
    }

    /// The options were fine to gatepass, and it did not work out.
    fn refused(error: &gatepass::Error) -> Self {
        Self::runtime(shown(error))
    }

    /// The answer is no, and standard output has said it.
    fn silent() -> Self {
        Self { exit_code: 1, message: None }
    }

    /// There is no answer, and standard output has said why.
    fn undecided() -> Self {
        Self { exit_code: 3, message: None }
    }

    /// The options were fine, and it did not work out.
    fn runtime(message: impl Into<String>) -> Self {
        Self { exit_code: 1, message: Some(message.into()) }
    }
}
