//! A place where a workload gets a token of an outside identity provider: in the manner of Azure's instance metadata
//! service, which wants `Metadata: True` and answers with JSON.

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
