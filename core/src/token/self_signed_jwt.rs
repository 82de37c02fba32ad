//! JWTs that a service account signs with its own key (AIP-4112; RFC 7523, section 3).

use serde::Serialize;

use crate::credentials::service_account::ServiceAccount;
use crate::error::{Error, ErrorCode};
use crate::jose::jws;
use crate::step::Millis;
use crate::token::TokenKey;

/// Seconds from `iat` to `exp`; the endpoint refuses more.
const LIFETIME: u64 = 3600;

#[derive(Serialize)]
struct Assertion<'a> {
    aud: &'a str,
    exp: u64,
    iat: u64,
    iss: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target_audience: Option<&'a str>,
}

/// The assertion that the token endpoint exchanges for this token.
pub(crate) fn assertion(account: &ServiceAccount, key: &TokenKey, now: Millis) -> Result<String, Error> {
    let iat = now.as_secs();
    let (scope, target_audience) = match key {
        TokenKey::IdToken { audience } => (None, Some(audience.as_str())),
        TokenKey::AccessToken { scopes } if scopes.is_empty() => {
            return Err(Error::new(
                ErrorCode::InvalidOption,
                "no scope was given, expected at least one such as https://www.googleapis.com/auth/cloud-platform",
            ));
        }
        TokenKey::AccessToken { scopes } => (Some(scopes.join(" ")), None),
    };
    let (aud, iss) = (account.token_uri.as_str(), account.client_email.as_str());
    let claims = Assertion { aud, exp: iat + LIFETIME, iat, iss, scope, target_audience };
    jws::sign_rs256(&account.private_key, account.private_key_id.as_deref(), &claims)
        .ok_or_else(|| Error::new(ErrorCode::Internal, "this system gives no random numbers to sign with"))
}
