//! `"type": "authorized_user"`: a person, by a refresh token that gcloud keeps (AIP-4113).

use std::sync::{Arc, Mutex, PoisonError};

use crate::config::Preferences;
use crate::credentials::client::Client;
use crate::credentials::trust::{DEFAULT_UNIVERSE, TrustedEndpoints};
use crate::credentials::{Fetch, Fields, invalid, no_key};
use crate::error::{Error, ErrorCode};
use crate::exchange::Exchange;
use crate::exchange::oauth2_token::{RefreshToken, UserToken};
use crate::retry::Jitter;
use crate::secret::Secret;
use crate::token::TokenKey;
use crate::url::Url;

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
        if trusted.universe_of(fields)? != DEFAULT_UNIVERSE {
            return Err(invalid(
                "universe_domain",
                "another universe",
                "googleapis.com: accounts of other universes are external",
            ));
        }
        let token_uri = match fields.has("token_uri") {
            true => trusted.field(fields, "token_uri", None)?,
            false => trusted.token_uri()?,
        };
        Self::read(fields, token_uri, false)
    }

    /// The operation that gets this token, or why there is none.
    pub(crate) fn fetch(
        self: &Arc<Self>,
        key: &TokenKey,
        preferences: &Preferences,
        jitter: Jitter,
    ) -> Result<Fetch, Error> {
        preferences.refuse_subject("these are credentials of a person already")?;
        let want = match key {
            TokenKey::AccessToken { scopes } => UserToken::Access { scopes: scopes.clone() },
            TokenKey::IdToken { .. } if preferences.allow_user_id_token && !self.authenticates_by_header => {
                UserToken::Id
            }
            TokenKey::IdToken { .. } => {
                return Err(Error::new(
                    ErrorCode::IdTokenUnsupported,
                    "these are credentials of a person, who has no ID token for an audience",
                ));
            }
            TokenKey::SelfSignedJwt { .. } => {
                return Err(no_key("these are credentials of a person, who has no key"));
            }
        };
        Ok(Fetch::RefreshToken(Exchange::new(RefreshToken { account: Arc::clone(self), want }, jitter)))
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
