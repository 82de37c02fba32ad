//! The look-alike of AWS's Security Token Service.

use gatepass_emulator::http::{Request, Response};
use gatepass_emulator::time::UnixSeconds;
use serde_json::{Value, json};

use super::{NOW, emulator, form, parsed, text};

/// A token of the outside identity provider.
fn web_identity_token() -> String {
    let request = Request::get("/emulator/v1/subject-token").with_header("Metadata", "True");
    text(&emulator().handle(&request, NOW)).to_owned()
}

/// Sends the usual request with `changes` merged in.
fn assume(changes: &Value, at: UnixSeconds) -> Response {
    let mut fields = json!({
        "Action": "AssumeRoleWithWebIdentity",
        "Version": "2011-06-15",
        "RoleArn": "arn:aws:iam::123456789012:role/orders",
        "RoleSessionName": "gatepass",
        "WebIdentityToken": web_identity_token(),
    });
    fields.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    let request = Request::post("/", form(&fields)).with_header("Accept", "application/json");
    emulator().handle(&request, at)
}

#[test]
fn a_role_is_assumed_by_a_token_of_the_emulator() {
    let response = assume(&json!({}), NOW);
    assert_eq!(response.status, 200, "{}", text(&response));
    let answer = parsed(&response);
    let result = &answer["AssumeRoleWithWebIdentityResponse"]["AssumeRoleWithWebIdentityResult"];
    assert_eq!(
        *result,
        json!({
            "Credentials": {
                "AccessKeyId": "AKIDDEMO",
                "SecretAccessKey": "SECRETDEMO",
                "SessionToken": "SESSDEMO",
                "Expiration": NOW.0 + 6 * 3600,
            },
            "AssumedRoleUser": { "Arn": "arn:aws:sts::123456789012:assumed-role/orders/gatepass" },
        })
    );
}

#[test]
fn what_is_no_such_request_is_refused_with_a_reason() {
    for (changes, code) in [
        (json!({"Action": "AssumeRole"}), "InvalidAction"),
        (json!({"Version": "2010-01-01"}), "InvalidAction"),
        (json!({"RoleArn": "orders"}), "ValidationError"),
        (json!({"RoleSessionName": "a"}), "ValidationError"),
        (json!({"RoleSessionName": "a b"}), "ValidationError"),
        (json!({"WebIdentityToken": "a.b.c"}), "InvalidIdentityToken"),
    ] {
        let response = assume(&changes, NOW);
        assert_eq!((response.status, &parsed(&response)["Error"]["Code"]), (400, &json!(code)), "{changes}");
    }
    let late = assume(&json!({}), UnixSeconds(NOW.0 + 86_400));
    assert_eq!(parsed(&late)["Error"]["Code"], "InvalidIdentityToken");
    let as_xml = emulator().handle(&Request::post("/", ""), NOW);
    assert_eq!(as_xml.status, 406);
}
