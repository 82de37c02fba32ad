//! The token endpoint of Google Distributed Cloud: a service account's own JWT for an access token (RFC 8693).

use std::sync::Arc;

use crate::encoding::form;
use crate::error::Error;
use crate::exchange::{Endpoint, Response};
use crate::signing::Signing;
use crate::step::{HttpRequest, Millis};
use crate::token::self_signed_jwt::{Claims, Signer};
use crate::token::{Issued, access_token};
use crate::url::Url;

/// The endpoint takes a token type where RFC 8693 has a grant type.
const GRANT_TYPE: &str = "urn:ietf:params:oauth:token-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const SERVICE_ACCOUNT: &str = "urn:k8s:params:oauth:token-type:serviceaccount";
const TIMEOUT_MS: u64 = 10_000;
const WHO: &str = "the token endpoint of Google Distributed Cloud";

/// Exchanges the account's signed JWT for an access token.
pub(crate) struct GdchToken {
    pub(crate) token_uri: Url,
    /// A PEM file of the authorities that vouch for the endpoint; `None`: the system's.
    pub(crate) ca_cert_path: Option<String>,
    pub(crate) signer: Arc<Signer>,
    pub(crate) audience: String,
}

impl Endpoint for GdchToken {
    const WHO: &str = WHO;
    type Output = Issued;

    fn request(&self, now: Millis) -> Result<Signing<HttpRequest>, Error> {
        let claims = Claims::for_audience(self.signer.principal(), self.token_uri.as_str(), now);
        let (url, audience) = (self.token_uri.clone(), self.audience.clone());
        let ca_certificate_path = self.ca_cert_path.clone();
        Ok(self.signer.sign(&claims)?.map(move |jwt| {
            let body = form(&[
                ("grant_type", GRANT_TYPE),
                ("audience", &audience),
                ("requested_token_type", ACCESS_TOKEN),
                ("subject_token", jwt.value.expose()),
                ("subject_token_type", SERVICE_ACCOUNT),
            ]);
            let request = HttpRequest::post_form(url.as_str(), body, TIMEOUT_MS);
            HttpRequest { ca_certificate_path, ..request }
        }))
    }

    fn read(&self, now: Millis, response: &Response) -> Result<Issued, Error> {
        if let Some(error) = response.refusal(WHO) {
            return Err(error);
        }
        access_token::read_response(response.body.expose(), now, WHO)
    }
}
