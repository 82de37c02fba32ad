//! A look-alike of an AWS instance's metadata service, version 2, as far as workload identity federation asks it: the
//! region, the role, and the role's keys (AIP-4117, "AWS"; AWS, "Use the Instance Metadata Service"). And of the agents
//! next to containers, which give keys only (AWS SDKs and Tools, "Container credential provider"): that of ECS and Fargate,
//! and that of EKS Pod Identity, which wants to see a token.

use std::time::Duration;

use serde_json::json;

use crate::http::{Request, Response};
use crate::time::UnixSeconds;

/// The role's keys, which are words rather than secrets. The Security Token Service knows them.
pub(crate) const ACCESS_KEY_ID: &str = "AKIDDEMO";
pub(crate) const SECRET_ACCESS_KEY: &str = "SECRETDEMO";
pub(crate) const SESSION_TOKEN: &str = "SESSDEMO";

const ROLE: &str = "gatepass-emulator-role";

/// A zone is a region and a letter.
const AVAILABILITY_ZONE: &str = "eu-west-1b";

/// How long the role's keys last; AWS says six hours, give or take.
pub(crate) const KEY_LIFETIME: Duration = Duration::from_secs(6 * 3600);

/// The longest session, in seconds.
const MAX_SESSION_SECONDS: u64 = 21_600;

const SESSION_PREFIX: &str = "gatepass-emulator-session-until-";

const KEYS_PATH: &str = "/latest/meta-data/iam/security-credentials";

/// Where the agent of EKS Pod Identity gives keys.
const POD_IDENTITY_PATH: &str = "/v1/credentials";

/// Below which the agent of ECS gives keys: a name of the task's follows.
const ECS_PATH: &str = "/v2/credentials/";

/// Tells whether the path belongs to the metadata service, or to an agent.
pub(crate) fn owns(path: &str) -> bool {
    path.starts_with("/latest/") || path == POD_IDENTITY_PATH || path.starts_with(ECS_PATH)
}

/// Answers for a path that [`owns`] accepts.
pub(crate) fn answer(request: &Request, now: UnixSeconds) -> Response {
    if request.path == "/latest/api/token" {
        return session(request, now);
    }
    if !request.is_read() {
        return Response::method_not_allowed("GET, HEAD");
    }
    if request.path == POD_IDENTITY_PATH {
        return match request.header("Authorization") {
            Some(token) if !token.is_empty() => keys(now),
            _ => text(401, "the token of the service account is missing in Authorization\n"),
        };
    }
    if request.path.starts_with(ECS_PATH) {
        return keys(now);
    }
    if !has_session(request, now) {
        return text(401, "the header X-aws-ec2-metadata-token is missing, or its session is over\n");
    }
    let below_keys = request.path.strip_prefix(KEYS_PATH).map(|rest| rest.trim_start_matches('/'));
    match (request.path.as_str(), below_keys) {
        ("/latest/meta-data/placement/availability-zone", _) => text(200, AVAILABILITY_ZONE),
        (_, Some("")) => text(200, ROLE),
        (_, Some(ROLE)) => keys(now),
        _ => text(404, "no such metadata\n"),
    }
}

/// Opens a session. Its token says when it ends: the emulator keeps no list.
fn session(request: &Request, now: UnixSeconds) -> Response {
    if request.method != "PUT" {
        return Response::method_not_allowed("PUT");
    }
    // A request that came through a proxy is turned away, as by the real one.
    if request.header("X-Forwarded-For").is_some() {
        return text(403, "forwarded requests get no session\n");
    }
    let lifetime =
        request.header("X-aws-ec2-metadata-token-ttl-seconds").and_then(|value| value.parse().ok());
    match lifetime {
        Some(seconds @ 1..=MAX_SESSION_SECONDS) => {
            let ends = now.after(Duration::from_secs(seconds));
            text(200, &format!("{SESSION_PREFIX}{}", ends.0))
        }
        _ => text(400, "X-aws-ec2-metadata-token-ttl-seconds must be from 1 to 21600\n"),
    }
}

fn has_session(request: &Request, now: UnixSeconds) -> bool {
    request
        .header("X-aws-ec2-metadata-token")
        .and_then(|token| token.strip_prefix(SESSION_PREFIX)?.parse().ok())
        .is_some_and(|ends: u64| now.0 < ends)
}

fn keys(now: UnixSeconds) -> Response {
    Response::json(
        200,
        &json!({
            "Code": "Success",
            "LastUpdated": now.rfc3339(),
            "Type": "AWS-HMAC",
            "AccessKeyId": ACCESS_KEY_ID,
            "SecretAccessKey": SECRET_ACCESS_KEY,
            "Token": SESSION_TOKEN,
            "Expiration": now.after(KEY_LIFETIME).rfc3339(),
        }),
    )
}

fn text(status: u16, body: &str) -> Response {
    Response::new(status, "text/plain", body)
}
