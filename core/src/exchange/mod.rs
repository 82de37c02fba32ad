//! Exchanges with the endpoints that give tokens and keys: one file per endpoint, one retry loop for all.

pub(crate) mod client;
pub(crate) mod discovery;
mod document;
pub(crate) mod gdch;
pub(crate) mod iam_credentials;
pub(crate) mod key_set;
pub(crate) mod metadata;
pub(crate) mod oauth2_token;
pub(crate) mod sts;

use std::mem;

use crate::error::{Error, ErrorCode};
use crate::json::{self, Value};
use crate::quote;
pub(crate) use crate::quote::reason as printable;
use crate::retry::{Attempts, Jitter};
use crate::secret::Secret;
use crate::signing::{Signing, Unsigned};
use crate::step::{HostFailure, HttpRequest, Millis, Now, Operation, Reply, Step, misuse};
use crate::url::Url;

/// Error codes that an endpoint means as "try again", whatever the status (seen on Google's front ends).
const TRANSIENT: [&str; 3] = ["internal_failure", "server_error", "temporarily_unavailable"];

/// One endpoint: how to ask it, and what its answer means.
pub(crate) trait Endpoint {
    /// Its name in messages.
    const WHO: &'static str;
    type Output;

    /// What the request holds that no message may show, whatever the endpoint answers.
    fn secrets(&self) -> Vec<Secret<String>> {
        Vec::new()
    }

    /// The request, made anew for each attempt: an assertion carries the time of its making.
    fn request(&self, now: Millis) -> Result<Signing<HttpRequest>, Error>;

    /// The meaning of a response. A retryable error is tried again.
    fn read(&self, now: Millis, response: &Response) -> Result<Self::Output, Error>;
}

/// A response as the host handed it over.
pub(crate) struct Response {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: crate::Secret<Vec<u8>>,
}

impl Response {
    /// The value of a header that must occur only once; repeated headers are joined as RFC 9110, section 5.3 says.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let values: Vec<&str> = self
            .headers
            .iter()
            .filter(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, v)| v.trim())
            .collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    /// `Retry-After` in seconds (RFC 9110, section 10.2.3), as milliseconds; a date is not honoured.
    pub(crate) fn retry_after_ms(&self) -> Option<u64> {
        self.header("retry-after")?.parse::<u64>().ok().map(|seconds| seconds.saturating_mul(1000))
    }

    /// The error of a response that is not 200, with the endpoint's own reason where it gives one: OAuth 2.0's form
    /// (RFC 6749, section 5.2), that of Google's APIs (AIP-193), or plain words. `who` names the endpoint.
    pub(crate) fn refusal(&self, who: &str) -> Option<Error> {
        let error = self.status_error(who)?;
        Some(
            self.own_reason(who, error.code()).or_else(|| self.own_words(who, error.code())).unwrap_or(error),
        )
    }

    fn own_reason(&self, who: &str, code: ErrorCode) -> Option<Error> {
        let [error, description] = json::members(self.body.expose(), ["error", "error_description"]).ok()?;
        let error = error?;
        let name = error.as_str().or_else(|| error.member("status")?.as_str())?;
        let text = description.as_ref().and_then(Value::as_str).or_else(|| error.member("message")?.as_str());
        let text = text.map(|text| format!(": {}", quote::reason(text))).unwrap_or_default();
        let found = format!("{who} answered {} with {}{text}", self.status, quote::reason(name));
        let transient = TRANSIENT.iter().any(|word| *word == name || text.contains(word));
        let code = if transient { ErrorCode::EndpointUnavailable } else { code };
        Some(Error::new(code, found).retry_after(self.retry_after_ms()))
    }

    /// A body of another form; the page of a web server says nothing that the status does not.
    fn own_words(&self, who: &str, code: ErrorCode) -> Option<Error> {
        let body = String::from_utf8_lossy(self.body.expose());
        let words = if body.trim_start().starts_with('<') { String::new() } else { quote::reason(&body) };
        let found = format!("{who} answered {}, expected 200: {words}", self.status);
        (!words.is_empty()).then(|| Error::new(code, found).retry_after(self.retry_after_ms()))
    }

    /// The error that the status alone gives; `None` for 200. `who` names the endpoint.
    pub(crate) fn status_error(&self, who: &str) -> Option<Error> {
        let code = match self.status {
            200 => return None,
            300..=399 => ErrorCode::RedirectRefused,
            408 | 429 | 500 | 502 | 503 | 504 => ErrorCode::EndpointUnavailable,
            _ => ErrorCode::TokenRefused,
        };
        let status = self.status;
        Some(
            Error::new(code, format!("{who} answered {status}, expected 200"))
                .retry_after(self.retry_after_ms()),
        )
    }
}

/// Asks one endpoint until it answers, within the retry policy.
pub(crate) struct Exchange<E> {
    endpoint: E,
    course: Course,
}

impl<E: Endpoint> Exchange<E> {
    pub(crate) fn new(endpoint: E, jitter: Jitter) -> Self {
        Self { endpoint, course: Course { attempts: Attempts::new(jitter), state: State::Ready } }
    }

    fn settle(&mut self, error: Error) -> Step<E::Output> {
        let error = error.without(&self.endpoint.secrets());
        match self.course.attempts.after(&error) {
            Some(delay_ms) => {
                self.course.state = State::Waiting;
                Step::Wait { delay_ms }
            }
            None => Step::Fail(error),
        }
    }
}

impl<E: Endpoint> Operation for Exchange<E> {
    type Output = E::Output;

    fn resume(&mut self, now: Now, reply: Reply) -> Step<E::Output> {
        match self.course.turn(E::WHO, reply) {
            Turn::Ask => match self.endpoint.request(now.unix) {
                Ok(Signing::Done(request)) => self.course.send(request),
                Ok(Signing::Open(unsigned)) => self.course.have_signed(unsigned),
                Err(error) => Step::Fail(error),
            },
            Turn::Send(request) => self.course.send(request),
            Turn::Read(response) => match self.endpoint.read(now.unix, &response) {
                Ok(output) => Step::Done(output),
                Err(error) => self.settle(error),
            },
            Turn::Settle(error) => self.settle(error),
            Turn::Fail(error) => Step::Fail(error),
        }
    }
}

/// How an exchange goes: what is the same for all endpoints, so that there is one of it in a program.
struct Course {
    attempts: Attempts,
    state: State,
}

enum State {
    Ready,
    /// The host is signing what the request holds.
    Unsigned(Box<Unsigned<HttpRequest>>),
    Sent {
        /// Where to: host and port.
        place: String,
        /// The file of the certificate that the host presents, if any.
        certificate: Option<String>,
    },
    Waiting,
    Ended,
}

/// What comes next.
enum Turn {
    Ask,
    Send(HttpRequest),
    Read(Response),
    /// The attempt has failed; there may be another one.
    Settle(Error),
    /// So has the exchange.
    Fail(Error),
}

impl Course {
    fn send<T>(&mut self, request: HttpRequest) -> Step<T> {
        let certificate = request.client_certificate.as_ref().map(|files| files.cert_path.clone());
        let place = Url::parse(&request.url).map(|url| url.place()).unwrap_or_default();
        self.state = State::Sent { place, certificate };
        Step::Send(request)
    }

    fn have_signed<T>(&mut self, unsigned: Unsigned<HttpRequest>) -> Step<T> {
        let step = unsigned.step();
        self.state = State::Unsigned(Box::new(unsigned));
        step
    }

    fn turn(&mut self, who: &str, reply: Reply) -> Turn {
        match (mem::replace(&mut self.state, State::Ended), reply) {
            (State::Ready, Reply::Start) | (State::Waiting, Reply::Elapsed) => Turn::Ask,
            (State::Unsigned(unsigned), reply) => match unsigned.answered(reply) {
                Ok(request) => Turn::Send(request),
                Err(error) => Turn::Fail(error),
            },
            (State::Sent { .. }, Reply::Response { status, headers, body }) => {
                Turn::Read(Response { status, headers, body })
            }
            (
                State::Sent { certificate: Some(path), .. },
                Reply::Failed { kind: HostFailure::Other, message },
            ) => {
                let found = format!(
                    "the client certificate {} cannot be presented: {}",
                    quote::unread_path(&path),
                    quote::reason(&message)
                );
                Turn::Settle(Error::new(ErrorCode::ClientCertificateUnusable, found))
            }
            (State::Sent { place, .. }, Reply::Failed { kind, message }) => {
                Turn::Settle(host_error(kind, &message, &place).within(who))
            }
            (State::Waiting, Reply::Failed { kind, message }) => {
                Turn::Fail(host_error(kind, &message, "").within(who))
            }
            (State::Ready, other) => Turn::Fail(misuse("Start", &other)),
            (State::Sent { .. }, other) => Turn::Fail(misuse("Response or Failed", &other)),
            (State::Waiting, other) => Turn::Fail(misuse("Elapsed", &other)),
            (State::Ended, other) => Turn::Fail(misuse("nothing: the operation has ended", &other)),
        }
    }
}

/// The error for a step that the host could not carry out; a request led to `place`.
fn host_error(kind: HostFailure, message: &str, place: &str) -> Error {
    let code = match kind {
        HostFailure::UntrustedCertificate => {
            let found = format!(
                "{}: the certificate is not trusted; if it is right, as that of a proxy that inspects TLS, name the \
                 authority by SSL_CERT_FILE (in Python also REQUESTS_CA_BUNDLE), in Node.js by NODE_EXTRA_CA_CERTS, in \
                 Java by its trust store",
                quote::reason(message)
            );
            return Error::new(ErrorCode::ConnectionFailed, found).permanent();
        }
        HostFailure::Timeout => ErrorCode::Timeout,
        HostFailure::TooLarge => ErrorCode::ResponseTooLarge,
        HostFailure::Unsupported => ErrorCode::Unsupported,
        HostFailure::Connect | HostFailure::NotFound | HostFailure::PermissionDenied | HostFailure::Other => {
            ErrorCode::ConnectionFailed
        }
    };
    let reason = quote::reason(message);
    // The commonest one has other words in each language.
    let words = reason.to_ascii_lowercase();
    if words.contains("connection refused") || words.contains("econnrefused") {
        return Error::new(code, format!("the connection to {place} was refused: nothing listens there"));
    }
    Error::new(code, reason)
}

/// Why a file could not be read, with the operating system's own reason where that says more.
pub(crate) fn unreadable(kind: HostFailure, message: &str, path: &str) -> String {
    let found = match kind {
        HostFailure::NotFound => return "does not exist".to_owned(),
        HostFailure::PermissionDenied => return "may not be read by this process".to_owned(),
        HostFailure::TooLarge => return "is larger than 1 MiB".to_owned(),
        HostFailure::Timeout => "could not be read in time",
        _ => "cannot be read",
    };
    // Some systems repeat the path, which has been shown, perhaps in quotes and with escapes.
    let escaped = format!("{path:?}");
    let message = message.replace(path, "it").replace(escaped.trim_matches('"'), "it");
    let reason = quote::reason(&message);
    if reason.is_empty() { found.to_owned() } else { format!("{found}: {reason}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_connection_has_the_same_words_in_every_language() {
        for message in [
            "connect ECONNREFUSED 127.0.0.1:1",
            "Connection refused (os error 111)",
            "java.net.ConnectException: Connection refused",
        ] {
            let error = host_error(HostFailure::Connect, message, "127.0.0.1:1");
            assert_eq!(error.detail(), "the connection to 127.0.0.1:1 was refused: nothing listens there");
        }
        assert_eq!(host_error(HostFailure::Connect, "no route", "127.0.0.1:1").detail(), "no route");
    }

    #[test]
    fn a_file_that_cannot_be_read_is_said_to_be_so_in_plain_words() {
        for (kind, message, words) in [
            (HostFailure::NotFound, "ENOENT", "does not exist"),
            (HostFailure::PermissionDenied, "EACCES", "may not be read by this process"),
            (HostFailure::TooLarge, "", "is larger than 1 MiB"),
            (HostFailure::Timeout, "", "could not be read in time"),
            (HostFailure::Other, "", "cannot be read"),
            (HostFailure::Other, "/run/f: is a directory", "cannot be read: it: is a directory"),
        ] {
            assert_eq!(unreadable(kind, message, "/run/f"), words);
        }
    }
}
