//! Google's OAuth 2.0 token endpoint: an assertion for a token (RFC 7523, section 2.1; AIP-4112).

use std::sync::Arc;

use crate::credentials::service_account::ServiceAccount;
use crate::encoding::form;
use crate::error::{Error, ErrorCode};
use crate::exchange::{Endpoint, Response, printable, response_members};
use crate::json::{self, Value};
use crate::step::{HttpRequest, Method, Millis, Route};
use crate::token::{Issued, TokenKey, access_token, id_token, self_signed_jwt};

const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const TIMEOUT_MS: u64 = 10_000;
const WHO: &str = "the token endpoint";

/// Error codes that the endpoint means as "try again", whatever the status (seen on Google's front ends).
const TRANSIENT: [&str; 3] = ["internal_failure", "server_error", "temporarily_unavailable"];

/// Exchanges a service account's signed assertion for a token.
pub(crate) struct JwtBearer {
    pub(crate) account: Arc<ServiceAccount>,
    pub(crate) key: TokenKey,
}

impl Endpoint for JwtBearer {
    type Output = Issued;

    fn request(&self, now: Millis) -> Result<HttpRequest, Error> {
        let assertion = self_signed_jwt::assertion(&self.account, &self.key, now)?;
        Ok(HttpRequest {
            method: Method::Post,
            url: self.account.token_uri.as_str().to_owned(),
            headers: vec![
                ("content-type", "application/x-www-form-urlencoded".into()),
                ("accept", "application/json".into()),
            ],
            body: Some(form(&[("grant_type", JWT_BEARER), ("assertion", &assertion)]).as_str().into()),
            timeout_ms: TIMEOUT_MS,
            route: Route::Default,
            client_certificate: None,
        })
    }

    fn read(&self, now: Millis, response: &Response) -> Result<Issued, Error> {
        if let Some(error) = response.status_error(WHO) {
            return Err(refusal(response).unwrap_or(error));
        }
        let body = response.body.expose();
        match &self.key {
            TokenKey::IdToken { audience } => {
                let [token] = response_members(body, ["id_token"], WHO)?;
                let token = token.as_ref().and_then(Value::as_str).ok_or_else(|| {
                    Error::new(
                        ErrorCode::TokenResponseInvalid,
                        "the token endpoint answered without an id_token",
                    )
                })?;
                id_token::read(token, audience, now, WHO)
            }
            TokenKey::AccessToken { .. } => {
                let [token, expires_in] = response_members(body, ["access_token", "expires_in"], WHO)?;
                access_token::read(token.as_ref(), expires_in.as_ref(), now, WHO)
            }
        }
    }
}

/// The endpoint's own reason (RFC 6749, section 5.2), if it gives one.
fn refusal(response: &Response) -> Option<Error> {
    let [error, description] = json::members(response.body.expose(), ["error", "error_description"]).ok()?;
    // Google's front ends answer {"error":{"status":"PERMISSION_DENIED","message":…}} in the same place.
    let error = error?;
    let code = error.as_str().or_else(|| error.member("status")?.as_str())?;
    let text = description.as_ref().and_then(Value::as_str).or_else(|| error.member("message")?.as_str());
    let text = text.map(|text| format!(": {}", printable(text))).unwrap_or_default();
    let found = format!("the token endpoint answered {} with {}{text}", response.status, printable(code));
    let transient = TRANSIENT.iter().any(|word| *word == code || text.contains(word));
    let base = response.status_error(WHO)?;
    let code = if transient { ErrorCode::EndpointUnavailable } else { base.code() };
    Some(Error::new(code, found).retry_after(response.retry_after_ms()))
}
