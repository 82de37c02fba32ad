//! Subject tokens, and their principals.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use x509_cert::Certificate;
use x509_cert::der::Decode;

use super::aws;
use crate::jws::{Object, Unverified};
use crate::keys::KeyError;
use crate::mint::AccessToken;
use crate::oauth::{Refusal, invalid_client, invalid_grant};
use crate::time::UnixSeconds;
use crate::{Config, ServiceAccount, fingerprint};

/// A subject token as it arrived.
pub(crate) struct Presented<'a> {
    pub(crate) token: &'a str,
    pub(crate) token_type: &'a str,
    /// The provider that it is presented to.
    pub(crate) audience: &'a str,
    /// The certificate in DER with which it came, if any.
    pub(crate) client_certificate: Option<&'a [u8]>,
}

/// The principal of a subject token.
pub(crate) struct Subject {
    /// The name within the pool.
    pub(crate) name: String,
    /// The fingerprint of the certificate that proves it, if one does.
    pub(crate) certificate: Option<String>,
}

impl From<String> for Subject {
    fn from(name: String) -> Self {
        Self { name, certificate: None }
    }
}

impl Presented<'_> {
    /// Derives the principal of the token. Refusals never show the token.
    pub(crate) fn subject(&self, config: &Config, now: UnixSeconds) -> Result<Subject, Refusal> {
        if self.token_type == "urn:ietf:params:oauth:token-type:mtls" {
            let certificate = self.leaf_certificate()?;
            return Ok(Subject { name: certificate.clone(), certificate: Some(certificate) });
        }
        self.name(config, now).map(Subject::from)
    }

    fn name(&self, config: &Config, now: UnixSeconds) -> Result<String, Refusal> {
        let verify = config.verify_subject_tokens;
        match self.token_type {
            "urn:ietf:params:oauth:token-type:jwt" | "urn:ietf:params:oauth:token-type:id_token" => {
                if verify { of_emulator(config, self.token, now) } else { Ok(self.claimed()) }
            }
            "urn:ietf:params:oauth:token-type:access_token" if verify => self.verified_access_token(now),
            "urn:ietf:params:oauth:token-type:saml2" if verify => Err(invalid_grant(
                "The emulator cannot verify SAML assertions; start it without --verify-subject-tokens.",
            )),
            "urn:ietf:params:oauth:token-type:access_token" | "urn:ietf:params:oauth:token-type:saml2" => {
                Ok(self.claimed())
            }
            "urn:ietf:params:aws:token-type:aws4_request" => {
                aws::access_key_id(self.token, self.audience, verify)
                    .map_err(|reason| invalid_grant(format!("Invalid AWS request: {reason}.")))
            }
            other => Err(Refusal::new("invalid_request", format!("Invalid subject_token_type: {other}"))),
        }
    }

    /// What a JWT says of itself; of any other text a fingerprint, which gives nothing away.
    fn claimed(&self) -> String {
        Unverified::parse(self.token)
            .and_then(|jws| subject_claim(&jws.claims))
            .unwrap_or_else(|| fingerprint::of(self.token.as_bytes()))
    }

    fn verified_access_token(&self, now: UnixSeconds) -> Result<String, Refusal> {
        AccessToken::decode(self.token)
            .filter(|token| now < token.expires_at)
            .map(|token| token.principal)
            .ok_or_else(|| {
                invalid_grant("The subject token is no access token of the emulator, or has expired.")
            })
    }

    /// Reads a JSON array of certificates, the leaf first (AIP-4118), and gives the leaf's fingerprint. That the client
    /// holds the leaf's key must have shown in the TLS handshake.
    fn leaf_certificate(&self) -> Result<String, Refusal> {
        let chain: Vec<String> = serde_json::from_str(self.token)
            .map_err(|_| invalid_grant("The subject token is not a JSON array of strings."))?;
        let chain: Option<Vec<Vec<u8>>> = chain
            .iter()
            .map(|text| {
                let der = BASE64_STANDARD.decode(text).ok()?;
                Certificate::from_der(&der).ok()?;
                Some(der)
            })
            .collect();
        let chain = chain
            .ok_or_else(|| invalid_grant("The subject token holds something else than certificates."))?;
        let leaf = chain
            .first()
            .map(Vec::as_slice)
            .ok_or_else(|| invalid_grant("The subject token holds no certificate."))?;
        if self.client_certificate != Some(leaf) {
            return Err(invalid_client(
                "The client must present, over mTLS, the certificate that is the first of the subject token.",
            ));
        }
        Ok(fingerprint::of(leaf))
    }
}

/// The subject of a JWT that the emulator, or one of its service accounts, has signed and that has not expired.
pub(crate) fn of_emulator(config: &Config, token: &str, now: UnixSeconds) -> Result<String, Refusal> {
    let jws =
        Unverified::parse(token).ok_or_else(|| invalid_grant("The subject token is not a signed JWT."))?;
    if !is_signed_here(&jws, config.key_rotations)? {
        return Err(invalid_grant("The subject token is not signed by a key of the emulator."));
    }
    let expires_at = jws.claims.get("exp").and_then(Value::as_u64).map(UnixSeconds);
    if expires_at.is_none_or(|expires_at| expires_at <= now) {
        return Err(invalid_grant("The subject token has expired, or does not say when it does."));
    }
    subject_claim(&jws.claims).ok_or_else(|| invalid_grant("The subject token has no `sub`."))
}

fn subject_claim(claims: &Object) -> Option<String> {
    claims.get("sub")?.as_str().filter(|subject| !subject.is_empty()).map(str::to_owned)
}

/// Tells whether one of the published RSA keys has signed, or the service account that is the issuer.
fn is_signed_here(jws: &Unverified<'_>, key_rotations: u64) -> Result<bool, KeyError> {
    if jws.is_signed_by_google(key_rotations)? {
        return Ok(true);
    }
    let issuer = jws.claims.get("iss").and_then(|issuer| issuer.as_str()?.parse::<ServiceAccount>().ok());
    match issuer {
        Some(issuer) => Ok(jws.is_signed_by(&*issuer.key()?)),
        None => Ok(false),
    }
}
