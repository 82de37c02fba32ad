//! The resumable operation: the one way in which the core reaches the outside world.
//!
//! ```text
//!            resume(now, Start)              resume(now, reply of the step's kind, or Failed)
//!   created ───────────────────▶ waiting for a reply ──────────────────────────────┐
//!                                   ▲        │                                     │
//!                                   └────────┴──── any other Step ◀────────────────┤
//!                                                  Step::Done / Step::Fail (ended) ◀┘
//! ```
//!
//! The contract:
//! 1. `resume(Start)` comes first, then one reply per step, of the step's kind or [`Reply::Failed`]. Anything
//!    else gives [`Step::Fail`] with [`ErrorCode::ApiMisuse`], never a panic.
//! 2. Dropping an operation cancels it.
//! 3. `now` holds the readings of two clocks ([`Now`]). The wall clock may jump forwards or backwards; it is only ever
//!    compared.
//! 4. The host follows no redirects, caps a body at [`BODY_LIMIT`], and logs no step and no reply: they hold
//!    secrets.
//! 5. A host that does not know a step answers `Failed` with [`HostFailure::Unsupported`].

use std::borrow::Cow;
use std::fmt;

use crate::error::{Error, ErrorCode};
use crate::secret::Secret;

/// The most bytes of a response body or a file that a host hands over; more is [`HostFailure::TooLarge`].
pub const BODY_LIMIT: usize = 1024 * 1024;

/// Longest wait for a file: it may be on a network's file system, and that may be gone.
const FILE_TIMEOUT_MS: u64 = 5_000;

/// The most bytes of a program's standard error that a host hands over; the rest is dropped.
pub const STDERR_LIMIT: usize = 64 * 1024;

/// Unix time in milliseconds. The core reads no clock: the host supplies it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Millis(pub u64);

impl Millis {
    /// The moment `seconds` after the epoch.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn as_secs(self) -> u64 {
        self.0 / 1000
    }

    /// This moment and `millis` more; stops at the end of time instead of wrapping.
    #[must_use]
    pub const fn plus(self, millis: u64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// This moment less `millis`; stops at the epoch instead of wrapping.
    #[must_use]
    pub const fn minus(self, millis: u64) -> Self {
        Self(self.0.saturating_sub(millis))
    }

    /// Milliseconds from `earlier` to this moment; 0 when it is not earlier.
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// Milliseconds of a clock that is never set, counted from any moment: only differences mean something.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Monotonic(pub u64);

/// The host's two clocks, read together.
///
/// What tokens say (`exp`, `iat`, `nbf`) is measured by the wall clock, which somebody may set. Ages and pauses are
/// measured by both: see [`Deadline`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Now {
    /// The wall clock.
    pub unix: Millis,
    /// The clock that is never set. It may stop while the machine is suspended.
    pub monotonic: Monotonic,
}

impl Now {
    /// A reading of two clocks that go together, as in a simulation whose wall clock is never set.
    pub const fn steady(unix: Millis) -> Self {
        Self { unix, monotonic: Monotonic(unix.0) }
    }

    /// The moment `millis` from now.
    pub const fn after(self, millis: u64) -> Deadline {
        Deadline {
            unix: self.unix.plus(millis),
            monotonic: Monotonic(self.monotonic.0.saturating_add(millis)),
        }
    }

    /// The moment at which the wall clock will show `unix`, if nobody sets it; now, if that is past.
    pub const fn until(self, unix: Millis) -> Deadline {
        self.after(unix.since(self.unix))
    }
}

/// A moment to come, by both clocks. It has come as soon as either says so.
///
/// A wall clock that is set back does not keep an age from passing, because the monotonic clock goes on; a monotonic
/// clock that stops while the machine is suspended does not either, because the wall clock has jumped when it wakes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Deadline {
    /// By the wall clock.
    pub unix: Millis,
    /// By the clock that is never set.
    pub monotonic: Monotonic,
}

impl Deadline {
    /// Whether the moment has come.
    pub const fn has_come(self, now: Now) -> bool {
        now.unix.0 >= self.unix.0 || now.monotonic.0 >= self.monotonic.0
    }

    /// The moment `millis` later.
    #[must_use]
    pub const fn plus(self, millis: u64) -> Self {
        Self { unix: self.unix.plus(millis), monotonic: Monotonic(self.monotonic.0.saturating_add(millis)) }
    }

    /// The moment `millis` earlier.
    #[must_use]
    pub const fn minus(self, millis: u64) -> Self {
        Self { unix: self.unix.minus(millis), monotonic: Monotonic(self.monotonic.0.saturating_sub(millis)) }
    }
}

/// Something that may need the outside world. See the [crate](crate) for the contract.
pub trait Operation {
    /// What the operation is for.
    type Output;

    /// Takes the host's reply to the last step and says what the host must do next.
    fn resume(&mut self, now: Now, reply: Reply) -> Step<Self::Output>;
}

/// What the host must do next. `Done` and `Fail` end the operation; every other step wants exactly one [`Reply`].
#[non_exhaustive]
#[must_use]
#[derive(Debug)]
pub enum Step<T> {
    /// Read these environment variables; answer [`Reply::Env`] with those that are set.
    ReadEnv {
        /// The names of the variables.
        names: &'static [&'static str],
    },
    /// Read this file whole; answer [`Reply::Text`].
    ReadFile {
        /// An absolute path, or one relative to the process's working directory.
        path: String,
        /// Milliseconds after which the host answers `Failed` with `Timeout`: the file may be on a dead mount.
        timeout_ms: u64,
    },
    /// Send this request; answer [`Reply::Response`], whatever its status.
    Send(HttpRequest),
    /// Run this program without a shell; answer [`Reply::Exited`].
    Run {
        /// The program and its arguments.
        argv: Vec<String>,
        /// Variables added to the host's environment.
        env: Vec<(String, String)>,
        /// Milliseconds after which the host ends the program and answers `Failed` with `Timeout`.
        timeout_ms: u64,
    },
    /// Ask the user's own function for a subject token; answer [`Reply::Text`].
    Supply {
        /// The name under which the user registered the function.
        supplier: String,
        /// The audience of the workload identity pool provider.
        audience: String,
        /// The subject token type that is expected (RFC 8693, section 3).
        token_type: String,
        /// Milliseconds after which the host answers `Failed` with `Timeout`.
        timeout_ms: u64,
    },
    /// Check this signature; answer [`Reply::Checked`]. Only an operation that a host has chosen for it asks
    /// ([`TokenCheck`](crate::TokenCheck)). A host that cannot, for want of the algorithm or for any other reason, answers
    /// `Failed`: the core checks the signature itself then, if it computes.
    CheckSignature(SignatureToCheck),
    /// Sign these bytes; answer [`Reply::Signed`]. Only a core that is built to compute no signatures asks
    /// (docs/adr/0008-signatures-by-the-host.md).
    Sign(DataToSign),
    /// Do nothing for this long, by the monotonic clock; answer [`Reply::Elapsed`]. No host has a retry loop of its own.
    Wait {
        /// Milliseconds.
        delay_ms: u64,
    },
    /// The operation has succeeded.
    Done(T),
    /// The operation has failed.
    Fail(Error),
}

impl<T> From<Result<T, Error>> for Step<T> {
    /// The end of an operation.
    fn from(result: Result<T, Error>) -> Self {
        match result {
            Ok(output) => Self::Done(output),
            Err(error) => Self::Fail(error),
        }
    }
}

impl<T> Step<T> {
    /// Hands a step of an inner operation on to the host, or gives the inner operation's output to `next`.
    pub fn and_then<U>(self, next: impl FnOnce(T) -> Step<U>) -> Step<U> {
        match self {
            Self::ReadEnv { names } => Step::ReadEnv { names },
            Self::ReadFile { path, timeout_ms } => Step::ReadFile { path, timeout_ms },
            Self::Send(request) => Step::Send(request),
            Self::Run { argv, env, timeout_ms } => Step::Run { argv, env, timeout_ms },
            Self::Supply { supplier, audience, token_type, timeout_ms } => {
                Step::Supply { supplier, audience, token_type, timeout_ms }
            }
            Self::CheckSignature(signature) => Step::CheckSignature(signature),
            Self::Sign(data) => Step::Sign(data),
            Self::Wait { delay_ms } => Step::Wait { delay_ms },
            Self::Done(output) => next(output),
            Self::Fail(error) => Step::Fail(error),
        }
    }

    /// Read this file, within the time that any file may take.
    pub(crate) fn read_file(path: String) -> Self {
        Self::ReadFile { path, timeout_ms: FILE_TIMEOUT_MS }
    }

    /// Whether the operation ends with this step.
    pub(crate) fn is_end(&self) -> bool {
        matches!(self, Self::Done(_) | Self::Fail(_))
    }

    /// The answer to a reply that does not fit the step it answers.
    pub(crate) fn misuse(expected: &str, reply: &Reply) -> Self {
        Self::Fail(misuse(expected, reply))
    }
}

/// The error of a reply that does not fit the step it answers.
pub(crate) fn misuse(expected: &str, reply: &Reply) -> Error {
    Error::new(
        ErrorCode::ApiMisuse,
        format!(
            "the host answered {}, expected {expected}: call resume with one reply per step, of its kind",
            reply.kind()
        ),
    )
}

/// The error of an operation that is resumed after its end.
pub(crate) fn ended() -> Error {
    Error::new(ErrorCode::ApiMisuse, "the operation has ended: look up again instead of resuming it")
}

/// How the host answers a [`Step`].
#[derive(Clone)]
pub enum Reply {
    /// Begins an operation.
    Start,
    /// Name and value of the asked variables that are set.
    Env(Vec<(String, Secret<String>)>),
    /// The file's text, or the supplied subject token.
    Text(Secret<String>),
    /// The response to [`Step::Send`].
    Response {
        /// The HTTP status.
        status: u16,
        /// Header names in any case, with their values; repeated headers are repeated here.
        headers: Vec<(String, String)>,
        /// The body, at most [`BODY_LIMIT`] bytes.
        body: Secret<Vec<u8>>,
    },
    /// The program of [`Step::Run`] has ended.
    Exited {
        /// Its exit status.
        status: i32,
        /// What it wrote to standard output.
        stdout: Secret<Vec<u8>>,
        /// What it wrote to standard error, at most [`STDERR_LIMIT`] bytes of it.
        stderr: Secret<Vec<u8>>,
    },
    /// What [`Step::CheckSignature`] has found.
    Checked {
        /// Whether the signature is that of the key, for the data, by the algorithm.
        is_valid: bool,
    },
    /// What [`Step::Sign`] has asked for.
    Signed {
        /// The signature in the form of the algorithm (of ECDSA: r and s side by side; RFC 7518, section 3.4), in base64 with
        /// padding.
        signature: Secret<String>,
    },
    /// The time of [`Step::Wait`] has passed.
    Elapsed,
    /// The host could not carry the step out.
    Failed {
        /// Why.
        kind: HostFailure,
        /// The host's own words; they reach the user, so they hold no secret.
        message: String,
    },
}

impl Reply {
    fn kind(&self) -> &'static str {
        match self {
            Self::Start => "Start",
            Self::Env(_) => "Env",
            Self::Text(_) => "Text",
            Self::Response { .. } => "Response",
            Self::Exited { .. } => "Exited",
            Self::Checked { .. } => "Checked",
            Self::Signed { .. } => "Signed",
            Self::Elapsed => "Elapsed",
            Self::Failed { .. } => "Failed",
        }
    }
}

impl fmt::Debug for Reply {
    /// Shows the kind, the status and the host's message, never a value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Response { status, .. } => write!(f, "Response {{ status: {status}, … }}"),
            Self::Exited { status, .. } => write!(f, "Exited {{ status: {status}, … }}"),
            Self::Failed { kind, message } => write!(f, "Failed {{ kind: {kind:?}, message: {message:?} }}"),
            other => f.write_str(other.kind()),
        }
    }
}

/// Why a host could not carry out a step.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HostFailure {
    /// There is no such file or program.
    NotFound,
    /// The operating system refused.
    PermissionDenied,
    /// No connection: name not found, refused, unreachable, TLS failed, or broken off.
    Connect,
    /// No connection, as the certificate of the other side is not trusted: no attempt will succeed.
    UntrustedCertificate,
    /// The step's own timeout ran out.
    Timeout,
    /// More than [`BODY_LIMIT`] bytes.
    TooLarge,
    /// This host does not know the step.
    Unsupported,
    /// Anything else.
    Other,
}

/// An HTTP request for the host to send as it is.
#[derive(Clone)]
pub struct HttpRequest {
    /// The method.
    pub method: Method,
    /// An absolute `https` URL; `http` only for the metadata server and trusted loopback endpoints.
    pub url: String,
    /// Header names and values, all printable ASCII.
    pub headers: Vec<(Cow<'static, str>, Secret<String>)>,
    /// The body of a `POST`.
    pub body: Option<Secret<String>>,
    /// Milliseconds for the whole exchange, from connecting to the body's last byte.
    pub timeout_ms: u64,
    /// Whether a configured proxy may be used.
    pub route: Route,
    /// The proxy to send it through, and no other: its URL, perhaps with user and password. `None`: directly, whatever
    /// the environment says.
    pub proxy: Option<Secret<String>>,
    /// The certificate that the host presents (mTLS), if any.
    pub client_certificate: Option<ClientCertificate>,
    /// A PEM file of the authorities that the host trusts for this request, in place of the system's.
    pub ca_certificate_path: Option<String>,
}

impl HttpRequest {
    /// A `POST` of a form (`application/x-www-form-urlencoded`), answered with JSON.
    pub(crate) fn post_form(url: &str, body: Secret<String>, timeout_ms: u64) -> Self {
        Self::post(url, "application/x-www-form-urlencoded", body, timeout_ms)
    }

    /// A `POST` of JSON, answered with JSON.
    pub(crate) fn post_json(url: &str, body: Secret<String>, timeout_ms: u64) -> Self {
        Self::post(url, "application/json", body, timeout_ms)
    }

    fn post(url: &str, content_type: &str, body: Secret<String>, timeout_ms: u64) -> Self {
        Self {
            method: Method::Post,
            url: url.to_owned(),
            headers: vec![
                ("content-type".into(), content_type.into()),
                ("accept".into(), "application/json".into()),
            ],
            body: Some(body),
            timeout_ms,
            route: Route::Default,
            proxy: None,
            client_certificate: None,
            ca_certificate_path: None,
        }
    }

    /// A `GET` by this route.
    pub(crate) fn get(url: String, route: Route, timeout_ms: u64) -> Self {
        Self {
            method: Method::Get,
            url,
            headers: Vec::new(),
            body: None,
            timeout_ms,
            route,
            proxy: None,
            client_certificate: None,
            ca_certificate_path: None,
        }
    }

    /// The same request with one header more.
    pub(crate) fn with_header(
        mut self,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<Secret<String>>,
    ) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
}

/// A signature for the host to check. What may be signed by what is decided: only the arithmetic is left.
#[derive(Clone, Debug)]
pub struct SignatureToCheck {
    /// The algorithm's name (RFC 7518, section 3.1; RFC 8037, section 3.1).
    pub alg: &'static str,
    /// The public key, a JWK (RFC 7517) with the members that its `kty` has and no others. The same key is the same text.
    pub key: String,
    /// What is signed, ASCII.
    pub data: Secret<String>,
    /// The signature in the form of the algorithm (of ECDSA: r and s side by side), in base64url without padding.
    pub signature: Secret<String>,
}

/// Bytes for the host to sign. What is signed with which key is decided: only the arithmetic is left.
#[derive(Clone, Debug)]
pub struct DataToSign {
    /// The algorithm's name (RFC 7518, section 3.1): `RS256` or `ES256`.
    pub alg: &'static str,
    /// The private key, PKCS#8 DER (RFC 5208) in base64 with padding. The same key is the same text.
    pub key: Secret<String>,
    /// The bytes, in base64 with padding.
    pub data: Secret<String>,
}

/// Where the host finds the certificate that it presents, and its key, both PEM.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClientCertificate {
    /// The file of the certificate.
    pub cert_path: String,
    /// The file of its private key.
    pub key_path: String,
}

impl fmt::Debug for HttpRequest {
    /// Shows the method, the URL without its query, and the names of the headers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = self.url.split('?').next().unwrap_or_default();
        let names: Vec<_> = self.headers.iter().map(|(name, _)| name.as_ref()).collect();
        write!(f, "HttpRequest {{ {} {url}, headers: {names:?}, … }}", self.method.as_str())
    }
}

/// An HTTP method that the core uses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Method {
    /// `GET`
    Get,
    /// `POST`
    Post,
    /// `PUT`
    Put,
}

impl Method {
    /// The method as it is in the request line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
        }
    }
}

/// How the host reaches the endpoint.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Route {
    /// As the host reaches any server, proxies included.
    Default,
    /// Past every proxy: the metadata server is a neighbour.
    Direct,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_has_come_as_soon_as_either_clock_says_so() {
        let now = Now { unix: Millis(1_000_000), monotonic: Monotonic(50) };
        let deadline = now.after(100);
        let at =
            |unix, monotonic| deadline.has_come(Now { unix: Millis(unix), monotonic: Monotonic(monotonic) });
        assert!(!at(1_000_099, 149));
        assert!(at(1_000_100, 50), "the machine was suspended");
        assert!(at(900_000, 150), "the wall clock was set back");
        assert!(!at(900_000, 149));
        assert_eq!(now.until(Millis(1_000_100)), deadline);
        assert_eq!(now.until(Millis(5)), now.after(0));
        assert!(Deadline::default().has_come(now));
    }

    #[test]
    fn debug_of_steps_and_replies_shows_no_secret() {
        let request = HttpRequest {
            method: Method::Post,
            url: "https://oauth2.googleapis.com/token?key=hush".into(),
            headers: vec![("authorization".into(), "Bearer hush".into())],
            body: Some("assertion=hush".into()),
            timeout_ms: 1,
            route: Route::Default,
            proxy: None,
            client_certificate: None,
            ca_certificate_path: None,
        };
        assert_eq!(
            format!("{:?}", Step::<()>::Send(request)),
            r#"Send(HttpRequest { POST https://oauth2.googleapis.com/token, headers: ["authorization"], … })"#
        );
        let replies = [
            (Reply::Env(vec![("A".into(), "hush".into())]), "Env"),
            (Reply::Text("hush".into()), "Text"),
            (
                Reply::Response {
                    status: 200,
                    headers: vec![("x".into(), "hush".into())],
                    body: Secret::new(b"hush".to_vec()),
                },
                "Response { status: 200, … }",
            ),
            (
                Reply::Exited {
                    status: 1,
                    stdout: Secret::new(b"hush".to_vec()),
                    stderr: Secret::new(b"hush".to_vec()),
                },
                "Exited { status: 1, … }",
            ),
        ];
        for (reply, shown) in replies {
            assert_eq!(format!("{reply:?}"), shown);
        }
    }
}
