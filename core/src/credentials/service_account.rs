//! `"type": "service_account"`: a key that Google made for a service account (AIP-4112).

use std::sync::Arc;

use crate::config::Preferences;
use crate::credentials::impersonated_service_account::Impersonation;
use crate::credentials::impersonation::{Errand, Target};
use crate::credentials::trust::{DEFAULT_UNIVERSE, TrustedEndpoints};
use crate::credentials::{Fetch, Fields, invalid};
use crate::crypto::{KeyRejected, RsaSigningKey};
use crate::encoding::pem_decode;
use crate::error::{Error, ErrorCode};
use crate::exchange::Exchange;
use crate::exchange::oauth2_token::{Assertion, JwtBearer};
use crate::retry::Jitter;
use crate::secret::Secret;
use crate::step::{Now, Operation, Reply, Step};
use crate::token::self_signed_jwt::Claims;
use crate::token::{Issued, TokenKey, Want};
use crate::url::Url;

/// The scope of a self-signed JWT that may call the IAM Credentials API.
const IAM: &str = "https://www.googleapis.com/auth/iam";

/// A service account and its private key.
pub(crate) struct ServiceAccount {
    pub(crate) client_email: String,
    pub(crate) private_key: RsaSigningKey,
    pub(crate) private_key_id: Option<String>,
    token_uri: Url,
    /// The account as a target of the IAM Credentials API, in a universe whose token endpoint issues no tokens.
    elsewhere: Option<Arc<Target>>,
}

impl ServiceAccount {
    pub(crate) fn from_fields(fields: Fields<'_>, trusted: &TrustedEndpoints) -> Result<Self, Error> {
        let client_email = fields.required("client_email")?.to_owned();
        let private_key = private_key(fields.required("private_key")?)?;
        let private_key_id =
            fields.optional("private_key_id")?.filter(|id| !id.is_empty()).map(str::to_owned);
        let token_uri = match fields.has("token_uri") {
            true => trusted.field(fields, "token_uri", None)?,
            false => trusted.token_uri()?,
        };
        let elsewhere = match trusted.universe_of(fields)? {
            DEFAULT_UNIVERSE => None,
            universe => Some(Arc::new(Target::of(&client_email, universe, trusted)?)),
        };
        Ok(Self { client_email, private_key, private_key_id, token_uri, elsewhere })
    }

    /// The operation that gets this token, or why there is none.
    pub(crate) fn fetch(
        self: &Arc<Self>,
        key: &TokenKey,
        preferences: &Preferences,
        mut jitter: Jitter,
    ) -> Result<Fetch, Error> {
        let subject = preferences.subject.clone();
        Ok(match key {
            TokenKey::SelfSignedJwt { audience } => self.signed(Scope::Audience(audience.clone())),
            TokenKey::IdToken { audience } => {
                preferences.refuse_subject("an ID token says who the service account is, not the person")?;
                match &self.elsewhere {
                    None => self.exchanged(Want::IdToken { audience: audience.clone() }, None, jitter),
                    // No token endpoint issues ID tokens there: the account impersonates itself.
                    Some(target) => {
                        let source = self.signed(Scope::Scopes(vec![IAM.to_owned()]));
                        let errand = Errand::new(Arc::clone(target), key, preferences, jitter.fork())?;
                        Fetch::Impersonation(Box::new(Impersonation::new(source, errand)))
                    }
                }
            }
            TokenKey::AccessToken { .. } if subject.is_some() && self.elsewhere.is_some() => {
                return Err(Error::new(
                    ErrorCode::SubjectUnsupported,
                    "there is no domain-wide delegation outside the universe googleapis.com",
                ));
            }
            TokenKey::AccessToken { scopes }
                if subject.is_none() && self.signs_access_tokens(preferences) =>
            {
                self.signed(Scope::Scopes(scopes.clone()))
            }
            TokenKey::AccessToken { scopes } => {
                self.exchanged(Want::AccessToken { scopes: scopes.clone() }, subject, jitter)
            }
        })
    }

    fn signs_access_tokens(&self, preferences: &Preferences) -> bool {
        preferences.self_signed_access_tokens || self.elsewhere.is_some()
    }

    fn signed(self: &Arc<Self>, scope: Scope) -> Fetch {
        Fetch::Signed(SelfSigned { account: Arc::clone(self), scope })
    }

    fn exchanged(self: &Arc<Self>, want: Want, subject: Option<String>, jitter: Jitter) -> Fetch {
        let assertion = Assertion::ByKey { account: Arc::clone(self), subject };
        let endpoint = JwtBearer { token_uri: self.token_uri.clone(), assertion, want };
        Fetch::JwtBearer(Exchange::new(endpoint, jitter))
    }
}

/// The making of a JWT that is itself the credential: no endpoint is asked.
pub(crate) struct SelfSigned {
    account: Arc<ServiceAccount>,
    scope: Scope,
}

enum Scope {
    Audience(String),
    Scopes(Vec<String>),
}

impl Operation for SelfSigned {
    type Output = Issued;

    fn resume(&mut self, now: Now, reply: Reply) -> Step<Issued> {
        let email = &self.account.client_email;
        match (reply, &self.scope) {
            (Reply::Start, Scope::Audience(audience)) => {
                Claims::for_audience(email, audience, now.unix).sign(&self.account).into()
            }
            (Reply::Start, Scope::Scopes(scopes)) => Claims::for_scopes(email, scopes, now.unix)
                .and_then(|claims| claims.sign(&self.account))
                .into(),
            (other, _) => Step::misuse("Start", &other),
        }
    }
}

/// Reads PEM in PKCS#8, as Google writes it, or PKCS#1.
fn private_key(pem: &str) -> Result<RsaSigningKey, Error> {
    const EXPECTED: &str = "a PEM private key of RSA, 2048 to 4096 bits";
    let rejected = |KeyRejected(why)| invalid("private_key", why, EXPECTED);
    if let Some(der) = pem_decode(pem, "PRIVATE KEY").map(Secret::new) {
        return RsaSigningKey::from_pkcs8(der.expose()).map_err(rejected);
    }
    match pem_decode(pem, "RSA PRIVATE KEY").map(Secret::new) {
        Some(der) => RsaSigningKey::from_pkcs1(der.expose()).map_err(rejected),
        None => Err(invalid("private_key", "no PEM block, or a damaged one", EXPECTED)),
    }
}
