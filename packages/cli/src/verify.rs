//! `gatepass verify`: is this token to be accepted, and why not?

use clap::Args;
use gatepass::{Claims, Error, Reason, Texts, Verifier};

use crate::output::print_line;
use crate::verifier_options::VerifierOptions;
use crate::{Failure, input, shown};

/// Verify tokens.
///
/// Exits with 0 when every token was accepted, 1 when one was refused or there was none, 2 when the options make no
/// sense, 3 when it could not be decided: the issuer's keys could not be had.
#[derive(Args)]
pub(crate) struct Command {
    /// A token, or - for one token a line on standard input, each taken as it is
    token: String,
    /// Write one JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    options: VerifierOptions,
}

impl Command {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let verifier = self.options.verifier(self.options.config()?)?;
        let (mut refused, mut undecided) = (false, false);
        input::each_token(&self.token, |token| {
            let verdict = decide(&verifier, token);
            match &verdict {
                Ok(_) => {}
                Err(error) if is_undecided(error) => undecided = true,
                Err(_) => refused = true,
            }
            let line = if self.json { json_line(&verdict) } else { text_line(&verdict) };
            print_line(&line)
        })?;
        match (refused, undecided) {
            (true, _) => Err(Failure::silent()),
            (false, true) => Err(Failure::undecided()),
            (false, false) => Ok(()),
        }
    }
}

fn decide(verifier: &Verifier, token: &[u8]) -> Result<Claims, Error> {
    verifier.verify(&String::from_utf8_lossy(token))
}

/// Whether the token may be a good one: what would decide it cannot be had, which is no fault of the caller's.
pub(crate) fn is_undecided(error: &Error) -> bool {
    error.code().http_status() >= 500
}

fn json_line(verdict: &Result<Claims, Error>) -> String {
    match verdict {
        Ok(claims) => {
            // A raw line end cannot be within a JSON string, only between its tokens: a space means the same.
            let claims = String::from_utf8_lossy(claims.payload()).replace(['\n', '\r'], " ");
            format!("{{\"ok\":true,\"claims\":{claims}}}")
        }
        Err(error) => {
            let texts = |texts: Option<&Texts>| match texts? {
                Texts::One(text) => Some(serde_json::json!(text)),
                texts => Some(serde_json::json!(texts.as_slice())),
            };
            serde_json::json!({
                "ok": false,
                "code": error.code().as_str(),
                "message": error.to_string(),
                "retryable": error.is_retryable(),
                "claim": error.claim(),
                "reason": error.reason().map(Reason::as_str),
                "found": texts(error.found()),
                "expected": texts(error.expected()),
            })
            .to_string()
        }
    }
}

fn text_line(verdict: &Result<Claims, Error>) -> String {
    match verdict {
        Ok(claims) => {
            format!("accepted: {}", String::from_utf8_lossy(claims.payload()).replace(['\n', '\r'], " "))
        }
        Err(error) if is_undecided(error) => format!("undecided: {}", shown(error)),
        Err(error) => format!("refused: {}", shown(error)),
    }
}
