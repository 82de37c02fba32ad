//! Impersonation: a service account, by whoever may act as it, through the IAM Credentials API.

use std::sync::Arc;

use crate::config::{Impersonate, Preferences};
use crate::credentials::email::{is_delegate, is_email};
use crate::credentials::endpoints::Service;
use crate::credentials::fields::invalid;
use crate::credentials::principal::{Known, Principal, Signature};
use crate::credentials::{AskPrincipal, Context, Credential, Fetch, SignBytes, TrustedEndpoints};
use crate::error::{Error, ErrorCode};
use crate::exchange::Exchange;
use crate::exchange::iam_credentials::{Caller, Generate, SignBlob, SignJwt, SignedBlob};
use crate::exchange::metadata::MetadataValue;
use crate::exchange::oauth2_token::{Assertion, JwtBearer};
use crate::quote;
use crate::retry::Jitter;
use crate::secret::Secret;
use crate::step::{ClientCertificate, Now, Operation, Reply, Step};
use crate::token::{Issued, TokenKey, Want};
use crate::url::Url;

/// The scope with which a source asks for a token that may impersonate.
pub(super) const CLOUD_PLATFORM: &str = "https://www.googleapis.com/auth/cloud-platform";
pub(super) const DEFAULT_LIFETIME_SECONDS: u32 = 3600;

/// A service account, and the credentials that may act as it.
pub(crate) struct Impersonated {
    pub(super) source: Arc<dyn Credential>,
    pub(super) account: Arc<Account>,
}

impl Impersonated {
    /// The account that an option names, by these credentials.
    pub(crate) fn by_option(
        option: &Impersonate,
        source: Arc<dyn Credential>,
        trusted: &TrustedEndpoints,
    ) -> Result<Self, Error> {
        Ok(Self { source, account: Arc::new(Account::from_option(option, trusted)?) })
    }

    /// The account's e-mail.
    pub(crate) fn email(&self) -> &str {
        self.account.email()
    }
}

impl Credential for Impersonated {
    fn describe(&self) -> String {
        format!("{}, by {}", quote::harmless(self.account.email()), self.source.describe())
    }

    fn principal(self: Arc<Self>, _context: Context<'_>) -> AskPrincipal {
        let email = Some(self.account.email().to_owned());
        Box::new(Known::new(Principal { email, project_id: None }))
    }

    fn sign_bytes(self: Arc<Self>, bytes: Vec<u8>, mut context: Context<'_>) -> Result<SignBytes, Error> {
        let source_key = TokenKey::AccessToken { scopes: vec![CLOUD_PLATFORM.to_owned()] };
        let source_context = Context { preferences: &Preferences::default(), jitter: context.jitter.fork() };
        let source = Arc::clone(&self.source).fetch(&source_key, source_context)?;
        Ok(Box::new(SignAs::new(Arc::clone(&self.account), source, bytes, context.jitter)))
    }

    fn fetch(self: Arc<Self>, key: &TokenKey, mut context: Context<'_>) -> Result<Fetch, Error> {
        let source_key = TokenKey::AccessToken { scopes: vec![CLOUD_PLATFORM.to_owned()] };
        let source_context = Context { preferences: &Preferences::default(), jitter: context.jitter.fork() };
        let request = Request::new(Arc::clone(&self.account), key, context)?;
        let source = Arc::clone(&self.source).fetch(&source_key, source_context)?;
        Ok(Box::new(Impersonation::by(source, request)))
    }
}

/// The service account that is acted as.
#[derive(Debug)]
pub(super) struct Account {
    /// The account's URL in the IAM Credentials API, without a method.
    url: String,
    /// E-mails of the accounts between the source and the target, each of which may impersonate the next.
    delegates: Vec<String>,
    lifetime_seconds: u32,
    /// Where a JWT that IAM has signed for the account is exchanged.
    token_uri: Url,
}

impl Account {
    /// Reads `service_account_impersonation_url`, which ends with the account's e-mail and a method.
    pub(super) fn from_url(
        url: &str,
        delegates: Vec<String>,
        lifetime_seconds: u32,
        trusted: &TrustedEndpoints,
    ) -> Result<Self, Error> {
        const FIELD: &str = "service_account_impersonation_url";
        let url = trusted.endpoint(FIELD, Service::Impersonation, url)?;
        let expected = "a URL that ends with serviceAccounts/EMAIL:generateAccessToken";
        let (account, method) = url.as_str().rsplit_once(':').unwrap_or((url.as_str(), ""));
        let email = account.rsplit_once("/serviceAccounts/").map_or("", |(_, email)| email);
        if !matches!(method, "generateAccessToken" | "generateIdToken") || !is_email(email) {
            return Err(invalid(FIELD, "another URL", expected));
        }
        Ok(Self { url: account.to_owned(), delegates, lifetime_seconds, token_uri: trusted.token_uri()? })
    }

    /// The account that an option names.
    pub(super) fn from_option(option: &Impersonate, trusted: &TrustedEndpoints) -> Result<Self, Error> {
        let Impersonate { email, delegates } = option;
        if !is_email(email) || !delegates.iter().all(|delegate| is_delegate(delegate)) {
            return Err(Error::new(
                ErrorCode::InvalidOption,
                "`impersonate` or one of `delegates` is not the e-mail of a service account",
            ));
        }
        let account = Self::of(email, trusted.universe(), trusted)?;
        Ok(Self { delegates: delegates.clone(), ..account })
    }

    /// The account of this e-mail in this universe.
    pub(super) fn of(email: &str, universe: &str, trusted: &TrustedEndpoints) -> Result<Self, Error> {
        let endpoint = trusted.iam_credentials(universe)?;
        Ok(Self {
            url: format!("{}/v1/projects/-/serviceAccounts/{email}", endpoint.as_str().trim_end_matches('/')),
            delegates: Vec::new(),
            lifetime_seconds: DEFAULT_LIFETIME_SECONDS,
            token_uri: trusted.token_uri()?,
        })
    }

    /// The account's e-mail.
    pub(super) fn email(&self) -> &str {
        self.url.rsplit('/').next().unwrap_or_default()
    }

    fn caller(&self, bearer: Secret<String>, client_certificate: Option<ClientCertificate>) -> Caller {
        Caller {
            account_url: self.url.clone(),
            delegates: self.delegates.clone(),
            lifetime_seconds: self.lifetime_seconds,
            bearer,
            client_certificate,
        }
    }
}

/// What is to be had as the account once there is a token that may act as it.
pub(super) struct Request {
    account: Arc<Account>,
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

impl Request {
    /// The request for this token, or why there is none.
    pub(super) fn new(account: Arc<Account>, key: &TokenKey, context: Context<'_>) -> Result<Self, Error> {
        let task = match key {
            TokenKey::SelfSignedJwt { audience } => Task::SelfSigned { audience: audience.clone() },
            TokenKey::IdToken { audience } => {
                context.refuse_subject("an ID token says who the service account is, not the person")?;
                Task::Issue(Want::IdToken { audience: audience.clone() })
            }
            TokenKey::AccessToken { scopes } => {
                let want = Want::AccessToken { scopes: or_cloud_platform(scopes) };
                match context.preferences.subject.clone() {
                    Some(subject) => Task::Delegated { subject, want },
                    None => Task::Issue(want),
                }
            }
        };
        Ok(Self { account, task, jitter: context.jitter })
    }

    /// Begins it, with a token of whoever may act as the account.
    fn with(mut self, bearer: Secret<String>, client_certificate: Option<ClientCertificate>) -> Stage {
        let (account, email) = (&self.account, self.account.email());
        let caller = account.caller(bearer, client_certificate);
        match self.task {
            Task::Issue(want) => Stage::Generate(Exchange::new(Generate { caller, want }, self.jitter)),
            Task::SelfSigned { audience } => {
                let endpoint = SignJwt::for_audience(caller, email, audience);
                Stage::SelfSign(Exchange::new(endpoint, self.jitter))
            }
            Task::Delegated { subject, want } => {
                let jitter = self.jitter.fork();
                let token_uri = account.token_uri.clone();
                let endpoint = SignJwt::assertion(caller, email, &token_uri, want.clone(), subject);
                Stage::Assert {
                    exchange: Exchange::new(endpoint, self.jitter),
                    redeem: Some(Box::new(Redeem { token_uri, want, jitter })),
                }
            }
        }
    }
}

/// One token of the account: a token of the source, then the account's.
pub(super) struct Impersonation(Stage);

enum Stage {
    Source { fetch: Fetch, request: Option<Request> },
    Generate(Exchange<Generate>),
    SelfSign(Exchange<SignJwt>),
    Assert { exchange: Exchange<SignJwt>, redeem: Option<Box<Redeem>> },
    Redeem(Exchange<JwtBearer>),
}

/// How a signed assertion is exchanged.
struct Redeem {
    token_uri: Url,
    want: Want,
    jitter: Jitter,
}

impl Impersonation {
    /// By a token that `source` gets.
    pub(super) fn by(source: Fetch, request: Request) -> Self {
        Self(Stage::Source { fetch: source, request: Some(request) })
    }

    /// By a token that was got already.
    pub(super) fn with(
        request: Request,
        bearer: Secret<String>,
        client_certificate: Option<ClientCertificate>,
    ) -> Self {
        Self(request.with(bearer, client_certificate))
    }

    fn go_on(&mut self, now: Now, stage: Option<Stage>) -> Step<Issued> {
        match stage {
            Some(stage) => {
                self.0 = stage;
                self.resume(now, Reply::Start)
            }
            None => Step::misuse("nothing after the end", &Reply::Start),
        }
    }
}

impl Operation for Impersonation {
    type Output = Issued;

    fn resume(&mut self, now: Now, reply: Reply) -> Step<Issued> {
        match &mut self.0 {
            Stage::Source { fetch, request } => {
                let step = fetch.resume(now, reply);
                let request = if step.is_end() { request.take() } else { None };
                step.and_then(|issued| {
                    self.go_on(now, request.map(|request| request.with(issued.value, None)))
                })
            }
            Stage::Assert { exchange, redeem } => {
                let step = exchange.resume(now, reply);
                let redeem = if step.is_end() { redeem.take() } else { None };
                step.and_then(|signed| {
                    let stage = redeem.map(|redeem| {
                        let Redeem { token_uri, want, jitter } = *redeem;
                        let assertion = Assertion::Signed(signed.value);
                        Stage::Redeem(Exchange::new(JwtBearer { token_uri, assertion, want }, jitter))
                    });
                    self.go_on(now, stage)
                })
            }
            Stage::Generate(exchange) => exchange.resume(now, reply),
            Stage::SelfSign(exchange) => exchange.resume(now, reply),
            Stage::Redeem(exchange) => exchange.resume(now, reply),
        }
    }
}

/// IAM signs for an account, by a token of whoever may act as it.
pub(super) struct SignAs {
    stage: Signing,
    bytes: Vec<u8>,
    jitter: Jitter,
}

enum Signing {
    /// The account is the machine's own: its e-mail is asked for first.
    Email {
        ask: Exchange<MetadataValue>,
        trusted: TrustedEndpoints,
        fetch: Option<Fetch>,
    },
    Source {
        fetch: Fetch,
        account: Arc<Account>,
    },
    Sign(Exchange<SignBlob>),
}

impl SignAs {
    pub(super) fn new(account: Arc<Account>, fetch: Fetch, bytes: Vec<u8>, jitter: Jitter) -> Self {
        Self { stage: Signing::Source { fetch, account }, bytes, jitter }
    }

    /// As the account whose e-mail is asked for.
    pub(super) fn asking(
        ask: Exchange<MetadataValue>,
        trusted: TrustedEndpoints,
        fetch: Fetch,
        bytes: Vec<u8>,
        jitter: Jitter,
    ) -> Self {
        Self { stage: Signing::Email { ask, trusted, fetch: Some(fetch) }, bytes, jitter }
    }

    fn go_on(&mut self, now: Now, stage: Signing) -> Step<Signature> {
        self.stage = stage;
        self.resume(now, Reply::Start)
    }
}

impl Operation for SignAs {
    type Output = Signature;

    fn resume(&mut self, now: Now, reply: Reply) -> Step<Signature> {
        match &mut self.stage {
            Signing::Email { ask, trusted, fetch } => {
                let step = ask.resume(now, reply);
                let (trusted, fetch) = (trusted.clone(), if step.is_end() { fetch.take() } else { None });
                step.and_then(|email| match (account_of_machine(&email, &trusted), fetch) {
                    (Ok(account), Some(fetch)) => {
                        self.go_on(now, Signing::Source { fetch, account: Arc::new(account) })
                    }
                    (Err(error), _) => Step::Fail(error),
                    (_, None) => Step::misuse("nothing after the end", &Reply::Start),
                })
            }
            Signing::Source { fetch, account } => {
                let account = Arc::clone(account);
                fetch.resume(now, reply).and_then(|issued| {
                    let caller = account.caller(issued.value, None);
                    let endpoint = SignBlob { caller, bytes: std::mem::take(&mut self.bytes) };
                    let exchange = Exchange::new(endpoint, self.jitter.fork());
                    self.go_on(now, Signing::Sign(exchange))
                })
            }
            Signing::Sign(exchange) => {
                exchange.resume(now, reply).and_then(|SignedBlob { key_id, signature }| {
                    Step::Done(Signature { key_id, bytes: signature })
                })
            }
        }
    }
}

fn account_of_machine(email: &str, trusted: &TrustedEndpoints) -> Result<Account, Error> {
    if !is_email(email) {
        let found = "the metadata server names no e-mail of a service account";
        return Err(Error::new(ErrorCode::TokenResponseInvalid, found));
    }
    Account::of(email, trusted.universe(), trusted)
}

/// The API wants a scope; without one asked for it is the one that covers Google Cloud.
pub(super) fn or_cloud_platform(scopes: &[String]) -> Vec<String> {
    if scopes.is_empty() { vec![CLOUD_PLATFORM.to_owned()] } else { scopes.to_vec() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_of_an_account_ends_with_it_and_a_method() {
        let trusted = TrustedEndpoints::parse("iam.example");
        let read = |end: &str| {
            let url = format!("https://iam.example/v1/projects/-/serviceAccounts/{end}");
            Account::from_url(&url, Vec::new(), 3600, &trusted).is_ok()
        };
        for good in ["a@b.example:generateAccessToken", "a@b.example:generateIdToken"] {
            assert!(read(good), "{good}");
        }
        for bad in ["a@b.example:signJwt", "a@b.example", "nobody:generateIdToken", ":generateAccessToken"] {
            assert!(!read(bad), "{bad}");
        }
    }
}
