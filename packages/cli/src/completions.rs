//! `gatepass completions`: what a shell needs to complete this program's command lines.

use std::io;

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::{Failure, Gatepass};

/// Print completions for a shell.
#[derive(Args)]
pub(crate) struct Command {
    shell: Shell,
}

impl Command {
    pub(crate) fn run(self) -> Result<(), Failure> {
        clap_complete::generate(self.shell, &mut Gatepass::command(), "gatepass", &mut io::stdout());
        Ok(())
    }
}
