//! `gatepass adc`: which credentials a program would use, and why.

use clap::Args;
use gatepass::adc::{Explanation, explain};

use crate::Failure;
use crate::output::print_line;
use crate::source_options::SourceOptions;

/// Say which credentials are found here (Application Default Credentials). No token is fetched.
#[derive(Args)]
pub(crate) struct Command {
    /// Say which places were looked at, in order, and what came of each
    #[arg(long)]
    explain: bool,
    #[command(flatten)]
    source: SourceOptions,
}

impl Command {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let Explanation { steps, quota_project_id, error } =
            explain(&self.source.config()).map_err(|error| Failure::refused(&error))?;
        // The last step is the one that the search ended with.
        let shown = if self.explain { 0 } else { steps.len().saturating_sub(1) };
        for step in steps.iter().skip(shown) {
            print_line(step)?;
        }
        if let Some(project) = quota_project_id {
            print_line(&format!("calls with an access token are billed to {project}"))?;
        }
        error.map_or(Ok(()), |error| Err(Failure::refused(&error)))
    }
}
