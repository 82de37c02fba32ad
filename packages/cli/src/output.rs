//! Standard output, which may be closed or full: that is an error like any other, not a panic.

use std::io::{self, Write as _};

use crate::Failure;

/// Writes to standard output at once: what is behind a pipe may wait for it.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout();
    stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
        .map_err(|error| Failure::runtime(format!("cannot write to standard output: {error}")))
}

/// The same, and a line end.
pub(crate) fn print_line(line: &str) -> Result<(), Failure> {
    print(&format!("{line}\n"))
}
