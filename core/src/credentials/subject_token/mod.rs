//! `credential_source`: where the subject token of an external account comes from, one file per kind.

mod aws;
mod certificate;
mod executable;
mod file;
mod format;
mod supplier;
mod url;

use crate::credentials::TrustedEndpoints;
use crate::credentials::fields::{Fields, invalid};
use crate::error::{Error, ErrorCode};
use crate::retry::Jitter;
use crate::secret::Secret;
use crate::step::{ClientCertificate, Now, Operation, Reply, Step};

/// A source of subject tokens.
#[derive(Clone)]
pub(crate) enum Source {
    File(file::Source),
    Url(url::Source),
    Executable(executable::Source),
    Certificate(certificate::Source),
    Aws(aws::Source),
    Supplier(supplier::Source),
}

/// A subject token, and the certificate with which it is presented, if it is a certificate's.
pub(crate) struct Subject {
    pub(crate) token: Secret<String>,
    pub(crate) client_certificate: Option<ClientCertificate>,
}

impl From<Secret<String>> for Subject {
    fn from(token: Secret<String>) -> Self {
        Self { token, client_certificate: None }
    }
}

impl Source {
    /// Reads `credential_source`; exactly one kind must be in it.
    pub(crate) fn from_fields(fields: Fields<'_>, trusted: &TrustedEndpoints) -> Result<Self, Error> {
        const KINDS: [&str; 6] = ["file", "url", "executable", "certificate", "environment_id", "supplier"];
        let is_aws = fields.has("environment_id");
        // An AWS source has members `url` and `supplier` too, with other meanings.
        let kinds: Vec<_> = KINDS
            .into_iter()
            .filter(|kind| fields.has(kind) && !(is_aws && matches!(*kind, "url" | "supplier")))
            .collect();
        let source = match kinds.as_slice() {
            ["file"] => Self::File(file::Source::from_fields(fields)?),
            ["url"] => Self::Url(url::Source::from_fields(fields, trusted)?),
            ["executable"] => {
                Self::Executable(executable::Source::from_fields(fields.object("executable")?)?)
            }
            ["certificate"] => {
                Self::Certificate(certificate::Source::from_fields(fields.object("certificate")?)?)
            }
            ["environment_id"] => Self::Aws(aws::Source::from_fields(fields, trusted)?),
            ["supplier"] => Self::Supplier(supplier::Source::from_fields(fields)?),
            _ => {
                let found = if kinds.is_empty() {
                    "without a source".to_owned()
                } else {
                    format!("with {}", kinds.join(" and "))
                };
                return Err(invalid(
                    "credential_source",
                    &found,
                    &format!("exactly one of {}", KINDS.join(", ")),
                ));
            }
        };
        Ok(source)
    }

    /// The operation that gets a subject token. `email` is that of the account that will be impersonated, if any.
    pub(crate) fn subject_token(
        &self,
        audience: &str,
        token_type: &str,
        email: Option<String>,
        jitter: Jitter,
    ) -> SubjectToken {
        match self.clone() {
            Self::File(source) => SubjectToken::File(file::Read::new(source)),
            Self::Url(source) => SubjectToken::Url(url::Get::new(source, jitter)),
            Self::Executable(source) => {
                SubjectToken::Executable(executable::Run::new(source, audience, token_type, email))
            }
            Self::Certificate(source) => SubjectToken::Certificate(certificate::Read::new(source)),
            Self::Aws(source) => SubjectToken::Aws(Box::new(aws::Sign::new(source, audience, jitter))),
            Self::Supplier(source) => {
                SubjectToken::Supplier(supplier::Ask::new(source, audience, token_type))
            }
        }
    }
}

/// One fetch of one subject token.
pub(crate) enum SubjectToken {
    File(file::Read),
    Url(url::Get),
    Executable(executable::Run),
    Certificate(certificate::Read),
    Aws(Box<aws::Sign>),
    Supplier(supplier::Ask),
}

impl Operation for SubjectToken {
    type Output = Subject;

    fn resume(&mut self, now: Now, reply: Reply) -> Step<Subject> {
        let plain = |token: Secret<String>| Step::Done(Subject::from(token));
        match self {
            Self::File(operation) => operation.resume(now, reply).and_then(plain),
            Self::Url(operation) => operation.resume(now, reply).and_then(plain),
            Self::Executable(operation) => operation.resume(now, reply).and_then(plain),
            Self::Certificate(operation) => operation.resume(now, reply),
            Self::Aws(operation) => operation.resume(now, reply).and_then(plain),
            Self::Supplier(operation) => operation.resume(now, reply).and_then(plain),
        }
    }
}

/// The error of a source that gave no subject token.
fn failed(found: impl Into<String>) -> Error {
    Error::new(ErrorCode::SubjectTokenFailed, found)
}
