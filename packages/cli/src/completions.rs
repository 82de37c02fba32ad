//! `gatepass completions`: what a shell needs to complete this program's command lines.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::output::print;
use crate::{Failure, Gatepass};

/// Print completions for a shell.
#[derive(Args)]
pub(crate) struct Command {
    shell: Shell,
}

impl Command {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Gatepass::command(), "gatepass", &mut script);
        print(&String::from_utf8_lossy(&script))
    }
}
