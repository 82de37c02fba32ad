//! Senders of requests: what they send, what they take for success, and when they try again.

use std::time::Duration;

use base64::prelude::BASE64_STANDARD;
use gatepass_emulator::ServiceAccount;
use gatepass_emulator::push::{BackOff, Delivery, Progress, Push, Sender};
use serde_json::json;

use super::*;

const URL: &str = "https://orders.example/hooks/new?source=test";
/// [`super::NOW`] and a quarter of a second.
const NOW: Duration = Duration::from_millis(1_800_000_000_250);
const SENDERS: [Sender; 5] = [
    Sender::PubSub,
    Sender::CloudTasks,
    Sender::CloudScheduler,
    Sender::EventarcPubSub,
    Sender::EventarcAuditLog,
];

fn push(sender: Sender) -> Push {
    let account: ServiceAccount = "pusher@shop.iam.gserviceaccount.com".parse().unwrap();
    Push { data: b"hello".to_vec(), ..Push::new(sender, URL, &account) }
}

fn delivery(push: Push) -> Delivery {
    let policy = push.sender.policy();
    Delivery::new(push, policy, 100, NOW)
}

fn body(request: &Request) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}

#[track_caller]
fn assert_headers(request: &Request, expected: &[(&str, &str)]) {
    for (name, value) in expected {
        assert_eq!(request.header(name), Some(*value), "{name}");
    }
    assert_eq!(request.headers.len(), expected.len(), "{:?}", request.headers);
}

#[test]
fn every_sender_posts_to_the_url_with_its_token() {
    for sender in SENDERS {
        let request = delivery(push(sender)).request("a.b.c");
        assert_eq!(
            (request.method.as_str(), request.path.as_str(), request.query.as_str()),
            ("POST", "/hooks/new", "source=test"),
            "{sender:?}"
        );
        assert_eq!(request.header("Authorization"), Some("Bearer a.b.c"), "{sender:?}");
    }
}

#[test]
fn the_token_names_the_account_and_the_default_audience() {
    let emulator = emulator();
    for (sender, audience) in [
        (Sender::PubSub, URL),
        (Sender::CloudTasks, URL),
        (Sender::CloudScheduler, URL),
        (Sender::EventarcPubSub, "https://orders.example"),
        (Sender::EventarcAuditLog, "https://orders.example"),
    ] {
        let compact = push(sender).token(NOW).unwrap();
        let claims = Token::google(&compact, &emulator).claims;
        assert_eq!(claims["aud"], audience, "{sender:?}");
        assert_eq!(claims["email"], "pusher@shop.iam.gserviceaccount.com");
        assert_eq!(claims["email_verified"], true);
        assert_eq!(claims["iss"], "https://accounts.google.com");
        assert_eq!((&claims["iat"], &claims["exp"]), (&json!(1_800_000_000), &json!(1_800_003_600)));
    }
}

#[test]
fn pub_sub_wraps_the_message() {
    let attributes = vec![("kind".to_owned(), "order".to_owned())];
    let push = Push { name: "orders".to_owned(), attributes, ..push(Sender::PubSub) };
    let request = delivery(push).request("t");
    assert_headers(
        &request,
        &[
            ("Content-Type", "application/json"),
            ("User-Agent", "CloudPubSub-Google"),
            ("Authorization", "Bearer t"),
        ],
    );
    let body = body(&request);
    let id = body["message"]["messageId"].as_str().unwrap();
    assert!(id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_digit()), "{id}");
    assert_eq!(
        body,
        json!({
            "message": {
                "attributes": { "kind": "order" },
                "data": BASE64_STANDARD.encode("hello"),
                "messageId": id,
                "message_id": id,
                "publishTime": "2027-01-15T08:00:00.250Z",
                "publish_time": "2027-01-15T08:00:00.250Z",
            },
            "subscription": "projects/shop/subscriptions/orders",
        })
    );
}

#[test]
fn a_message_keeps_its_id_and_another_has_another() {
    let mut first = delivery(push(Sender::PubSub));
    let before = body(&first.request("t"));
    first.record(Some(500), NOW + Duration::from_secs(1));
    assert_eq!(body(&first.request("t")), before);

    let other =
        Delivery::new(push(Sender::PubSub), Sender::PubSub.policy(), 1, NOW + Duration::from_nanos(1));
    assert_ne!(body(&other.request("t"))["message"]["messageId"], before["message"]["messageId"]);
}

#[test]
fn cloud_tasks_counts_retries_and_executions() {
    let push = Push { name: "mail".to_owned(), ..push(Sender::CloudTasks) };
    let mut delivery = delivery(push);
    let request = delivery.request("t");
    let task = request.header("X-CloudTasks-TaskName").unwrap().to_owned();
    assert_headers(
        &request,
        &[
            ("User-Agent", "Google-Cloud-Tasks"),
            ("X-CloudTasks-QueueName", "mail"),
            ("X-CloudTasks-TaskName", &task),
            ("X-CloudTasks-TaskRetryCount", "0"),
            ("X-CloudTasks-TaskExecutionCount", "0"),
            ("X-CloudTasks-TaskETA", "1800000000.250000"),
            ("Authorization", "Bearer t"),
        ],
    );
    assert_eq!(request.body, b"hello");

    // A server error, no answer, a client error: all are retries, the last alone is an execution.
    for status in [Some(503), None, Some(429)] {
        delivery.record(status, NOW);
    }
    let request = delivery.request("t");
    assert_eq!(request.header("X-CloudTasks-TaskName"), Some(&*task));
    assert_eq!(request.header("X-CloudTasks-TaskRetryCount"), Some("3"));
    assert_eq!(request.header("X-CloudTasks-TaskExecutionCount"), Some("1"));
    assert_eq!(request.header("X-CloudTasks-TaskPreviousResponse"), Some("429"));
    assert_eq!(request.header("X-CloudTasks-TaskETA"), Some("1800000000.650000"));
}

#[test]
fn cloud_scheduler_names_the_job_and_its_time() {
    let push = Push { name: "nightly".to_owned(), ..push(Sender::CloudScheduler) };
    let mut delivery = delivery(push);
    delivery.record(Some(500), NOW + Duration::from_secs(30));
    let request = delivery.request("t");
    assert_headers(
        &request,
        &[
            ("User-Agent", "Google-Cloud-Scheduler"),
            ("X-CloudScheduler", "true"),
            ("X-CloudScheduler-JobName", "nightly"),
            ("X-CloudScheduler-ScheduleTime", "2027-01-15T08:00:00Z"),
            ("Content-Type", "application/octet-stream"),
            ("Authorization", "Bearer t"),
        ],
    );
    assert_eq!(request.body, b"hello");
}

#[test]
fn a_body_of_a_task_or_job_has_the_media_type_that_was_chosen() {
    for sender in [Sender::CloudTasks, Sender::CloudScheduler] {
        let push = Push { content_type: Some("text/csv".to_owned()), ..push(sender) };
        assert_eq!(delivery(push).request("t").header("Content-Type"), Some("text/csv"));
    }
    let empty = Push { data: Vec::new(), ..push(Sender::CloudScheduler) };
    assert_eq!(delivery(empty).request("t").header("Content-Type"), None);
}

#[test]
fn eventarc_sends_cloud_events_in_binary_mode() {
    let push = Push { name: "orders".to_owned(), ..push(Sender::EventarcPubSub) };
    let request = delivery(push).request("t");
    let body = body(&request);
    let id = body["message"]["messageId"].as_str().unwrap();
    assert_headers(
        &request,
        &[
            ("Content-Type", "application/json; charset=utf-8"),
            ("User-Agent", "APIs-Google; (+https://developers.google.com/webmasters/APIs-Google.html)"),
            ("ce-specversion", "1.0"),
            ("ce-id", id),
            ("ce-type", "google.cloud.pubsub.topic.v1.messagePublished"),
            ("ce-source", "//pubsub.googleapis.com/projects/shop/topics/orders"),
            ("ce-time", "2027-01-15T08:00:00.250Z"),
            ("Authorization", "Bearer t"),
        ],
    );
    assert_eq!(body["message"]["data"], BASE64_STANDARD.encode("hello"));
    assert_eq!(body["subscription"], "projects/shop/subscriptions/eventarc-us-central1-orders-sub-000");
}

#[test]
fn eventarc_sends_entries_of_audit_logs() {
    let entry = Push { data: Vec::new(), ..push(Sender::EventarcAuditLog) };
    let request = delivery(entry).request("t");
    assert_eq!(request.header("ce-type"), Some("google.cloud.audit.log.v1.written"));
    assert_eq!(request.header("ce-source"), Some("//storage.googleapis.com/projects/shop"));
    let body = body(&request);
    for (header, member) in [
        ("ce-servicename", "serviceName"),
        ("ce-methodname", "methodName"),
        ("ce-resourcename", "resourceName"),
    ] {
        assert_eq!(request.header(header), body["protoPayload"][member].as_str(), "{header}");
    }
    assert_eq!(request.header("ce-id"), body["insertId"].as_str());

    let own = Push { data: br#"{"insertId": "mine"}"#.to_vec(), ..push(Sender::EventarcAuditLog) };
    assert_eq!(delivery(own).request("t").body, br#"{"insertId": "mine"}"#);
}

#[test]
fn each_sender_has_its_own_idea_of_success() {
    for status in 100..600 {
        let pub_sub = [102, 200, 201, 202, 204].contains(&status);
        let others = (200..300).contains(&status);
        for sender in SENDERS {
            let expected = if sender == Sender::PubSub { pub_sub } else { others };
            let progress = delivery(push(sender)).record(Some(status), NOW);
            assert_eq!(progress == Progress::Delivered, expected, "{sender:?} {status}");
        }
    }
}

/// The waits in milliseconds that Google documents, from the end of one attempt to the start of the next.
#[test]
fn each_sender_has_its_own_patience() {
    for (sender, waits) in [
        (Sender::PubSub, [100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 51_200, 60_000, 60_000]),
        (
            Sender::CloudTasks,
            [100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 51_200, 102_400, 204_800],
        ),
        (
            Sender::CloudScheduler,
            [
                5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 320_000, 480_000, 640_000, 800_000, 960_000,
                1_120_000,
            ],
        ),
        (
            Sender::EventarcPubSub,
            [
                10_000, 20_000, 40_000, 80_000, 160_000, 320_000, 600_000, 600_000, 600_000, 600_000,
                600_000, 600_000,
            ],
        ),
    ] {
        let mut delivery = delivery(push(sender));
        let mut now = NOW;
        for wait in waits {
            let answered_at = now + Duration::from_millis(7);
            now = answered_at + Duration::from_millis(wait);
            assert_eq!(delivery.record(Some(500), answered_at), Progress::RetryAt(now), "{sender:?}");
        }
    }
}

#[test]
fn attempts_are_bounded() {
    let policy = Sender::PubSub.policy();
    let mut delivery = Delivery::new(push(Sender::PubSub), policy, 2, NOW);
    assert!(matches!(delivery.record(None, NOW), Progress::RetryAt(_)));
    assert_eq!(delivery.record(Some(404), NOW), Progress::GivenUp);

    let mut once = Delivery::new(push(Sender::PubSub), Sender::PubSub.policy(), 1, NOW);
    assert_eq!(once.record(Some(200), NOW), Progress::Delivered);
}

#[test]
fn a_policy_can_be_changed() {
    let mut policy = Sender::CloudTasks.policy();
    policy.back_off = BackOff { min: Duration::from_millis(1), ..policy.back_off };
    let mut delivery = Delivery::new(push(Sender::CloudTasks), policy, 2, NOW);
    assert_eq!(delivery.record(None, NOW), Progress::RetryAt(NOW + Duration::from_millis(1)));
}
