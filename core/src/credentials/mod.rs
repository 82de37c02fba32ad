//! Credentials: one file per `type` of a credential file, and the metadata server, which has none.

mod authorized_user;
mod email;
mod endpoints;
mod external_account;
mod external_account_authorized_user;
mod fields;
mod gdch_service_account;
mod impersonated_service_account;
mod impersonation;
mod metadata;
mod pem;
mod principal;
mod service_account;
mod subject_token;
mod trust;

use std::sync::Arc;

use crate::config::Preferences;
use crate::error::{Error, ErrorCode};
use crate::json::{self, Value};
use crate::quote;
use crate::retry::Jitter;
use crate::step::Operation;
use crate::token::{Issued, TokenKey};
use fields::{Fields, invalid};
pub(crate) use impersonation::Impersonated;
pub(crate) use metadata::MetadataServer;
pub(crate) use principal::{AskPrincipal, SignBytes};
pub use principal::{Principal, Signature};
pub(crate) use trust::TrustedEndpoints;

/// The types of credential files, each with what reads it. A new type is a line here and a file next to this one.
const TYPES: [(&str, Read); 6] = [
    ("service_account", service_account::read),
    ("authorized_user", authorized_user::read),
    ("external_account", external_account::read),
    ("external_account_authorized_user", external_account_authorized_user::read),
    ("impersonated_service_account", impersonated_service_account::read),
    ("gdch_service_account", gdch_service_account::read),
];

type Read = fn(Fields<'_>, &Reader<'_>) -> Result<Arc<dyn Credential>, Error>;

/// Largest credential file; Google's have some 3 KiB.
const MAX_FILE_BYTES: usize = 64 * 1024;
/// Credentials within impersonated ones, and within those.
const MAX_SOURCES: usize = 2;

/// Something that tokens can be had with.
pub(crate) trait Credential: Send + Sync {
    /// What these credentials are, without a secret.
    fn describe(&self) -> String;

    /// The operation that gets this token.
    ///
    /// # Errors
    /// When these credentials have no such token: why.
    fn fetch(self: Arc<Self>, key: &TokenKey, context: Context<'_>) -> Result<Fetch, Error>;

    /// The operation that says who these credentials are.
    fn principal(self: Arc<Self>, context: Context<'_>) -> AskPrincipal;

    /// The operation that signs these bytes as a service account.
    ///
    /// # Errors
    /// When these credentials are no service account's.
    fn sign_bytes(self: Arc<Self>, bytes: Vec<u8>, context: Context<'_>) -> Result<SignBytes, Error>;

    /// Whether each request gives a new token with its whole life ahead.
    fn mints_on_demand(&self) -> bool {
        true
    }
}

/// One fetch of one token.
pub(crate) type Fetch = Box<dyn Operation<Output = Issued> + Send>;

/// What every fetch is handed.
pub(crate) struct Context<'a> {
    pub(crate) preferences: &'a Preferences,
    pub(crate) jitter: Jitter,
}

impl Context<'_> {
    /// Refuses a subject where none can be acted for, for the reason `why`.
    fn refuse_subject(&self, why: &str) -> Result<(), Error> {
        match self.preferences.subject {
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
    pub(crate) credential: Arc<dyn Credential>,
    /// The project that calls with these credentials are billed to, unless the program or the environment says another.
    pub(crate) quota_project_id: Option<String>,
}

impl CredentialFile {
    /// Reads the text of a credential file. `file` names it in errors; its contents stay out of them.
    pub(crate) fn parse(text: &str, file: &str, trusted: &TrustedEndpoints) -> Result<Self, Error> {
        Self::read(text, trusted).map_err(|error| error.within(&format!("credential file {file}")))
    }

    fn read(text: &str, trusted: &TrustedEndpoints) -> Result<Self, Error> {
        let invalid = |found: &str| {
            let message = format!("it is {found}, expected one JSON object");
            Error::new(ErrorCode::CredentialsFileInvalid, message)
        };
        // Editors of Windows put a byte-order mark there.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if text.contains('\0') {
            return Err(invalid("UTF-16, or no text (save it as UTF-8)"));
        }
        if text.len() > MAX_FILE_BYTES {
            return Err(invalid("larger than 64 KiB, which no credential file is"));
        }
        let document = json::secret(text.as_bytes()).map_err(|error| invalid(&mistaken(text, error)))?;
        if !matches!(document, Value::Object(_)) {
            return Err(invalid(document.kind()));
        }
        let fields = Fields::new(&document);
        Ok(Self {
            credential: Reader { trusted, sources: MAX_SOURCES }.read(fields)?,
            kind: fields.required("type")?.to_owned(),
            quota_project_id: fields.optional("quota_project_id")?.map(str::to_owned),
        })
    }
}

/// Reads credentials, and those within them.
struct Reader<'a> {
    trusted: &'a TrustedEndpoints,
    /// How many credentials may be within these.
    sources: usize,
}

impl Reader<'_> {
    fn read(&self, fields: Fields<'_>) -> Result<Arc<dyn Credential>, Error> {
        let name = fields.required("type").map_err(|error| other_file(fields).unwrap_or(error))?;
        match TYPES.iter().find(|(known, _)| *known == name) {
            Some((_, read)) => read(fields, self),
            None => {
                let known = TYPES.map(|(known, _)| known).join(", ");
                Err(Error::new(
                    ErrorCode::CredentialsTypeUnknown,
                    format!("its type is {}, expected one of {known}", quote::quoted(name)),
                ))
            }
        }
    }

    /// Reads the credentials in `source_credentials`.
    fn read_source(&self, fields: Fields<'_>) -> Result<Arc<dyn Credential>, Error> {
        const FIELD: &str = "source_credentials";
        let Some(sources) = self.sources.checked_sub(1) else {
            return Err(invalid(FIELD, "nested deeper than twice", "at most two within each other"));
        };
        let source = fields.object(FIELD)?;
        let read = Self { sources, ..*self }.read(source);
        read.map_err(|error| error.within(&format!("its field {FIELD:?}")))
    }
}

/// What a text is that is no JSON.
fn mistaken(text: &str, error: json::JsonError) -> String {
    let begin = text.trim_start();
    if begin.starts_with("-----BEGIN") {
        "a PEM file (a key without its account)".to_owned()
    } else if begin.starts_with('<') {
        "a web page".to_owned()
    } else if begin.is_empty() {
        "empty".to_owned()
    } else {
        error.to_string()
    }
}

/// Names a JSON file of another kind that has no `type`.
fn other_file(fields: Fields<'_>) -> Option<Error> {
    let has = |name| fields.is_written(name);
    let found = if has("installed") || has("web") {
        "an OAuth client's file, which says who the program is and not whose credentials it has (log in with it: gcloud auth application-default login --client-id-file=FILE)"
    } else if has("private_key") && has("client_email") {
        "a service-account key without its field \"type\" (put \"type\": \"service_account\" back in)"
    } else if has("refresh_token") {
        "a person's credentials without their field \"type\" (put \"type\": \"authorized_user\" back in)"
    } else if has("keys") || has("kty") {
        "a JWK or a set of them, which is for a verifier"
    } else if has("project_info") || has("apiKey") {
        "a configuration of Firebase for an app, which holds no credentials"
    } else if has("AccessKeyId") || has("aws_access_key_id") {
        "keys of AWS"
    } else if has("clientSecret") || has("tenantId") {
        "credentials of Azure"
    } else if has("access_token") || has("id_token") {
        "a token, which is for one call and no credential file"
    } else {
        return None;
    };
    Some(Error::new(
        ErrorCode::CredentialsFileInvalid,
        format!("it is {found}, expected a credential file of Google, with a field \"type\""),
    ))
}

/// The error when a JWT is to be signed by credentials without a key, for the reason `why`.
fn no_key(why: &str) -> Error {
    Error::new(ErrorCode::SelfSignedJwtUnsupported, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        let read = CredentialFile::parse(text, "f", &TrustedEndpoints::default());
        read.err().map(|error| error.detail().to_owned()).unwrap_or_default()
    }

    #[test]
    fn a_file_of_another_kind_is_named() {
        for (text, named) in [
            (r#"{"installed":{}}"#, "an OAuth client's file"),
            (r#"{"web":{}}"#, "an OAuth client's file"),
            (r#"{"private_key":"k","client_email":"e"}"#, "a service-account key without its field"),
            (r#"{"refresh_token":"r"}"#, "a person's credentials without their field"),
            (r#"{"keys":[]}"#, "a JWK or a set of them"),
            (r#"{"kty":"RSA"}"#, "a JWK or a set of them"),
            (r#"{"project_info":{}}"#, "a configuration of Firebase"),
            (r#"{"apiKey":"k"}"#, "a configuration of Firebase"),
            (r#"{"AccessKeyId":"a"}"#, "keys of AWS"),
            (r#"{"aws_access_key_id":"a"}"#, "keys of AWS"),
            (r#"{"clientSecret":"s"}"#, "credentials of Azure"),
            (r#"{"tenantId":"t"}"#, "credentials of Azure"),
            (r#"{"access_token":"t"}"#, "a token, which is for one call"),
            (r#"{"id_token":"t"}"#, "a token, which is for one call"),
            ("\n-----BEGIN PRIVATE KEY-----", "a PEM file"),
            ("\n<html>", "a web page"),
            (" \n", "empty, expected one JSON object"),
            ("{", "truncated JSON"),
            ("[]", "an array"),
            ("{\0", "UTF-16"),
        ] {
            assert!(refusal(text).contains(&format!("it is {named}")), "{text}: {}", refusal(text));
        }
        for nothing_known in [r#"{"private_key":"k"}"#, r#"{"client_email":"e"}"#, "{}"] {
            assert!(!refusal(nothing_known).contains("it is "), "{}", refusal(nothing_known));
        }
    }

    #[test]
    fn a_file_is_bounded() {
        let file = r#"{"type":"authorized_user","client_id":"c","client_secret":"s","refresh_token":"r"}"#;
        let blanks = " ".repeat(MAX_FILE_BYTES - file.len());
        assert_eq!(refusal(&format!("{file}{blanks}")), "");
        assert!(refusal(&format!("{file}{blanks} ")).contains("larger than 64 KiB"));
    }

    #[test]
    fn credentials_are_described_by_whose_they_are() {
        let pem = include_str!("../../../tests/vectors/acquire/test_key.pem");
        let pem = pem.get(pem.find("-----BEGIN").unwrap()..).unwrap();
        let key = serde_json::json!({"type": "service_account", "client_email": "o@shop.example", "private_key": pem});
        let url = "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/to@shop.example:generateAccessToken";
        let pool = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q";
        let federated = serde_json::json!({
            "type": "external_account", "audience": pool, "credential_source": {"file": "/run/token"},
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt", "token_url": "https://sts.googleapis.com/v1/token",
        });
        let mut federated_account = federated.clone();
        federated_account["service_account_impersonation_url"] = url.into();
        let impersonated = serde_json::json!({
            "type": "impersonated_service_account", "service_account_impersonation_url": url, "source_credentials": key,
        });
        for (file, described) in [
            (key, "the key of o@shop.example".to_owned()),
            (federated, format!("a federated identity of {pool}")),
            (federated_account, format!("to@shop.example, by a federated identity of {pool}")),
            (impersonated, "to@shop.example, by the key of o@shop.example".to_owned()),
        ] {
            let read = CredentialFile::parse(&file.to_string(), "f", &TrustedEndpoints::default());
            assert_eq!(read.map(|file| file.credential.describe()).ok(), Some(described));
        }
    }
}
