//! What a token stands for: `https://oauth2.googleapis.com/tokeninfo`, which answers with strings throughout.

use serde_json::{Value, json};

use crate::http::{Request, Response};
use crate::jws::{Object, Unverified};
use crate::keys::KeyError;
use crate::mint::AccessToken;
use crate::service_account::is_email;
use crate::time::UnixSeconds;
use crate::user::CLIENT_ID;
use crate::{Config, ServiceAccount};

/// Answers a GET for `access_token` or `id_token`.
pub(crate) fn answer(config: &Config, request: &Request, now: UnixSeconds) -> Result<Response, KeyError> {
    let members = match (request.query_parameter("access_token"), request.query_parameter("id_token")) {
        (Some(token), None) => AccessToken::decode(&token).and_then(|token| access_token(&token, now)),
        (None, Some(token)) => id_token(config, &token, now)?,
        _ => None,
    };
    Ok(match members {
        Some(members) => Response::json(200, &members),
        None => {
            let error = json!({ "error": "invalid_token", "error_description": "Invalid Value" });
            Response::json(400, &error)
        }
    })
}

fn access_token(token: &AccessToken, now: UnixSeconds) -> Option<Value> {
    if token.expires_at <= now {
        return None;
    }
    let mut members = json!({
        "scope": token.scope,
        "exp": token.expires_at.0.to_string(),
        "expires_in": token.expires_at.since(now).to_string(),
        "access_type": "online",
    });
    if is_email(&token.principal) {
        let client = client_id(&token.principal);
        members["azp"] = json!(client);
        members["aud"] = json!(client);
        members["email"] = json!(token.principal);
        members["email_verified"] = json!("true");
    } else {
        // A federated identity has a name and nothing else.
        members["sub"] = json!(token.principal);
    }
    Some(members)
}

/// A service account is its own OAuth client; a person has logged in through one.
fn client_id(email: &str) -> String {
    match email.parse::<ServiceAccount>() {
        Ok(account) if account.domain().ends_with("gserviceaccount.com") => account.unique_id(),
        _ => CLIENT_ID.to_owned(),
    }
}

fn id_token(config: &Config, token: &str, now: UnixSeconds) -> Result<Option<Value>, KeyError> {
    let Some(jws) = Unverified::parse(token) else { return Ok(None) };
    let expires_at = jws.claims.get("exp").and_then(Value::as_u64).map(UnixSeconds);
    if expires_at.is_none_or(|expires_at| expires_at <= now)
        || !jws.is_signed_by_google(config.key_rotations)?
    {
        return Ok(None);
    }
    let members = jws.claims.into_iter().chain(jws.header).map(|(name, value)| match value {
        Value::String(_) => (name, value),
        other => (name, json!(other.to_string())),
    });
    Ok(Some(Value::Object(Object::from_iter(members))))
}
