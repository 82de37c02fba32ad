//! The IAM Service Account Credentials API: a token of a service account for a principal that may impersonate it
//! (IAM documentation, `projects.serviceAccounts.generateIdToken` and `generateAccessToken`).

use std::sync::Arc;

use serde::Serialize;

use crate::calendar::days_from_civil;
use crate::credentials::impersonated_service_account::Target;
use crate::error::{Error, ErrorCode};
use crate::exchange::{Endpoint, Response, response_members};
use crate::header;
use crate::json::Value;
use crate::secret::Secret;
use crate::step::{ClientCertificate, HttpRequest, Millis};
use crate::token::{Issued, TokenKey, access_token, id_token};

const TIMEOUT_MS: u64 = 10_000;
const WHO: &str = "the IAM Credentials API";

/// Asks for a token of the target service account, as whoever the bearer token is.
pub(crate) struct Generate {
    pub(crate) target: Arc<Target>,
    pub(crate) key: TokenKey,
    pub(crate) bearer: Secret<String>,
    pub(crate) client_certificate: Option<ClientCertificate>,
}

#[derive(Serialize)]
struct IdTokenRequest<'a> {
    audience: &'a str,
    // IAP and every check of an e-mail need it; Cloud Run does not mind.
    #[serde(rename = "includeEmail")]
    include_email: bool,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    delegates: &'a [String],
}

#[derive(Serialize)]
struct AccessTokenRequest<'a> {
    scope: &'a [String],
    lifetime: String,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    delegates: &'a [String],
}

impl Endpoint for Generate {
    const WHO: &str = WHO;
    type Output = Issued;

    fn request(&self, _now: Millis) -> Result<HttpRequest, Error> {
        let (target, delegates) = (&self.target, self.target.delegates.as_slice());
        let (method, body) = match &self.key {
            TokenKey::IdToken { audience } => {
                let request = IdTokenRequest { audience, include_email: true, delegates };
                ("generateIdToken", serde_json::to_string(&request))
            }
            TokenKey::AccessToken { scopes } => {
                let lifetime = format!("{}s", target.lifetime_seconds);
                (
                    "generateAccessToken",
                    serde_json::to_string(&AccessTokenRequest { scope: scopes, lifetime, delegates }),
                )
            }
        };
        let body =
            body.map_err(|_| Error::new(ErrorCode::Internal, "a request could not be written as JSON"))?;
        let request = HttpRequest::post_json(&format!("{}:{method}", target.url), &body, TIMEOUT_MS);
        let mut request = request.with_header("authorization", header::authorization(&self.bearer));
        request.client_certificate = self.client_certificate.clone();
        Ok(request)
    }

    fn read(&self, now: Millis, response: &Response) -> Result<Issued, Error> {
        if let Some(error) = response.refusal(WHO) {
            return Err(error);
        }
        let body = response.body.expose();
        let invalid =
            |found: &str| Error::new(ErrorCode::TokenResponseInvalid, format!("{WHO} answered {found}"));
        match &self.key {
            TokenKey::IdToken { audience } => {
                let [token] = response_members(body, ["token"], WHO)?;
                let token =
                    token.as_ref().and_then(Value::as_str).ok_or_else(|| invalid("without a token"))?;
                id_token::read(token, audience, now, WHO)
            }
            TokenKey::AccessToken { .. } => {
                let [token, expire_time] = response_members(body, ["accessToken", "expireTime"], WHO)?;
                let expire_time = expire_time.as_ref().and_then(Value::as_str).and_then(timestamp);
                let expires_at = expire_time.ok_or_else(|| invalid("without an expireTime"))?;
                let seconds = Value::Number((expires_at.since(now) / 1000) as f64);
                access_token::read(token.as_ref(), Some(&seconds), now, WHO)
            }
        }
    }
}

/// A timestamp in UTC (RFC 3339), as Google's APIs write it: `2026-11-22T04:36:10Z`, with or without a fraction.
fn timestamp(text: &str) -> Option<Millis> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let time = time.split_once('.').map_or(time, |(time, _fraction)| time);
    let numbers = |text: &str, separator| -> Option<[u64; 3]> {
        let parts: Option<Vec<u64>> = text.split(separator).map(|part| part.parse().ok()).collect();
        parts?.try_into().ok()
    };
    let [year, month, day] = numbers(date, '-')?;
    let [hour, minute, second] = numbers(time, ':')?;
    let in_range = (1970..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60;
    in_range.then(|| {
        Millis::from_secs(((days_from_civil(year, month, day) * 24 + hour) * 60 + minute) * 60 + second)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_of_google_apis_are_read() {
        for text in ["2027-01-15T08:00:00Z", "2027-01-15T08:00:00.123456Z"] {
            assert_eq!(timestamp(text), Some(Millis::from_secs(1_800_000_000)), "{text}");
        }
        for text in
            ["", "2027-01-15T08:00:00+01:00", "2027-01-15", "2027-13-15T08:00:00Z", "2027-01-15T08:00Z"]
        {
            assert_eq!(timestamp(text), None, "{text}");
        }
    }
}
