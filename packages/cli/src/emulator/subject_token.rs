//! `gatepass emulator subject-token`: what a workload elsewhere shows to Google.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::{Args, ValueEnum};
use gatepass_emulator::credential_file::DEFAULT_PROVIDER;
use gatepass_emulator::mint::IdToken;
use gatepass_emulator::time::UnixSeconds;
use serde_json::json;

use super::{base_url, default_url, print};
use crate::Failure;

/// How long the token lives.
const LIFETIME: Duration = Duration::from_secs(3600);

/// Print a token of an outside identity provider, which the emulator exchanges for a federated token.
///
/// For the subject token sources `file` and `executable` of `gatepass emulator key --type external_account`.
#[derive(Args)]
pub(super) struct Options {
    /// In which form
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Where the emulator runs: the token's issuer
    #[arg(long, default_value_t = default_url(), value_parser = base_url)]
    emulator: String,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// The token and nothing else
    Text,
    /// What a program answers that a credential file names (AIP-4117)
    Executable,
}

impl Options {
    pub(super) fn run(self) -> Result<(), Failure> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = UnixSeconds(now.as_secs());
        let token = IdToken::workload(&self.emulator, DEFAULT_PROVIDER, now, LIFETIME)
            .sign()
            .map_err(|error| Failure::runtime(error.to_string()))?;
        match self.format {
            // No line end: Google's libraries for Python and Node take whatever is in a file for the token.
            Format::Text => print(&token),
            Format::Executable => {
                let answer = json!({
                    "version": 1,
                    "success": true,
                    "token_type": "urn:ietf:params:oauth:token-type:jwt",
                    "id_token": token,
                    "expiration_time": now.after(LIFETIME),
                });
                print(&format!("{answer}\n"))
            }
        }
    }
}
