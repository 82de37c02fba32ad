//! The token endpoint: what `https://oauth2.googleapis.com/token` does with a service account's assertion, and with
//! a person's refresh token.
//!
//! The error texts are Google's where they are known; they name the claim to look at.

use std::time::Duration;

use serde_json::json;

use crate::http::{Request, Response};
use crate::jws::{Object, Unverified};
use crate::keys::KeyError;
use crate::mint::AccessToken;
use crate::oauth::{self, Refusal, invalid_grant, required};
use crate::refresh_tokens::RefreshTokens;
use crate::time::UnixSeconds;
use crate::{Config, ServiceAccount, refresh};

/// RFC 7523 section 2.1.
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// Google's own address, which an assertion may name whatever address it is sent to: the libraries for Python and
/// Node always do.
const GOOGLE_TOKEN_ENDPOINT: &str = "https://oauth2.googleapis.com/token";

/// How long an assertion may live.
const MAX_LIFETIME: Duration = Duration::from_secs(3600);

/// How far a client's clock may be off. An assertion may live longer by that much, too: the library for Rust sets
/// `exp` to 3620 s after `iat` for this reason.
const CLOCK_SKEW: Duration = Duration::from_secs(60);

/// Answers a POST of a form.
pub(crate) fn answer(
    config: &Config,
    refresh_tokens: &RefreshTokens,
    request: &Request,
    now: UnixSeconds,
) -> Result<Response, KeyError> {
    oauth::respond(grant(config, refresh_tokens, request, now))
}

fn grant(
    config: &Config,
    refresh_tokens: &RefreshTokens,
    request: &Request,
    now: UnixSeconds,
) -> Result<Response, Refusal> {
    match required(request, "grant_type")?.as_str() {
        JWT_BEARER => jwt_bearer(config, request, now),
        refresh::GRANT_TYPE => refresh::for_person(config, refresh_tokens, request, now),
        other => Err(oauth::unsupported_grant_type(other)),
    }
}

fn jwt_bearer(config: &Config, request: &Request, now: UnixSeconds) -> Result<Response, Refusal> {
    let assertion = Assertion::verify(&required(request, "assertion")?, config, request, now)?;
    match (assertion.text("target_audience"), assertion.text("scope")) {
        (Some(audience), None) => issue_id_token(config, &assertion.issuer, audience, now),
        (None, Some(scope)) => Ok(issue_access_token(config, &assertion, scope, now)),
        _ => Err(Refusal::new("invalid_scope", "Invalid OAuth scope or ID token audience provided.")),
    }
}

fn issue_id_token(
    config: &Config,
    account: &ServiceAccount,
    audience: &str,
    now: UnixSeconds,
) -> Result<Response, Refusal> {
    // Here the authorised party is the e-mail; in a token of the metadata server it is the numeric ID.
    let token = config.id_token(account, audience, now, config.token_lifetime).claim("azp", account.email());
    Ok(Response::json(200, &json!({ "id_token": config.sign(token)? })))
}

fn issue_access_token(config: &Config, assertion: &Assertion, scope: &str, now: UnixSeconds) -> Response {
    // With domain-wide delegation, `sub` is the user for whom the service account acts.
    let principal = assertion.text("sub").unwrap_or(assertion.issuer.email());
    let expires_at = now.after(config.token_lifetime);
    let token = AccessToken::new(principal, scope, expires_at);
    Response::json(
        200,
        &json!({
            "access_token": token.encode(),
            "expires_in": config.expires_in(),
            "token_type": "Bearer",
        }),
    )
}

/// What a service account signed, verified.
struct Assertion {
    issuer: ServiceAccount,
    claims: Object,
}

impl Assertion {
    /// Checks signature, audience and times. Any account that can be named has signed with the key derived from its
    /// e-mail; nobody has to register it.
    fn verify(compact: &str, config: &Config, request: &Request, now: UnixSeconds) -> Result<Self, Refusal> {
        let jws =
            Unverified::parse(compact).ok_or_else(|| invalid_grant("Invalid JWT: not a signed JWT."))?;
        let issuer = text(&jws.claims, "iss").unwrap_or_default();
        let issuer: ServiceAccount =
            issuer.parse().map_err(|error| invalid_grant(format!("Invalid JWT: `iss`: {error}.")))?;

        if !jws.is_signed_by(&*issuer.key()?) {
            return Err(invalid_grant("Invalid JWT Signature."));
        }
        if !text(&jws.claims, "aud").is_some_and(|aud| is_this_endpoint(aud, config, request)) {
            let expected = config.token_endpoint();
            return Err(invalid_grant(format!(
                "Invalid JWT: Failed audience check. The right audience is {expected} or {GOOGLE_TOKEN_ENDPOINT}"
            )));
        }
        let assertion = Self { issuer, claims: jws.claims };
        if assertion.is_timely(now) {
            Ok(assertion)
        } else {
            Err(invalid_grant(
                "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check \
                 your iat and exp values in the JWT claim.",
            ))
        }
    }

    fn is_timely(&self, now: UnixSeconds) -> bool {
        let (Some(issued_at), Some(expires_at)) = (self.time("iat"), self.time("exp")) else { return false };
        issued_at <= now.after(CLOCK_SKEW)
            && now < expires_at
            && issued_at < expires_at
            && expires_at <= issued_at.after(MAX_LIFETIME + CLOCK_SKEW)
    }

    fn time(&self, claim: &str) -> Option<UnixSeconds> {
        self.claims.get(claim)?.as_u64().map(UnixSeconds)
    }

    fn text(&self, claim: &str) -> Option<&str> {
        text(&self.claims, claim)
    }
}

fn text<'a>(object: &'a Object, name: &str) -> Option<&'a str> {
    object.get(name)?.as_str().filter(|value| !value.is_empty())
}

/// A key file may reach the emulator by another name than the emulator knows, `localhost` or a container's. The
/// `Host` header tells which.
fn is_this_endpoint(audience: &str, config: &Config, request: &Request) -> bool {
    audience == GOOGLE_TOKEN_ENDPOINT
        || audience == config.token_endpoint()
        || request.header("Host").is_some_and(|host| {
            audience == format!("http://{host}/token") || audience == format!("https://{host}/token")
        })
}
