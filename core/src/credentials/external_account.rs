//! `"type": "external_account"`: workload and workforce identity federation (AIP-4117).
//!
//! Somebody else's token (the subject token) is exchanged at STS for a federated access token, which may then
//! impersonate a service account. Only a service account has ID tokens.

use std::sync::Arc;

use crate::credentials::endpoints::Service;
use crate::credentials::fields::{Fields, invalid, printable};
use crate::credentials::impersonation::{self, CLOUD_PLATFORM, Impersonation, SignAs, or_cloud_platform};
use crate::credentials::principal::{Known, Principal};
use crate::credentials::subject_token::{Source, Subject, SubjectToken};
use crate::credentials::{AskPrincipal, Context, Credential, Fetch, Reader, SignBytes, no_key};
use crate::error::{Error, ErrorCode};
use crate::exchange::Exchange;
use crate::exchange::client::Client;
use crate::exchange::sts::TokenExchange;
use crate::quote;
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
struct ExternalAccount {
    audience: String,
    subject_token_type: String,
    token_url: Url,
    client: Option<Client>,
    workforce_pool_user_project: Option<String>,
    account: Option<Arc<impersonation::Account>>,
    source: Source,
}

/// Reads a file of this type.
pub(super) fn read(fields: Fields<'_>, reader: &Reader<'_>) -> Result<Arc<dyn Credential>, Error> {
    let trusted = reader.trusted;
    let token_url = format!("https://sts.{}/v1/token", trusted.universe_of(fields)?);
    let audience = printable("audience", fields.required("audience")?)?.to_owned();
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
    let account = match fields.optional("service_account_impersonation_url")? {
        Some(url) => {
            let lifetime = lifetime_seconds(fields)?;
            Some(Arc::new(impersonation::Account::from_url(url, Vec::new(), lifetime, trusted)?))
        }
        None => None,
    };
    let client = match fields.optional("client_id")? {
        Some(id) => {
            let secret = Secret::from(fields.optional("client_secret")?.unwrap_or_default());
            Some(Client { id: printable("client_id", id)?.to_owned(), secret })
        }
        None => None,
    };
    Ok(Arc::new(ExternalAccount {
        audience,
        subject_token_type,
        token_url: trusted.field(fields, "token_url", Service::Sts, Some(&token_url))?,
        client,
        workforce_pool_user_project,
        account,
        source: Source::from_fields(fields.object("credential_source")?, trusted)?,
    }))
}

impl Credential for ExternalAccount {
    fn describe(&self) -> String {
        let federated = format!("a federated identity of {}", quote::harmless(&self.audience));
        match &self.account {
            Some(account) => format!("{}, by {federated}", quote::harmless(account.email())),
            None => federated,
        }
    }

    fn principal(self: Arc<Self>, _context: Context<'_>) -> AskPrincipal {
        let email = self.account.as_ref().map(|account| account.email().to_owned());
        Box::new(Known::new(Principal { email, project_id: None }))
    }

    fn sign_bytes(self: Arc<Self>, bytes: Vec<u8>, mut context: Context<'_>) -> Result<SignBytes, Error> {
        let account = self.account.clone().ok_or_else(|| no_key("a federated identity has no key"))?;
        let jitter = context.jitter.fork();
        let federation = self.federation(None, vec![CLOUD_PLATFORM.to_owned()], context.jitter);
        Ok(Box::new(SignAs::new(account, Box::new(federation), bytes, jitter)))
    }

    fn fetch(self: Arc<Self>, key: &TokenKey, mut context: Context<'_>) -> Result<Fetch, Error> {
        const NO_URL: &str =
            "the external_account file has no service_account_impersonation_url, and a federated identity";
        let (request, scopes, jitter) = match (&self.account, key) {
            (Some(account), key) => {
                let preferences = context.preferences;
                let own = Context { preferences, jitter: context.jitter.fork() };
                let request = impersonation::Request::new(Arc::clone(account), key, own)?;
                (Some(request), vec![CLOUD_PLATFORM.to_owned()], context.jitter)
            }
            (None, TokenKey::AccessToken { scopes }) => {
                context.refuse_subject("a federated identity has no domain")?;
                (None, or_cloud_platform(scopes), context.jitter)
            }
            (None, TokenKey::IdToken { .. }) => {
                return Err(Error::new(
                    ErrorCode::IdTokenUnsupported,
                    format!("{NO_URL} has no ID token of its own"),
                ));
            }
            (None, TokenKey::SelfSignedJwt { .. }) => return Err(no_key(&format!("{NO_URL} has no key"))),
        };
        Ok(Box::new(self.federation(request, scopes, jitter)))
    }
}

impl ExternalAccount {
    /// A federated token, and the account's where one is asked for by it.
    fn federation(
        self: Arc<Self>,
        request: Option<impersonation::Request>,
        scopes: Vec<String>,
        mut jitter: Jitter,
    ) -> Federation {
        let subject = Box::new(self.subject_token(jitter.fork()));
        Federation {
            account: self,
            scopes,
            jitter,
            request,
            stage: Stage::Subject(subject),
            certificate: None,
            renewals: CERTIFICATE_RENEWALS,
        }
    }

    fn subject_token(&self, jitter: Jitter) -> SubjectToken {
        let email = self.account.as_ref().map(|account| account.email().to_owned());
        self.source.subject_token(&self.audience, &self.subject_token_type, email, jitter)
    }

    /// The project that a workforce pool's user bills; a client id names one already (AIP-4117).
    fn user_project(&self) -> Option<String> {
        self.workforce_pool_user_project.clone().filter(|_| self.client.is_none())
    }
}

/// One fetch by federation: the subject token, the federated token, and perhaps a service account's.
struct Federation {
    account: Arc<ExternalAccount>,
    scopes: Vec<String>,
    jitter: Jitter,
    request: Option<impersonation::Request>,
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
    Impersonation(Impersonation),
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
            token_url: self.account.token_url.clone(),
            audience: self.account.audience.clone(),
            subject_token_type: self.account.subject_token_type.clone(),
            client: self.account.client.clone(),
            user_project: self.account.user_project(),
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

    fn impersonate(&mut self, now: Now, issued: Issued) -> Step<Issued> {
        match self.request.take() {
            None => Step::Done(issued),
            Some(request) => {
                let certificate = self.certificate.take().map(|presented| presented.certificate);
                let impersonation = Impersonation::with(request, issued.value, certificate);
                self.stage = Stage::Impersonation(impersonation);
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
                step => step.and_then(|issued| self.impersonate(now, issued)),
            },
            Stage::Impersonation(impersonation) => impersonation.resume(now, reply),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_life_of_an_impersonated_token_is_bounded() {
        let lifetime = |seconds: &str| {
            let file =
                format!(r#"{{"service_account_impersonation":{{"token_lifetime_seconds":{seconds}}}}}"#);
            lifetime_seconds(Fields::new(&crate::json::value(file.as_bytes()).unwrap())).ok()
        };
        for (seconds, expected) in [
            ("null", Some(3600)),
            ("600", Some(600)),
            ("43200", Some(43_200)),
            ("599", None),
            ("43201", None),
        ] {
            assert_eq!(lifetime(seconds), expected, "{seconds}");
        }
    }

    /// How often STS is asked with a certificate that is another one each time it is read, and answers like this.
    fn questions_to_sts(status: u16, body: &str) -> usize {
        let file = serde_json::json!({
            "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q",
            "subject_token_type": "urn:ietf:params:oauth:token-type:mtls",
            "credential_source": {"certificate": {"use_default_certificate_config": true}},
        });
        let file = crate::json::value(file.to_string().as_bytes()).unwrap();
        let reader = Reader { trusted: &crate::credentials::TrustedEndpoints::default(), sources: 0 };
        let preferences = crate::config::Preferences::default();
        let context = Context { preferences: &preferences, jitter: Jitter::new(1) };
        let mut fetch = read(Fields::new(&file), &reader)
            .unwrap()
            .fetch(&TokenKey::access_token("").unwrap(), context)
            .unwrap();
        let now = Now::steady(crate::step::Millis::from_secs(1_800_000_000));
        let (mut reply, mut questions) = (Reply::Start, 0);
        for number in 0..200u8 {
            reply = match fetch.resume(now, reply) {
                Step::ReadEnv { .. } => Reply::Env(vec![("HOME".to_owned(), Secret::from("/home/u"))]),
                Step::ReadFile { path, .. } if path.ends_with(".json") => Reply::Text(Secret::from(
                    r#"{"cert_configs":{"workload":{"cert_path":"/c.pem","key_path":"/k.pem"}}}"#,
                )),
                Step::ReadFile { .. } => {
                    let leaf = crate::encoding::base64_encode(&[number; 3]);
                    let pem = format!("-----BEGIN CERTIFICATE-----\n{leaf}\n-----END CERTIFICATE-----\n");
                    Reply::Text(Secret::new(pem))
                }
                Step::Send(_) => {
                    questions += 1;
                    let body = Secret::new(body.as_bytes().to_vec());
                    Reply::Response { status, headers: Vec::new(), body }
                }
                Step::Fail(_) => return questions,
                other => panic!("{:?}", other.and_then(|_| Step::<()>::Done(()))),
            };
        }
        panic!("no end")
    }

    #[test]
    fn a_certificate_that_is_never_the_same_is_read_again_a_few_times() {
        assert_eq!(questions_to_sts(401, ""), 5);
    }

    #[test]
    fn no_certificate_is_to_blame_for_an_answer_that_makes_no_sense() {
        assert_eq!(questions_to_sts(200, "[]"), 1);
    }
}
