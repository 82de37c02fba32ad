//! `gatepass decode`: what a token says, believed or not.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clap::Args;
use serde_json::{Value, json};

use crate::output::print_line;
use crate::{Failure, input};

/// Show the header and the claims of a token WITHOUT verifying it.
///
/// The signature is neither checked nor shown. Nothing that is shown may be relied on: use `gatepass verify` for that.
#[derive(Args)]
pub(crate) struct Command {
    /// A token, or - for one token a line on standard input
    token: String,
}

impl Command {
    pub(crate) fn run(self) -> Result<(), Failure> {
        input::each_token(&self.token, |token| show(&String::from_utf8_lossy(token)))
    }
}

fn show(token: &str) -> Result<(), Failure> {
    let token = token.trim();
    if token.is_empty() {
        return Err(Failure::runtime("the text is empty, expected a token"));
    }
    let parts: Vec<_> = token.split('.').collect();
    let [header, payload, _signature] = parts.as_slice() else {
        return Err(Failure::runtime(format!(
            "the token has {} part(s), expected 3 with dots between them: an access token is not a JWT",
            parts.len()
        )));
    };
    let shown =
        json!({ "verified": false, "header": part("header", header)?, "claims": part("payload", payload)? });
    print_line(&format!("{shown:#}"))
}

fn part(name: &str, text: &str) -> Result<Value, Failure> {
    let bytes = URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| Failure::runtime(format!("the token's {name} is not base64url without padding")))?;
    serde_json::from_slice(&bytes).map_err(|_| Failure::runtime(format!("the token's {name} is not JSON")))
}
