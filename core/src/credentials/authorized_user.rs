//! `"type": "authorized_user"`: a person, by a refresh token that gcloud keeps (AIP-4113).

use std::sync::{Mutex, PoisonError};

use crate::credentials::Fields;
use crate::credentials::client::Client;
use crate::credentials::trust::TrustedEndpoints;
use crate::error::Error;
use crate::secret::Secret;
use crate::url::Url;

const TOKEN_URI: &str = "https://oauth2.googleapis.com/token";

/// A person who has logged in, by a client that they trust.
pub(crate) struct UserAccount {
    pub(crate) client: Client,
    pub(crate) token_url: Url,
    /// Whether the client authenticates by HTTP Basic (STS) rather than in the form (Google accounts).
    pub(crate) authenticates_by_header: bool,
    refresh_token: Mutex<Secret<String>>,
}

impl UserAccount {
    /// Reads a file of the type `authorized_user`.
    pub(crate) fn from_fields(fields: Fields<'_>, trusted: &TrustedEndpoints) -> Result<Self, Error> {
        fields.check_universe()?;
        Self::read(fields, trusted.field(fields, "token_uri", Some(TOKEN_URI))?, false)
    }

    /// Reads client and refresh token, which the user types have in common.
    pub(crate) fn read(
        fields: Fields<'_>,
        token_url: Url,
        authenticates_by_header: bool,
    ) -> Result<Self, Error> {
        let client = Client {
            id: fields.required("client_id")?.to_owned(),
            secret: Secret::from(fields.required("client_secret")?),
        };
        let refresh_token = Mutex::new(Secret::from(fields.required("refresh_token")?));
        Ok(Self { client, token_url, authenticates_by_header, refresh_token })
    }

    pub(crate) fn refresh_token(&self) -> Secret<String> {
        self.refresh_token.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The endpoint has given another refresh token, to be used from now on.
    pub(crate) fn rotate(&self, refresh_token: &str) {
        *self.refresh_token.lock().unwrap_or_else(PoisonError::into_inner) = Secret::from(refresh_token);
    }
}
