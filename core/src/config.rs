//! What a program may say about the tokens that it wants: everything that is neither found nor decided by the core.

use std::fmt;

use crate::quote;
use crate::secret::Secret;

/// How a [`TokenSource`](crate::TokenSource) finds its credentials, and what it asks of them.
#[derive(Clone, Debug, Default)]
pub struct SourceConfig {
    /// Credentials that the program gives; else Application Default Credentials.
    pub credentials: CredentialsFrom,
    /// A service account to act as, by whatever credentials are found.
    pub impersonate: Option<Impersonate>,
    /// What is asked of whichever credentials are found.
    pub preferences: Preferences,
    /// The `type` that a found credential file must have, or `metadata` for the metadata server: a program that
    /// knows what it wants does not take what it finds.
    pub expect_type: Option<String>,
    /// The project that calls with an access token are billed to; else `GOOGLE_CLOUD_QUOTA_PROJECT`, else the
    /// credential file's.
    pub quota_project_id: Option<String>,
    /// A universe, besides Google's own, whose endpoints are trusted; else `GOOGLE_CLOUD_UNIVERSE_DOMAIN`.
    pub universe_domain: Option<String>,
    /// `host:port` of token endpoints that are trusted besides Google's own.
    pub trusted_endpoints: Vec<String>,
    /// Any number, different in each process: it spreads refreshes and retries. Nothing secret depends on it.
    pub seed: u64,
}

/// Where the program wants credentials from.
#[derive(Clone, Default)]
pub enum CredentialsFrom {
    /// Wherever they are found: Application Default Credentials.
    #[default]
    Search,
    /// From this file.
    File(String),
    /// From this text of a credential file.
    Json(Secret<String>),
}

impl fmt::Debug for CredentialsFrom {
    /// Shows a path, unless it is something else by mistake.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Search => f.write_str("Search"),
            Self::File(path) => write!(f, "File({})", quote::path(path)),
            Self::Json(_) => f.write_str("Json(…)"),
        }
    }
}

/// A service account that the program wants to act as, whatever credentials are found.
#[derive(Clone, Debug)]
pub struct Impersonate {
    /// The account's e-mail.
    pub email: String,
    /// E-mails of the accounts between the found credentials and the target, each of which may impersonate the next.
    pub delegates: Vec<String>,
}

/// What the program asks of whichever credentials are found.
#[derive(Clone, Debug, Default)]
pub struct Preferences {
    /// The e-mail of a person to act for (domain-wide delegation). Access tokens only.
    pub subject: Option<String>,
    /// Whether a service-account key signs access tokens itself (AIP-4111) instead of asking an endpoint for them.
    /// Other credentials do as always.
    pub self_signed_access_tokens: bool,
    /// The audience of the tokens of a `gdch_service_account`.
    pub gdch_audience: Option<String>,
    /// Whether credentials of a person give the ID token of their login, which is for the OAuth client that they
    /// used and no other audience. Cloud Run takes it where gcloud was that client; no other receiver should.
    pub allow_user_id_token: bool,
}
