//! Subject tokens, and whom they speak for.

use std::fmt::Write;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use sha2::{Digest, Sha256};
use x509_cert::Certificate;
use x509_cert::der::Decode;

use super::aws;
use crate::jws::{Object, Unverified};
use crate::keys::{KeyError, KeySet, RsaKey, SigningKey};
use crate::mint::AccessToken;
use crate::oauth::{Refusal, invalid_grant};
use crate::time::UnixSeconds;
use crate::{Config, ServiceAccount};

/// A subject token as it arrived.
pub(crate) struct Presented<'a> {
    pub(crate) token: &'a str,
    pub(crate) token_type: &'a str,
    /// The provider that it is presented to.
    pub(crate) audience: &'a str,
}

impl Presented<'_> {
    /// Gives the name of whom the token speaks for, within the pool. Refusals never show the token.
    pub(crate) fn subject(&self, config: &Config, now: UnixSeconds) -> Result<String, Refusal> {
        let verify = config.verify_subject_tokens;
        match self.token_type {
            "urn:ietf:params:oauth:token-type:jwt" | "urn:ietf:params:oauth:token-type:id_token" => {
                if verify { self.verified_jwt(now) } else { Ok(self.claimed()) }
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
            "urn:ietf:params:oauth:token-type:mtls" => self.leaf_certificate(),
            other => Err(Refusal::new("invalid_request", format!("Invalid subject_token_type: {other}"))),
        }
    }

    /// What a JWT says of itself; of any other text a fingerprint, which gives nothing away.
    fn claimed(&self) -> String {
        Unverified::parse(self.token)
            .and_then(|jws| subject_claim(&jws.claims))
            .unwrap_or_else(|| fingerprint(self.token.as_bytes()))
    }

    fn verified_jwt(&self, now: UnixSeconds) -> Result<String, Refusal> {
        let jws = Unverified::parse(self.token)
            .ok_or_else(|| invalid_grant("The subject token is not a signed JWT."))?;
        if !is_signed_here(&jws)? {
            return Err(invalid_grant("The subject token is not signed by a key of the emulator."));
        }
        let expires_at = jws.claims.get("exp").and_then(Value::as_u64).map(UnixSeconds);
        if expires_at.is_none_or(|expires_at| expires_at <= now) {
            return Err(invalid_grant("The subject token has expired, or does not say when it does."));
        }
        subject_claim(&jws.claims).ok_or_else(|| invalid_grant("The subject token has no `sub`."))
    }

    fn verified_access_token(&self, now: UnixSeconds) -> Result<String, Refusal> {
        AccessToken::decode(self.token)
            .filter(|token| now < token.expires_at)
            .map(|token| token.principal)
            .ok_or_else(|| {
                invalid_grant("The subject token is no access token of the emulator, or has expired.")
            })
    }

    /// Reads a JSON array of certificates, the leaf first (AIP-4118). That the client holds the leaf's key would show
    /// in a TLS handshake, which the emulator has none of.
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
        let leaf = chain.first().ok_or_else(|| invalid_grant("The subject token holds no certificate."))?;
        Ok(fingerprint(leaf))
    }
}

fn subject_claim(claims: &Object) -> Option<String> {
    claims.get("sub")?.as_str().filter(|subject| !subject.is_empty()).map(str::to_owned)
}

/// Tells whether one of the published RSA keys has signed, or the service account that is the issuer.
fn is_signed_here(jws: &Unverified<'_>) -> Result<bool, KeyError> {
    let text =
        |object: &Object, name: &str| object.get(name).and_then(|value| value.as_str().map(str::to_owned));
    if text(&jws.header, "alg").as_deref() != Some(RsaKey::ALGORITHM) {
        return Ok(false);
    }
    let kid = text(&jws.header, "kid");
    let has_signed = |key: &RsaKey| {
        kid.as_deref().is_none_or(|kid| kid == key.kid())
            && key.verifies(jws.signing_input.as_bytes(), &jws.signature)
    };
    for label in KeySet::Google.labels() {
        if has_signed(&*RsaKey::derive(label)?) {
            return Ok(true);
        }
    }
    let issuer = text(&jws.claims, "iss").and_then(|issuer| issuer.parse::<ServiceAccount>().ok());
    Ok(match issuer {
        Some(issuer) => has_signed(&*issuer.key()?),
        None => false,
    })
}

fn fingerprint(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
