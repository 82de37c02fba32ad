//! Google's OAuth 2.0 token endpoint: a grant for a token (RFC 6749, section 4; RFC 7523, section 2.1; AIP-4112).

use std::sync::Arc;

use crate::encoding::form;
use crate::error::{Error, ErrorCode};
use crate::exchange::client::Client;
use crate::exchange::{Endpoint, Response};
use crate::json::Value;
use crate::secret::Secret;
use crate::signing::Signing;
use crate::step::{HttpRequest, Millis};
use crate::token::self_signed_jwt::{Claims, Signer};
use crate::token::{Issued, Want, access_token, id_token, response_members};
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
    ByKey { signer: Arc<Signer>, subject: Option<String> },
    /// Signed already, by IAM.
    Signed(Secret<String>),
}

impl Endpoint for JwtBearer {
    const WHO: &str = WHO;
    type Output = Issued;

    fn request(&self, now: Millis) -> Result<Signing<HttpRequest>, Error> {
        let assertion = match &self.assertion {
            Assertion::Signed(jwt) => jwt.clone().into(),
            Assertion::ByKey { signer, subject } => {
                let (email, aud) = (signer.principal(), self.token_uri.as_str());
                let claims = Claims::assertion(email, aud, &self.want, subject.as_deref(), now)?;
                signer.sign(&claims)?.map(|jwt| jwt.value)
            }
        };
        let url = self.token_uri.clone();
        Ok(assertion.map(move |assertion| {
            let body = form(&[("grant_type", JWT_BEARER), ("assertion", assertion.expose())]);
            HttpRequest::post_form(url.as_str(), body, TIMEOUT_MS)
        }))
    }

    fn read(&self, now: Millis, response: &Response) -> Result<Issued, Error> {
        if let Some(error) = response.refusal(WHO) {
            return Err(error);
        }
        let body = response.body.expose();
        match &self.want {
            Want::IdToken { audience } => read_id_token(body, audience, now),
            Want::AccessToken { .. } => access_token::read_response(body, now, WHO),
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
    pub(crate) token_url: Url,
    pub(crate) client: Client,
    /// Whether the client authenticates by HTTP Basic rather than in the form.
    pub(crate) authenticates_by_header: bool,
    pub(crate) refresh_token: Secret<String>,
    /// Scopes name a part of what the user granted. An ID token is that of the login, for the OAuth client.
    pub(crate) want: Want,
}

/// What a refresh token was exchanged for.
pub(crate) struct Refreshed {
    pub(crate) issued: Issued,
    /// The refresh token to use from now on, if it is another one.
    pub(crate) rotated: Option<Secret<String>>,
}

impl Endpoint for RefreshToken {
    const WHO: &str = WHO;
    type Output = Refreshed;

    fn secrets(&self) -> Vec<Secret<String>> {
        vec![self.refresh_token.clone(), self.client.secret.clone()]
    }

    fn request(&self, _now: Millis) -> Result<Signing<HttpRequest>, Error> {
        let scope = match &self.want {
            Want::AccessToken { scopes } => scopes.join(" "),
            Want::IdToken { .. } => String::new(),
        };
        let mut fields =
            vec![("grant_type", "refresh_token"), ("refresh_token", self.refresh_token.expose().as_str())];
        if !scope.is_empty() {
            fields.push(("scope", &scope));
        }
        if self.authenticates_by_header {
            let request = HttpRequest::post_form(self.token_url.as_str(), form(&fields), TIMEOUT_MS);
            return Ok(request.with_header("authorization", self.client.basic()).into());
        }
        fields
            .extend([("client_id", self.client.id.as_str()), ("client_secret", self.client.secret.expose())]);
        Ok(HttpRequest::post_form(self.token_url.as_str(), form(&fields), TIMEOUT_MS).into())
    }

    fn read(&self, now: Millis, response: &Response) -> Result<Refreshed, Error> {
        if let Some(error) = response.refusal(WHO) {
            return Err(match error.code() {
                ErrorCode::TokenRefused => {
                    error.within("the user must log in again (gcloud auth application-default login)")
                }
                _ => error,
            });
        }
        let body = response.body.expose();
        let [refresh_token] = response_members(body, ["refresh_token"], WHO)?;
        let issued = match &self.want {
            Want::AccessToken { .. } => access_token::read_response(body, now, WHO)?,
            Want::IdToken { audience } => read_id_token(body, audience, now)?,
        };
        Ok(Refreshed { issued, rotated: refresh_token.as_ref().and_then(Value::as_str).map(Secret::from) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_refused_login_has_to_be_made_anew() {
        let endpoint = RefreshToken {
            token_url: Url::parse("https://oauth2.googleapis.com/token").unwrap(),
            client: Client { id: "c".into(), secret: "s".into() },
            authenticates_by_header: false,
            refresh_token: "r".into(),
            want: Want::AccessToken { scopes: Vec::new() },
        };
        for (status, again) in [(400, true), (503, false), (302, false)] {
            let response = Response { status, headers: Vec::new(), body: Secret::default() };
            let error = endpoint.read(Millis(0), &response).err().unwrap();
            assert_eq!(error.detail().contains("the user must log in again"), again, "{error}");
        }
    }
}
