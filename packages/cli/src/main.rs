//! The `gatepass` program: one file per subcommand.

mod emulator;
mod serve;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

fn main() -> ExitCode {
    let outcome = match Gatepass::parse().command {
        Command::Emulator(command) => command.run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("gatepass: {}", failure.message);
            ExitCode::from(failure.exit_code)
        }
    }
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
    Emulator(emulator::Command),
}

/// Why a subcommand ended early: what was found, what was expected, what to do.
struct Failure {
    exit_code: u8,
    message: String,
}

impl Failure {
    /// The options make no sense together. The exit code is the one that clap gives for a wrong option.
    fn usage(message: impl Into<String>) -> Self {
        Self { exit_code: 2, message: message.into() }
    }

    /// The options were fine, and it did not work out.
    fn runtime(message: impl Into<String>) -> Self {
        Self { exit_code: 1, message: message.into() }
    }
}
