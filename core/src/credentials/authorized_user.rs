//! `"type": "authorized_user"`: a person, by a refresh token that gcloud keeps (AIP-4113).

use std::sync::{Arc, Mutex, PoisonError};

use crate::credentials::endpoints::Service;
use crate::credentials::fields::{Fields, invalid, printable};
use crate::credentials::principal::{Known, Principal};
use crate::credentials::trust::DEFAULT_UNIVERSE;
use crate::credentials::{AskPrincipal, Context, Credential, Fetch, Reader, SignBytes, no_key};
use crate::error::{Error, ErrorCode};
use crate::exchange::Exchange;
use crate::exchange::client::Client;
use crate::exchange::oauth2_token::RefreshToken;
use crate::secret::Secret;
use crate::step::{Now, Operation, Reply, Step};
use crate::token::{Issued, TokenKey, Want};
use crate::url::Url;

/// A person who has logged in, by a client that they trust.
pub(super) struct UserAccount {
    client: Client,
    token_url: Url,
    /// Whether the client authenticates by HTTP Basic (STS) rather than in the form (Google accounts).
    authenticates_by_header: bool,
    refresh_token: Mutex<Secret<String>>,
}

/// Reads a file of this type.
pub(super) fn read(fields: Fields<'_>, reader: &Reader<'_>) -> Result<Arc<dyn Credential>, Error> {
    let trusted = reader.trusted;
    if trusted.universe_of(fields)? != DEFAULT_UNIVERSE {
        return Err(invalid(
            "universe_domain",
            "another universe",
            "googleapis.com: accounts of other universes are external",
        ));
    }
    let token_uri = match fields.is_written("token_uri") {
        true => trusted.field(fields, "token_uri", Service::Token, None)?,
        false => trusted.token_uri()?,
    };
    Ok(Arc::new(UserAccount::from_fields(fields, token_uri, false)?))
}

impl UserAccount {
    /// Reads client and refresh token, which the user types have in common.
    pub(super) fn from_fields(
        fields: Fields<'_>,
        token_url: Url,
        authenticates_by_header: bool,
    ) -> Result<Self, Error> {
        let client = Client {
            id: printable("client_id", fields.required("client_id")?)?.to_owned(),
            secret: Secret::from(fields.required("client_secret")?),
        };
        let refresh_token = Mutex::new(Secret::from(fields.required("refresh_token")?));
        Ok(Self { client, token_url, authenticates_by_header, refresh_token })
    }

    fn refresh_token(&self) -> Secret<String> {
        self.refresh_token.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn rotate(&self, refresh_token: Secret<String>) {
        *self.refresh_token.lock().unwrap_or_else(PoisonError::into_inner) = refresh_token;
    }
}

impl Credential for UserAccount {
    fn describe(&self) -> String {
        "a person's credentials".to_owned()
    }

    fn principal(self: Arc<Self>, _context: Context<'_>) -> AskPrincipal {
        Box::new(Known::new(Principal::default()))
    }

    fn sign_bytes(self: Arc<Self>, _bytes: Vec<u8>, _context: Context<'_>) -> Result<SignBytes, Error> {
        Err(no_key("these are credentials of a person, who has no key"))
    }

    fn fetch(self: Arc<Self>, key: &TokenKey, context: Context<'_>) -> Result<Fetch, Error> {
        context.refuse_subject("these are credentials of a person already")?;
        let want = match key {
            TokenKey::AccessToken { scopes } => Want::AccessToken { scopes: scopes.clone() },
            // It is for the OAuth client, whatever audience the caller had in mind.
            TokenKey::IdToken { .. }
                if context.preferences.allow_user_id_token && !self.authenticates_by_header =>
            {
                Want::IdToken { audience: self.client.id.clone() }
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
        let endpoint = RefreshToken {
            token_url: self.token_url.clone(),
            client: self.client.clone(),
            authenticates_by_header: self.authenticates_by_header,
            refresh_token: self.refresh_token(),
            want,
        };
        Ok(Box::new(Login { exchange: Exchange::new(endpoint, context.jitter), account: self }))
    }
}

/// The exchange of a refresh token, after which the account uses the new one, if it was given one.
struct Login {
    account: Arc<UserAccount>,
    exchange: Exchange<RefreshToken>,
}

impl Operation for Login {
    type Output = Issued;

    fn resume(&mut self, now: Now, reply: Reply) -> Step<Issued> {
        self.exchange.resume(now, reply).and_then(|refreshed| {
            if let Some(rotated) = refreshed.rotated {
                self.account.rotate(rotated);
            }
            Step::Done(refreshed.issued)
        })
    }
}
