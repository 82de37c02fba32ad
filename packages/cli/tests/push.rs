//! `gatepass emulator push` into a real receiver, which verifies the token with `gatepass verify`.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::fs;
use std::process::Output;

use serde_json::{Value, json};
use support::{Received, Running, Service, answer, gatepass, text};

fn push(sender: &str, url: &str, options: &[&str]) -> Output {
    gatepass(&["emulator", "push", "--as", sender, "--to", url]).args(options).output().unwrap()
}

/// Pushes once into a service that takes everything, and gives what it got.
fn delivered(sender: &str, options: &[&str]) -> (Received, String) {
    let service = Service::start(|_, _| answer(200, ""));
    let url = format!("{}/hook?a=b", service.url);
    let output = push(sender, &url, options);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout), "attempt 1: 200, delivered\n");
    let received = service.received();
    assert_eq!(received.len(), 1);
    assert!(received[0].head.starts_with("POST /hook?a=b HTTP/1.1\r\n"), "{}", received[0].head);
    (received[0].clone(), url)
}

/// The claims of the token that came with a request, verified against the keys of a running emulator.
fn claims(request: &Received, audience: &str, emulator: &Running) -> Value {
    let token = request.header("Authorization").unwrap().strip_prefix("Bearer ").unwrap();
    let keys_url = format!("{}/oauth2/v3/certs", emulator.url());
    let output = gatepass(&["verify", token, "--audience", audience, "--keys-url", &keys_url, "--json"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output.stdout));
    serde_json::from_slice::<Value>(&output.stdout).unwrap()["claims"].clone()
}

#[test]
fn a_message_arrives_as_pub_sub_pushes_it() {
    let emulator = Running::start(&[]);
    let email = "pusher@shop.iam.gserviceaccount.com";
    let options = ["--email", email, "--data", "hello", "--attribute", "kind=a=b", "--name", "orders"];
    let (request, url) = delivered("pubsub", &options);
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(body["message"]["data"], "aGVsbG8=");
    assert_eq!(body["message"]["attributes"], json!({ "kind": "a=b" }));
    assert_eq!(body["subscription"], "projects/shop/subscriptions/orders");
    assert_eq!(request.header("Content-Type"), Some("application/json"));
    assert_eq!(request.header("User-Agent"), Some("CloudPubSub-Google"));

    let claims = claims(&request, &url, &emulator);
    assert_eq!((&claims["email"], &claims["email_verified"]), (&json!(email), &json!(true)));
}

#[test]
fn a_task_arrives_as_cloud_tasks_sends_it() {
    let emulator = Running::start(&[]);
    let file = format!("{}/task.json", env!("CARGO_TARGET_TMPDIR"));
    fs::write(&file, "{}").unwrap();
    let (request, _) = delivered("tasks", &["--data", &format!("@{file}"), "--audience", "orders"]);
    assert_eq!(request.body, b"{}");
    assert_eq!(request.header("User-Agent"), Some("Google-Cloud-Tasks"));
    assert_eq!(request.header("X-CloudTasks-QueueName"), Some("queue"));
    assert_eq!(request.header("X-CloudTasks-TaskRetryCount"), Some("0"));
    // Cloud Tasks sends none unless the task has one.
    assert_eq!(request.header("Content-Type"), None);
    assert_eq!(claims(&request, "orders", &emulator)["aud"], "orders");

    let (request, _) = delivered("tasks", &["--content-type", "application/json"]);
    assert_eq!(request.header("Content-Type"), Some("application/json"));
}

#[test]
fn a_job_arrives_as_cloud_scheduler_sends_it() {
    let (request, _) = delivered("scheduler", &["--name", "nightly", "--data", "go"]);
    assert_eq!(request.body, b"go");
    assert_eq!(request.header("User-Agent"), Some("Google-Cloud-Scheduler"));
    assert_eq!(request.header("X-CloudScheduler"), Some("true"));
    assert_eq!(request.header("X-CloudScheduler-JobName"), Some("nightly"));
    assert_eq!(request.header("Content-Type"), Some("application/octet-stream"));
}

#[test]
fn an_event_arrives_as_eventarc_sends_it() {
    let emulator = Running::start(&[]);
    let (request, url) = delivered("eventarc", &["--project", "shop", "--name", "orders", "--data", "hello"]);
    assert_eq!(request.header("ce-type"), Some("google.cloud.pubsub.topic.v1.messagePublished"));
    assert_eq!(request.header("ce-source"), Some("//pubsub.googleapis.com/projects/shop/topics/orders"));
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(body["message"]["data"], "aGVsbG8=");
    let (origin, _) = url.rsplit_once('/').unwrap();
    claims(&request, origin, &emulator);

    let (request, _) = delivered("eventarc", &["--event", "audit-log"]);
    assert_eq!(request.header("ce-type"), Some("google.cloud.audit.log.v1.written"));
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(request.header("ce-id"), body["insertId"].as_str());
}

#[test]
fn a_receiver_that_fails_twice_is_tried_again() {
    for sender in ["pubsub", "tasks", "scheduler", "eventarc"] {
        let service = Service::start(|number, _| answer(if number < 2 { 500 } else { 204 }, ""));
        let output = push(sender, &service.url, &["--attempts", "5", "--min-backoff", "1"]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert_eq!(
            text(&output.stdout),
            "attempt 1: 500, next in 0.001 s\nattempt 2: 500, next in 0.002 s\nattempt 3: 204, delivered\n",
            "{sender}"
        );
        let received = service.received();
        assert_eq!(received.len(), 3);
        if sender == "tasks" {
            assert_eq!(received[2].header("X-CloudTasks-TaskRetryCount"), Some("2"));
            assert_eq!(received[2].header("X-CloudTasks-TaskPreviousResponse"), Some("500"));
        }
    }
}

#[test]
fn attempts_end_and_the_exit_code_says_so() {
    let service = Service::start(|_, _| answer(403, ""));
    let output = push("pubsub", &service.url, &["--attempts", "2", "--min-backoff", "0"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stdout), "attempt 1: 403, next in 0 s\nattempt 2: 403, given up\n");
    assert_eq!(service.received().len(), 2);
}

#[test]
fn what_one_sender_takes_for_success_another_does_not() {
    let service = Service::start(|_, _| answer(206, ""));
    assert_eq!(push("pubsub", &service.url, &[]).status.code(), Some(1));
    assert_eq!(push("tasks", &service.url, &[]).status.code(), Some(0));
}

#[test]
fn a_redirect_is_a_failure_and_is_not_followed() {
    let service = Service::start(|_, _| {
        "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
            .to_owned()
    });
    let output = push("scheduler", &service.url, &[]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stdout), "attempt 1: 302, given up\n");
    assert_eq!(service.received().len(), 1);
}

#[test]
fn a_receiver_that_is_away_is_no_answer() {
    let output = push("pubsub", "http://127.0.0.1:1/", &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).starts_with("attempt 1: no answer ("), "{}", text(&output.stdout));
}

#[test]
fn a_running_emulator_signs_with_its_own_settings() {
    let emulator = Running::start(&["--lifetime", "77"]);
    let email = "pusher@shop.iam.gserviceaccount.com";
    let (request, _) =
        delivered("pubsub", &["--emulator", &emulator.url(), "--audience", "orders", "--email", email]);
    let claims = claims(&request, "orders", &emulator);
    assert_eq!(claims["email"], email);
    assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 77);
}

/// A token that was signed here would be by a key that is no longer published.
#[test]
fn a_running_emulator_signs_with_its_key_of_the_moment() {
    let emulator = Running::start(&[]);
    for _ in 0..2 {
        assert_eq!(emulator.send("POST", "/emulator/v1/keys:rotate", "", "").status, 200);
    }
    let (request, _) = delivered("tasks", &["--emulator", &emulator.url(), "--audience", "orders"]);
    assert_eq!(claims(&request, "orders", &emulator)["aud"], "orders");
}

/// Through the front end of a private service, as on Google Cloud: the push passes if the account is an invoker and
/// the audience that of the service. Cloud Tasks has the patience for a front end that derives its keys.
#[test]
fn a_push_passes_the_front_end() {
    let service = Service::start(|_, _| answer(204, ""));
    let email = "pusher@shop.iam.gserviceaccount.com";
    let front_end = Running::start(&[
        "run",
        "--service",
        "orders",
        "--to",
        &service.url,
        "--invoker",
        email,
        "--audience",
        "own",
    ]);
    let refused = push("tasks", &front_end.url(), &["--email", email]);
    assert_eq!(text(&refused.stdout), "attempt 1: 401, given up\n");
    let passed = push("tasks", &front_end.url(), &["--email", email, "--audience", "own"]);
    assert_eq!(text(&passed.stdout), "attempt 1: 204, delivered\n");
    assert_eq!(service.received().len(), 1);
}

#[test]
fn wrong_options_are_usage_errors() {
    let to = "http://127.0.0.1:1/";
    for (arguments, word) in [
        (&["--as", "pigeon", "--to", to][..], "pubsub"),
        (&["--as", "pubsub"], "--to"),
        (&["--as", "pubsub", "--to", "127.0.0.1:1"], "http://127.0.0.1:3000/push"),
        (&["--as", "pubsub", "--to", to, "--content-type", "text/csv"], "--as tasks"),
        (&["--as", "tasks", "--to", to, "--attribute", "a=b"], "--as pubsub"),
        (&["--as", "eventarc", "--event", "audit-log", "--to", to, "--attribute", "a=b"], "--event pubsub"),
        (&["--as", "pubsub", "--to", to, "--event", "pubsub"], "--as eventarc"),
        (&["--as", "pubsub", "--to", to, "--attribute", "a"], "equals sign"),
        (&["--as", "pubsub", "--to", to, "--attempts", "0"], "--attempts"),
        (&["--as", "pubsub", "--to", to, "--data", "@/no/such/file"], "/no/such/file"),
        (&["--as", "tasks", "--to", to, "--name", "a\r\nb"], "printable"),
    ] {
        let output = gatepass(&["emulator", "push"]).args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(text(&output.stderr).contains(word), "{arguments:?}: {}", text(&output.stderr));
    }
}
