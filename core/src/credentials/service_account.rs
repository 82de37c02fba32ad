//! `"type": "service_account"`: a key that Google made for a service account (AIP-4112).

use std::sync::Arc;

use crate::credentials::endpoints::Service;
use crate::credentials::fields::{Fields, invalid, printable};
use crate::credentials::impersonation::{self, Impersonation};
use crate::credentials::pem::pem_mistake;
use crate::credentials::principal::{Known, Principal, Signature};
use crate::credentials::trust::DEFAULT_UNIVERSE;
use crate::credentials::{AskPrincipal, Context, Credential, Fetch, Reader, SignBytes};
use crate::crypto::{KeyRejected, RsaSigningKey};
use crate::encoding::pem_decode;
use crate::error::{Error, ErrorCode};
use crate::exchange::Exchange;
use crate::exchange::oauth2_token::{Assertion, JwtBearer};
use crate::quote;
use crate::secret::Secret;
use crate::signing::Sign;
use crate::token::self_signed_jwt::{Claims, Signer};
use crate::token::{TokenKey, Want};
use crate::url::Url;

/// The scope of a self-signed JWT that may call the IAM Credentials API.
const IAM: &str = "https://www.googleapis.com/auth/iam";

/// A service account and its private key.
struct ServiceAccount {
    signer: Arc<Signer>,
    token_uri: Url,
    /// The account as a target of the IAM Credentials API, in a universe whose token endpoint issues no tokens.
    elsewhere: Option<Arc<impersonation::Account>>,
    project_id: Option<String>,
}

/// Reads a file of this type.
pub(super) fn read(fields: Fields<'_>, reader: &Reader<'_>) -> Result<Arc<dyn Credential>, Error> {
    let trusted = reader.trusted;
    let client_email = printable("client_email", fields.required("client_email")?)?.to_owned();
    let private_key = private_key(fields.required("private_key")?)?;
    let key_id = fields.optional("private_key_id")?.map(|id| printable("private_key_id", id)).transpose()?;
    let token_uri = match fields.is_written("token_uri") {
        true => trusted.field(fields, "token_uri", Service::Token, None)?,
        false => trusted.token_uri()?,
    };
    let elsewhere = match trusted.universe_of(fields)? {
        DEFAULT_UNIVERSE => None,
        universe => Some(Arc::new(impersonation::Account::of(&client_email, universe, trusted)?)),
    };
    let signer = Arc::new(Signer::new(client_email, private_key, key_id.map(str::to_owned)));
    let project_id = fields.optional("project_id")?.map(str::to_owned);
    Ok(Arc::new(ServiceAccount { signer, token_uri, elsewhere, project_id }))
}

impl Credential for ServiceAccount {
    fn describe(&self) -> String {
        format!("the key of {}", quote::harmless(self.signer.principal()))
    }

    fn principal(self: Arc<Self>, _context: Context<'_>) -> AskPrincipal {
        let email = Some(self.signer.principal().to_owned());
        Box::new(Known::new(Principal { email, project_id: self.project_id.clone() }))
    }

    fn sign_bytes(self: Arc<Self>, bytes: Vec<u8>, _context: Context<'_>) -> Result<SignBytes, Error> {
        Ok(Box::new(Sign::new(move |_| {
            let key_id = self.signer.key_id().map(str::to_owned);
            Ok(self.signer.sign_bytes(&bytes)?.map(|bytes| Signature { key_id, bytes }))
        })))
    }

    fn fetch(self: Arc<Self>, key: &TokenKey, mut context: Context<'_>) -> Result<Fetch, Error> {
        let subject = context.preferences.subject.clone();
        Ok(match key {
            TokenKey::SelfSignedJwt { audience } => self.signed(Scope::Audience(audience.clone())),
            TokenKey::IdToken { audience } => {
                context.refuse_subject("an ID token says who the service account is, not the person")?;
                match &self.elsewhere {
                    None => self.exchanged(Want::IdToken { audience: audience.clone() }, None, context),
                    // No token endpoint issues ID tokens there: the account impersonates itself.
                    Some(account) => {
                        let source = self.signed(Scope::Scopes(vec![IAM.to_owned()]));
                        context.jitter = context.jitter.fork();
                        let request = impersonation::Request::new(Arc::clone(account), key, context)?;
                        Box::new(Impersonation::by(source, request))
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
                if subject.is_none()
                    && (context.preferences.self_signed_access_tokens || self.elsewhere.is_some()) =>
            {
                self.signed(Scope::Scopes(scopes.clone()))
            }
            TokenKey::AccessToken { scopes } => {
                self.exchanged(Want::AccessToken { scopes: scopes.clone() }, subject, context)
            }
        })
    }
}

impl ServiceAccount {
    /// A JWT that is itself the credential: no endpoint is asked.
    fn signed(&self, scope: Scope) -> Fetch {
        let signer = Arc::clone(&self.signer);
        Box::new(Sign::new(move |now| {
            let email = signer.principal();
            let claims = match &scope {
                Scope::Audience(audience) => Claims::for_audience(email, audience, now.unix),
                Scope::Scopes(scopes) => Claims::for_scopes(email, scopes, now.unix)?,
            };
            signer.sign(&claims)
        }))
    }

    fn exchanged(&self, want: Want, subject: Option<String>, context: Context<'_>) -> Fetch {
        let assertion = Assertion::ByKey { signer: Arc::clone(&self.signer), subject };
        let endpoint = JwtBearer { token_uri: self.token_uri.clone(), assertion, want };
        Box::new(Exchange::new(endpoint, context.jitter))
    }
}

/// What a JWT is for that is itself the credential.
enum Scope {
    Audience(String),
    Scopes(Vec<String>),
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
        None => Err(invalid("private_key", pem_mistake(pem), EXPECTED)),
    }
}
