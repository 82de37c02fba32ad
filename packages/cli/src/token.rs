//! `gatepass token`: a token from wherever credentials are found.

use clap::Args;
use gatepass_core::adc::Explicit;
use gatepass_core::{Lookup, SourceConfig, Token, TokenKey, TokenSource};

use crate::{Failure, host};

/// Fetch a token and print it.
///
/// Credentials are looked for where every gatepass package looks: GOOGLE_APPLICATION_CREDENTIALS, gcloud's file, the
/// metadata server. The token goes to standard output: keep it out of logs.
#[derive(Args)]
pub(crate) struct Command {
    /// Fetch an ID token for this receiver: its URL or custom audience
    #[arg(long, required_unless_present = "scope", conflicts_with = "scope")]
    audience: Option<String>,
    /// Fetch an access token with this scope (may be repeated)
    #[arg(long)]
    scope: Vec<String>,
    /// Use this credential file
    #[arg(long, value_name = "FILE")]
    credentials: Option<String>,
    /// Print the whole value of the Authorization header
    #[arg(long)]
    header: bool,
}

impl Command {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let key = match &self.audience {
            Some(audience) => TokenKey::id_token(audience),
            None => TokenKey::access_token(&self.scope.join(" ")),
        };
        let key = key.map_err(|error| Failure::usage(error.to_string()))?;
        let token =
            self.fetch(&key).map_err(|error| Failure::runtime(format!("{}: {error}", error.code())))?;
        println!("{}", if self.header { token.header() } else { token.value() });
        Ok(())
    }

    fn fetch(&self, key: &TokenKey) -> Result<Token, gatepass_core::Error> {
        let credentials = self.credentials.clone().map_or(Explicit::No, Explicit::File);
        // One fetch in one process: there is nothing to spread, so the clock is seed enough.
        let source =
            TokenSource::new(SourceConfig { credentials, seed: host::now().0, ..SourceConfig::default() });
        match source.lookup(key, host::now()) {
            Lookup::Fetch(refresh) => host::drive(refresh, host::now),
            Lookup::Fresh(token) | Lookup::Stale(token, _) => Ok(token),
            Lookup::Join(_) => Err(gatepass_core::Error::new(
                gatepass_core::ErrorCode::ApiMisuse,
                "a source with one caller reported another's flight",
            )),
        }
    }
}
