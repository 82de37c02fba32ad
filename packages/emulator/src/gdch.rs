//! Google Distributed Cloud, air-gapped: an access token for a service identity's assertion, which an EC key signs.
//!
//! The libraries for Python and Go send JSON to the endpoint; a form is read as well.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::Config;
use crate::http::{Request, Response};
use crate::jws::{Object, Unverified};
use crate::keys::{EcKey, KeyError};
use crate::mint::AccessToken;
use crate::oauth::{self, Refusal, invalid_grant};
use crate::time::UnixSeconds;

/// The path of `token_uri`.
pub(crate) const PATH: &str = "/authenticate";

/// A token type by its form, yet it is in `grant_type`.
const GRANT_TYPE: &str = "urn:ietf:params:oauth:token-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const SERVICE_ACCOUNT_TOKEN: &str = "urn:k8s:params:oauth:token-type:serviceaccount";

/// A service identity. Like a service account, it exists as soon as it is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceIdentity {
    /// The project that it belongs to.
    pub project: String,
    /// Its name within the project.
    pub name: String,
}

impl ServiceIdentity {
    /// Gives the name in `iss` and `sub`, which access tokens represent.
    pub fn principal(&self) -> String {
        format!("system:serviceaccount:{}:{}", self.project, self.name)
    }

    /// Derives the one key with which this identity signs assertions.
    pub fn key(&self) -> Result<Arc<EcKey>, KeyError> {
        EcKey::derive(&format!("gdch/{}", self.principal()))
    }

    fn parse(principal: &str) -> Option<Self> {
        let (project, name) = principal.strip_prefix("system:serviceaccount:")?.split_once(':')?;
        Some(Self { project: project.to_owned(), name: name.to_owned() })
    }
}

/// Answers a POST.
pub(crate) fn answer(config: &Config, request: &Request, now: UnixSeconds) -> Result<Response, KeyError> {
    oauth::respond(grant(config, request, now))
}

fn grant(config: &Config, request: &Request, now: UnixSeconds) -> Result<Response, Refusal> {
    let order = Order::read(request);
    for (name, expected) in [
        ("grant_type", GRANT_TYPE),
        ("requested_token_type", ACCESS_TOKEN),
        ("subject_token_type", SERVICE_ACCOUNT_TOKEN),
    ] {
        if order.required(name)? != expected {
            return Err(Refusal::new("invalid_request", format!("Invalid {name}: expected {expected}")));
        }
    }
    let scope = order.required("audience")?;
    let principal = verify(&order.required("subject_token")?, request, now)?;
    let token = AccessToken::new(principal, scope, now.after(config.token_lifetime));
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

/// Checks the assertion, and gives the name of its principal.
fn verify(assertion: &str, request: &Request, now: UnixSeconds) -> Result<String, Refusal> {
    let jws = Unverified::parse(assertion).ok_or_else(|| invalid_grant("Not a signed JWT."))?;
    let text = |name: &str| jws.claims.get(name).and_then(Value::as_str).unwrap_or_default();
    let issuer = text("iss");
    let identity = ServiceIdentity::parse(issuer)
        .filter(|_| text("sub") == issuer)
        .ok_or_else(|| invalid_grant("`iss` and `sub` are not system:serviceaccount:PROJECT:NAME."))?;
    if !jws.is_signed_by(&*identity.key()?) {
        return Err(invalid_grant("Invalid JWT signature."));
    }
    let host = request.header("Host").unwrap_or_default();
    if ![format!("https://{host}{PATH}"), format!("http://{host}{PATH}")].contains(&text("aud").to_owned()) {
        return Err(invalid_grant(format!("`aud` is not https://{host}{PATH}.")));
    }
    let expires_at = jws.claims.get("exp").and_then(Value::as_u64).map(UnixSeconds);
    if expires_at.is_none_or(|expires_at| expires_at <= now) {
        return Err(invalid_grant("The assertion has expired, or does not say when it does."));
    }
    Ok(issuer.to_owned())
}

/// The members of a request, be it JSON or a form.
struct Order(Object);

impl Order {
    fn read(request: &Request) -> Self {
        Self(serde_json::from_slice(&request.body).unwrap_or_else(|_| {
            let members = form_urlencoded::parse(&request.body);
            members.map(|(name, value)| (name.into_owned(), json!(value))).collect()
        }))
    }

    fn required(&self, name: &str) -> Result<String, Refusal> {
        let text = self.0.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        text.map(str::to_owned).ok_or_else(|| oauth::missing(name))
    }
}
