//! The options that say which credentials to use, and how.

use clap::Args;
use gatepass::{CredentialsFrom, Impersonate, Preferences, SourceConfig};

#[derive(Args)]
pub(crate) struct SourceOptions {
    /// Use this credential file
    #[arg(long, value_name = "FILE")]
    credentials: Option<String>,
    /// Refuse credentials of another type, such as service_account, or metadata for the metadata server
    #[arg(long, value_name = "TYPE")]
    expect_type: Option<String>,
    /// Act as this service account, by whatever credentials are found
    #[arg(long, value_name = "EMAIL")]
    impersonate: Option<String>,
    /// An account between the credentials and the impersonated one (may be repeated)
    #[arg(long, value_name = "EMAIL", requires = "impersonate")]
    delegate: Vec<String>,
    /// Act for this person (domain-wide delegation): access tokens only
    #[arg(long, value_name = "EMAIL")]
    subject: Option<String>,
    /// Have a service-account key sign access tokens itself
    #[arg(long)]
    self_signed_access_tokens: bool,
    /// The audience of the tokens of a gdch_service_account
    #[arg(long, value_name = "URL")]
    gdch_audience: Option<String>,
    /// Take the ID token of a person's login, which is for the OAuth client only
    #[arg(long)]
    allow_user_id_token: bool,
    /// The project that calls are billed to
    #[arg(long, value_name = "PROJECT")]
    quota_project: Option<String>,
    /// Trust the endpoints of this universe, too
    #[arg(long, value_name = "DOMAIN")]
    universe_domain: Option<String>,
}

impl SourceOptions {
    pub(crate) fn config(self) -> SourceConfig {
        let delegates = self.delegate;
        SourceConfig {
            credentials: self.credentials.map_or(CredentialsFrom::Search, CredentialsFrom::File),
            impersonate: self.impersonate.map(|email| Impersonate { email, delegates }),
            preferences: Preferences {
                subject: self.subject,
                self_signed_access_tokens: self.self_signed_access_tokens,
                gdch_audience: self.gdch_audience,
                allow_user_id_token: self.allow_user_id_token,
            },
            expect_type: self.expect_type,
            quota_project_id: self.quota_project,
            universe_domain: self.universe_domain,
            trusted_endpoints: Vec::new(),
            seed: 0,
        }
    }
}
