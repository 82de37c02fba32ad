//! Credential files of every type but `service_account`, whose file is [`ServiceAccount::key_file`]. All of them lead
//! to the emulator at `emulator_url`, and say in the member `gatepass_emulator`, which no library reads, that they are
//! for tests.

use serde_json::{Value, json};

use crate::gdch::{self, ServiceIdentity};
use crate::json::with_optional;
use crate::keys::{KeyError, SigningKey};
use crate::mint::{Grantor, RefreshToken};
use crate::user::{CLIENT_ID, CLIENT_SECRET};
use crate::{ServiceAccount, TEST_KEY_NOTICE, User, paths};

/// The provider of a workload identity pool that a file names unless told otherwise.
pub const DEFAULT_PROVIDER: &str = "//iam.googleapis.com/projects/123456789012/locations/global/\
                                    workloadIdentityPools/emulator/providers/emulator";

/// The workforce pool that the file of one of its people names.
const WORKFORCE_POOL: &str = "iam.googleapis.com/locations/global/workforcePools/emulator";

/// Writes what `gcloud auth application-default login` does.
pub fn authorized_user(user: &User, emulator_url: &str) -> String {
    pretty(&marked(authorized_user_members(user, emulator_url)))
}

/// Writes the file of a person in a workforce pool, who has logged in with gcloud.
pub fn external_account_authorized_user(user: &User, emulator_url: &str) -> String {
    let emulator_url = without_slash(emulator_url);
    let principal = format!("principal://{WORKFORCE_POOL}/subject/{}", user.email());
    let refresh_token = RefreshToken::new(&principal, Grantor::SecurityTokenService);
    pretty(&marked(json!({
        "type": "external_account_authorized_user",
        "audience": format!("//{WORKFORCE_POOL}/providers/emulator"),
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "refresh_token": refresh_token.encode(),
        "token_url": format!("{emulator_url}/v1/oauthtoken"),
        "universe_domain": "googleapis.com",
    })))
}

/// Writes the file of a service identity of Google Distributed Cloud. `tls_url` is where the emulator serves TLS;
/// `ca_path` is a file with the certificate of its authority.
pub fn gdch_service_account(
    identity: &ServiceIdentity,
    tls_url: &str,
    ca_path: &str,
) -> Result<String, KeyError> {
    let key = identity.key()?;
    Ok(pretty(&marked(json!({
        "type": "gdch_service_account",
        "format_version": "1",
        "project": identity.project,
        "name": identity.name,
        "private_key_id": key.kid(),
        "private_key": key.private_key_pem()?,
        "ca_cert_path": ca_path,
        "token_uri": format!("{}{}", without_slash(tls_url), gdch::PATH),
    }))))
}

/// Who impersonates a service account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Impersonator {
    /// A person who has logged in with gcloud.
    Person(User),
    /// A service account, by its key.
    ServiceAccount(ServiceAccount),
    /// A federated identity, by a token from the emulator's own URL.
    Workload,
    /// A service account that is impersonated itself, by that person.
    Impersonated(ServiceAccount, User),
}

/// Writes what `gcloud auth application-default login --impersonate-service-account` does: `impersonator` acts as
/// `target`, through each of `delegates` in turn.
pub fn impersonated_service_account(
    target: &ServiceAccount,
    delegates: &[ServiceAccount],
    impersonator: &Impersonator,
    emulator_url: &str,
) -> Result<String, KeyError> {
    let source = impersonator.members(emulator_url)?;
    Ok(pretty(&marked(impersonated_members(target, delegates, source, emulator_url))))
}

impl Impersonator {
    fn members(&self, emulator_url: &str) -> Result<Value, KeyError> {
        Ok(match self {
            Self::Person(person) => authorized_user_members(person, emulator_url),
            Self::ServiceAccount(account) => account.key_members(emulator_url)?,
            Self::Workload => ExternalAccount::new(Source::Url).members(emulator_url),
            Self::Impersonated(account, person) => {
                let source = authorized_user_members(person, emulator_url);
                impersonated_members(account, &[], source, emulator_url)
            }
        })
    }
}

/// What is in a file of the type `external_account`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalAccount {
    /// The provider of an identity pool, such as [`DEFAULT_PROVIDER`].
    pub audience: String,
    /// Where the subject token comes from.
    pub source: Source,
    /// The service account that the federated identity impersonates, if any.
    pub target: Option<ServiceAccount>,
    /// The project that pays for the requests of a person of a workforce pool, if any.
    pub workforce_pool_user_project: Option<String>,
}

/// Where a subject token comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file.
    File {
        /// The file, which somebody has to write.
        path: String,
        /// The form of the token in it.
        format: Format,
    },
    /// The emulator's `/emulator/v1/subject-token`, asked for JSON.
    Url,
    /// A program that prints a token.
    Executable {
        /// The program and its arguments, between spaces.
        command: String,
        /// Where the program leaves its answer for the next time, if it does.
        output_file: Option<String>,
    },
    /// The emulator's look-alike of an AWS instance.
    Aws,
    /// Keys of AWS from the environment, or from the agent next to a container that the environment names.
    AwsContainer,
    /// The emulator's look-alike of Azure Container Apps.
    AzureApp,
    /// An X.509 certificate.
    Certificate {
        /// The certificate configuration; without one, that at the default location.
        config: Option<String>,
        /// The certificates that are above it, in PEM, if any.
        trust_chain: Option<String>,
    },
    /// A function of the program that uses the file; only gatepass knows this source.
    Supplier {
        /// The name under which the function is registered.
        name: String,
    },
}

/// How a subject token is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The token and nothing else.
    Text,
    /// A JSON object whose member [`SUBJECT_TOKEN_FIELD`] is the token.
    Json,
}

/// The member that holds the token in JSON, as in the answer of Azure's metadata service.
pub const SUBJECT_TOKEN_FIELD: &str = "access_token";

impl ExternalAccount {
    /// Describes a federated identity of the default provider that impersonates nobody.
    pub fn new(source: Source) -> Self {
        Self {
            audience: DEFAULT_PROVIDER.to_owned(),
            source,
            target: None,
            workforce_pool_user_project: None,
        }
    }

    /// Writes the file. An identity that is proven by a certificate needs the URL where the emulator serves TLS.
    pub fn file(&self, emulator_url: &str) -> String {
        pretty(&marked(self.members(emulator_url)))
    }

    fn members(&self, emulator_url: &str) -> Value {
        let emulator_url = without_slash(emulator_url);
        let file = json!({
            "type": "external_account",
            "audience": self.audience,
            "subject_token_type": self.source.token_type(),
            "token_url": format!("{emulator_url}/v1/token"),
            "credential_source": self.source.members(emulator_url),
            "universe_domain": "googleapis.com",
        });
        let impersonation = self.target.as_ref().map(|target| impersonation_url(target, emulator_url));
        let file = with_optional(file, "service_account_impersonation_url", impersonation);
        with_optional(file, "workforce_pool_user_project", self.workforce_pool_user_project.as_deref())
    }
}

impl Source {
    fn token_type(&self) -> &'static str {
        match self {
            Self::File { .. }
            | Self::Url
            | Self::AzureApp
            | Self::Executable { .. }
            | Self::Supplier { .. } => "urn:ietf:params:oauth:token-type:jwt",
            Self::Aws | Self::AwsContainer => "urn:ietf:params:aws:token-type:aws4_request",
            Self::Certificate { .. } => "urn:ietf:params:oauth:token-type:mtls",
        }
    }

    fn members(&self, emulator_url: &str) -> Value {
        const VERIFICATION: &str =
            "https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15";
        match self {
            Self::AwsContainer => {
                json!({ "environment_id": "aws1", "regional_cred_verification_url": VERIFICATION })
            }
            Self::AzureApp => json!({
                "url": format!(
                    "{emulator_url}{}?api-version=2019-08-01&resource=api://AzureADTokenExchange",
                    paths::AZURE_APP
                ),
                "headers": { "X-IDENTITY-HEADER": "emulator" },
                "format": json_format(),
            }),
            Self::File { path, format: Format::Text } => json!({ "file": path }),
            Self::File { path, format: Format::Json } => json!({ "file": path, "format": json_format() }),
            Self::Url => json!({
                "url": format!("{emulator_url}{}?format=json", paths::SUBJECT_TOKEN),
                "headers": { "Metadata": "True" },
                "format": json_format(),
            }),
            Self::Executable { command, output_file } => {
                let executable = json!({ "command": command, "timeout_millis": 30_000 });
                json!({ "executable": with_optional(executable, "output_file", output_file.as_deref()) })
            }
            Self::Aws => json!({
                "environment_id": "aws1",
                "region_url": format!("{emulator_url}/latest/meta-data/placement/availability-zone"),
                "url": format!("{emulator_url}/latest/meta-data/iam/security-credentials"),
                "imdsv2_session_token_url": format!("{emulator_url}/latest/api/token"),
                "regional_cred_verification_url": VERIFICATION,
            }),
            Self::Certificate { config, trust_chain } => {
                let certificate = match config {
                    Some(path) => json!({ "certificate_config_location": path }),
                    None => json!({ "use_default_certificate_config": true }),
                };
                json!({ "certificate": with_optional(certificate, "trust_chain_path", trust_chain.as_deref()) })
            }
            Self::Supplier { name } => json!({ "supplier": name }),
        }
    }
}

fn json_format() -> Value {
    json!({ "type": "json", "subject_token_field_name": SUBJECT_TOKEN_FIELD })
}

fn impersonated_members(
    target: &ServiceAccount,
    delegates: &[ServiceAccount],
    source: Value,
    emulator_url: &str,
) -> Value {
    let delegates: Vec<_> = delegates.iter().map(ServiceAccount::email).collect();
    json!({
        "type": "impersonated_service_account",
        "delegates": delegates,
        "service_account_impersonation_url": impersonation_url(target, emulator_url),
        "source_credentials": source,
        "universe_domain": "googleapis.com",
    })
}

fn authorized_user_members(user: &User, emulator_url: &str) -> Value {
    let refresh_token = RefreshToken::new(user.email(), Grantor::GoogleAccounts);
    json!({
        "type": "authorized_user",
        "account": user.email(),
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "refresh_token": refresh_token.encode(),
        "token_uri": format!("{}/token", without_slash(emulator_url)),
        "universe_domain": "googleapis.com",
    })
}

fn impersonation_url(target: &ServiceAccount, emulator_url: &str) -> String {
    let (emulator_url, email) = (without_slash(emulator_url), target.email());
    format!("{emulator_url}/v1/projects/-/serviceAccounts/{email}:generateAccessToken")
}

fn without_slash(url: &str) -> &str {
    url.trim_end_matches('/')
}

fn marked(file: Value) -> Value {
    with_optional(file, "gatepass_emulator", Some(TEST_KEY_NOTICE))
}

/// With the members in alphabetical order, as gcloud writes them.
fn pretty(file: &Value) -> String {
    format!("{file:#}\n")
}
