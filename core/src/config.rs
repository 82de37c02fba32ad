//! What a program may say about the tokens that it wants: everything that is neither found nor decided by the core.

use std::fmt;

use crate::quote::{self, Quoted};
use crate::secret::Secret;

/// How a [`TokenSource`](crate::TokenSource) finds its credentials, and what it asks of them.
///
/// `Debug` shows what a program may have mixed up with a secret as an error does: without what looks like one.
#[derive(Clone, Default)]
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
            Self::File(path) => write!(f, "File({})", quote::unread_path(path)),
            Self::Json(_) => f.write_str("Json(…)"),
        }
    }
}

/// A service account that the program wants to act as, whatever credentials are found.
#[derive(Clone)]
pub struct Impersonate {
    /// The account's e-mail.
    pub email: String,
    /// E-mails of the accounts between the found credentials and the target, each of which may impersonate the next.
    pub delegates: Vec<String>,
}

/// What the program asks of whichever credentials are found.
#[derive(Clone, Default)]
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

impl fmt::Debug for SourceConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Taken apart, so that a new field is not forgotten.
        let Self {
            credentials,
            impersonate,
            preferences,
            expect_type,
            quota_project_id,
            universe_domain,
            trusted_endpoints,
            seed,
        } = self;
        f.debug_struct("SourceConfig")
            .field("credentials", credentials)
            .field("impersonate", impersonate)
            .field("preferences", preferences)
            .field("expect_type", &expect_type.as_deref().map(Quoted))
            .field("quota_project_id", &quota_project_id.as_deref().map(Quoted))
            .field("universe_domain", &universe_domain.as_deref().map(Quoted))
            .field("trusted_endpoints", &Quoted::all(trusted_endpoints))
            .field("seed", seed)
            .finish()
    }
}

impl fmt::Debug for Impersonate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { email, delegates } = self;
        f.debug_struct("Impersonate")
            .field("email", &Quoted(email))
            .field("delegates", &Quoted::all(delegates))
            .finish()
    }
}

impl fmt::Debug for Preferences {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { subject, self_signed_access_tokens, gdch_audience, allow_user_id_token } = self;
        f.debug_struct("Preferences")
            .field("subject", &subject.as_deref().map(Quoted))
            .field("self_signed_access_tokens", self_signed_access_tokens)
            .field("gdch_audience", &gdch_audience.as_deref().map(Quoted))
            .field("allow_user_id_token", allow_user_id_token)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_secret_in_the_wrong_place() {
        let secret = || "q7Wm2ZxVt9LkRb4HdYcN8sJfGpEa3uTi6oQvXyBn1wKMlPzC0rUhSgDeAjOF5I".to_owned();
        let config = SourceConfig {
            credentials: CredentialsFrom::File("hunter2".to_owned()),
            impersonate: Some(Impersonate { email: secret(), delegates: vec![secret()] }),
            preferences: Preferences {
                subject: Some(secret()),
                gdch_audience: Some(secret()),
                ..Preferences::default()
            },
            expect_type: Some(secret()),
            quota_project_id: Some(secret()),
            universe_domain: Some(secret()),
            trusted_endpoints: vec![secret(), "127.0.0.1:8085".to_owned()],
            seed: 1,
        };
        assert_eq!(
            format!("{config:?}"),
            "SourceConfig { credentials: File([7 characters without a folder or an extension, not shown]), \
             impersonate: Some(Impersonate { email: \"[redacted]\", delegates: [\"[redacted]\"] }), \
             preferences: Preferences { subject: Some(\"[redacted]\"), self_signed_access_tokens: false, \
             gdch_audience: Some(\"[redacted]\"), allow_user_id_token: false }, \
             expect_type: Some(\"[redacted]\"), quota_project_id: Some(\"[redacted]\"), \
             universe_domain: Some(\"[redacted]\"), trusted_endpoints: [\"[redacted]\", \"127.0.0.1:8085\"], seed: 1 }"
        );
        let given =
            SourceConfig { credentials: CredentialsFrom::Json(secret().into()), ..SourceConfig::default() };
        assert!(format!("{given:?}").starts_with("SourceConfig { credentials: Json(…), "));
    }
}
