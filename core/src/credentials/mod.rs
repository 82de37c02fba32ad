//! Credentials: one file per `type` of a credential file, and the metadata server, which has none.

pub(crate) mod authorized_user;
pub(crate) mod client;
pub(crate) mod external_account;
mod external_account_authorized_user;
pub(crate) mod gdch_service_account;
pub(crate) mod impersonated_service_account;
pub(crate) mod impersonation;
pub(crate) mod service_account;
mod subject_token;
pub(crate) mod trust;

use std::sync::Arc;

use crate::config::Preferences;
use crate::error::{Error, ErrorCode};
use crate::exchange::gdch::GdchToken;
use crate::exchange::metadata::MetadataToken;
use crate::exchange::oauth2_token::{JwtBearer, RefreshToken};
use crate::exchange::{Exchange, printable};
use crate::json::{self, Value};
use crate::retry::Jitter;
use crate::step::{Now, Operation, Reply, Step};
use crate::token::{Issued, TokenKey, Want};
use authorized_user::UserAccount;
use external_account::{ExternalAccount, Federation};
use gdch_service_account::GdchServiceAccount;
use impersonated_service_account::{Impersonated, Impersonation};
use service_account::{SelfSigned, ServiceAccount};
use trust::TrustedEndpoints;

/// The types of credential files that can be read.
const TYPES: [&str; 6] = [
    "service_account",
    "authorized_user",
    "external_account",
    "external_account_authorized_user",
    "impersonated_service_account",
    "gdch_service_account",
];

/// Credentials within impersonated ones, and within those.
const MAX_SOURCES: usize = 2;

/// Something that tokens can be had with.
pub(crate) enum Credential {
    /// The attached service account of the machine that the program runs on.
    Metadata { host: String },
    /// A service-account key.
    ServiceAccount(Arc<ServiceAccount>),
    /// A person, or a person of a workforce pool.
    User(Arc<UserAccount>),
    /// An identity of another provider.
    ExternalAccount(Arc<ExternalAccount>),
    /// A service account, by other credentials that may act as it.
    Impersonated(Box<Impersonated>),
    /// A service account of Google Distributed Cloud, in a place without the internet.
    Gdch(Arc<GdchServiceAccount>),
}

impl Preferences {
    /// Refuses a subject where none can be acted for, for the reason `why`.
    pub(crate) fn refuse_subject(&self, why: &str) -> Result<(), Error> {
        match self.subject {
            None => Ok(()),
            Some(_) => Err(Error::new(
                ErrorCode::SubjectUnsupported,
                format!("the option subject is given, but {why}"),
            )),
        }
    }
}

/// A credential file that was read.
pub(crate) struct CredentialFile {
    /// Its `type`.
    pub(crate) kind: String,
    pub(crate) credential: Credential,
    /// The project that calls with these credentials are billed to, unless the program or the environment says another.
    pub(crate) quota_project_id: Option<String>,
}

impl CredentialFile {
    /// Reads the text of a credential file. `file` names it in errors; its contents stay out of them.
    pub(crate) fn parse(text: &str, file: &str, trusted: &TrustedEndpoints) -> Result<Self, Error> {
        Self::read(text, trusted).map_err(|error| error.within(&format!("credential file {file}")))
    }

    fn read(text: &str, trusted: &TrustedEndpoints) -> Result<Self, Error> {
        let document = json::value(text.as_bytes()).map_err(|error| {
            Error::new(ErrorCode::CredentialsFileInvalid, format!("it is {error}, expected one JSON object"))
        })?;
        if !matches!(document, Value::Object(_)) {
            let found = document.kind();
            return Err(Error::new(
                ErrorCode::CredentialsFileInvalid,
                format!("it is {found}, expected one JSON object"),
            ));
        }
        let fields = Fields(&document);
        Ok(Self {
            credential: Credential::from_fields(fields, trusted, MAX_SOURCES)?,
            kind: fields.required("type")?.to_owned(),
            quota_project_id: fields.optional("quota_project_id")?.map(str::to_owned),
        })
    }
}

impl Credential {
    /// `sources`: how many credentials may stand within these.
    fn from_fields(fields: Fields<'_>, trusted: &TrustedEndpoints, sources: usize) -> Result<Self, Error> {
        Ok(match fields.required("type")? {
            "service_account" => {
                Self::ServiceAccount(Arc::new(ServiceAccount::from_fields(fields, trusted)?))
            }
            "authorized_user" => Self::User(Arc::new(UserAccount::from_fields(fields, trusted)?)),
            "external_account_authorized_user" => {
                Self::User(Arc::new(external_account_authorized_user::from_fields(fields, trusted)?))
            }
            "external_account" => {
                Self::ExternalAccount(Arc::new(ExternalAccount::from_fields(fields, trusted)?))
            }
            "impersonated_service_account" => {
                let source = |fields: Fields<'_>| match sources {
                    0 => Err(invalid(
                        "source_credentials",
                        "nested deeper than twice",
                        "at most two within each other",
                    )),
                    _ => Self::from_fields(fields, trusted, sources - 1),
                };
                Self::Impersonated(Box::new(Impersonated::from_fields(fields, trusted, source)?))
            }
            "gdch_service_account" => Self::Gdch(Arc::new(GdchServiceAccount::from_fields(fields, trusted)?)),
            unknown => {
                return Err(Error::new(
                    ErrorCode::CredentialsTypeUnknown,
                    format!("its type is {:?}, expected one of {}", printable(unknown), TYPES.join(", ")),
                ));
            }
        })
    }

    /// The operation that gets this token; it fails at once when there is none.
    pub(crate) fn fetch(&self, key: &TokenKey, preferences: &Preferences, jitter: Jitter) -> Fetch {
        self.try_fetch(key, preferences, jitter).unwrap_or_else(Fetch::Refused)
    }

    fn try_fetch(&self, key: &TokenKey, preferences: &Preferences, jitter: Jitter) -> Result<Fetch, Error> {
        match self {
            Self::Metadata { host } => {
                preferences.refuse_subject("the metadata server does not act for persons")?;
                let want = match key {
                    TokenKey::IdToken { audience } => Want::IdToken { audience: audience.clone() },
                    TokenKey::AccessToken { scopes } => Want::AccessToken { scopes: scopes.clone() },
                    TokenKey::SelfSignedJwt { .. } => {
                        return Err(no_key("the metadata server gives no key to sign with"));
                    }
                };
                Ok(Fetch::Metadata(Exchange::new(MetadataToken { host: host.clone(), want }, jitter)))
            }
            Self::ServiceAccount(account) => account.fetch(key, preferences, jitter),
            Self::User(account) => account.fetch(key, preferences, jitter),
            Self::ExternalAccount(account) => account
                .fetch(key, preferences, jitter)
                .map(|federation| Fetch::Federation(Box::new(federation))),
            Self::Impersonated(impersonated) => impersonated
                .fetch(key, preferences, jitter)
                .map(|impersonation| Fetch::Impersonation(Box::new(impersonation))),
            Self::Gdch(account) => account.fetch(key, preferences, jitter),
        }
    }

    /// What these credentials are, without a secret.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Metadata { host } => format!("the metadata server at {host}"),
            Self::ServiceAccount(account) => format!("the key of {}", account.client_email),
            Self::User(_) => "a person's credentials".to_owned(),
            Self::ExternalAccount(account) => account.describe(),
            Self::Impersonated(impersonated) => {
                format!("{}, by {}", impersonated.target.email(), impersonated.source.describe())
            }
            Self::Gdch(account) => format!("the key of {}", account.principal()),
        }
    }

    /// Whether each request gives a new token with its whole life ahead. The metadata server does not: it hands out
    /// the same token until a few minutes before its end.
    pub(crate) fn mints_on_demand(&self) -> bool {
        !matches!(self, Self::Metadata { .. })
    }
}

/// One fetch of one token.
pub(crate) enum Fetch {
    Metadata(Exchange<MetadataToken>),
    JwtBearer(Exchange<JwtBearer>),
    RefreshToken(Exchange<RefreshToken>),
    Federation(Box<Federation>),
    Impersonation(Box<Impersonation>),
    Signed(SelfSigned),
    Gdch(Exchange<GdchToken>),
    /// These credentials have no such token.
    Refused(Error),
}

impl Operation for Fetch {
    type Output = Issued;

    fn resume(&mut self, now: Now, reply: Reply) -> Step<Issued> {
        match self {
            Self::Metadata(exchange) => exchange.resume(now, reply),
            Self::JwtBearer(exchange) => exchange.resume(now, reply),
            Self::RefreshToken(exchange) => exchange.resume(now, reply),
            Self::Federation(federation) => federation.resume(now, reply),
            Self::Impersonation(impersonation) => impersonation.resume(now, reply),
            Self::Signed(signed) => signed.resume(now, reply),
            Self::Gdch(exchange) => exchange.resume(now, reply),
            Self::Refused(error) => Step::Fail(error.clone()),
        }
    }
}

/// The fields of a credential file, with the errors that every type gives alike.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a>(&'a Value);

impl<'a> Fields<'a> {
    /// A string that must be there and not be empty.
    pub(crate) fn required(self, name: &str) -> Result<&'a str, Error> {
        match self.optional(name)? {
            Some(text) if !text.is_empty() => Ok(text),
            Some(_) => Err(invalid(name, "empty", "a string")),
            None => Err(invalid(name, "missing", "a string")),
        }
    }

    /// A string that may be left out.
    pub(crate) fn optional(self, name: &str) -> Result<Option<&'a str>, Error> {
        match self.0.member(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(invalid(name, other.kind(), "a string")),
        }
    }

    /// An object that must be there.
    pub(crate) fn object(self, name: &str) -> Result<Self, Error> {
        match self.0.member(name) {
            Some(object @ Value::Object(_)) => Ok(Self(object)),
            Some(other) => Err(invalid(name, other.kind(), "an object")),
            None => Err(invalid(name, "missing", "an object")),
        }
    }

    /// A number that may be left out.
    pub(crate) fn number(self, name: &str) -> Result<Option<f64>, Error> {
        match self.0.member(name) {
            None => Ok(None),
            Some(Value::Number(number)) => Ok(Some(*number)),
            Some(other) => Err(invalid(name, other.kind(), "a number")),
        }
    }

    /// A boolean; false when it is left out.
    pub(crate) fn flag(self, name: &str) -> Result<bool, Error> {
        match self.0.member(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(other) => Err(invalid(name, other.kind(), "true or false")),
        }
    }

    /// A list of strings; empty when it is left out.
    pub(crate) fn strings(self, name: &str) -> Result<Vec<String>, Error> {
        let strings = match self.0.member(name) {
            None => Some(Vec::new()),
            Some(Value::Array(items)) => items.iter().map(|item| item.as_str().map(str::to_owned)).collect(),
            Some(_) => None,
        };
        strings.ok_or_else(|| invalid(name, "something else", "an array of strings"))
    }

    /// The members of the object.
    pub(crate) fn entries(self) -> impl Iterator<Item = (&'a str, &'a Value)> {
        let members = match self.0 {
            Value::Object(members) => members.as_slice(),
            _ => &[],
        };
        members.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Whether the field is there, whatever its value.
    pub(crate) fn has(self, name: &str) -> bool {
        self.0.member(name).is_some()
    }
}

/// The error when a JWT is to be signed by credentials without a key, for the reason `why`.
pub(crate) fn no_key(why: &str) -> Error {
    Error::new(ErrorCode::SelfSignedJwtUnsupported, why)
}

/// The error for a field that is not what it should be.
pub(crate) fn invalid(name: &str, found: &str, expected: &str) -> Error {
    Error::new(
        ErrorCode::CredentialsFileInvalid,
        format!("its field {name:?} is {found}, expected {expected}"),
    )
}
