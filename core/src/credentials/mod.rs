//! Credentials: one file per `type` of a credential file, and the metadata server, which has none.

pub(crate) mod service_account;
pub(crate) mod trust;

use std::sync::Arc;

use crate::error::{Error, ErrorCode};
use crate::exchange::metadata::MetadataToken;
use crate::exchange::oauth2_token::JwtBearer;
use crate::exchange::{Exchange, printable};
use crate::json::{self, Value};
use crate::retry::Jitter;
use crate::step::{Millis, Operation, Reply, Step};
use crate::token::{Issued, TokenKey};
use service_account::ServiceAccount;
use trust::TrustedEndpoints;

/// Types that Google defines and this version cannot use yet.
const NOT_YET: [&str; 5] = [
    "authorized_user",
    "external_account",
    "external_account_authorized_user",
    "impersonated_service_account",
    "gdch_service_account",
];

/// Something that tokens can be had with.
pub(crate) enum Credential {
    /// The attached service account of the machine that the program runs on.
    Metadata { host: String },
    /// A service-account key.
    ServiceAccount(Arc<ServiceAccount>),
}

impl Credential {
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
        match fields.required("type")? {
            "service_account" => {
                Ok(Self::ServiceAccount(Arc::new(ServiceAccount::from_fields(fields, trusted)?)))
            }
            known if NOT_YET.contains(&known) => Err(Error::new(
                ErrorCode::CredentialsTypeUnsupported,
                format!("its type is {known}, which this version cannot use yet, expected service_account"),
            )),
            unknown => Err(Error::new(
                ErrorCode::CredentialsTypeUnknown,
                format!(
                    "its type is {:?}, expected service_account or one of {}",
                    printable(unknown),
                    NOT_YET.join(", ")
                ),
            )),
        }
    }

    /// The operation that gets this token.
    pub(crate) fn fetch(&self, key: &TokenKey, jitter: Jitter) -> Fetch {
        match self {
            Self::Metadata { host } => {
                let endpoint = MetadataToken { host: host.clone(), key: key.clone() };
                Fetch::Metadata(Exchange::new(endpoint, jitter))
            }
            Self::ServiceAccount(account) => {
                let endpoint = JwtBearer { account: Arc::clone(account), key: key.clone() };
                Fetch::JwtBearer(Exchange::new(endpoint, jitter))
            }
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
}

impl Operation for Fetch {
    type Output = Issued;

    fn resume(&mut self, now: Millis, reply: Reply) -> Step<Issued> {
        match self {
            Self::Metadata(exchange) => exchange.resume(now, reply),
            Self::JwtBearer(exchange) => exchange.resume(now, reply),
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

    /// Whether the field is there, whatever its value.
    pub(crate) fn has(self, name: &str) -> bool {
        self.0.member(name).is_some()
    }
}

/// The error for a field that is not what it should be.
pub(crate) fn invalid(name: &str, found: &str, expected: &str) -> Error {
    Error::new(
        ErrorCode::CredentialsFileInvalid,
        format!("its field {name:?} is {found}, expected {expected}"),
    )
}
