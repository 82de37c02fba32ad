//! `gatepass verify`: is this token to be accepted, and why not?

use std::fs;
use std::io::{self, BufRead, Write};
use std::path::PathBuf;

use clap::Args;
use gatepass_core::jose::alg::Algorithm;
use gatepass_core::verify::{DEFAULT_LEEWAY_SECONDS, KeySource, Preset};
use gatepass_core::{Error, ErrorCode, Millis, Verdict, Verified, Verifier, VerifierConfig};

use crate::{Failure, host};

/// Verify tokens.
///
/// Exits with 0 when every token was accepted, 1 when one was refused, 2 when the options make no sense.
#[derive(Args)]
pub(crate) struct Command {
    /// A token, or - for one token a line on standard input, each taken as it stands
    #[arg(allow_hyphen_values = true)]
    token: String,
    /// The issuer: google or iap
    #[arg(long, default_value = "google", value_parser = preset)]
    preset: Preset,
    /// This receiver's audience, to the letter (may be repeated)
    #[arg(long)]
    audience: Vec<String>,
    /// Accept a token for anybody
    #[arg(long)]
    any_audience: bool,
    /// The value of iss, if it is not the preset's (may be repeated)
    #[arg(long)]
    issuer: Vec<String>,
    /// The algorithm, if it is not the preset's (may be repeated)
    #[arg(long, value_parser = algorithm)]
    algorithm: Vec<Algorithm>,
    /// The issuer's keys: a file with a JWK set or a PEM map
    #[arg(long, value_name = "FILE", conflicts_with = "keys_url")]
    keys: Option<PathBuf>,
    /// The URL of the issuer's keys, if it is not the preset's
    #[arg(long, value_name = "URL")]
    keys_url: Option<String>,
    /// The moment to verify at, in Unix seconds [default: now]
    #[arg(long, value_name = "SECONDS")]
    now: Option<u64>,
    /// Seconds that clocks may be apart
    #[arg(long, value_name = "SECONDS", default_value_t = DEFAULT_LEEWAY_SECONDS)]
    leeway: u64,
    /// A caller's e-mail that is accepted (may be repeated) [default: any]
    #[arg(long)]
    email: Vec<String>,
    /// Write one JSON object a line
    #[arg(long)]
    json: bool,
}

impl Command {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let verifier = Verifier::new(self.config()?).map_err(|error| Failure::usage(error.to_string()))?;
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

    fn config(&self) -> Result<VerifierConfig, Failure> {
        let keys = match (&self.keys, &self.keys_url) {
            (Some(file), _) => KeySource::Static(fs::read_to_string(file).map_err(|error| {
                Failure::usage(format!(
                    "--keys {}: {error}, expected a file with a JWK set or a PEM map",
                    file.display()
                ))
            })?),
            (None, Some(url)) => KeySource::Url(url.clone()),
            (None, None) => KeySource::Preset,
        };
        Ok(VerifierConfig {
            preset: Some(self.preset),
            issuers: self.issuer.clone(),
            algorithms: self.algorithm.clone(),
            audiences: self.audience.clone(),
            any_audience: self.any_audience,
            keys,
            leeway_seconds: self.leeway,
            allowed_emails: (!self.email.is_empty()).then(|| self.email.clone()),
            ..VerifierConfig::default()
        })
    }

    fn decide(&self, verifier: &Verifier, token: &[u8]) -> Result<Verified, Error> {
        let token = String::from_utf8_lossy(token);
        let now = || self.now.map_or_else(host::now, Millis::from_secs);
        // Keys are fetched once; after that the verifier knows enough to decide.
        for _ in 0..2 {
            match verifier.check(&token, now()) {
                Verdict::Accepted(verified, _) => return Ok(verified),
                Verdict::Rejected(error) => return Err(error),
                Verdict::NeedsKeys(fetch) => host::drive(fetch, now)?,
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

fn preset(name: &str) -> Result<Preset, String> {
    let names: Vec<_> = Preset::ALL.iter().map(|preset| preset.as_str()).collect();
    Preset::from_name(name).ok_or_else(|| format!("expected one of {}", names.join(", ")))
}

fn algorithm(name: &str) -> Result<Algorithm, String> {
    let names: Vec<_> = Algorithm::ALL.iter().map(|alg| alg.as_str()).collect();
    Algorithm::from_name(name).ok_or_else(|| format!("expected one of {}", names.join(", ")))
}
