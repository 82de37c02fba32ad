//! Cloud Scheduler with an HTTP target,
//! <https://cloud.google.com/scheduler/docs/reference/rest/v1/projects.locations.jobs#HttpTarget>.

use std::time::Duration;

use super::{BackOff, Delivery, Policy, Success};
use crate::http::Request;
use crate::time::UnixSeconds;

/// What a new job has. It does not retry unless it is told to, and then at most five times:
/// <https://cloud.google.com/scheduler/docs/reference/rest/v1/projects.locations.jobs#RetryConfig>.
pub(super) fn policy() -> Policy {
    Policy {
        success: Success::Any2xx,
        back_off: BackOff {
            min: Duration::from_secs(5),
            max: Duration::from_secs(3600),
            max_doublings: Some(5),
        },
        // `attemptDeadline` of a job with an HTTP target.
        deadline: Duration::from_secs(180),
    }
}

pub(super) fn request(delivery: &Delivery) -> Request {
    let push = &delivery.push;
    let request = delivery
        .post(push.data.clone())
        .with_header("User-Agent", "Google-Cloud-Scheduler")
        .with_header("X-CloudScheduler", "true")
        .with_header("X-CloudScheduler-JobName", &push.name)
        // The time for which the job was scheduled stays the same when it is tried again.
        .with_header(
            "X-CloudScheduler-ScheduleTime",
            &UnixSeconds(delivery.published_at.as_secs()).rfc3339(),
        );
    match &push.content_type {
        Some(content_type) => request.with_header("Content-Type", content_type),
        None if push.data.is_empty() => request,
        None => request.with_header("Content-Type", "application/octet-stream"),
    }
}
