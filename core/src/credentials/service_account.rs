//! `"type": "service_account"`: a key that Google made for a service account (AIP-4112).

use crate::credentials::trust::TrustedEndpoints;
use crate::credentials::{Fields, invalid};
use crate::crypto::{KeyRejected, RsaSigningKey};
use crate::encoding::pem_decode;
use crate::error::Error;
use crate::secret::Secret;
use crate::url::Url;

/// The token endpoint of files that do not name one.
const TOKEN_URI: &str = "https://oauth2.googleapis.com/token";

/// A service account and its private key.
pub(crate) struct ServiceAccount {
    pub(crate) client_email: String,
    pub(crate) private_key: RsaSigningKey,
    pub(crate) private_key_id: Option<String>,
    pub(crate) token_uri: Url,
}

impl ServiceAccount {
    pub(crate) fn from_fields(fields: Fields<'_>, trusted: &TrustedEndpoints) -> Result<Self, Error> {
        let client_email = fields.required("client_email")?.to_owned();
        let private_key = private_key(fields.required("private_key")?)?;
        let private_key_id =
            fields.optional("private_key_id")?.filter(|id| !id.is_empty()).map(str::to_owned);
        let token_uri = trusted.field(fields, "token_uri", Some(TOKEN_URI))?;
        fields.check_universe()?;
        Ok(Self { client_email, private_key, private_key_id, token_uri })
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
