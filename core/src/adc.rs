//! Application Default Credentials: where credentials are looked for, in which order (AIP-4110).
//!
//! 1. credentials that the program gives, as JSON or as a path;
//! 2. the file that `GOOGLE_APPLICATION_CREDENTIALS` names: set but unreadable is an error, never a reason to go on;
//! 3. gcloud's own file, `application_default_credentials.json`;
//! 4. the metadata server.
//!
//! The order is the same for ID tokens and for access tokens. When nothing is found the error says what was tried
//! and why each was passed over; [`ExplainCredentials`] says it in every case.

use std::sync::Arc;

use crate::config::{CredentialsFrom, SourceConfig};
use crate::credentials::{self, Credential, CredentialFile, Impersonated, TrustedEndpoints};
use crate::environment::{self, Environment, GcloudFile, MetadataServer};
use crate::error::{Error, ErrorCode};
use crate::exchange::metadata::{self, PING_TIMEOUTS_MS, Ping};
use crate::exchange::unreadable;
use crate::proxy::Proxies;
use crate::quote;
use crate::step::{HostFailure, Now, Operation, Reply, Step};

/// Says `Google…` on machines of Compute Engine.
const PRODUCT_NAME: &str = "/sys/class/dmi/id/product_name";
/// Milliseconds before a metadata server is asked a second time whether it is there; twice that before the third.
const PING_PAUSE_MS: u64 = 500;

/// The credentials that were found.
pub(crate) struct Found {
    pub(crate) credential: Arc<dyn Credential>,
    /// The project that calls with an access token are billed to, if it is not that of the credentials themselves.
    pub(crate) quota_project_id: Option<String>,
    /// How its endpoints are reached.
    pub(crate) proxies: Proxies,
    /// Whether they come from a file, which may hold others later.
    pub(crate) is_of_file: bool,
    /// The project that the environment names.
    pub(crate) project_id: Option<String>,
}

/// The search for credentials.
pub(crate) struct Adc {
    config: SourceConfig,
    /// Whether no metadata server answered a moment ago.
    skips_ping: bool,
    env: Environment,
    /// What was tried, and why it was passed over.
    trail: Vec<String>,
    is_of_file: bool,
    state: State,
}

enum State {
    Created,
    ReadingEnv,
    /// A file that must be there.
    ReadingFile {
        path: String,
        named_by: &'static str,
    },
    ReadingWellKnownFile {
        path: String,
        shown: String,
    },
    ReadingProductName,
    /// Asking whether there is a metadata server, for the how manieth time.
    Pinging {
        address: String,
        attempt: usize,
    },
    /// Between two attempts.
    Resting {
        address: String,
        attempt: usize,
    },
    /// Ended, because no metadata server is there.
    NotAnswered,
    Ended,
}

impl Adc {
    /// `skips_ping`: no metadata server answered a moment ago, and none is asked for again.
    pub(crate) fn new(config: &SourceConfig, skips_ping: bool) -> Self {
        Self {
            config: config.clone(),
            skips_ping,
            env: Environment::default(),
            trail: Vec::new(),
            is_of_file: false,
            state: State::Created,
        }
    }

    /// Whether the search has just found out that no metadata server answers.
    pub(crate) fn found_no_metadata_server(&self) -> bool {
        matches!(self.state, State::NotAnswered)
    }

    fn look_at_files(&mut self) -> Step<Found> {
        match std::mem::take(&mut self.config.credentials) {
            CredentialsFrom::Json(text) => return self.parse(text.expose(), "given as JSON").into(),
            CredentialsFrom::File(path) => return self.read_file(path, "the program"),
            CredentialsFrom::Search => {}
        }
        if let Some(path) = self.env.var(environment::CREDENTIALS_FILE).map(str::to_owned) {
            return self.read_file(path, environment::CREDENTIALS_FILE);
        }
        self.trail.push("GOOGLE_APPLICATION_CREDENTIALS is not set".into());
        match self.env.gcloud_file("application_default_credentials.json") {
            Some(GcloudFile { path, shown }) => {
                self.state = State::ReadingWellKnownFile { path: path.clone(), shown };
                Step::read_file(path)
            }
            None => {
                self.trail.push("gcloud's file has no path: neither CLOUDSDK_CONFIG nor HOME is set".into());
                self.look_for_metadata_server()
            }
        }
    }

    fn read_file(&mut self, path: String, named_by: &'static str) -> Step<Found> {
        if let Some(found) = quote::no_path(&path) {
            self.trail.push(format!("{named_by} names {found}"));
            let message =
                format!("{named_by} names {found}, expected the path of a credential file, not its text");
            return Step::Fail(Error::new(ErrorCode::CredentialsFileUnreadable, message));
        }
        self.state = State::ReadingFile { path: path.clone(), named_by };
        Step::read_file(path)
    }

    fn look_for_metadata_server(&mut self) -> Step<Found> {
        match self.env.metadata_server() {
            MetadataServer::RuledOut(setting) => {
                self.trail.push(format!("the metadata server is ruled out by {setting}"));
                Step::Fail(self.nothing_found())
            }
            MetadataServer::Given => self.use_metadata_server(),
            MetadataServer::Unknown => {
                self.state = State::ReadingProductName;
                Step::read_file(PRODUCT_NAME.into())
            }
        }
    }

    fn ping(&mut self) -> Step<Found> {
        let address = match self.env.metadata_address() {
            Ok(address) => address,
            Err(error) => return Step::Fail(error),
        };
        if self.skips_ping {
            self.trail
                .push(format!("no metadata server answered at {} a moment ago", quote::harmless(&address)));
            return Step::Fail(self.nothing_found().retryable());
        }
        self.ask(address, 0)
    }

    fn ask(&mut self, address: String, attempt: usize) -> Step<Found> {
        let own = PING_TIMEOUTS_MS.get(attempt).copied().unwrap_or(metadata::TIMEOUT_MS);
        match self.env.metadata_timeout_ms() {
            Ok(given) => {
                self.state = State::Pinging { address: address.clone(), attempt };
                Step::Send(Ping { address, timeout_ms: given.unwrap_or(own) }.request())
            }
            Err(error) => Step::Fail(error),
        }
    }

    /// One that has just started refuses connections for a moment.
    fn ask_again(&mut self, address: String, attempt: usize, why: &str) -> Step<Found> {
        if attempt + 1 < PING_TIMEOUTS_MS.len() {
            self.state = State::Resting { address, attempt: attempt + 1 };
            return Step::Wait { delay_ms: PING_PAUSE_MS << attempt };
        }
        let found = format!("no metadata server answers at {}{why}", quote::harmless(&address));
        Step::Fail(self.not_answered(found).retryable())
    }

    fn use_metadata_server(&mut self) -> Step<Found> {
        let server = self.env.metadata_host().and_then(|host| {
            let timeout_ms = self.env.metadata_timeout_ms()?.unwrap_or(metadata::TIMEOUT_MS);
            Ok(credentials::MetadataServer { host, timeout_ms, trusted: self.trusted()? })
        });
        server.and_then(|server| self.found("metadata", Arc::new(server), None)).into()
    }

    fn not_answered(&mut self, why: String) -> Error {
        self.state = State::NotAnswered;
        self.trail.push(why);
        self.nothing_found()
    }

    fn nothing_found(&self) -> Error {
        let tried = self.trail.join("; ");
        Error::new(ErrorCode::CredentialsNotFound, format!("no credentials were found: {tried}"))
    }

    fn parse(&mut self, text: &str, file: &str) -> Result<Found, Error> {
        let read = CredentialFile::parse(text, file, &self.trusted()?)?;
        self.found(&read.kind, read.credential, read.quota_project_id)
    }

    /// Ends the search with these credentials, acting as the account that the program has named, if it has.
    fn found(
        &mut self,
        kind: &str,
        credential: Arc<dyn Credential>,
        quota_project_id: Option<String>,
    ) -> Result<Found, Error> {
        self.trail.push(format!("found {kind}: {}", credential.describe()));
        let trusted = self.trusted()?;
        if let Some(expected) = self.config.expect_type.as_deref().filter(|expected| *expected != kind) {
            let message = format!(
                "the credentials that were found are of the type {kind}, expected {}",
                quote::quoted(expected)
            );
            return Err(Error::new(ErrorCode::CredentialsTypeUnexpected, message));
        }
        let credential = match &self.config.impersonate {
            None => credential,
            Some(impersonate) => {
                let impersonated = Impersonated::by_option(impersonate, credential, &trusted)?;
                self.trail.push(format!("acting as {}", quote::harmless(impersonated.email())));
                Arc::new(impersonated)
            }
        };
        let by_env = || self.env.var("GOOGLE_CLOUD_QUOTA_PROJECT").map(str::to_owned);
        let quota_project_id = self.config.quota_project_id.clone().or_else(by_env).or(quota_project_id);
        if quota_project_id.as_deref().is_some_and(|project| !is_project(project)) {
            return Err(Error::new(
                ErrorCode::InvalidOption,
                "the quota project is no project id, expected letters, digits and - . : only",
            ));
        }
        Ok(Found {
            credential,
            quota_project_id,
            proxies: Proxies::of(&self.env),
            is_of_file: self.is_of_file,
            project_id: self.env.var("GOOGLE_CLOUD_PROJECT").map(str::to_owned),
        })
    }

    fn trusted(&self) -> Result<TrustedEndpoints, Error> {
        let named = self.env.var(environment::TRUSTED_ENDPOINTS).unwrap_or_default();
        let universe =
            self.config.universe_domain.as_deref().or_else(|| self.env.var("GOOGLE_CLOUD_UNIVERSE_DOMAIN"));
        TrustedEndpoints::parse(&format!("{named},{}", self.config.trusted_endpoints.join(",")))
            .with_overrides(self.env.var(environment::TOKEN_HOST), self.env.var(environment::IAM_CREDENTIALS))
            .in_universe(universe)
    }
}

impl Operation for Adc {
    type Output = Found;

    fn resume(&mut self, _now: Now, reply: Reply) -> Step<Found> {
        match (std::mem::replace(&mut self.state, State::Ended), reply) {
            (State::Created, Reply::Start) => {
                self.state = State::ReadingEnv;
                Step::ReadEnv { names: environment::OF_CREDENTIALS }
            }
            (State::ReadingEnv, Reply::Env(values)) => {
                self.env = Environment::new(values);
                self.look_at_files()
            }
            (State::ReadingFile { path, named_by }, Reply::Text(text)) => {
                self.is_of_file = true;
                self.trail.push(format!("{named_by} names {}", quote::path(&path)));
                self.parse(text.expose(), &quote::path(&path)).into()
            }
            (State::ReadingWellKnownFile { shown, .. }, Reply::Text(text)) => {
                self.is_of_file = true;
                self.parse(text.expose(), &shown).into()
            }
            (State::ReadingFile { path, named_by }, Reply::Failed { kind, message }) => {
                let (shown, why) = (quote::unread_path(&path), unreadable(kind, &message, &path));
                self.trail.push(format!("{named_by} names {shown}"));
                let message = format!("credential file {shown}, named by {named_by}, {why}");
                Step::Fail(Error::new(ErrorCode::CredentialsFileUnreadable, message))
            }
            (
                State::ReadingWellKnownFile { shown, .. },
                Reply::Failed { kind: HostFailure::NotFound, .. },
            ) => {
                self.trail.push(format!("gcloud's file {shown} does not exist"));
                self.look_for_metadata_server()
            }
            (State::ReadingWellKnownFile { path, shown }, Reply::Failed { kind, message }) => {
                let why = unreadable(kind, &message, &path);
                let message = format!("gcloud's credential file {shown} {why}");
                Step::Fail(Error::new(ErrorCode::CredentialsFileUnreadable, message))
            }
            (State::ReadingProductName, Reply::Text(name)) if name.expose().starts_with("Google") => {
                self.use_metadata_server()
            }
            (State::ReadingProductName, Reply::Text(_) | Reply::Failed { .. }) => self.ping(),
            (State::Pinging { .. }, Reply::Response { headers, .. }) if metadata::has_flavor(&headers) => {
                self.use_metadata_server()
            }
            (State::Pinging { address, .. }, Reply::Response { status, .. }) => {
                let place = quote::harmless(&address);
                let found = format!("{place} answered {status} but is no metadata server");
                Step::Fail(self.not_answered(found))
            }
            (State::Pinging { address, attempt }, Reply::Failed { message, .. }) => {
                let reason = quote::reason(&message);
                let why = if reason.is_empty() { reason } else { format!(" ({reason})") };
                self.ask_again(address, attempt, &why)
            }
            (State::Resting { address, attempt }, Reply::Elapsed) => self.ask(address, attempt),
            (State::Created, other) => Step::misuse("Start", &other),
            (State::ReadingEnv, other) => Step::misuse("Env", &other),
            (State::Pinging { .. }, other) => Step::misuse("Response or Failed", &other),
            (State::Resting { .. }, other) => Step::misuse("Elapsed", &other),
            (State::NotAnswered | State::Ended, other) => Step::misuse("nothing after the end", &other),
            (_, other) => Step::misuse("Text or Failed", &other),
        }
    }
}

/// What the search for credentials has done, for a person to read.
#[derive(Clone, Debug)]
pub struct CredentialsExplanation {
    /// Each place that was looked at, in order, and what came of it.
    pub steps: Vec<String>,
    /// The project that calls with an access token are billed to, if it is not that of the credentials themselves.
    pub quota_project_id: Option<String>,
    /// Why no credentials were found, or why the found ones cannot be used.
    pub error: Option<Error>,
}

/// The search for credentials, told step by step. No token is fetched.
pub struct ExplainCredentials(Adc);

impl ExplainCredentials {
    /// The search that a [`TokenSource`](crate::TokenSource) of this configuration would make.
    pub fn new(config: &SourceConfig) -> Self {
        Self(Adc::new(config, false))
    }

    fn told(&mut self, quota_project_id: Option<String>, error: Option<Error>) -> CredentialsExplanation {
        CredentialsExplanation { steps: std::mem::take(&mut self.0.trail), quota_project_id, error }
    }
}

impl Operation for ExplainCredentials {
    type Output = CredentialsExplanation;

    fn resume(&mut self, now: Now, reply: Reply) -> Step<CredentialsExplanation> {
        match self.0.resume(now, reply) {
            Step::Fail(error) => Step::Done(self.told(None, Some(error))),
            step => step.and_then(|found| Step::Done(self.told(found.quota_project_id, None))),
        }
    }
}

/// An id or a number of a project; it is shown, so nothing else will do that has only such characters.
fn is_project(id: &str) -> bool {
    let is_plain = id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.:".contains(&b));
    !id.is_empty() && is_plain && quote::harmless(id) == id
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Impersonate;
    use crate::secret::Secret;
    use crate::step::Millis;

    const NOW: Now = Now::steady(Millis(1_800_000_000_000));

    fn explain(config: &SourceConfig, env: &[(&str, &str)], replies: &[Reply]) -> CredentialsExplanation {
        let mut search = ExplainCredentials::new(config);
        let _names = search.resume(NOW, Reply::Start);
        let env = env.iter().map(|(name, value)| ((*name).to_owned(), Secret::from(*value))).collect();
        let mut step = search.resume(NOW, Reply::Env(env));
        for reply in replies {
            step = search.resume(NOW, reply.clone());
        }
        match step {
            Step::Done(explanation) => explanation,
            other => panic!("{other:?}"),
        }
    }

    fn missing() -> Reply {
        Reply::Failed { kind: HostFailure::NotFound, message: String::new() }
    }

    #[test]
    fn every_place_that_was_passed_over_is_named() {
        let told =
            explain(&SourceConfig::default(), &[("HOME", "/home/u"), ("NO_GCE_CHECK", "true")], &[missing()]);
        assert_eq!(
            told.steps,
            [
                "GOOGLE_APPLICATION_CREDENTIALS is not set",
                r#"gcloud's file "/home/u/.config/gcloud/application_default_credentials.json" does not exist"#,
                "the metadata server is ruled out by NO_GCE_CHECK=true",
            ]
        );
        assert_eq!(told.error.map(|error| error.code()), Some(ErrorCode::CredentialsNotFound));
    }

    #[test]
    fn a_metadata_server_is_named_by_its_place() {
        let told = explain(&SourceConfig::default(), &[("GCE_METADATA_HOST", "127.0.0.1:8085")], &[]);
        let last = told.steps.last().map(String::as_str);
        assert!(last.is_some_and(|last| last.ends_with("the metadata server at 127.0.0.1:8085")), "{last:?}");
    }

    #[test]
    fn what_was_found_is_described_without_a_secret() {
        let file =
            r#"{"type":"authorized_user","client_id":"c","client_secret":"hush","refresh_token":"hush"}"#;
        let config = SourceConfig {
            impersonate: Some(Impersonate { email: "a@b.example".into(), delegates: Vec::new() }),
            ..SourceConfig::default()
        };
        let env = [("GOOGLE_APPLICATION_CREDENTIALS", "/key.json"), ("GOOGLE_CLOUD_QUOTA_PROJECT", "shop")];
        let told = explain(&config, &env, &[Reply::Text(Secret::from(file))]);
        assert_eq!(
            told.steps,
            [
                r#"GOOGLE_APPLICATION_CREDENTIALS names "/key.json""#,
                "found authorized_user: a person's credentials",
                "acting as a@b.example",
            ]
        );
        assert_eq!((told.quota_project_id.as_deref(), told.error), (Some("shop"), None));
    }

    #[test]
    fn a_project_is_no_secret() {
        for project in ["shop", "123456789012", "example.com:shop-1234"] {
            assert!(is_project(project), "{project}");
        }
        for other in [
            "",
            "a b",
            "a\nb",
            "eyJhbGciOiJSUzI1NiJ9.e30.c2ln",
            "q8FzA3kd9xLm2Vb7TnQw4RsYc1",
            &"a".repeat(201),
        ] {
            assert!(!is_project(other), "{other}");
        }
    }
}
