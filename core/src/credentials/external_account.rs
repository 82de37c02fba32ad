//! `"type": "external_account"`: workload and workforce identity federation (AIP-4117).
//!
//! Somebody else's token (the subject token) is exchanged at STS for a federated access token, which may then
//! impersonate a service account. Only a service account has ID tokens.

use std::sync::Arc;

use crate::config::Preferences;
use crate::credentials::client::Client;
use crate::credentials::impersonation::{ActAs, CLOUD_PLATFORM, Errand, Target, or_cloud_platform};
use crate::credentials::subject_token::{Source, Subject, SubjectToken};
use crate::credentials::trust::TrustedEndpoints;
use crate::credentials::{Fields, invalid, no_key};
use crate::error::{Error, ErrorCode};
use crate::exchange::Exchange;
use crate::exchange::sts::TokenExchange;
use crate::retry::Jitter;
use crate::secret::Secret;
use crate::step::{ClientCertificate, Now, Operation, Reply, Step};
use crate::token::{Issued, TokenKey};
use crate::url::Url;

/// Life of an impersonated token: default, and the bounds that AIP-4117 sets.
const LIFETIME_SECONDS: (u32, u32, u32) = (3600, 600, 43_200);

/// How often a certificate that was replaced in the middle of an exchange is read again.
const CERTIFICATE_RENEWALS: u32 = 4;

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
        let token_url = format!("https://sts.{}/v1/token", trusted.universe_of(fields)?);
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
            token_url: trusted.field(fields, "token_url", Some(&token_url))?,
            client,
            workforce_pool_user_project,
            target,
            source: Source::from_fields(fields.object("credential_source")?, trusted)?,
        })
    }

    /// What these credentials are, without a secret.
    pub(crate) fn describe(&self) -> String {
        let federated = format!("a federated identity of {}", self.audience);
        match &self.target {
            Some(target) => format!("{}, by {federated}", target.email()),
            None => federated,
        }
    }

    /// The operation that gets this token, or why there is none.
    pub(crate) fn fetch(
        self: &Arc<Self>,
        key: &TokenKey,
        preferences: &Preferences,
        mut jitter: Jitter,
    ) -> Result<Federation, Error> {
        const NO_URL: &str =
            "the external_account file has no service_account_impersonation_url, and a federated identity";
        let (errand, scopes) = match (&self.target, key) {
            (Some(target), key) => {
                let errand = Errand::new(Arc::clone(target), key, preferences, jitter.fork())?;
                (Some(errand), vec![CLOUD_PLATFORM.to_owned()])
            }
            (None, TokenKey::AccessToken { scopes }) => {
                preferences.refuse_subject("a federated identity has no domain")?;
                (None, or_cloud_platform(scopes))
            }
            (None, TokenKey::IdToken { .. }) => {
                return Err(Error::new(
                    ErrorCode::IdTokenUnsupported,
                    format!("{NO_URL} has no ID token of its own"),
                ));
            }
            (None, TokenKey::SelfSignedJwt { .. }) => return Err(no_key(&format!("{NO_URL} has no key"))),
        };
        let subject = Box::new(self.subject_token(jitter.fork()));
        Ok(Federation {
            account: Arc::clone(self),
            scopes,
            jitter,
            errand,
            stage: Stage::Subject(subject),
            certificate: None,
            renewals: CERTIFICATE_RENEWALS,
        })
    }

    fn subject_token(&self, jitter: Jitter) -> SubjectToken {
        let email = self.target.as_ref().map(|target| target.email().to_owned());
        self.source.subject_token(&self.audience, &self.subject_token_type, email, jitter)
    }
}

/// One fetch by federation: the subject token, the federated token, and perhaps a service account's.
pub(crate) struct Federation {
    account: Arc<ExternalAccount>,
    scopes: Vec<String>,
    jitter: Jitter,
    errand: Option<Errand>,
    stage: Stage,
    certificate: Option<Presented>,
    /// How often the certificate may still be read again.
    renewals: u32,
}

/// The certificate that was presented, and the subject token that was made of it.
struct Presented {
    certificate: ClientCertificate,
    subject_token: Secret<String>,
    /// Why it is read again.
    refusal: Option<Error>,
}

enum Stage {
    Subject(Box<SubjectToken>),
    Exchange(Exchange<TokenExchange>),
    Target(ActAs),
}

impl Federation {
    fn exchange(&mut self, now: Now, subject: Subject) -> Step<Issued> {
        let refused =
            self.certificate.take().and_then(|before| Some((before.subject_token, before.refusal?)));
        match refused {
            Some((before, error)) if before.expose() == subject.token.expose() => return Step::Fail(error),
            _ => {}
        }
        self.certificate = subject.client_certificate.clone().map(|certificate| Presented {
            certificate,
            subject_token: subject.token.clone(),
            refusal: None,
        });
        let endpoint = TokenExchange {
            account: Arc::clone(&self.account),
            subject_token: subject.token,
            scopes: self.scopes.clone(),
            client_certificate: subject.client_certificate,
        };
        self.stage = Stage::Exchange(Exchange::new(endpoint, self.jitter.fork()));
        self.resume(now, Reply::Start)
    }

    /// A certificate may have been replaced since it was read: it is read again, and presented if it is another one
    /// (AIP-4118). Every other failure is final.
    fn renew_certificate(&mut self, now: Now, error: Error) -> Step<Issued> {
        let may_be_old =
            matches!(error.code(), ErrorCode::ClientCertificateUnusable | ErrorCode::TokenRefused);
        match self.certificate.as_mut().filter(|_| may_be_old && self.renewals > 0) {
            None => Step::Fail(error),
            Some(presented) => {
                presented.refusal = Some(error);
                self.renewals -= 1;
                let subject = self.account.subject_token(self.jitter.fork());
                self.stage = Stage::Subject(Box::new(subject));
                self.resume(now, Reply::Start)
            }
        }
    }

    fn act_as_target(&mut self, now: Now, issued: Issued) -> Step<Issued> {
        match self.errand.take() {
            None => Step::Done(issued),
            Some(errand) => {
                let certificate = self.certificate.take().map(|presented| presented.certificate);
                self.stage = Stage::Target(errand.with(issued.value, certificate));
                self.resume(now, Reply::Start)
            }
        }
    }
}

impl Operation for Federation {
    type Output = Issued;

    fn resume(&mut self, now: Now, reply: Reply) -> Step<Issued> {
        match &mut self.stage {
            Stage::Subject(subject) => {
                subject.resume(now, reply).and_then(|subject| self.exchange(now, subject))
            }
            Stage::Exchange(exchange) => match exchange.resume(now, reply) {
                Step::Fail(error) => self.renew_certificate(now, error),
                step => step.and_then(|issued| self.act_as_target(now, issued)),
            },
            Stage::Target(target) => target.resume(now, reply),
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
