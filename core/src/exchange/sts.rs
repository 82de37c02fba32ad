//! Google's Security Token Service: somebody else's token for a federated access token (RFC 8693; AIP-4117).

use std::sync::Arc;

use serde::Serialize;

use crate::credentials::external_account::ExternalAccount;
use crate::encoding::form;
use crate::error::Error;
use crate::exchange::{Endpoint, Response, response_members};
use crate::secret::Secret;
use crate::step::{ClientCertificate, HttpRequest, Millis};
use crate::token::{Issued, access_token};

const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const TIMEOUT_MS: u64 = 10_000;
const WHO: &str = "the STS endpoint";

/// Exchanges a subject token for a federated access token.
pub(crate) struct TokenExchange {
    pub(crate) account: Arc<ExternalAccount>,
    pub(crate) subject_token: Secret<String>,
    pub(crate) scopes: Vec<String>,
    pub(crate) client_certificate: Option<ClientCertificate>,
}

#[derive(Serialize)]
struct Options<'a> {
    #[serde(rename = "userProject")]
    user_project: &'a str,
}

impl Endpoint for TokenExchange {
    const WHO: &str = WHO;
    type Output = Issued;

    fn secrets(&self) -> Vec<Secret<String>> {
        let client_secret = self.account.client.as_ref().map(|client| client.secret.clone());
        client_secret.into_iter().chain([self.subject_token.clone()]).collect()
    }

    fn request(&self, _now: Millis) -> Result<HttpRequest, Error> {
        let account = &self.account;
        let scope = self.scopes.join(" ");
        // A client id names the project to bill; without one the user's own project does (AIP-4117).
        let user_project =
            account.workforce_pool_user_project.as_deref().filter(|_| account.client.is_none());
        let options =
            user_project.and_then(|user_project| serde_json::to_string(&Options { user_project }).ok());
        let mut fields = vec![
            ("grant_type", TOKEN_EXCHANGE),
            ("audience", account.audience.as_str()),
            ("scope", &scope),
            ("requested_token_type", ACCESS_TOKEN),
            ("subject_token_type", &account.subject_token_type),
            ("subject_token", self.subject_token.expose()),
        ];
        fields.extend(options.as_deref().map(|options| ("options", options)));
        let mut request = HttpRequest::post_form(account.token_url.as_str(), &form(&fields), TIMEOUT_MS);
        request.client_certificate = self.client_certificate.clone();
        Ok(match &account.client {
            Some(client) => request.with_header("authorization", client.basic()),
            None => request,
        })
    }

    fn read(&self, now: Millis, response: &Response) -> Result<Issued, Error> {
        if let Some(error) = response.refusal(WHO) {
            return Err(error);
        }
        let [token, expires_in] =
            response_members(response.body.expose(), ["access_token", "expires_in"], WHO)?;
        access_token::read(token.as_ref(), expires_in.as_ref(), now, WHO)
    }
}
