//! `"type": "impersonated_service_account"`, and impersonation by option: a service account, by whoever may act as it.

use std::sync::Arc;

use crate::credentials::trust::TrustedEndpoints;
use crate::credentials::{Credential, Fetch, Fields, invalid};
use crate::error::{Error, ErrorCode};
use crate::exchange::Exchange;
use crate::exchange::iam_credentials::Generate;
use crate::retry::Jitter;
use crate::secret::Secret;
use crate::step::{ClientCertificate, Millis, Operation, Reply, Step};
use crate::token::{Issued, TokenKey};

/// The scope with which a source asks for a token that may impersonate.
pub(crate) const CLOUD_PLATFORM: &str = "https://www.googleapis.com/auth/cloud-platform";
const DEFAULT_LIFETIME_SECONDS: u32 = 3600;
const ENDPOINT: &str = "https://iamcredentials.googleapis.com";
/// The variable by which gcloud, too, is sent to another endpoint of the API.
pub(crate) const ENDPOINT_OVERRIDE: &str = "CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS";

/// A service account that the program wants to act as, whatever credentials are found.
#[derive(Clone, Debug)]
pub struct Impersonate {
    /// The account's e-mail.
    pub email: String,
    /// E-mails of the accounts between the found credentials and the target, each of which may impersonate the next.
    pub delegates: Vec<String>,
}

/// The service account that is impersonated.
#[derive(Debug)]
pub(crate) struct Target {
    /// The account's URL in the IAM Credentials API, without a method.
    pub(crate) url: String,
    /// E-mails of the accounts between the source and the target, each of which may impersonate the next.
    pub(crate) delegates: Vec<String>,
    pub(crate) lifetime_seconds: u32,
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
        Ok(Self { url: account.to_owned(), delegates, lifetime_seconds })
    }

    /// The account that an option names, at the API's endpoint: Google's own, or one that the user has set.
    pub(crate) fn from_option(
        option: &Impersonate,
        endpoint: Option<&str>,
        trusted: &TrustedEndpoints,
    ) -> Result<Self, Error> {
        let Impersonate { email, delegates } = option;
        if !is_email(email) || !delegates.iter().all(|delegate| is_delegate(delegate)) {
            return Err(Error::new(
                ErrorCode::InvalidOption,
                "impersonate or one of delegates is not the e-mail of a service account",
            ));
        }
        let endpoint = trusted.endpoint(ENDPOINT_OVERRIDE, endpoint.unwrap_or(ENDPOINT))?;
        let url =
            format!("{}/v1/projects/-/serviceAccounts/{email}", endpoint.as_str().trim_end_matches('/'));
        Ok(Self { url, delegates: delegates.clone(), lifetime_seconds: DEFAULT_LIFETIME_SECONDS })
    }

    /// The account's e-mail.
    pub(crate) fn email(&self) -> &str {
        self.url.rsplit('/').next().unwrap_or_default()
    }
}

/// A target and the credentials that may impersonate it.
pub(crate) struct Impersonated {
    pub(crate) source: Credential,
    pub(crate) target: Arc<Target>,
}

impl Impersonated {
    /// Reads a file of this type; `source` reads the credentials within it.
    pub(crate) fn from_fields(
        fields: Fields<'_>,
        trusted: &TrustedEndpoints,
        source: impl FnOnce(Fields<'_>) -> Result<Credential, Error>,
    ) -> Result<Self, Error> {
        fields.check_universe()?;
        let delegates = fields.strings("delegates")?;
        if !delegates.iter().all(|delegate| is_delegate(delegate)) {
            return Err(invalid(
                "delegates",
                "a list with something else in it",
                "e-mails of service accounts",
            ));
        }
        let url = fields.required("service_account_impersonation_url")?;
        let target = Target::from_url(url, delegates, DEFAULT_LIFETIME_SECONDS, trusted)?;
        let source = source(fields.object("source_credentials")?)
            .map_err(|error| error.within("its field \"source_credentials\""))?;
        Ok(Self { source, target: Arc::new(target) })
    }

    pub(crate) fn fetch(&self, key: &TokenKey, mut jitter: Jitter) -> Impersonation {
        let source_key = TokenKey::AccessToken { scopes: vec![CLOUD_PLATFORM.to_owned()] };
        let source = self.source.fetch(&source_key, jitter.fork());
        let generate = Next { target: Arc::clone(&self.target), key: with_scope(key), jitter };
        Impersonation { stage: Stage::Source(Box::new(source)), next: Some(generate) }
    }
}

/// One fetch by impersonation: a token of the source, then one of the target.
pub(crate) struct Impersonation {
    stage: Stage,
    next: Option<Next>,
}

enum Stage {
    Source(Box<Fetch>),
    Generate(Exchange<Generate>),
}

/// What is asked for once there is a token of the source.
pub(crate) struct Next {
    pub(crate) target: Arc<Target>,
    pub(crate) key: TokenKey,
    pub(crate) jitter: Jitter,
}

impl Next {
    pub(crate) fn generate(
        self,
        bearer: Secret<String>,
        client_certificate: Option<ClientCertificate>,
    ) -> Exchange<Generate> {
        Exchange::new(
            Generate { target: self.target, key: self.key, bearer, client_certificate },
            self.jitter,
        )
    }
}

impl Operation for Impersonation {
    type Output = Issued;

    fn resume(&mut self, now: Millis, reply: Reply) -> Step<Issued> {
        match &mut self.stage {
            Stage::Generate(exchange) => exchange.resume(now, reply),
            Stage::Source(source) => source.resume(now, reply).and_then(|issued| match self.next.take() {
                Some(next) => {
                    let mut exchange = next.generate(issued.value, None);
                    let step = exchange.resume(now, Reply::Start);
                    self.stage = Stage::Generate(exchange);
                    step
                }
                None => Step::misuse("nothing after the end", &Reply::Start),
            }),
        }
    }
}

/// The API wants a scope; without one asked for it is the one that covers Google Cloud.
pub(crate) fn with_scope(key: &TokenKey) -> TokenKey {
    match key {
        TokenKey::AccessToken { scopes } if scopes.is_empty() => {
            TokenKey::AccessToken { scopes: vec![CLOUD_PLATFORM.to_owned()] }
        }
        other => other.clone(),
    }
}

fn is_delegate(delegate: &str) -> bool {
    is_email(delegate.strip_prefix("projects/-/serviceAccounts/").unwrap_or(delegate))
}

/// Something before and after one `@`, of the characters that e-mails of service accounts have.
fn is_email(text: &str) -> bool {
    let plain = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
    };
    text.split_once('@').is_some_and(|(name, domain)| plain(name) && plain(domain))
}
