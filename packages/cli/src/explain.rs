//! `gatepass explain`: what is this token, and what is wrong with it?

use std::io::{self, Read};

use clap::Args;
use gatepass::explain::{self, Question};

use crate::input::MAX_TEXT;
use crate::option_names::spelled;
use crate::output::{print, print_line};
use crate::verifier_options::VerifierOptions;
use crate::verify::is_undecided;
use crate::{Failure, shown};

/// Say what a token is, whom it is for, whether it is accepted, and if not what to change.
///
/// Names everything that is wrong, by the rules of `gatepass verify`. What is left open is taken from the token, and
/// the audience from --url. Neither the token nor its signature is shown.
///
/// Exits with 0 when the token is accepted, 1 when it is refused, 2 when the options make no sense, 3 when something
/// is missing that decides: the issuer's keys, or the audience.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    gatepass explain \"$TOKEN\" --url https://orders-abc-uc.a.run.app/v1\n  \
    gatepass token --audience https://orders.example | gatepass explain --audience https://orders.example\n  \
    gatepass explain - --preset iap --header X-Goog-IAP-JWT-Assertion < assertion")]
pub(crate) struct Command {
    /// A token as it was sent or copied, or - for standard input
    #[arg(default_value = "-")]
    token: String,
    /// The URL that was called
    #[arg(long)]
    url: Option<String>,
    /// The name of the header that carried the token
    #[arg(long, value_name = "NAME")]
    header: Option<String>,
    /// Fetch no keys: without --keys, the signature is not checked
    #[arg(long, conflicts_with = "keys_url")]
    offline: bool,
    /// Write a JSON object, the one that the packages' explain gives
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    verifier: VerifierOptions,
}

impl Command {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let text = self.text()?;
        let question = Question {
            token: &text,
            url: self.url.as_deref(),
            header: self.header.as_deref(),
            now: self.verifier.now().unix,
        };
        let config = explain::complete(self.verifier.config()?, &question)
            .map_err(|error| Failure::refused_options(&error))?;
        let verifier = self.verifier.verifier(config)?;
        // Checking fetches the keys, if the text is enough of a token to need some. The explanation says so where it has
        // none.
        if !self.offline
            && let Err(error) = verifier.verify(&text)
            && is_undecided(&error)
        {
            eprintln!("gatepass: {}", shown(&error));
        }
        let explanation = verifier.explain(&question);
        if self.json {
            let explanation: serde_json::Value =
                serde_json::from_str(&explanation.to_json()).unwrap_or_default();
            print_line(&format!("{explanation:#}"))?;
        } else {
            print(&spelled(&explanation.to_string()))?;
        }
        match explanation.accepted {
            Some(true) => Ok(()),
            Some(false) => Err(Failure::silent()),
            None => Err(Failure::undecided()),
        }
    }

    fn text(&self) -> Result<String, Failure> {
        if self.token != "-" {
            return Ok(self.token.clone());
        }
        let mut bytes = Vec::new();
        io::stdin()
            .take(MAX_TEXT)
            .read_to_end(&mut bytes)
            .map_err(|error| Failure::runtime(format!("standard input: {error}")))?;
        let mut text = String::from_utf8_lossy(&bytes).into_owned();
        // The end of the last line is the pipe's, not the token's.
        text.truncate(text.trim_end_matches(['\r', '\n']).len());
        Ok(text)
    }
}
