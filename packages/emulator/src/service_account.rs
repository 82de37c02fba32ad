//! Service accounts: the principal of a token, and the key file that proves it.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::TEST_KEY_NOTICE;
use crate::email::is_email;
use crate::keys::{KeyError, RsaKey, SigningKey};

/// The account that the emulated service runs as unless the user chooses another.
pub const DEFAULT_EMAIL: &str = "default@emulator.iam.gserviceaccount.com";

/// The project of the default service account.
pub(crate) const DEFAULT_PROJECT_ID: &str = "emulator";

/// A service account. It exists as soon as it is named: its numeric ID and its key follow from the e-mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceAccount {
    email: String,
}

impl ServiceAccount {
    /// Gives the e-mail.
    pub fn email(&self) -> &str {
        &self.email
    }

    /// Gives the number that never changes hands: 21 digits that start with 1, like Google's. It is in `sub`.
    pub fn unique_id(&self) -> String {
        let number = Sha256::digest(self.email.as_bytes())
            .iter()
            .take(16)
            .fold(0_u128, |number, byte| (number << 8) | u128::from(*byte));
        format!("1{:020}", number % 10_u128.pow(20))
    }

    /// Gives the domain: what follows the at sign.
    pub fn domain(&self) -> &str {
        self.email.split_once('@').map_or("", |(_, domain)| domain)
    }

    /// Gives the project in `name@PROJECT.iam.gserviceaccount.com`, if the e-mail has that form.
    pub fn project_id(&self) -> Option<&str> {
        self.domain().strip_suffix(".iam.gserviceaccount.com")
    }

    /// Derives the one key with which this account signs assertions.
    pub fn key(&self) -> Result<Arc<RsaKey>, KeyError> {
        RsaKey::derive(&format!("service-account/{}", self.email))
    }

    /// Writes the account's key file for the emulator at `emulator_url`, as `gcloud iam service-accounts keys create`
    /// would. The `gatepass_emulator` member, which no library reads, says that it is a test key.
    pub fn key_file(&self, emulator_url: &str) -> Result<String, KeyError> {
        let key = self.key()?;
        let emulator_url = emulator_url.trim_end_matches('/');
        let file = KeyFile {
            r#type: "service_account",
            gatepass_emulator: TEST_KEY_NOTICE,
            project_id: self.project_id().unwrap_or(DEFAULT_PROJECT_ID),
            private_key_id: key.kid(),
            private_key: &key.private_key_pem()?,
            client_email: &self.email,
            client_id: &self.unique_id(),
            auth_uri: &format!("{emulator_url}/o/oauth2/auth"),
            token_uri: &format!("{emulator_url}/token"),
            auth_provider_x509_cert_url: &format!("{emulator_url}/oauth2/v1/certs"),
            client_x509_cert_url: &format!(
                "{emulator_url}/robot/v1/metadata/x509/{}",
                self.email.replace('@', "%40")
            ),
            universe_domain: "googleapis.com",
        };
        let json = serde_json::to_string_pretty(&file).map_err(|error| KeyError::new(&self.email, error))?;
        Ok(json + "\n")
    }

    /// Gives the content of the key file, to be part of another file.
    pub(crate) fn key_members(&self, emulator_url: &str) -> Result<Value, KeyError> {
        serde_json::from_str(&self.key_file(emulator_url)?).map_err(|error| KeyError::new(&self.email, error))
    }
}

impl Default for ServiceAccount {
    fn default() -> Self {
        Self { email: DEFAULT_EMAIL.to_owned() }
    }
}

impl FromStr for ServiceAccount {
    type Err = InvalidEmail;

    fn from_str(email: &str) -> Result<Self, InvalidEmail> {
        if is_email(email) { Ok(Self { email: email.to_owned() }) } else { Err(InvalidEmail) }
    }
}

/// The text is not the e-mail of a service account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidEmail;

impl fmt::Display for InvalidEmail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected the e-mail of a service account, such as name@project.iam.gserviceaccount.com")
    }
}

impl std::error::Error for InvalidEmail {}

/// A credential file of type `service_account`, field for field in the order of Google's.
#[derive(Serialize)]
struct KeyFile<'a> {
    r#type: &'a str,
    gatepass_emulator: &'a str,
    project_id: &'a str,
    private_key_id: &'a str,
    private_key: &'a str,
    client_email: &'a str,
    client_id: &'a str,
    auth_uri: &'a str,
    token_uri: &'a str,
    auth_provider_x509_cert_url: &'a str,
    client_x509_cert_url: &'a str,
    universe_domain: &'a str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unique_id_has_21_digits_and_depends_on_the_email() {
        let id = ServiceAccount::default().unique_id();
        assert_eq!(id.len(), 21);
        assert!(id.starts_with('1') && id.bytes().all(|byte| byte.is_ascii_digit()));
        assert_ne!(id, "a@b".parse::<ServiceAccount>().unwrap().unique_id());
    }

    #[test]
    fn an_email_has_one_at_sign_and_no_odd_characters() {
        for wrong in
            ["", "a", "@b", "a@", "a@b@c", "a b@c", "a@b/c", "a@b\n", &format!("{}@b", "a".repeat(253))]
        {
            assert_eq!(wrong.parse::<ServiceAccount>(), Err(InvalidEmail), "{wrong:?}");
        }
    }

    #[test]
    fn the_project_is_read_from_the_email() {
        assert_eq!(ServiceAccount::default().project_id(), Some("emulator"));
        let compute: ServiceAccount = "1-compute@developer.gserviceaccount.com".parse().unwrap();
        assert_eq!(compute.project_id(), None);
    }
}
