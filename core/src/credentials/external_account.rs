//! `"type": "external_account"`: workload and workforce identity federation (AIP-4117).
//!
//! Somebody else's token (the subject token) is exchanged at STS for a federated access token, which may then
//! impersonate a service account. Only a service account has ID tokens.

use std::sync::Arc;

use crate::credentials::client::Client;
use crate::credentials::impersonated_service_account::{CLOUD_PLATFORM, Next, Target, with_scope};
use crate::credentials::subject_token::{Source, Subject, SubjectToken};
use crate::credentials::trust::TrustedEndpoints;
use crate::credentials::{Fields, invalid};
use crate::error::{Error, ErrorCode};
use crate::exchange::Exchange;
use crate::exchange::iam_credentials::Generate;
use crate::exchange::sts::TokenExchange;
use crate::retry::Jitter;
use crate::secret::Secret;
use crate::step::{ClientCertificate, Millis, Operation, Reply, Step};
use crate::token::{Issued, TokenKey};
use crate::url::Url;

const TOKEN_URL: &str = "https://sts.googleapis.com/v1/token";
/// Life of an impersonated token: default, and the bounds that AIP-4117 sets.
const LIFETIME_SECONDS: (u32, u32, u32) = (3600, 600, 43_200);

/// Subject token types that STS takes (RFC 8693, section 3; AIP-4117).
const SUBJECT_TOKEN_TYPES: [&str; 6] = [
    "urn:ietf:params:oauth:token-type:jwt",
    "urn:ietf:params:oauth:token-type:id_token",
    "urn:ietf:params:oauth:token-type:access_token",
    "urn:ietf:params:oauth:token-type:saml2",
    "urn:ietf:params:oauth:token-type:mtls",
    "urn:ietf:params:aws:token-type:aws4_request",
];

/// A provider of a workload or workforce identity pool, and where its subject tokens come from.
pub(crate) struct ExternalAccount {
    pub(crate) audience: String,
    pub(crate) subject_token_type: String,
    pub(crate) token_url: Url,
    pub(crate) client: Option<Client>,
    pub(crate) workforce_pool_user_project: Option<String>,
    target: Option<Arc<Target>>,
    source: Source,
}

impl ExternalAccount {
    pub(crate) fn from_fields(fields: Fields<'_>, trusted: &TrustedEndpoints) -> Result<Self, Error> {
        fields.check_universe()?;
        let audience = fields.required("audience")?.to_owned();
        let subject_token_type = fields.required("subject_token_type")?.to_owned();
        if !SUBJECT_TOKEN_TYPES.contains(&subject_token_type.as_str()) {
            return Err(invalid("subject_token_type", "an unknown type", &SUBJECT_TOKEN_TYPES.join(" or ")));
        }
        let workforce_pool_user_project = fields.optional("workforce_pool_user_project")?.map(str::to_owned);
        if workforce_pool_user_project.is_some() && !is_workforce(&audience) {
            return Err(invalid(
                "workforce_pool_user_project",
                "set",
                "none, because the audience is no workforce pool",
            ));
        }
        let target = match fields.optional("service_account_impersonation_url")? {
            Some(url) => {
                Some(Arc::new(Target::from_url(url, Vec::new(), lifetime_seconds(fields)?, trusted)?))
            }
            None => None,
        };
        let client = match fields.optional("client_id")? {
            Some(id) => {
                let secret = Secret::from(fields.optional("client_secret")?.unwrap_or_default());
                Some(Client { id: id.to_owned(), secret })
            }
            None => None,
        };
        Ok(Self {
            audience,
            subject_token_type,
            token_url: trusted.field(fields, "token_url", Some(TOKEN_URL))?,
            client,
            workforce_pool_user_project,
            target,
            source: Source::from_fields(fields.object("credential_source")?, trusted)?,
        })
    }

    /// The operation that gets this token, or why there is none.
    pub(crate) fn fetch(self: &Arc<Self>, key: &TokenKey, mut jitter: Jitter) -> Result<Federation, Error> {
        let next = match (&self.target, key) {
            (Some(target), key) => {
                Some(Next { target: Arc::clone(target), key: with_scope(key), jitter: jitter.fork() })
            }
            (None, TokenKey::AccessToken { .. }) => None,
            (None, TokenKey::IdToken { .. }) => {
                return Err(Error::new(
                    ErrorCode::IdTokenUnsupported,
                    "the external_account file has no service_account_impersonation_url, and a federated identity has no ID token of its own",
                ));
            }
        };
        let scopes = match (&next, with_scope(key)) {
            (None, TokenKey::AccessToken { scopes }) => scopes,
            _ => vec![CLOUD_PLATFORM.to_owned()],
        };
        let email = self.target.as_ref().map(|target| target.email().to_owned());
        let subject =
            self.source.subject_token(&self.audience, &self.subject_token_type, email, jitter.fork());
        Ok(Federation {
            account: Arc::clone(self),
            scopes,
            jitter,
            next,
            stage: Stage::Subject(Box::new(subject)),
            certificate: None,
        })
    }
}

/// One fetch by federation: the subject token, the federated token, and perhaps a service account's.
pub(crate) struct Federation {
    account: Arc<ExternalAccount>,
    scopes: Vec<String>,
    jitter: Jitter,
    next: Option<Next>,
    stage: Stage,
    certificate: Option<ClientCertificate>,
}

enum Stage {
    Subject(Box<SubjectToken>),
    Exchange(Exchange<TokenExchange>),
    Generate(Exchange<Generate>),
}

impl Federation {
    fn exchange(&mut self, now: Millis, subject: Subject) -> Step<Issued> {
        self.certificate.clone_from(&subject.client_certificate);
        let endpoint = TokenExchange {
            account: Arc::clone(&self.account),
            subject_token: subject.token,
            scopes: self.scopes.clone(),
            client_certificate: subject.client_certificate,
        };
        self.stage = Stage::Exchange(Exchange::new(endpoint, self.jitter.fork()));
        self.resume(now, Reply::Start)
    }

    fn generate(&mut self, now: Millis, issued: Issued) -> Step<Issued> {
        match self.next.take() {
            None => Step::Done(issued),
            Some(next) => {
                self.stage = Stage::Generate(next.generate(issued.value, self.certificate.take()));
                self.resume(now, Reply::Start)
            }
        }
    }
}

impl Operation for Federation {
    type Output = Issued;

    fn resume(&mut self, now: Millis, reply: Reply) -> Step<Issued> {
        match &mut self.stage {
            Stage::Subject(subject) => {
                subject.resume(now, reply).and_then(|subject| self.exchange(now, subject))
            }
            Stage::Exchange(exchange) => {
                exchange.resume(now, reply).and_then(|issued| self.generate(now, issued))
            }
            Stage::Generate(exchange) => exchange.resume(now, reply),
        }
    }
}

fn is_workforce(audience: &str) -> bool {
    audience
        .strip_prefix("//iam.googleapis.com/locations/")
        .is_some_and(|rest| rest.contains("/workforcePools/"))
}

fn lifetime_seconds(fields: Fields<'_>) -> Result<u32, Error> {
    const FIELD: &str = "token_lifetime_seconds";
    let (default, shortest, longest) = LIFETIME_SECONDS;
    if !fields.has("service_account_impersonation") {
        return Ok(default);
    }
    match fields.object("service_account_impersonation")?.number(FIELD)? {
        None => Ok(default),
        Some(seconds) if seconds >= f64::from(shortest) && seconds <= f64::from(longest) => {
            Ok(seconds as u32)
        }
        Some(_) => Err(invalid(FIELD, "out of bounds", &format!("{shortest} to {longest}"))),
    }
}
