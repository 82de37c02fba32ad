//! What a token represents: `https://oauth2.googleapis.com/tokeninfo`, which answers with strings throughout.

use serde::Serialize;
use serde_json::{Value, json};

use crate::email::is_email;
use crate::http::{Request, Response};
use crate::jws::{Object, Unverified};
use crate::keys::KeyError;
use crate::mint::AccessToken;
use crate::time::UnixSeconds;
use crate::user::CLIENT_ID;
use crate::{Config, ServiceAccount};

/// Answers a GET for `access_token` or `id_token`.
pub(crate) fn answer(config: &Config, request: &Request, now: UnixSeconds) -> Result<Response, KeyError> {
    let access_token = request.query_parameter("access_token");
    let id_token = request.query_parameter("id_token");
    let known = match (access_token, id_token) {
        (Some(token), None) => AccessToken::decode(&token)
            .filter(|token| now < token.expires_at)
            .map(|token| Response::json(200, &AccessTokenInfo::of(&token, now))),
        (None, Some(token)) => {
            id_token_info(config, &token, now)?.map(|members| Response::json(200, &members))
        }
        _ => None,
    };
    Ok(known.unwrap_or_else(|| {
        Response::json(400, &json!({ "error": "invalid_token", "error_description": "Invalid Value" }))
    }))
}

#[derive(Serialize)]
struct AccessTokenInfo<'a> {
    #[serde(flatten)]
    holder: Holder<'a>,
    scope: &'a str,
    exp: String,
    expires_in: String,
    access_type: &'static str,
}

/// The principal of an access token.
#[derive(Serialize)]
#[serde(untagged)]
enum Holder<'a> {
    Account {
        azp: String,
        aud: String,
        email: &'a str,
        email_verified: &'static str,
    },
    /// A federated identity has a name and nothing else.
    Federated {
        sub: &'a str,
    },
}

impl<'a> AccessTokenInfo<'a> {
    fn of(token: &'a AccessToken, now: UnixSeconds) -> Self {
        Self {
            holder: Holder::of(&token.principal),
            scope: &token.scope,
            exp: token.expires_at.0.to_string(),
            expires_in: token.expires_at.since(now).to_string(),
            access_type: "online",
        }
    }
}

impl<'a> Holder<'a> {
    fn of(principal: &'a str) -> Self {
        if !is_email(principal) {
            return Self::Federated { sub: principal };
        }
        let client = client_id(principal);
        Self::Account { azp: client.clone(), aud: client, email: principal, email_verified: "true" }
    }
}

/// A service account is its own OAuth client; a person has logged in through one.
fn client_id(email: &str) -> String {
    match email.parse::<ServiceAccount>() {
        Ok(account) if account.domain().ends_with("gserviceaccount.com") => account.unique_id(),
        _ => CLIENT_ID.to_owned(),
    }
}

fn id_token_info(config: &Config, token: &str, now: UnixSeconds) -> Result<Option<Object>, KeyError> {
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
    Ok(Some(members.collect()))
}
