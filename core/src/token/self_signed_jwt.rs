//! JWTs that a service account signs with its own key (AIP-4112; RFC 7523, section 3).

use serde_json::json;

use crate::credentials::service_account::ServiceAccount;
use crate::error::{Error, ErrorCode};
use crate::jose::jws;
use crate::step::Millis;
use crate::token::TokenKey;

/// Seconds from `iat` to `exp`; the endpoint refuses more.
const LIFETIME: u64 = 3600;

/// The assertion that the token endpoint exchanges for this token.
pub(crate) fn assertion(account: &ServiceAccount, key: &TokenKey, now: Millis) -> Result<String, Error> {
    let iat = now.as_secs();
    let (name, value) = match key {
        TokenKey::IdToken { audience } => ("target_audience", audience.clone()),
        TokenKey::AccessToken { scopes } if scopes.is_empty() => {
            return Err(Error::new(
                ErrorCode::InvalidOption,
                "no scope was given, expected at least one such as https://www.googleapis.com/auth/cloud-platform",
            ));
        }
        TokenKey::AccessToken { scopes } => ("scope", scopes.join(" ")),
    };
    let claims = json!({
        "iss": account.client_email,
        "aud": account.token_uri.as_str(),
        "iat": iat,
        "exp": iat + LIFETIME,
        name: value,
    });
    jws::sign_rs256(&account.private_key, account.private_key_id.as_deref(), &claims)
        .ok_or_else(|| Error::new(ErrorCode::Internal, "this system gives no random numbers to sign with"))
}
