//! Why something could not be done.

use std::fmt;
use std::io;
use std::path::Path;

/// What went wrong and, when a program did it, what the program said.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    message: String,
    output: Option<String>,
}

pub(crate) type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), output: None }
    }

    /// Adds the program's whole output.
    pub(crate) fn with_output(mut self, output: impl Into<String>) -> Self {
        self.output = Some(output.into());
        self
    }

    pub(crate) fn file(path: &Path, error: &io::Error) -> Self {
        Self::new(format!("{}: {error}", path.display()))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.output {
            Some(output) => write!(f, "; its output:\n{}", output.trim_end()),
            None => Ok(()),
        }
    }
}
