//! Cloud Tasks with an HTTP target, <https://cloud.google.com/tasks/docs/creating-http-target-tasks#handler>.

use std::time::Duration;

use super::{BackOff, Delivery, Policy, Success};
use crate::http::Request;

/// What a new queue has, which makes 100 attempts:
/// <https://cloud.google.com/tasks/docs/configuring-queues#retry>.
pub(super) fn policy() -> Policy {
    Policy {
        success: Success::Any2xx,
        back_off: BackOff {
            min: Duration::from_millis(100),
            max: Duration::from_secs(3600),
            max_doublings: Some(16),
        },
        // `dispatchDeadline` of a task with an HTTP target.
        deadline: Duration::from_secs(600),
    }
}

/// Cloud Tasks sets no `Content-Type`; who creates the task may.
pub(super) fn request(delivery: &Delivery) -> Request {
    let push = &delivery.push;
    let due_at = delivery.due_at;
    let mut request = delivery
        .post(push.data.clone())
        .with_header("User-Agent", "Google-Cloud-Tasks")
        .with_header("X-CloudTasks-QueueName", &push.name)
        .with_header("X-CloudTasks-TaskName", &delivery.id)
        .with_header("X-CloudTasks-TaskRetryCount", &delivery.failures.to_string())
        // Answers with a server error do not count as executions.
        .with_header("X-CloudTasks-TaskExecutionCount", &delivery.executions.to_string())
        .with_header("X-CloudTasks-TaskETA", &format!("{}.{:06}", due_at.as_secs(), due_at.subsec_micros()));
    if let Some(content_type) = &push.content_type {
        request = request.with_header("Content-Type", content_type);
    }
    if let Some(status) = delivery.previous_status {
        request = request.with_header("X-CloudTasks-TaskPreviousResponse", &status.to_string());
    }
    request
}
