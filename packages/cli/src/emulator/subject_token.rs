//! `gatepass emulator subject-token`: what a workload elsewhere shows to Google.

use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{env, fs};

use clap::{Args, ValueEnum};
use gatepass_emulator::credential_file::{DEFAULT_PROVIDER, Format, SUBJECT_TOKEN_FIELD};
use gatepass_emulator::mint::IdToken;
use gatepass_emulator::time::UnixSeconds;
use serde_json::json;

use super::{ADDRESS_VARIABLE, base_url, default_url};
use crate::Failure;
use crate::output::print;

/// How long the token lives.
const LIFETIME: Duration = Duration::from_secs(3600);

/// The variable by which a client names the file for a program's answer (AIP-4117).
const OUTPUT_FILE: &str = "GOOGLE_EXTERNAL_ACCOUNT_OUTPUT_FILE";

/// Print a token of an outside identity provider, which the emulator exchanges for a federated token.
///
/// For the subject token sources `file` and `executable` of `gatepass emulator key --type external_account`.
#[derive(Args)]
pub(super) struct Options {
    /// In which form
    #[arg(long, value_enum, default_value_t = Form::Text)]
    format: Form,
    /// Where the emulator runs: the token's issuer
    #[arg(long, value_name = "URL", env = ADDRESS_VARIABLE, default_value_t = default_url(), value_parser = base_url)]
    emulator: String,
}

#[derive(Clone, Copy, ValueEnum)]
enum Form {
    /// The token and nothing else
    Text,
    /// The member `access_token` of a JSON object
    Json,
    /// What a program answers that a credential file names (AIP-4117); written to the file that
    /// GOOGLE_EXTERNAL_ACCOUNT_OUTPUT_FILE names as well
    Executable,
}

impl Options {
    pub(super) fn run(self) -> Result<(), Failure> {
        match self.format {
            Form::Text => print(&in_format(Format::Text, &self.emulator)?),
            Form::Json => print(&in_format(Format::Json, &self.emulator)?),
            Form::Executable => {
                let answer = executable_answer(&self.emulator)?;
                if let Some(path) = env::var_os(OUTPUT_FILE).filter(|path| !path.is_empty()) {
                    fs::write(&path, &answer)
                        .map_err(|error| Failure::runtime(format!("cannot write {OUTPUT_FILE}: {error}")))?;
                }
                print(&answer)
            }
        }
    }
}

/// Gives a token as it is in a file.
pub(super) fn in_format(format: Format, emulator_url: &str) -> Result<String, Failure> {
    let (token, _) = sign(emulator_url)?;
    Ok(match format {
        // No line end: Google's libraries for Python and Node take whatever is in a file for the token.
        Format::Text => token,
        Format::Json => json!({ SUBJECT_TOKEN_FIELD: token }).to_string(),
    })
}

fn executable_answer(emulator_url: &str) -> Result<String, Failure> {
    let (token, expires_at) = sign(emulator_url)?;
    let answer = json!({
        "version": 1,
        "success": true,
        "token_type": "urn:ietf:params:oauth:token-type:jwt",
        "id_token": token,
        "expiration_time": expires_at,
    });
    Ok(format!("{answer}\n"))
}

fn sign(emulator_url: &str) -> Result<(String, UnixSeconds), Failure> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = UnixSeconds(now.as_secs());
    let token = IdToken::workload(emulator_url, DEFAULT_PROVIDER, now, LIFETIME)
        .sign()
        .map_err(|error| Failure::runtime(error.to_string()))?;
    Ok((token, now.after(LIFETIME)))
}
