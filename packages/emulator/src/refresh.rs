//! The refresh-token grant, RFC 6749 section 6: of a person at the token endpoint, of a person of a workforce pool at
//! the Security Token Service.

use serde_json::json;

use crate::Config;
use crate::http::{Request, Response};
use crate::json::with_optional;
use crate::mint::{AccessToken, Grantor, RefreshToken};
use crate::oauth::{self, Client, Refusal, invalid_client, invalid_grant, optional, required};
use crate::refresh_tokens::RefreshTokens;
use crate::time::UnixSeconds;
use crate::user::{CLIENT_ID, CLIENT_SECRET};

/// The value of `grant_type`.
pub(crate) const GRANT_TYPE: &str = "refresh_token";

/// What `gcloud auth application-default login` asks a person for; a request without `scope` gets all of it.
const GRANTED_SCOPES: &str = "openid https://www.googleapis.com/auth/userinfo.email \
                              https://www.googleapis.com/auth/cloud-platform";

/// Grants at `/token`, where the client authenticates itself in the form.
pub(crate) fn for_person(
    config: &Config,
    refresh_tokens: &RefreshTokens,
    request: &Request,
    now: UnixSeconds,
) -> Result<Response, Refusal> {
    let client = Client { id: required(request, "client_id")?, secret: required(request, "client_secret")? };
    client.authenticate()?;
    grant(config, refresh_tokens, request, Grantor::GoogleAccounts, now)
}

/// Grants at `/v1/oauthtoken`, where the client authenticates itself by a header.
pub(crate) fn for_workforce(
    config: &Config,
    refresh_tokens: &RefreshTokens,
    request: &Request,
    now: UnixSeconds,
) -> Result<Response, Refusal> {
    let grant_type = required(request, "grant_type")?;
    if grant_type != GRANT_TYPE {
        return Err(oauth::unsupported_grant_type(&grant_type));
    }
    let client = Client::from_header(request)?
        .ok_or_else(|| invalid_client("The client must authenticate itself with HTTP Basic."))?;
    client.authenticate()?;
    grant(config, refresh_tokens, request, Grantor::SecurityTokenService, now)
}

fn grant(
    config: &Config,
    refresh_tokens: &RefreshTokens,
    request: &Request,
    grantor: Grantor,
    now: UnixSeconds,
) -> Result<Response, Refusal> {
    let refresh_token = RefreshToken::decode(&required(request, "refresh_token")?)
        .filter(|token| token.granted_by == grantor && refresh_tokens.is_good(token))
        .ok_or_else(|| invalid_grant("Token has been expired or revoked."))?;
    let scope = optional(request, "scope").unwrap_or_else(|| GRANTED_SCOPES.to_owned());
    let token = AccessToken::new(&refresh_token.principal, &scope, now.after(config.token_lifetime));
    let answer = json!({
        "access_token": token.encode(),
        "expires_in": config.expires_in(),
        "scope": scope,
        "token_type": "Bearer",
    });
    let replaces = config.changes.rotate_refresh_token;
    let next = replaces.then(|| refresh_tokens.replace(&refresh_token).encode());
    Ok(Response::json(200, &with_optional(answer, "refresh_token", next)))
}

impl Client {
    fn authenticate(&self) -> Result<(), Refusal> {
        if self.id == CLIENT_ID && self.secret == CLIENT_SECRET {
            return Ok(());
        }
        Err(invalid_client(format!(
            "The OAuth client was not found, or its secret is another. Expected {CLIENT_ID}"
        )))
    }
}
