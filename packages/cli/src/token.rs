//! `gatepass token`: a token from wherever credentials are found.

use clap::Args;
use gatepass::{TokenKey, TokenSource};

use crate::Failure;
use crate::output::print_line;
use crate::source_options::SourceOptions;

/// Fetch a token and print it.
///
/// Credentials are looked for where every gatepass package looks: GOOGLE_APPLICATION_CREDENTIALS, gcloud's file, the
/// metadata server. The token goes to standard output: keep it out of logs.
#[derive(Args)]
pub(crate) struct Command {
    /// Fetch an ID token for this receiver: its URL or custom audience
    #[arg(long, required_unless_present_any = ["scope", "self_signed"], conflicts_with = "scope")]
    audience: Option<String>,
    /// Fetch an access token with this scope (may be repeated)
    #[arg(long, conflicts_with = "self_signed")]
    scope: Vec<String>,
    /// Sign a JWT for this API or URL behind IAP, in place of a fetched token
    #[arg(long, value_name = "AUDIENCE", conflicts_with = "audience")]
    self_signed: Option<String>,
    /// Print the whole value of the Authorization header
    #[arg(long)]
    header: bool,
    #[command(flatten)]
    source: SourceOptions,
}

impl Command {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let key = match (&self.audience, &self.self_signed) {
            (Some(audience), _) => TokenKey::id_token(audience),
            (None, Some(audience)) => TokenKey::self_signed_jwt(audience),
            (None, None) => TokenKey::access_token(&self.scope.join(" ")),
        };
        let key = key.map_err(|error| Failure::refused_options(&error))?;
        let token =
            TokenSource::with(self.source.config()).token(&key).map_err(|error| Failure::refused(&error))?;
        print_line(if self.header { token.header() } else { token.value() })
    }
}
