//! Google's Security Token Service: somebody else's token for a federated access token (RFC 8693; AIP-4117).

use crate::encoding::form;
use crate::error::Error;
use crate::exchange::client::Client;
use crate::exchange::{Endpoint, Response};
use crate::json;
use crate::secret::Secret;
use crate::signing::Signing;
use crate::step::{ClientCertificate, HttpRequest, Millis};
use crate::token::{Issued, access_token};
use crate::url::Url;

const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const TIMEOUT_MS: u64 = 10_000;
const WHO: &str = "the STS endpoint";

/// Exchanges a subject token for a federated access token.
pub(crate) struct TokenExchange {
    pub(crate) token_url: Url,
    /// The provider of the pool.
    pub(crate) audience: String,
    pub(crate) subject_token_type: String,
    pub(crate) client: Option<Client>,
    /// The project that a workforce pool's user bills.
    pub(crate) user_project: Option<String>,
    pub(crate) subject_token: Secret<String>,
    pub(crate) scopes: Vec<String>,
    pub(crate) client_certificate: Option<ClientCertificate>,
}

impl Endpoint for TokenExchange {
    const WHO: &str = WHO;
    type Output = Issued;

    fn secrets(&self) -> Vec<Secret<String>> {
        let client_secret = self.client.as_ref().map(|client| client.secret.clone());
        client_secret.into_iter().chain([self.subject_token.clone()]).collect()
    }

    fn request(&self, _now: Millis) -> Result<Signing<HttpRequest>, Error> {
        let scope = self.scopes.join(" ");
        let options = self.user_project.as_deref().map(|user_project| {
            json::object(|options| {
                options.text("userProject", user_project);
            })
        });
        let mut fields = vec![
            ("grant_type", TOKEN_EXCHANGE),
            ("audience", self.audience.as_str()),
            ("scope", &scope),
            ("requested_token_type", ACCESS_TOKEN),
            ("subject_token_type", &self.subject_token_type),
            ("subject_token", self.subject_token.expose()),
        ];
        fields.extend(options.as_deref().map(|options| ("options", options)));
        let mut request = HttpRequest::post_form(self.token_url.as_str(), form(&fields), TIMEOUT_MS);
        request.client_certificate = self.client_certificate.clone();
        if let Some(client) = &self.client {
            request = request.with_header("authorization", client.basic());
        }
        Ok(request.into())
    }

    fn read(&self, now: Millis, response: &Response) -> Result<Issued, Error> {
        if let Some(error) = response.refusal(WHO) {
            return Err(error);
        }
        access_token::read_response(response.body.expose(), now, WHO)
    }
}
