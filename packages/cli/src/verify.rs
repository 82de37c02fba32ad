//! `gatepass verify`: is this token to be accepted, and why not?

use std::io::{self, BufRead, Write};

use clap::Args;
use gatepass::driver;
use gatepass_core::verify::Preset;
use gatepass_core::{Error, ErrorCode, Verdict, Verified, Verifier};

use crate::Failure;
use crate::verifier_options::VerifierOptions;

/// Verify tokens.
///
/// Exits with 0 when every token was accepted, 1 when one was refused, 2 when the options make no sense.
#[derive(Args)]
pub(crate) struct Command {
    /// A token, or - for one token a line on standard input, each taken as it stands
    #[arg(allow_hyphen_values = true)]
    token: String,
    /// Write one JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    options: VerifierOptions,
}

impl Command {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let mut config = self.options.config()?;
        config.preset.get_or_insert(Preset::Google);
        let verifier = Verifier::new(config).map_err(|error| Failure::usage(error.to_string()))?;
        let mut refused = false;
        let mut judge = |token: &[u8]| {
            let verdict = self.decide(&verifier, token);
            refused |= verdict.is_err();
            let line = if self.json { json_line(&verdict) } else { text_line(&verdict) };
            writeln!(io::stdout(), "{line}")
                .map_err(|error| Failure::runtime(format!("standard output: {error}")))
        };
        if self.token == "-" {
            for line in io::stdin().lock().split(b'\n') {
                let line = line.map_err(|error| Failure::runtime(format!("standard input: {error}")))?;
                judge(&line)?;
            }
        } else {
            judge(self.token.as_bytes())?;
        }
        if refused { Err(Failure::silent()) } else { Ok(()) }
    }

    fn decide(&self, verifier: &Verifier, token: &[u8]) -> Result<Verified, Error> {
        let token = String::from_utf8_lossy(token);
        // Keys are fetched once; after that the verifier knows enough to decide.
        for _ in 0..2 {
            match verifier.check(&token, self.options.now()) {
                Verdict::Accepted(verified, _) => return Ok(verified),
                Verdict::Rejected(error) => return Err(error),
                Verdict::NeedsKeys(fetch) => driver::drive(fetch, || self.options.now())?,
                Verdict::Join(_) => break,
            }
        }
        Err(Error::new(ErrorCode::KeysUnavailable, "the issuer's keys were fetched and asked for again"))
    }
}

fn json_line(verdict: &Result<Verified, Error>) -> String {
    match verdict {
        Ok(verified) => {
            // A raw line end cannot stand within a JSON string, only between its tokens: a space means the same.
            let claims = String::from_utf8_lossy(verified.payload()).replace(['\n', '\r'], " ");
            format!("{{\"ok\":true,\"claims\":{claims}}}")
        }
        Err(error) => {
            serde_json::json!({"ok": false, "code": error.code().as_str(), "message": error.to_string()})
                .to_string()
        }
    }
}

fn text_line(verdict: &Result<Verified, Error>) -> String {
    match verdict {
        Ok(verified) => {
            format!("accepted: {}", String::from_utf8_lossy(verified.payload()).replace(['\n', '\r'], " "))
        }
        Err(error) => format!("refused: {}: {error}", error.code()),
    }
}
