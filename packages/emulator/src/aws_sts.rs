//! A look-alike of AWS's Security Token Service as far as a web identity asks it: `AssumeRoleWithWebIdentity` (AWS Security
//! Token Service API Reference). A client finds it by `AWS_ENDPOINT_URL_STS`.
//!
//! Roles need not be registered: any role that can be named may be assumed, by any token that the emulator has signed.

use serde_json::json;

use crate::Config;
use crate::aws_metadata::{ACCESS_KEY_ID, KEY_LIFETIME, SECRET_ACCESS_KEY, SESSION_TOKEN};
use crate::http::{Request, Response};
use crate::keys::KeyError;
use crate::oauth::Refusal;
use crate::sts::subject_token;
use crate::time::UnixSeconds;

const ACTION: &str = "AssumeRoleWithWebIdentity";
const VERSION: &str = "2011-06-15";

/// Answers a POST of a form with JSON, which a client asks for by `Accept`; the XML of old is not spoken.
pub(crate) fn answer(config: &Config, request: &Request, now: UnixSeconds) -> Result<Response, KeyError> {
    let parameter = |name| request.form_parameter(name).unwrap_or_default();
    if !request.header("Accept").is_some_and(|types| types.contains("application/json")) {
        return Ok(refusal(
            406,
            "NotAcceptable",
            "the emulator answers with JSON only: Accept: application/json",
        ));
    }
    if parameter("Action") != ACTION || parameter("Version") != VERSION {
        let expected = format!("expected Action={ACTION} and Version={VERSION}");
        return Ok(refusal(400, "InvalidAction", &expected));
    }
    let (role, session) = (parameter("RoleArn"), parameter("RoleSessionName"));
    let Some((account, role_name)) =
        role.strip_prefix("arn:aws:iam::").and_then(|rest| rest.split_once(":role/"))
    else {
        return Ok(refusal(
            400,
            "ValidationError",
            "RoleArn is not of the form arn:aws:iam::ACCOUNT:role/NAME",
        ));
    };
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    if !(2..=64).contains(&session.len()) || !session.chars().all(is_plain) {
        return Ok(refusal(
            400,
            "ValidationError",
            "RoleSessionName is not of 2 to 64 letters, digits and _+=,.@-",
        ));
    }
    let token = parameter("WebIdentityToken");
    match subject_token::of_emulator(config, &token, now) {
        Ok(_) => {}
        Err(Refusal::OAuth { description, .. }) => {
            return Ok(refusal(400, "InvalidIdentityToken", &description));
        }
        Err(Refusal::Key(error)) => return Err(error),
    }
    let credentials = json!({
        "AccessKeyId": ACCESS_KEY_ID,
        "SecretAccessKey": SECRET_ACCESS_KEY,
        "SessionToken": SESSION_TOKEN,
        "Expiration": now.after(KEY_LIFETIME).0,
    });
    let user = format!("arn:aws:sts::{account}:assumed-role/{role_name}/{session}");
    let result = json!({ "Credentials": credentials, "AssumedRoleUser": { "Arn": user } });
    let body = json!({ "AssumeRoleWithWebIdentityResponse": { "AssumeRoleWithWebIdentityResult": result } });
    Ok(Response::json(200, &body))
}

fn refusal(status: u16, code: &str, message: &str) -> Response {
    Response::json(status, &json!({ "Error": { "Code": code, "Message": message, "Type": "Sender" } }))
}
