//! Pub/Sub push, <https://cloud.google.com/pubsub/docs/push>: one message, wrapped in JSON.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value, json};

use super::{BackOff, Delivery, Policy, Success, rfc3339_millis};
use crate::http::Request;

/// Push back-off: <https://cloud.google.com/pubsub/docs/push#push_backoff>. Without a retry policy of its own, a
/// subscription goes on until the message is too old, after seven days.
pub(super) fn policy() -> Policy {
    Policy {
        // https://cloud.google.com/pubsub/docs/push#receive_push
        success: Success::OneOf(&[102, 200, 201, 202, 204]),
        back_off: BackOff {
            min: Duration::from_millis(100),
            max: Duration::from_secs(60),
            max_doublings: None,
        },
        // The acknowledgement deadline of a new subscription.
        deadline: Duration::from_secs(10),
    }
}

pub(super) fn request(delivery: &Delivery) -> Request {
    let push = &delivery.push;
    let subscription = format!("projects/{}/subscriptions/{}", push.project_id, push.name);
    delivery
        .post(envelope(delivery, &subscription).to_string())
        .with_header("Content-Type", "application/json")
        .with_header("User-Agent", "CloudPubSub-Google")
}

/// The wrapped message. Two of its members occur twice, in both spellings.
pub(super) fn envelope(delivery: &Delivery, subscription: &str) -> Value {
    let push = &delivery.push;
    let mut message = Map::new();
    if !push.attributes.is_empty() {
        let attributes = push.attributes.iter().map(|(name, value)| (name.clone(), json!(value)));
        message.insert("attributes".to_owned(), Value::Object(attributes.collect()));
    }
    let published_at = rfc3339_millis(delivery.published_at);
    for (name, value) in [
        ("data", BASE64_STANDARD.encode(&push.data)),
        ("messageId", delivery.id.clone()),
        ("message_id", delivery.id.clone()),
        ("publishTime", published_at.clone()),
        ("publish_time", published_at),
    ] {
        message.insert(name.to_owned(), Value::String(value));
    }
    json!({ "message": message, "subscription": subscription })
}
