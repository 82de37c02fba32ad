//! Google's senders of HTTP requests: Pub/Sub, Cloud Tasks, Cloud Scheduler and Eventarc, each with its own headers, its
//! own envelope, its own idea of success and its own patience.
//!
//! A [`Delivery`] is one message on its way. It reads no clock and sends nothing: it gives the request of the next
//! attempt, takes what came of it, and says when to try again. All times are durations since 1970-01-01T00:00:00Z, for
//! some back-offs are shorter than a second.

mod back_off;
mod cloud_scheduler;
mod cloud_tasks;
mod eventarc;
mod pub_sub;

use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::ServiceAccount;
use crate::http::Request;
use crate::keys::KeyError;
use crate::mint::IdToken;
use crate::service_account::DEFAULT_PROJECT_ID;
use crate::time::UnixSeconds;

pub use self::back_off::BackOff;

/// Who sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// A push subscription of Pub/Sub, which wraps the message in JSON.
    PubSub,
    /// A queue of Cloud Tasks.
    CloudTasks,
    /// A job of Cloud Scheduler.
    CloudScheduler,
    /// A trigger of Eventarc for messages of a Pub/Sub topic.
    EventarcPubSub,
    /// A trigger of Eventarc for entries of Cloud Audit Logs.
    EventarcAuditLog,
}

/// What tells one sender from another besides its requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The statuses that say: received, do not send again.
    pub success: Success,
    /// How long to wait before the next attempt.
    pub back_off: BackOff,
    /// How long the receiver may take for its answer.
    pub deadline: Duration,
}

/// Which statuses count as received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Success {
    /// 200 to 299.
    Any2xx,
    /// These alone.
    OneOf(&'static [u16]),
}

impl Success {
    /// Tells whether `status` counts as received.
    pub fn contains(&self, status: u16) -> bool {
        match self {
            Self::Any2xx => (200..300).contains(&status),
            Self::OneOf(statuses) => statuses.contains(&status),
        }
    }
}

impl Sender {
    /// Gives what Google documents of this sender's defaults.
    pub fn policy(self) -> Policy {
        match self {
            Self::PubSub => pub_sub::policy(),
            Self::CloudTasks => cloud_tasks::policy(),
            Self::CloudScheduler => cloud_scheduler::policy(),
            Self::EventarcPubSub | Self::EventarcAuditLog => eventarc::policy(),
        }
    }

    /// Gives the audience of the token when nobody has chosen one. For Eventarc that is the address of the service; for
    /// all others the whole URL that they call.
    pub fn default_audience(self, url: &str) -> &str {
        match self {
            Self::EventarcPubSub | Self::EventarcAuditLog => origin(url),
            Self::PubSub | Self::CloudTasks | Self::CloudScheduler => url,
        }
    }
}

/// What to deliver. [`Push::new`] fills in the defaults; change what you like.
#[derive(Clone, Debug)]
pub struct Push {
    /// Who sends.
    pub sender: Sender,
    /// The URL that is called.
    pub url: String,
    /// The audience of the token.
    pub audience: String,
    /// The principal of the token: the service account of the subscription, queue, job or trigger.
    pub account: ServiceAccount,
    /// The name of the subscription, queue, job or trigger.
    pub name: String,
    /// The project in which that is.
    pub project_id: String,
    /// The data of a message, or the body of a task or job. For an entry of Cloud Audit Logs the whole entry in JSON;
    /// when that is empty, an entry about a new object in Cloud Storage is made up.
    pub data: Vec<u8>,
    /// The attributes of a Pub/Sub message. The other senders have none.
    pub attributes: Vec<(String, String)>,
    /// The media type of a task's or a job's body. Pub/Sub and Eventarc send JSON.
    pub content_type: Option<String>,
}

impl Push {
    /// Starts a message of `sender` to `url` in the name of `account`, with no data.
    pub fn new(sender: Sender, url: &str, account: &ServiceAccount) -> Self {
        let name = match sender {
            Sender::PubSub => "subscription",
            Sender::CloudTasks => "queue",
            Sender::CloudScheduler => "job",
            Sender::EventarcPubSub | Sender::EventarcAuditLog => "trigger",
        };
        Self {
            sender,
            url: url.to_owned(),
            audience: sender.default_audience(url).to_owned(),
            account: account.clone(),
            name: name.to_owned(),
            project_id: account.project_id().unwrap_or(DEFAULT_PROJECT_ID).to_owned(),
            data: Vec::new(),
            attributes: Vec::new(),
            content_type: None,
        }
    }

    /// Signs the token that goes with an attempt: with e-mail, for an hour, as all of these senders do.
    pub fn token(&self, now: Duration) -> Result<String, KeyError> {
        let issued_at = UnixSeconds(now.as_secs());
        IdToken::google(&self.account, &self.audience, issued_at, Duration::from_secs(3600)).sign()
    }
}

/// A message on its way.
#[derive(Clone, Debug)]
pub struct Delivery {
    push: Push,
    policy: Policy,
    max_attempts: u32,
    /// Names the message, and stays the same however often it is sent.
    id: String,
    published_at: Duration,
    due_at: Duration,
    /// How often it was sent in vain.
    failures: u32,
    /// How often the receiver answered with something else than a server error.
    executions: u32,
    previous_status: Option<u16>,
}

/// What comes next in a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Send again at this time.
    RetryAt(Duration),
    /// The receiver has it.
    Delivered,
    /// There are no attempts left.
    GivenUp,
}

impl Delivery {
    /// Starts a delivery that is due at once and makes at most `max_attempts` attempts, by `policy`.
    pub fn new(push: Push, policy: Policy, max_attempts: u32, now: Duration) -> Self {
        Self {
            id: message_id(&push, now),
            push,
            policy,
            max_attempts,
            published_at: now,
            due_at: now,
            failures: 0,
            executions: 0,
            previous_status: None,
        }
    }

    /// Gives the request of the attempt that is due, to be sent with `token` to [`Push::url`].
    pub fn request(&self, token: &str) -> Request {
        let request = match self.push.sender {
            Sender::PubSub => pub_sub::request(self),
            Sender::CloudTasks => cloud_tasks::request(self),
            Sender::CloudScheduler => cloud_scheduler::request(self),
            Sender::EventarcPubSub => eventarc::message_published(self),
            Sender::EventarcAuditLog => eventarc::log_written(self),
        };
        request.with_header("Authorization", &format!("Bearer {token}"))
    }

    /// Takes the status of the answer, or nothing if there was none, and says how the delivery goes on.
    pub fn record(&mut self, status: Option<u16>, now: Duration) -> Progress {
        if status.is_some_and(|status| self.policy.success.contains(status)) {
            return Progress::Delivered;
        }
        self.previous_status = status;
        if status.is_some_and(|status| status < 500) {
            self.executions = self.executions.saturating_add(1);
        }
        self.due_at = now.saturating_add(self.policy.back_off.before_retry(self.failures));
        self.failures = self.failures.saturating_add(1);
        if self.failures < self.max_attempts { Progress::RetryAt(self.due_at) } else { Progress::GivenUp }
    }

    /// Starts the request: the part of the URL that goes to the receiver, with `body`.
    fn post(&self, body: impl Into<Vec<u8>>) -> Request {
        let target = self.push.url.get(origin(&self.push.url).len()..).unwrap_or_default();
        let target = target.split('#').next().unwrap_or_default();
        if target.starts_with('/') {
            Request::post(target, body)
        } else {
            Request::post(&format!("/{target}"), body)
        }
    }
}

/// Scheme, host and port.
fn origin(url: &str) -> &str {
    let authority = url.find("://").map_or(0, |colon| colon + 3);
    let end = url.get(authority..).and_then(|rest| rest.find(['/', '?', '#']));
    end.and_then(|end| url.get(..authority + end)).unwrap_or(url)
}

/// Sixteen digits, as Pub/Sub's have.
fn message_id(push: &Push, now: Duration) -> String {
    let digest = Sha256::new()
        .chain_update(now.as_nanos().to_be_bytes())
        .chain_update(&push.url)
        .chain_update(&push.data)
        .finalize();
    let number = digest.iter().take(8).fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
    format!("{:016}", number % 10_u64.pow(16))
}

/// RFC 3339 with milliseconds: `2027-01-15T08:00:00.250Z`.
fn rfc3339_millis(time: Duration) -> String {
    let seconds = UnixSeconds(time.as_secs()).rfc3339();
    format!("{}.{:03}Z", seconds.trim_end_matches('Z'), time.subsec_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_origin_ends_before_path_query_and_fragment() {
        for url in ["http://a:1", "http://a:1/", "http://a:1/b?c", "http://a:1?c", "http://a:1#d/"] {
            assert_eq!(origin(url), "http://a:1", "{url}");
        }
    }

    #[test]
    fn the_target_is_what_follows_the_origin_without_the_fragment() {
        let account = ServiceAccount::default();
        for (url, path, query) in
            [("http://a", "/", ""), ("http://a/b/c?d=e#f", "/b/c", "d=e"), ("http://a?d=e", "/", "d=e")]
        {
            let push = Push::new(Sender::PubSub, url, &account);
            let delivery = Delivery::new(push, Sender::PubSub.policy(), 1, Duration::ZERO);
            let request = delivery.post("");
            assert_eq!((request.path.as_str(), request.query.as_str()), (path, query), "{url}");
        }
    }

    #[test]
    fn milliseconds_are_written_out() {
        assert_eq!(rfc3339_millis(Duration::from_millis(1_800_000_000_007)), "2027-01-15T08:00:00.007Z");
    }
}
