//! Eventarc, <https://cloud.google.com/eventarc/docs/cloudevents>: CloudEvents 1.0 in the binary mode of HTTP.

use std::time::Duration;

use serde_json::json;

use super::{BackOff, Delivery, Policy, Success, pub_sub, rfc3339_millis};
use crate::http::Request;

/// The transport is Pub/Sub, and goes on for 24 hours: <https://cloud.google.com/eventarc/docs/retry-events>.
pub(super) fn policy() -> Policy {
    Policy {
        success: Success::Any2xx,
        back_off: BackOff {
            min: Duration::from_secs(10),
            max: Duration::from_secs(600),
            max_doublings: None,
        },
        // The acknowledgement deadline of a new subscription.
        deadline: Duration::from_secs(10),
    }
}

/// `google.cloud.pubsub.topic.v1.messagePublished`: the body is what Pub/Sub pushes.
pub(super) fn message_published(delivery: &Delivery) -> Request {
    let push = &delivery.push;
    // The subscription that Eventarc has made for the trigger.
    let subscription =
        format!("projects/{}/subscriptions/eventarc-us-central1-{}-sub-000", push.project_id, push.name);
    let source = format!("//pubsub.googleapis.com/projects/{}/topics/{}", push.project_id, push.name);
    event(
        delivery,
        "google.cloud.pubsub.topic.v1.messagePublished",
        &source,
        pub_sub::envelope(delivery, &subscription).to_string(),
    )
}

/// `google.cloud.audit.log.v1.written`: the body is an entry of Cloud Audit Logs.
pub(super) fn log_written(delivery: &Delivery) -> Request {
    let push = &delivery.push;
    let object = "projects/_/buckets/bucket/objects/object";
    let body =
        if push.data.is_empty() { log_entry(delivery, object).into_bytes() } else { push.data.clone() };
    let source = format!("//storage.googleapis.com/projects/{}", push.project_id);
    event(delivery, "google.cloud.audit.log.v1.written", &source, body)
        .with_header("ce-subject", &format!("storage.googleapis.com/{object}"))
        .with_header("ce-servicename", "storage.googleapis.com")
        .with_header("ce-methodname", "storage.objects.create")
        .with_header("ce-resourcename", object)
}

fn event(delivery: &Delivery, event_type: &str, source: &str, body: impl Into<Vec<u8>>) -> Request {
    delivery
        .post(body)
        .with_header("Content-Type", "application/json; charset=utf-8")
        .with_header(
            "User-Agent",
            "APIs-Google; (+https://developers.google.com/webmasters/APIs-Google.html)",
        )
        .with_header("ce-specversion", "1.0")
        .with_header("ce-id", &delivery.id)
        .with_header("ce-type", event_type)
        .with_header("ce-source", source)
        .with_header("ce-time", &rfc3339_millis(delivery.published_at))
}

fn log_entry(delivery: &Delivery, object: &str) -> String {
    let push = &delivery.push;
    let written_at = rfc3339_millis(delivery.published_at);
    json!({
        "protoPayload": {
            "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
            "status": {},
            "authenticationInfo": { "principalEmail": push.account.email() },
            "serviceName": "storage.googleapis.com",
            "methodName": "storage.objects.create",
            "resourceName": object,
        },
        "insertId": delivery.id,
        "resource": {
            "type": "gcs_bucket",
            "labels": { "bucket_name": "bucket", "location": "us-central1", "project_id": push.project_id },
        },
        "timestamp": written_at,
        "severity": "INFO",
        "logName": format!("projects/{}/logs/cloudaudit.googleapis.com%2Fdata_access", push.project_id),
        "receiveTimestamp": written_at,
    })
    .to_string()
}
