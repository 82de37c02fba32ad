//! The Security Token Service, `https://sts.googleapis.com/`: a token of somebody else's for a federated access token
//! (RFC 8693; AIP-4117).
//!
//! Identity pools need not be registered: any provider that can be named exists.

mod aws;
pub(crate) mod subject_token;

use percent_encoding::percent_decode_str;
use serde_json::json;

use crate::Config;
use crate::http::{Request, Response};
use crate::jws::Object;
use crate::keys::KeyError;
use crate::mint::AccessToken;
use crate::oauth::{self, Client, Refusal, optional, required};
use crate::refresh;
use crate::refresh_tokens::RefreshTokens;
use crate::time::UnixSeconds;

/// RFC 8693 section 2.1.
const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// RFC 8693 section 3.
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// Exchanges a subject token.
pub(crate) fn exchange(config: &Config, request: &Request, now: UnixSeconds) -> Result<Response, KeyError> {
    oauth::respond(grant(config, request, now))
}

/// Refreshes the access token of a person in a workforce pool.
pub(crate) fn refresh(
    config: &Config,
    refresh_tokens: &RefreshTokens,
    request: &Request,
    now: UnixSeconds,
) -> Result<Response, KeyError> {
    oauth::respond(refresh::for_workforce(config, refresh_tokens, request, now))
}

fn grant(config: &Config, request: &Request, now: UnixSeconds) -> Result<Response, Refusal> {
    let grant_type = required(request, "grant_type")?;
    if grant_type != TOKEN_EXCHANGE {
        return Err(oauth::unsupported_grant_type(&grant_type));
    }
    // A client may authenticate itself, and any may: its ID and secret come from no file of the emulator.
    Client::from_header(request)?;
    check_options(request)?;
    let requested = required(request, "requested_token_type")?;
    if requested != ACCESS_TOKEN {
        let description = format!("Invalid requested_token_type: {requested}; expected {ACCESS_TOKEN}");
        return Err(Refusal::new("invalid_request", description));
    }
    let audience = required(request, "audience")?;
    let provider = Provider::parse(&audience)?;
    let scope = required(request, "scope")?;
    let subject = subject_token::Presented {
        token: &required(request, "subject_token")?,
        token_type: &required(request, "subject_token_type")?,
        audience: &audience,
        client_certificate: request.client_certificate.as_deref(),
    }
    .subject(config, now)?;

    let principal = format!("principal://iam.googleapis.com/{}/subject/{}", provider.pool, subject.name);
    let token = AccessToken {
        principal,
        scope,
        expires_at: now.after(config.token_lifetime),
        certificate: subject.certificate,
    };
    Ok(Response::json(
        200,
        &json!({
            "access_token": token.encode(),
            "issued_token_type": ACCESS_TOKEN,
            "token_type": "Bearer",
            "expires_in": config.expires_in(),
        }),
    ))
}

/// The provider of an identity pool.
struct Provider<'a> {
    /// `projects/…/workloadIdentityPools/…` or `locations/…/workforcePools/…`.
    pool: &'a str,
}

impl<'a> Provider<'a> {
    fn parse(audience: &'a str) -> Result<Self, Refusal> {
        let provider = audience.strip_prefix("//iam.googleapis.com/").and_then(|name| {
            let (pool, provider) = name.rsplit_once("/providers/")?;
            let segments: Vec<_> = pool.split('/').collect();
            let is_pool = matches!(
                segments.as_slice(),
                ["projects", _, "locations", _, "workloadIdentityPools", _]
                    | ["locations", _, "workforcePools", _]
            );
            let is_complete = segments.iter().all(|segment| !segment.is_empty()) && !provider.is_empty();
            (is_pool && is_complete).then_some(Self { pool })
        });
        provider.ok_or_else(|| {
            let description =
                "The target service indicated by the \"audience\" parameters is invalid: expected \
                               //iam.googleapis.com/…/providers/….";
            Refusal::new("invalid_target", description)
        })
    }
}

/// Looks at `options`, a JSON object. Google's library for Python encodes it once more than the form does.
fn check_options(request: &Request) -> Result<(), Refusal> {
    let Some(options) = optional(request, "options") else { return Ok(()) };
    let is_object = |text: &str| serde_json::from_str::<Object>(text).is_ok();
    let decoded = percent_decode_str(&options).decode_utf8_lossy();
    if is_object(&options) || is_object(&decoded) {
        Ok(())
    } else {
        Err(Refusal::new("invalid_request", "Invalid options: not a JSON object"))
    }
}
