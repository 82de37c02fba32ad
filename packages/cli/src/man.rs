//! `gatepass man`: this program's manual page.

use std::io::{self, Write as _};

use clap::{Args, CommandFactory as _};
use clap_mangen::Man;

use crate::output::print;
use crate::{Failure, Gatepass};

/// Print the manual page, for `man -l -`.
#[derive(Args)]
pub(crate) struct Command {}

impl Command {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let page = page().map_err(|error| Failure::runtime(error.to_string()))?;
        print(&String::from_utf8_lossy(&page))
    }
}

/// One page for the program and its subcommands, each a section of its own.
fn page() -> io::Result<Vec<u8>> {
    let mut gatepass = Gatepass::command();
    gatepass.build();
    let mut page = Vec::new();
    let man = Man::new(gatepass.clone());
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    for subcommand in gatepass.get_subcommands().filter(|subcommand| !subcommand.is_hide_set()) {
        writeln!(page, ".SH \"GATEPASS {}\"", subcommand.get_name().to_uppercase())?;
        let man = Man::new(subcommand.clone());
        man.render_synopsis_section(&mut page)?;
        man.render_description_section(&mut page)?;
        man.render_options_section(&mut page)?;
    }
    man.render_version_section(&mut page)?;
    Ok(page)
}
