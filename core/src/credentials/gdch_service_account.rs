//! `"type": "gdch_service_account"`: a service account of Google Distributed Cloud, which has no Google to ask.
//!
//! Its endpoints are wherever the cloud stands, so they must be named in `GATEPASS_TRUSTED_ENDPOINTS`.

use std::sync::Arc;

use serde::Serialize;

use crate::credentials::trust::TrustedEndpoints;
use crate::credentials::{Fetch, Fields, Preferences, invalid, no_key};
use crate::crypto::{EcdsaSigningKey, KeyRejected};
use crate::encoding::pem_decode;
use crate::error::{Error, ErrorCode};
use crate::exchange::Exchange;
use crate::exchange::gdch::GdchToken;
use crate::jose::jws;
use crate::jose::x509::{INTEGER, OCTET_STRING, SEQUENCE, bit_string, take};
use crate::retry::Jitter;
use crate::secret::Secret;
use crate::step::Millis;
use crate::token::TokenKey;
use crate::token::self_signed_jwt::no_random_numbers;
use crate::url::Url;

/// The version of the file format that is known.
const FORMAT_VERSION: &str = "1";
/// Seconds from `iat` to `exp`.
const LIFETIME: u64 = 3600;

/// A service account and its private key.
pub(crate) struct GdchServiceAccount {
    project: String,
    name: String,
    private_key: EcdsaSigningKey,
    private_key_id: String,
    pub(crate) token_uri: Url,
    /// A PEM file of the authorities that vouch for the endpoint; `None`: the system's.
    pub(crate) ca_cert_path: Option<String>,
}

#[derive(Serialize)]
struct Claims<'a> {
    aud: &'a str,
    exp: u64,
    iat: u64,
    iss: &'a str,
    sub: &'a str,
}

impl GdchServiceAccount {
    pub(crate) fn from_fields(fields: Fields<'_>, trusted: &TrustedEndpoints) -> Result<Self, Error> {
        if fields.required("format_version")? != FORMAT_VERSION {
            return Err(invalid("format_version", "another version", "\"1\", or a newer gatepass"));
        }
        Ok(Self {
            project: fields.required("project")?.to_owned(),
            name: fields.required("name")?.to_owned(),
            private_key: private_key(fields.required("private_key")?)?,
            private_key_id: fields.required("private_key_id")?.to_owned(),
            token_uri: trusted.field(fields, "token_uri", None)?,
            ca_cert_path: fields.optional("ca_cert_path")?.filter(|path| !path.is_empty()).map(str::to_owned),
        })
    }

    /// Who the account is.
    pub(crate) fn principal(&self) -> String {
        format!("system:serviceaccount:{}:{}", self.project, self.name)
    }

    /// The operation that gets this token, or why there is none.
    pub(crate) fn fetch(
        self: &Arc<Self>,
        key: &TokenKey,
        preferences: &Preferences,
        jitter: Jitter,
    ) -> Result<Fetch, Error> {
        preferences.refuse_subject("Google Distributed Cloud has no domain-wide delegation")?;
        match key {
            TokenKey::AccessToken { .. } => {
                let audience = preferences.gdch_audience.clone().ok_or_else(|| {
                    Error::new(
                        ErrorCode::InvalidOption,
                        "gdch_audience is missing, expected the audience of the API, as a gdch_service_account needs",
                    )
                })?;
                Ok(Fetch::Gdch(Exchange::new(GdchToken { account: Arc::clone(self), audience }, jitter)))
            }
            TokenKey::IdToken { .. } => Err(Error::new(
                ErrorCode::IdTokenUnsupported,
                "a gdch_service_account has no ID tokens, only access tokens",
            )),
            TokenKey::SelfSignedJwt { .. } => {
                Err(no_key("a gdch_service_account is not known to Google's APIs"))
            }
        }
    }

    /// The JWT by which the account proves who it is.
    pub(crate) fn jwt(&self, now: Millis) -> Result<Secret<String>, Error> {
        let (iat, principal) = (now.as_secs(), self.principal());
        let aud = self.token_uri.as_str();
        let claims = Claims { aud, exp: iat + LIFETIME, iat, iss: &principal, sub: &principal };
        let jwt = jws::sign(&self.private_key, Some(&self.private_key_id), &claims);
        jwt.map(Secret::new).ok_or_else(no_random_numbers)
    }
}

/// Reads PEM in PKCS#8, or as OpenSSL writes an EC key (RFC 5915).
fn private_key(pem: &str) -> Result<EcdsaSigningKey, Error> {
    const EXPECTED: &str = "a PEM private key of the curve P-256, with its public key";
    let rejected = |KeyRejected(why)| invalid("private_key", why, EXPECTED);
    if let Some(der) = pem_decode(pem, "PRIVATE KEY").map(Secret::new) {
        return EcdsaSigningKey::from_pkcs8(der.expose()).map_err(rejected);
    }
    let der = pem_decode(pem, "EC PRIVATE KEY").map(Secret::new);
    match der.as_ref().and_then(|der| ec_private_key(der.expose())) {
        Some((private, point)) => EcdsaSigningKey::from_parts(private, point).map_err(rejected),
        None => Err(invalid("private_key", "no PEM block of an EC key, or a damaged one", EXPECTED)),
    }
}

/// The private number and the public point of an `ECPrivateKey` (RFC 5915, section 3).
fn ec_private_key(der: &[u8]) -> Option<(&[u8], &[u8])> {
    const PARAMETERS: u8 = 0xa0;
    const PUBLIC_KEY: u8 = 0xa1;
    let (key, _) = take(der, SEQUENCE)?;
    let (_version, key) = take(key, INTEGER)?;
    let (private, key) = take(key, OCTET_STRING)?;
    let key = take(key, PARAMETERS).map_or(key, |(_, after)| after);
    let (public, _) = take(key, PUBLIC_KEY)?;
    Some((private, bit_string(public)?))
}
