//! `gatepass emulator push`: one signed request, sent as Google's senders do.

use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{fs, thread};

use clap::{Args, ValueEnum, value_parser};
use gatepass_emulator::ServiceAccount;
use gatepass_emulator::http::Request;
use gatepass_emulator::push::{Delivery, Progress, Push, Sender};
use gatepass_emulator::service_account::DEFAULT_EMAIL;
use serde_json::{Value, json};
use ureq::Agent;

use super::base_url;
use crate::Failure;
use crate::output::print;

/// How long an emulator may take to sign a token: one that has just started derives its keys first.
const MINT_TIMEOUT: Duration = Duration::from_secs(60);

/// Deliver one signed request to a service, as Pub/Sub, Cloud Tasks, Cloud Scheduler or Eventarc does.
///
/// With that sender's headers and envelope, and an ID token of the emulator that names the service account. Prints a
/// line for each attempt. The exit code is 0 if the service has taken the request, and 1 if it has not.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    gatepass emulator push --as pubsub --to http://127.0.0.1:3000/push --data hello --attribute kind=test\n  \
    gatepass emulator push --as tasks --to http://127.0.0.1:3000/task --data @task.json \\\n    \
    --content-type application/json --audience https://orders.example --attempts 5\n  \
    gatepass emulator push --as eventarc --event audit-log --to http://127.0.0.1:3000/")]
pub(super) struct Options {
    /// The URL to call
    #[arg(long, value_name = "URL", value_parser = http_url)]
    to: String,
    /// Who sends
    #[arg(long = "as", value_enum, value_name = "SENDER")]
    sender: SenderName,
    /// The audience of the token [default: what the sender takes: the URL, or for eventarc scheme and host of it]
    #[arg(long, value_parser = printable)]
    audience: Option<String>,
    /// The service account of the subscription, queue, job or trigger
    #[arg(long, default_value = DEFAULT_EMAIL)]
    email: ServiceAccount,
    /// The name of the subscription, queue, job or trigger [default: subscription, queue, job or trigger]
    #[arg(long, value_parser = printable)]
    name: Option<String>,
    /// The project that it is in [default: the one in the e-mail]
    #[arg(long, value_parser = printable)]
    project: Option<String>,
    /// The data of the message, or the body of the task or job: a text, or the content of a file. For an audit log
    /// the entry in JSON [default: none, and for an audit log an example]
    #[arg(long, value_name = "TEXT|@FILE")]
    data: Option<String>,
    /// An attribute of the message, for pubsub and eventarc (may be repeated)
    #[arg(long, value_name = "KEY=VALUE", value_parser = attribute)]
    attribute: Vec<(String, String)>,
    /// The media type of the body, for tasks and scheduler
    #[arg(long, value_name = "TYPE", value_parser = printable)]
    content_type: Option<String>,
    /// Which event, for eventarc [default: pubsub]
    #[arg(long, value_enum)]
    event: Option<Event>,

    /// How many attempts at most. The waits between them are the sender's defaults
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = value_parser!(u32).range(1..))]
    attempts: u32,
    /// The first wait, instead of the sender's
    #[arg(long, value_name = "MILLISECONDS")]
    min_backoff: Option<u64>,
    /// An emulator that runs, to sign the tokens [default: signed here, with the same keys]
    #[arg(long, value_name = "URL", value_parser = base_url)]
    emulator: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SenderName {
    /// A push subscription of Pub/Sub, with the message wrapped
    Pubsub,
    /// Cloud Tasks with an HTTP target
    Tasks,
    /// Cloud Scheduler with an HTTP target
    Scheduler,
    /// Eventarc: a CloudEvent in binary mode
    Eventarc,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Event {
    /// A message was published to a topic
    Pubsub,
    /// An entry was written to Cloud Audit Logs
    AuditLog,
}

impl Options {
    pub(super) fn run(self) -> Result<(), Failure> {
        let push = self.push()?;
        let mut policy = push.sender.policy();
        if let Some(milliseconds) = self.min_backoff {
            policy.back_off.min = Duration::from_millis(milliseconds);
        }
        let deadline = policy.deadline;
        let mut delivery = Delivery::new(push.clone(), policy, self.attempts, now());
        for attempt in 1..=self.attempts {
            let request = delivery.request(&self.token(&push)?);
            let outcome = send(&push.url, request, deadline);
            let shown = match &outcome {
                Ok(status) => status.to_string(),
                Err(error) => format!("no answer ({error})"),
            };
            let answered_at = now();
            match delivery.record(outcome.ok(), answered_at) {
                Progress::Delivered => return print(&format!("attempt {attempt}: {shown}, delivered\n")),
                Progress::GivenUp => print(&format!("attempt {attempt}: {shown}, given up\n"))?,
                Progress::RetryAt(due_at) => {
                    let wait = due_at.saturating_sub(answered_at);
                    print(&format!("attempt {attempt}: {shown}, next in {} s\n", wait.as_secs_f64()))?;
                    thread::sleep(wait);
                }
            }
        }
        Err(Failure::silent())
    }

    fn push(&self) -> Result<Push, Failure> {
        self.refuse_options_of_other_senders()?;
        let sender = match (self.sender, self.event) {
            (SenderName::Pubsub, _) => Sender::PubSub,
            (SenderName::Tasks, _) => Sender::CloudTasks,
            (SenderName::Scheduler, _) => Sender::CloudScheduler,
            (SenderName::Eventarc, Some(Event::AuditLog)) => Sender::EventarcAuditLog,
            (SenderName::Eventarc, _) => Sender::EventarcPubSub,
        };
        let mut push = Push::new(sender, &self.to, &self.email);
        for (member, option) in [
            (&mut push.audience, &self.audience),
            (&mut push.name, &self.name),
            (&mut push.project_id, &self.project),
        ] {
            if let Some(value) = option {
                member.clone_from(value);
            }
        }
        if let Some(data) = &self.data {
            push.data = content(data)?;
        }
        push.attributes.clone_from(&self.attribute);
        push.content_type.clone_from(&self.content_type);
        Ok(push)
    }

    /// An option that changes nothing is a mistake that somebody should hear of.
    fn refuse_options_of_other_senders(&self) -> Result<(), Failure> {
        let is = |sender| self.sender == sender;
        let has_message = is(SenderName::Pubsub) || is(SenderName::Eventarc);
        for (given, option, fits, place) in [
            (
                !self.attribute.is_empty(),
                "--attribute",
                has_message && self.event != Some(Event::AuditLog),
                "a message: --as pubsub, or --as eventarc --event pubsub",
            ),
            (self.content_type.is_some(), "--content-type", !has_message, "--as tasks and --as scheduler"),
            (self.event.is_some(), "--event", is(SenderName::Eventarc), "--as eventarc"),
        ] {
            if given && !fits {
                return Err(Failure::usage(format!("{option} has no meaning here; it goes with {place}")));
            }
        }
        Ok(())
    }

    fn token(&self, push: &Push) -> Result<String, Failure> {
        match &self.emulator {
            Some(emulator) => mint(emulator, push),
            None => push.token(now()).map_err(|error| Failure::runtime(error.to_string())),
        }
    }
}

/// Has a running emulator sign the token.
fn mint(emulator: &str, push: &Push) -> Result<String, Failure> {
    let url = format!("{emulator}/emulator/v1/mint");
    let order = json!({ "claims": { "aud": push.audience, "email": push.account.email() } });
    let config = Agent::config_builder().timeout_global(Some(MINT_TIMEOUT)).proxy(None).build();
    let answer = config
        .new_agent()
        .post(&url)
        .send(order.to_string())
        .and_then(|mut answer| answer.body_mut().read_to_string())
        .map_err(|error| {
            Failure::runtime(format!("{url}: {error}. Is an emulator running there? --emulator says where"))
        })?;
    let answer: Option<Value> = serde_json::from_str(&answer).ok();
    let token = answer.as_ref().and_then(|answer| answer.get("token")?.as_str());
    token.map(str::to_owned).ok_or_else(|| Failure::runtime(format!("{url} gave no token")))
}

/// Sends one attempt, and gives the status of the answer. Redirects are not followed: the token is for this URL.
fn send(url: &str, request: Request, deadline: Duration) -> Result<u16, ureq::Error> {
    let config = Agent::config_builder()
        .max_redirects(0)
        .http_status_as_error(false)
        .timeout_global(Some(deadline))
        .proxy(None)
        .build();
    let mut builder = config.new_agent().post(url);
    for (name, value) in request.headers {
        builder = builder.header(name, value);
    }
    Ok(builder.send(request.body.as_slice())?.status().as_u16())
}

/// Gives a text as it is, or what is in the file that follows an at sign.
fn content(text: &str) -> Result<Vec<u8>, Failure> {
    let Some(path) = text.strip_prefix('@') else { return Ok(text.as_bytes().to_vec()) };
    fs::read(path).map_err(|error| Failure::usage(format!("cannot read {path}, which --data names: {error}")))
}

fn http_url(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    match rest {
        Some(rest) if !rest.is_empty() => printable(text),
        _ => Err("expected a URL, such as http://127.0.0.1:3000/push".to_owned()),
    }
}

/// Reads a text that can be in a header and in a line for a shell.
pub(super) fn printable(text: &str) -> Result<String, String> {
    if !text.is_empty() && text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        Ok(text.to_owned())
    } else {
        Err("expected printable ASCII characters".to_owned())
    }
}

fn attribute(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("expected a key, an equals sign and a value, such as kind=test".to_owned()),
    }
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
