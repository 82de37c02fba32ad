//! Google's OAuth 2.0 token endpoint: a grant for a token (RFC 6749, section 4; RFC 7523, section 2.1; AIP-4112).

use std::sync::Arc;

use crate::credentials::authorized_user::UserAccount;
use crate::credentials::service_account::ServiceAccount;
use crate::encoding::form;
use crate::error::{Error, ErrorCode};
use crate::exchange::{Endpoint, Response, response_members};
use crate::json::Value;
use crate::secret::Secret;
use crate::step::{HttpRequest, Millis};
use crate::token::self_signed_jwt::Claims;
use crate::token::{Issued, Want, access_token, id_token};
use crate::url::Url;

const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const TIMEOUT_MS: u64 = 10_000;
const WHO: &str = "the token endpoint";

/// Exchanges a service account's signed assertion for a token.
pub(crate) struct JwtBearer {
    pub(crate) token_uri: Url,
    pub(crate) assertion: Assertion,
    pub(crate) want: Want,
}

/// Where the assertion comes from.
pub(crate) enum Assertion {
    /// Signed with the account's own key, for a person where one is given (domain-wide delegation).
    ByKey { account: Arc<ServiceAccount>, subject: Option<String> },
    /// Signed already, by IAM.
    Signed(Secret<String>),
}

impl Endpoint for JwtBearer {
    const WHO: &str = WHO;
    type Output = Issued;

    fn request(&self, now: Millis) -> Result<HttpRequest, Error> {
        let assertion = match &self.assertion {
            Assertion::Signed(jwt) => jwt.clone(),
            Assertion::ByKey { account, subject } => {
                let (email, aud) = (&account.client_email, self.token_uri.as_str());
                Claims::assertion(email, aud, &self.want, subject.as_deref(), now)?.sign(account)?.value
            }
        };
        let body = form(&[("grant_type", JWT_BEARER), ("assertion", assertion.expose())]);
        Ok(HttpRequest::post_form(self.token_uri.as_str(), &body, TIMEOUT_MS))
    }

    fn read(&self, now: Millis, response: &Response) -> Result<Issued, Error> {
        if let Some(error) = response.refusal(WHO) {
            return Err(error);
        }
        let body = response.body.expose();
        match &self.want {
            Want::IdToken { audience } => read_id_token(body, audience, now),
            Want::AccessToken { .. } => {
                let [token, expires_in] = response_members(body, ["access_token", "expires_in"], WHO)?;
                access_token::read(token.as_ref(), expires_in.as_ref(), now, WHO)
            }
        }
    }
}

fn read_id_token(body: &[u8], audience: &str, now: Millis) -> Result<Issued, Error> {
    let [token] = response_members(body, ["id_token"], WHO)?;
    let token = token.as_ref().and_then(Value::as_str).ok_or_else(|| {
        Error::new(ErrorCode::TokenResponseInvalid, "the token endpoint answered without an id_token")
    })?;
    id_token::read(token, audience, now, WHO)
}

/// Exchanges a user's refresh token for a token (RFC 6749, section 6).
pub(crate) struct RefreshToken {
    pub(crate) account: Arc<UserAccount>,
    pub(crate) want: UserToken,
}

/// What a person's refresh token is exchanged for.
pub(crate) enum UserToken {
    /// An access token; scopes are named where the endpoint gives a part of what the user granted.
    Access { scopes: Vec<String> },
    /// The ID token of the login. It is for the OAuth client, whatever audience the caller had in mind.
    Id,
}

impl Endpoint for RefreshToken {
    const WHO: &str = WHO;
    type Output = Issued;

    fn secrets(&self) -> Vec<Secret<String>> {
        vec![self.account.refresh_token(), self.account.client.secret.clone()]
    }

    fn request(&self, _now: Millis) -> Result<HttpRequest, Error> {
        let account = &self.account;
        let refresh_token = account.refresh_token();
        let scope = match &self.want {
            UserToken::Access { scopes } => scopes.join(" "),
            UserToken::Id => String::new(),
        };
        let mut fields =
            vec![("grant_type", "refresh_token"), ("refresh_token", refresh_token.expose().as_str())];
        if !scope.is_empty() {
            fields.push(("scope", &scope));
        }
        if account.authenticates_by_header {
            let request = HttpRequest::post_form(account.token_url.as_str(), &form(&fields), TIMEOUT_MS);
            return Ok(request.with_header("authorization", account.client.basic()));
        }
        fields.extend([
            ("client_id", account.client.id.as_str()),
            ("client_secret", account.client.secret.expose()),
        ]);
        Ok(HttpRequest::post_form(account.token_url.as_str(), &form(&fields), TIMEOUT_MS))
    }

    fn read(&self, now: Millis, response: &Response) -> Result<Issued, Error> {
        if let Some(error) = response.refusal(WHO) {
            return Err(match error.code() {
                ErrorCode::TokenRefused => {
                    error.within("the user must log in again (gcloud auth application-default login)")
                }
                _ => error,
            });
        }
        let [token, expires_in, refresh_token] =
            response_members(response.body.expose(), ["access_token", "expires_in", "refresh_token"], WHO)?;
        let issued = match &self.want {
            UserToken::Access { .. } => access_token::read(token.as_ref(), expires_in.as_ref(), now, WHO)?,
            UserToken::Id => read_id_token(response.body.expose(), &self.account.client.id, now)?,
        };
        if let Some(rotated) = refresh_token.as_ref().and_then(Value::as_str) {
            self.account.rotate(rotated);
        }
        Ok(issued)
    }
}
