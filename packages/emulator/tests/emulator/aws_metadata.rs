//! The look-alike of an AWS instance's metadata service.

use gatepass_emulator::http::{Request, Response};
use gatepass_emulator::time::UnixSeconds;
use serde_json::json;

use super::{NOW, emulator, parsed, text};

const TTL: &str = "X-aws-ec2-metadata-token-ttl-seconds";
const SESSION: &str = "X-aws-ec2-metadata-token";
const KEYS: &str = "/latest/meta-data/iam/security-credentials";

fn open(request: Request) -> Response {
    emulator().handle(&request, NOW)
}

/// Asks within a session of five minutes.
fn ask(path: &str, at: UnixSeconds) -> Response {
    let session = open(Request::put("/latest/api/token").with_header(TTL, "300"));
    assert_eq!(session.status, 200);
    emulator().handle(&Request::get(path).with_header(SESSION, text(&session)), at)
}

#[test]
fn region_role_and_keys_are_told_within_a_session() {
    assert_eq!(text(&ask("/latest/meta-data/placement/availability-zone", NOW)), "eu-west-1b");
    for listing in [KEYS.to_owned(), format!("{KEYS}/")] {
        let role = text(&ask(&listing, NOW)).to_owned();
        let keys = parsed(&ask(&format!("{KEYS}/{role}"), NOW));
        assert_eq!(
            keys,
            json!({
                "Code": "Success",
                "LastUpdated": "2027-01-15T08:00:00Z",
                "Type": "AWS-HMAC",
                "AccessKeyId": "AKIDDEMO",
                "SecretAccessKey": "SECRETDEMO",
                "Token": "SESSDEMO",
                "Expiration": "2027-01-15T14:00:00Z",
            })
        );
    }
    for missing in [format!("{KEYS}/another-role"), "/latest/meta-data/ami-id".to_owned()] {
        assert_eq!(ask(&missing, NOW).status, 404, "{missing}");
    }
}

#[test]
fn nothing_is_told_without_a_session() {
    assert_eq!(open(Request::get(KEYS)).status, 401);
    assert_eq!(open(Request::get(KEYS).with_header(SESSION, "somebody-elses")).status, 401);
    assert_eq!(ask(KEYS, UnixSeconds(NOW.0 + 299)).status, 200);
    assert_eq!(ask(KEYS, UnixSeconds(NOW.0 + 300)).status, 401);
}

#[test]
fn a_session_is_opened_by_put_for_six_hours_at_most() {
    let put = || Request::put("/latest/api/token");
    assert_eq!(open(put()).status, 400);
    for (seconds, status) in [("0", 400), ("1", 200), ("21600", 200), ("21601", 400), ("x", 400)] {
        assert_eq!(open(put().with_header(TTL, seconds)).status, status, "{seconds}");
    }
    assert_eq!(open(put().with_header(TTL, "60").with_header("X-Forwarded-For", "10.0.0.1")).status, 403);
    assert_eq!(open(Request::get("/latest/api/token").with_header(TTL, "60")).header("Allow"), Some("PUT"));
}

#[test]
fn the_agents_beside_containers_give_keys_at_once() {
    let of_ecs = parsed(&open(Request::get("/v2/credentials/task")));
    assert_eq!(
        (&of_ecs["AccessKeyId"], &of_ecs["SecretAccessKey"]),
        (&json!("AKIDDEMO"), &json!("SECRETDEMO"))
    );
    assert_eq!(open(Request::get("/v1/credentials")).status, 401);
    assert_eq!(parsed(&open(Request::get("/v1/credentials").with_header("Authorization", "t"))), of_ecs);
    assert_eq!(open(Request::put("/v1/credentials")).status, 405);
}
