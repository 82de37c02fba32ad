//! Credential files of every type but `service_account`, whose file is [`ServiceAccount::key_file`]. All of them lead
//! to the emulator at `emulator_url`, and say in the member `gatepass_emulator`, which no library reads, that they are
//! for tests.

use serde_json::{Value, json};

use crate::mint::{Grantor, RefreshToken};
use crate::user::{CLIENT_ID, CLIENT_SECRET};
use crate::{ServiceAccount, TEST_KEY_NOTICE, User, subject_token_source};

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
    let refresh_token = RefreshToken { principal, granted_by: Grantor::SecurityTokenService };
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

/// Writes what `gcloud auth application-default login --impersonate-service-account` does: `user` impersonates
/// `target`, through each of `delegates` in turn.
pub fn impersonated_service_account(
    target: &ServiceAccount,
    delegates: &[ServiceAccount],
    user: &User,
    emulator_url: &str,
) -> String {
    let delegates: Vec<_> = delegates.iter().map(ServiceAccount::email).collect();
    pretty(&marked(json!({
        "type": "impersonated_service_account",
        "delegates": delegates,
        "service_account_impersonation_url": impersonation_url(target, emulator_url),
        "source_credentials": authorized_user_members(user, emulator_url),
        "universe_domain": "googleapis.com",
    })))
}

/// What stands in a file of the type `external_account`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalAccount {
    /// The provider of an identity pool, such as [`DEFAULT_PROVIDER`].
    pub audience: String,
    /// Where the subject token comes from.
    pub source: Source,
    /// The service account that the federated identity impersonates, if any.
    pub target: Option<ServiceAccount>,
}

/// Where a subject token comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file that holds the token and nothing else.
    File {
        /// The file, which somebody has to write.
        path: String,
    },
    /// The emulator's `/emulator/v1/subject-token`, asked for JSON.
    Url,
    /// A program that prints a token.
    Executable {
        /// The program and its arguments, between spaces.
        command: String,
    },
    /// The emulator's look-alike of an AWS instance.
    Aws,
    /// An X.509 certificate.
    Certificate {
        /// The certificate configuration; without one, that at the default location.
        config: Option<String>,
    },
}

impl ExternalAccount {
    /// Writes the file.
    pub fn file(&self, emulator_url: &str) -> String {
        let emulator_url = without_slash(emulator_url);
        let mut file = marked(json!({
            "type": "external_account",
            "audience": self.audience,
            "subject_token_type": self.source.token_type(),
            "token_url": format!("{emulator_url}/v1/token"),
            "credential_source": self.source.members(emulator_url),
            "universe_domain": "googleapis.com",
        }));
        if let (Some(target), Value::Object(members)) = (&self.target, &mut file) {
            let url = impersonation_url(target, emulator_url);
            members.insert("service_account_impersonation_url".to_owned(), url.into());
        }
        pretty(&file)
    }
}

impl Source {
    fn token_type(&self) -> &'static str {
        match self {
            Self::File { .. } | Self::Url | Self::Executable { .. } => "urn:ietf:params:oauth:token-type:jwt",
            Self::Aws => "urn:ietf:params:aws:token-type:aws4_request",
            Self::Certificate { .. } => "urn:ietf:params:oauth:token-type:mtls",
        }
    }

    fn members(&self, emulator_url: &str) -> Value {
        match self {
            Self::File { path } => json!({ "file": path }),
            Self::Url => json!({
                "url": format!("{emulator_url}{}?format=json", subject_token_source::PATH),
                "headers": { "Metadata": "True" },
                "format": { "type": "json", "subject_token_field_name": "access_token" },
            }),
            Self::Executable { command } => {
                json!({ "executable": { "command": command, "timeout_millis": 30_000 } })
            }
            Self::Aws => json!({
                "environment_id": "aws1",
                "region_url": format!("{emulator_url}/latest/meta-data/placement/availability-zone"),
                "url": format!("{emulator_url}/latest/meta-data/iam/security-credentials"),
                "imdsv2_session_token_url": format!("{emulator_url}/latest/api/token"),
                "regional_cred_verification_url":
                    "https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15",
            }),
            Self::Certificate { config: None } => {
                json!({ "certificate": { "use_default_certificate_config": true } })
            }
            Self::Certificate { config: Some(path) } => {
                json!({ "certificate": { "certificate_config_location": path } })
            }
        }
    }
}

fn authorized_user_members(user: &User, emulator_url: &str) -> Value {
    let refresh_token =
        RefreshToken { principal: user.email().to_owned(), granted_by: Grantor::GoogleAccounts };
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

fn marked(mut file: Value) -> Value {
    if let Value::Object(members) = &mut file {
        members.insert("gatepass_emulator".to_owned(), TEST_KEY_NOTICE.into());
    }
    file
}

/// With the members in alphabetical order, as gcloud writes them.
fn pretty(file: &Value) -> String {
    format!("{file:#}\n")
}
