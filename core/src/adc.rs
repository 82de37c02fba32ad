//! Application Default Credentials: where credentials are looked for, in which order (AIP-4110).
//!
//! 1. credentials that the program gives, as JSON or as a path;
//! 2. the file that `GOOGLE_APPLICATION_CREDENTIALS` names: set but unreadable is an error, never a reason to go on;
//! 3. gcloud's own file, `application_default_credentials.json`;
//! 4. the metadata server.
//!
//! The order is the same for ID tokens and for access tokens. When nothing is found the error says what was tried
//! and why each was passed over.

use std::collections::HashMap;
use std::sync::Arc;

use crate::credentials::Credential;
use crate::credentials::impersonated_service_account::{
    ENDPOINT_OVERRIDE, Impersonate, Impersonated, Target,
};
use crate::credentials::trust::TrustedEndpoints;
use crate::error::{Error, ErrorCode};
use crate::exchange::metadata::{self, Ping};
use crate::secret::Secret;
use crate::source::SourceConfig;
use crate::step::{HostFailure, Millis, Operation, Reply, Step};

const NAMES: &[&str] = &[
    "GOOGLE_APPLICATION_CREDENTIALS",
    "CLOUDSDK_CONFIG",
    "APPDATA",
    "HOME",
    "NO_GCE_CHECK",
    "METADATA_SERVER_DETECTION",
    "GCE_METADATA_HOST",
    "GCE_METADATA_ROOT",
    "GCE_METADATA_IP",
    "K_SERVICE",
    "FUNCTION_NAME",
    "CLOUD_RUN_JOB",
    "CLOUD_RUN_WORKER_POOL",
    "GATEPASS_TRUSTED_ENDPOINTS",
    ENDPOINT_OVERRIDE,
];

/// Variables that Google's serverless platforms set: a metadata server is there.
const SERVERLESS: [&str; 4] = ["K_SERVICE", "FUNCTION_NAME", "CLOUD_RUN_JOB", "CLOUD_RUN_WORKER_POOL"];

/// Says `Google…` on machines of Compute Engine.
const PRODUCT_NAME: &str = "/sys/class/dmi/id/product_name";
const DEFAULT_HOST: &str = "metadata.google.internal";
/// By address, so that the question needs no DNS.
const DEFAULT_IP: &str = "169.254.169.254";

/// Where the program wants credentials from.
#[derive(Clone, Debug, Default)]
pub enum Explicit {
    /// Wherever they are found: the order of this module.
    #[default]
    No,
    /// From this file.
    File(String),
    /// From this text of a credential file.
    Json(Secret<String>),
}

/// The search for credentials.
pub(crate) struct Adc {
    explicit: Explicit,
    impersonate: Option<Impersonate>,
    /// Endpoints that the program trusts, beside those of `GATEPASS_TRUSTED_ENDPOINTS`.
    trusted_endpoints: Vec<String>,
    env: HashMap<String, Secret<String>>,
    /// What was tried, and why it was passed over.
    trail: Vec<String>,
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
    },
    ReadingProductName,
    Pinging {
        address: String,
    },
    Ended,
}

impl Adc {
    pub(crate) fn new(config: &SourceConfig) -> Self {
        Self {
            explicit: config.credentials.clone(),
            impersonate: config.impersonate.clone(),
            trusted_endpoints: config.trusted_endpoints.clone(),
            env: HashMap::new(),
            trail: Vec::new(),
            state: State::Created,
        }
    }

    fn look_at_files(&mut self) -> Step<Credential> {
        match std::mem::take(&mut self.explicit) {
            Explicit::Json(text) => return self.parse(text.expose(), "given as JSON").into(),
            Explicit::File(path) => return self.read_file(path, "the program"),
            Explicit::No => {}
        }
        if let Some(path) = self.var("GOOGLE_APPLICATION_CREDENTIALS").map(str::to_owned) {
            return self.read_file(path, "GOOGLE_APPLICATION_CREDENTIALS");
        }
        self.trail.push("GOOGLE_APPLICATION_CREDENTIALS is not set".into());
        match self.well_known_file() {
            Some(path) => {
                self.state = State::ReadingWellKnownFile { path: path.clone() };
                Step::ReadFile { path }
            }
            None => {
                self.trail.push("gcloud's file has no place: neither CLOUDSDK_CONFIG nor HOME is set".into());
                self.look_for_metadata_server()
            }
        }
    }

    fn read_file(&mut self, path: String, named_by: &'static str) -> Step<Credential> {
        self.state = State::ReadingFile { path: path.clone(), named_by };
        Step::ReadFile { path }
    }

    fn well_known_file(&self) -> Option<String> {
        gcloud_file("application_default_credentials.json", |name| self.env.get(name).map(Secret::expose))
    }

    fn look_for_metadata_server(&mut self) -> Step<Credential> {
        let never = if self.var("NO_GCE_CHECK") == Some("true") {
            Some("NO_GCE_CHECK=true")
        } else if self.var("METADATA_SERVER_DETECTION") == Some("none") {
            Some("METADATA_SERVER_DETECTION=none")
        } else {
            None
        };
        if let Some(setting) = never {
            self.trail.push(format!("the metadata server is ruled out by {setting}"));
            return self.nothing_found();
        }
        let is_given = self.metadata_host().is_some()
            || self.var("METADATA_SERVER_DETECTION") == Some("assume-present")
            || SERVERLESS.iter().any(|name| self.var(name).is_some());
        if is_given {
            return self.use_metadata_server();
        }
        self.state = State::ReadingProductName;
        Step::ReadFile { path: PRODUCT_NAME.into() }
    }

    fn ping(&mut self) -> Step<Credential> {
        let address = self.var("GCE_METADATA_IP").unwrap_or(DEFAULT_IP).to_owned();
        self.state = State::Pinging { address: address.clone() };
        Step::Send(Ping { address }.request())
    }

    fn metadata_host(&self) -> Option<&str> {
        self.var("GCE_METADATA_HOST").or_else(|| self.var("GCE_METADATA_ROOT"))
    }

    fn use_metadata_server(&self) -> Step<Credential> {
        let host = self.metadata_host().unwrap_or(DEFAULT_HOST);
        // The host becomes part of a URL; anything that could be more than a host is a mistake.
        match crate::url::Url::parse(&format!("http://{host}/")) {
            Ok(_) => Step::Done(Credential::Metadata { host: host.to_owned() }),
            Err(why) => Step::Fail(Error::new(
                ErrorCode::InvalidOption,
                format!("GCE_METADATA_HOST {why}, expected host or host:port without a scheme"),
            )),
        }
    }

    fn nothing_found(&self) -> Step<Credential> {
        let tried = self.trail.join("; ");
        Step::Fail(Error::new(ErrorCode::CredentialsNotFound, format!("no credentials were found: {tried}")))
    }

    fn parse(&self, text: &str, file: &str) -> Result<Credential, Error> {
        Credential::parse(text, file, &self.trusted())
    }

    fn trusted(&self) -> TrustedEndpoints {
        let named = self.var("GATEPASS_TRUSTED_ENDPOINTS").unwrap_or_default();
        TrustedEndpoints::parse(&format!("{named},{}", self.trusted_endpoints.join(",")))
    }

    /// The found credentials, acting as the account that the program has named, if it has.
    fn impersonated(&self, found: Credential) -> Result<Credential, Error> {
        let Some(impersonate) = &self.impersonate else { return Ok(found) };
        let endpoint = self.var(ENDPOINT_OVERRIDE);
        let target = Arc::new(Target::from_option(impersonate, endpoint, &self.trusted())?);
        Ok(Credential::Impersonated(Box::new(Impersonated { source: found, target })))
    }

    /// A variable that is set and not empty.
    fn var(&self, name: &str) -> Option<&str> {
        self.env.get(name).map(|value| value.expose().as_str()).filter(|value| !value.is_empty())
    }
}

impl Operation for Adc {
    type Output = Credential;

    fn resume(&mut self, _now: Millis, reply: Reply) -> Step<Credential> {
        self.search(reply).and_then(|found| self.impersonated(found).into())
    }
}

impl Adc {
    fn search(&mut self, reply: Reply) -> Step<Credential> {
        match (std::mem::replace(&mut self.state, State::Ended), reply) {
            (State::Created, Reply::Start) => {
                self.state = State::ReadingEnv;
                Step::ReadEnv { names: NAMES }
            }
            (State::ReadingEnv, Reply::Env(values)) => {
                self.env = values.into_iter().collect();
                self.look_at_files()
            }
            (State::ReadingFile { path, .. }, Reply::Text(text)) => self.parse(text.expose(), &path).into(),
            (State::ReadingFile { path, named_by }, Reply::Failed { kind, .. }) => Step::Fail(Error::new(
                ErrorCode::CredentialsFileUnreadable,
                format!("credential file {path}, named by {named_by}, {}", unreadable(kind)),
            )),
            (State::ReadingWellKnownFile { path }, Reply::Text(text)) => {
                self.parse(text.expose(), &path).into()
            }
            (State::ReadingWellKnownFile { path }, Reply::Failed { kind: HostFailure::NotFound, .. }) => {
                self.trail.push(format!("gcloud's file {path} does not exist"));
                self.look_for_metadata_server()
            }
            (State::ReadingWellKnownFile { path }, Reply::Failed { kind, .. }) => Step::Fail(Error::new(
                ErrorCode::CredentialsFileUnreadable,
                format!("gcloud's credential file {path} {}", unreadable(kind)),
            )),
            (State::ReadingProductName, Reply::Text(name)) if name.expose().starts_with("Google") => {
                self.use_metadata_server()
            }
            (State::ReadingProductName, Reply::Text(_) | Reply::Failed { .. }) => self.ping(),
            (State::Pinging { .. }, Reply::Response { status: 200, headers, .. })
                if metadata::has_flavor(&headers) =>
            {
                self.use_metadata_server()
            }
            (State::Pinging { address }, Reply::Response { status, .. }) => {
                self.trail.push(format!("{address} answered {status} but is no metadata server"));
                self.nothing_found()
            }
            (State::Pinging { address }, Reply::Failed { .. }) => {
                self.trail.push(format!("no metadata server answers at {address}"));
                self.nothing_found()
            }
            (State::Created, other) => Step::misuse("Start", &other),
            (State::ReadingEnv, other) => Step::misuse("Env", &other),
            (State::Pinging { .. }, other) => Step::misuse("Response or Failed", &other),
            (State::Ended, other) => Step::misuse("nothing after the end", &other),
            (_, other) => Step::misuse("Text or Failed", &other),
        }
    }
}

/// Where gcloud keeps the file of this name.
pub(crate) fn gcloud_file<'a>(file: &str, var: impl Fn(&str) -> Option<&'a String>) -> Option<String> {
    let var = |name| var(name).filter(|value| !value.is_empty());
    if let Some(directory) = var("CLOUDSDK_CONFIG") {
        return Some(format!("{directory}/{file}"));
    }
    // APPDATA is set on Windows only.
    let on_windows = var("APPDATA").map(|appdata| format!("{appdata}\\gcloud\\{file}"));
    on_windows.or_else(|| var("HOME").map(|home| format!("{home}/.config/gcloud/{file}")))
}

fn unreadable(kind: HostFailure) -> &'static str {
    match kind {
        HostFailure::NotFound => "does not exist",
        HostFailure::PermissionDenied => "may not be read by this process",
        HostFailure::TooLarge => "is larger than 1 MiB",
        _ => "cannot be read",
    }
}
