//! Places where a workload gets a token of an outside identity provider: one in the manner of Azure's instance metadata
//! service, which wants `Metadata: True` and answers with JSON; and the one of Azure Container Apps and App Service, which
//! wants `X-IDENTITY-HEADER` (Azure, "Managed identities in Azure Container Apps").

use serde_json::json;

use crate::Config;
use crate::credential_file::{DEFAULT_PROVIDER, SUBJECT_TOKEN_FIELD};
use crate::http::{Request, Response};
use crate::keys::KeyError;
use crate::mint::IdToken;
use crate::time::UnixSeconds;

/// Answers a GET: the token as text, or, with `format=json`, as the member `access_token`.
pub(crate) fn answer(config: &Config, request: &Request, now: UnixSeconds) -> Result<Response, KeyError> {
    if !request.header("Metadata").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return Ok(Response::new(404, "text/plain; charset=utf-8", "the header Metadata: True is missing\n"));
    }
    let audience = request.query_parameter("audience");
    let audience = audience.as_deref().unwrap_or(DEFAULT_PROVIDER);
    let token = config.sign(IdToken::workload(&config.base_url, audience, now, config.token_lifetime))?;
    Ok(match request.query_parameter("format").as_deref() {
        Some("json") => Response::json(200, &json!({ SUBJECT_TOKEN_FIELD: token })),
        _ => Response::new(200, "text/plain; charset=utf-8", token),
    })
}

/// Answers a GET of an app of Azure's: the token for `resource`, and when it ends.
pub(crate) fn azure_app(config: &Config, request: &Request, now: UnixSeconds) -> Result<Response, KeyError> {
    let refuse =
        |status, why: &str| Ok(Response::json(status, &json!({ "statusCode": status, "message": why })));
    if request.header("X-IDENTITY-HEADER").is_none_or(str::is_empty) {
        return refuse(401, "the header X-IDENTITY-HEADER is missing");
    }
    let Some(resource) = request.query_parameter("resource") else {
        return refuse(400, "the parameter resource is missing");
    };
    let token = config.sign(IdToken::workload(&config.base_url, &resource, now, config.token_lifetime))?;
    Ok(Response::json(
        200,
        &json!({
            SUBJECT_TOKEN_FIELD: token,
            "expires_on": now.after(config.token_lifetime).0.to_string(),
            "resource": resource,
            "token_type": "Bearer",
        }),
    ))
}
