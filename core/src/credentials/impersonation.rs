//! The service account that other credentials act as, by the IAM Credentials API.

use std::sync::Arc;

use crate::config::Impersonate;
use crate::config::Preferences;
use crate::credentials::invalid;
use crate::credentials::trust::TrustedEndpoints;
use crate::error::{Error, ErrorCode};
use crate::exchange::Exchange;
use crate::exchange::iam_credentials::{Caller, Generate, SignJwt};
use crate::exchange::oauth2_token::{Assertion, JwtBearer};
use crate::retry::Jitter;
use crate::secret::Secret;
use crate::step::{ClientCertificate, Now, Operation, Reply, Step};
use crate::token::{Issued, TokenKey, Want};
use crate::url::Url;

/// The scope with which a source asks for a token that may impersonate.
pub(crate) const CLOUD_PLATFORM: &str = "https://www.googleapis.com/auth/cloud-platform";
pub(crate) const DEFAULT_LIFETIME_SECONDS: u32 = 3600;

/// The service account that is impersonated.
#[derive(Debug)]
pub(crate) struct Target {
    /// The account's URL in the IAM Credentials API, without a method.
    pub(crate) url: String,
    /// E-mails of the accounts between the source and the target, each of which may impersonate the next.
    pub(crate) delegates: Vec<String>,
    pub(crate) lifetime_seconds: u32,
    /// Where a JWT that IAM has signed for the account is exchanged.
    pub(crate) token_uri: Url,
}

impl Target {
    /// Reads `service_account_impersonation_url`, which ends with the account's e-mail and a method.
    pub(crate) fn from_url(
        url: &str,
        delegates: Vec<String>,
        lifetime_seconds: u32,
        trusted: &TrustedEndpoints,
    ) -> Result<Self, Error> {
        const FIELD: &str = "service_account_impersonation_url";
        let url = trusted.endpoint(FIELD, url)?;
        let expected = "a URL that ends with serviceAccounts/EMAIL:generateAccessToken";
        let (account, method) = url.as_str().rsplit_once(':').unwrap_or((url.as_str(), ""));
        let email = account.rsplit_once("/serviceAccounts/").map_or("", |(_, email)| email);
        if !matches!(method, "generateAccessToken" | "generateIdToken") || !is_email(email) {
            return Err(invalid(FIELD, "another URL", expected));
        }
        Ok(Self { url: account.to_owned(), delegates, lifetime_seconds, token_uri: trusted.token_uri()? })
    }

    /// The account that an option names.
    pub(crate) fn from_option(option: &Impersonate, trusted: &TrustedEndpoints) -> Result<Self, Error> {
        let Impersonate { email, delegates } = option;
        if !is_email(email) || !delegates.iter().all(|delegate| is_delegate(delegate)) {
            return Err(Error::new(
                ErrorCode::InvalidOption,
                "impersonate or one of delegates is not the e-mail of a service account",
            ));
        }
        let target = Self::of(email, trusted.universe(), trusted)?;
        Ok(Self { delegates: delegates.clone(), ..target })
    }

    /// The account of this e-mail in this universe.
    pub(crate) fn of(email: &str, universe: &str, trusted: &TrustedEndpoints) -> Result<Self, Error> {
        let endpoint = trusted.iam_credentials(universe)?;
        Ok(Self {
            url: format!("{}/v1/projects/-/serviceAccounts/{email}", endpoint.as_str().trim_end_matches('/')),
            delegates: Vec::new(),
            lifetime_seconds: DEFAULT_LIFETIME_SECONDS,
            token_uri: trusted.token_uri()?,
        })
    }

    /// The account's e-mail.
    pub(crate) fn email(&self) -> &str {
        self.url.rsplit('/').next().unwrap_or_default()
    }
}

/// What is to be done as the target once there is a token that may.
pub(crate) struct Errand {
    target: Arc<Target>,
    task: Task,
    jitter: Jitter,
}

enum Task {
    Issue(Want),
    /// IAM signs a JWT that is itself the credential.
    SelfSigned {
        audience: String,
    },
    /// IAM signs an assertion for this person (domain-wide delegation), which is then exchanged.
    Delegated {
        subject: String,
        want: Want,
    },
}

impl Errand {
    /// The errand for this token, or why there is none.
    pub(crate) fn new(
        target: Arc<Target>,
        key: &TokenKey,
        preferences: &Preferences,
        jitter: Jitter,
    ) -> Result<Self, Error> {
        let task = match key {
            TokenKey::SelfSignedJwt { audience } => Task::SelfSigned { audience: audience.clone() },
            TokenKey::IdToken { audience } => {
                preferences.refuse_subject("an ID token says who the service account is, not the person")?;
                Task::Issue(Want::IdToken { audience: audience.clone() })
            }
            TokenKey::AccessToken { scopes } => {
                let want = Want::AccessToken { scopes: or_cloud_platform(scopes) };
                match preferences.subject.clone() {
                    Some(subject) => Task::Delegated { subject, want },
                    None => Task::Issue(want),
                }
            }
        };
        Ok(Self { target, task, jitter })
    }

    /// The errand under way, with a token of whoever may act as the target.
    pub(crate) fn with(
        mut self,
        bearer: Secret<String>,
        client_certificate: Option<ClientCertificate>,
    ) -> ActAs {
        let caller = Caller { target: Arc::clone(&self.target), bearer, client_certificate };
        let stage = match self.task {
            Task::Issue(want) => Stage::Generate(Exchange::new(Generate { caller, want }, self.jitter)),
            Task::SelfSigned { audience } => {
                Stage::SelfSign(Exchange::new(SignJwt::for_audience(caller, audience), self.jitter))
            }
            Task::Delegated { subject, want } => {
                let jitter = self.jitter.fork();
                let endpoint = SignJwt::assertion(caller, want.clone(), subject);
                Stage::Assert { exchange: Exchange::new(endpoint, self.jitter), want, jitter }
            }
        };
        ActAs { target: self.target, stage }
    }
}

/// One token of the target, had by a bearer token of whoever may act as it.
pub(crate) struct ActAs {
    target: Arc<Target>,
    stage: Stage,
}

enum Stage {
    Generate(Exchange<Generate>),
    SelfSign(Exchange<SignJwt>),
    Assert { exchange: Exchange<SignJwt>, want: Want, jitter: Jitter },
    Redeem(Exchange<JwtBearer>),
}

impl ActAs {
    fn redeem(&mut self, now: Now, signed: Issued, want: Want, jitter: Jitter) -> Step<Issued> {
        let assertion = Assertion::Signed(signed.value);
        let endpoint = JwtBearer { token_uri: self.target.token_uri.clone(), assertion, want };
        self.stage = Stage::Redeem(Exchange::new(endpoint, jitter));
        self.resume(now, Reply::Start)
    }
}

impl Operation for ActAs {
    type Output = Issued;

    fn resume(&mut self, now: Now, reply: Reply) -> Step<Issued> {
        match &mut self.stage {
            Stage::Generate(exchange) => exchange.resume(now, reply),
            Stage::SelfSign(exchange) => exchange.resume(now, reply),
            Stage::Redeem(exchange) => exchange.resume(now, reply),
            Stage::Assert { exchange, want, jitter } => {
                let (want, jitter) = (want.clone(), jitter.clone());
                exchange.resume(now, reply).and_then(|signed| self.redeem(now, signed, want, jitter))
            }
        }
    }
}

/// The API wants a scope; without one asked for it is the one that covers Google Cloud.
pub(crate) fn or_cloud_platform(scopes: &[String]) -> Vec<String> {
    if scopes.is_empty() { vec![CLOUD_PLATFORM.to_owned()] } else { scopes.to_vec() }
}

pub(crate) fn is_delegate(delegate: &str) -> bool {
    is_email(delegate.strip_prefix("projects/-/serviceAccounts/").unwrap_or(delegate))
}

/// Something before and after one `@`, of the characters that e-mails of service accounts have.
fn is_email(text: &str) -> bool {
    let plain = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
    };
    text.split_once('@').is_some_and(|(name, domain)| plain(name) && plain(domain))
}
