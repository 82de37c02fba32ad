//! P-256 keys, which sign with ES256 the assertions of Identity-Aware Proxy and those that Google Distributed Cloud
//! takes, and the certificates of TLS.

use std::fmt;
use std::sync::Arc;

use p256::ecdsa::signature::{Signer, Verifier};
use p256::ecdsa::{self, Signature};
use p256::pkcs8::{EncodePrivateKey, EncodePublicKey, LineEnding};
use serde_json::{Value, json};

use super::certificate::{self, Subject, Usage};
use super::{KeyError, Memo, SigningKey, base64url, display_name, generator, key_id};
use crate::TEST_KEY_NOTICE;

static DERIVED: Memo<EcKey> = Memo::new();

/// A P-256 test key.
pub struct EcKey {
    label: String,
    kid: String,
    signer: ecdsa::SigningKey,
}

impl EcKey {
    /// Derives the key of that label, or gives the one derived before.
    pub fn derive(label: &str) -> Result<Arc<Self>, KeyError> {
        DERIVED.derive_once(label, Self::generate)
    }

    /// Gives the public key as a JWK, RFC 7517, with an extra member that calls it a test key.
    pub fn jwk(&self) -> Value {
        let point = self.signer.verifying_key().to_encoded_point(false);
        json!({
            "kid": self.kid,
            "kty": "EC",
            "crv": "P-256",
            "alg": Self::ALGORITHM,
            "use": "sig",
            "x": point.x().map(|x| base64url(x)),
            "y": point.y().map(|y| base64url(y)),
            "gatepass_emulator": TEST_KEY_NOTICE,
        })
    }

    /// Gives the public key in PEM: Identity-Aware Proxy publishes bare keys, not certificates.
    pub fn public_key_pem(&self) -> Result<String, KeyError> {
        self.signer.verifying_key().to_public_key_pem(LineEnding::LF).map_err(|error| self.failed(error))
    }

    /// Gives the private key in PKCS#8 PEM.
    pub fn private_key_pem(&self) -> Result<String, KeyError> {
        self.signer
            .to_pkcs8_pem(LineEnding::LF)
            .map(|pem| pem.to_string())
            .map_err(|error| self.failed(error))
    }

    /// Gives the certificate in PEM of the authority whose key this is.
    pub(crate) fn authority_pem(&self) -> Result<String, KeyError> {
        certificate::authority(&self.subject(&self.common_name()), &self.signer)
            .map_err(|error| self.failed(error))
    }

    /// Gives a certificate in PEM for this key, signed by `authority`.
    pub(crate) fn certificate_pem(&self, usage: Usage<'_>, authority: &Self) -> Result<String, KeyError> {
        certificate::issued(
            &self.subject(&self.common_name()),
            self.signer.verifying_key(),
            usage,
            &authority.subject(&authority.common_name()),
            &authority.signer,
        )
        .map_err(|error| self.failed(error))
    }

    fn common_name(&self) -> String {
        display_name(&self.label)
    }

    fn subject<'a>(&'a self, common_name: &'a str) -> Subject<'a> {
        Subject { common_name, kid: &self.kid }
    }

    fn failed(&self, reason: impl fmt::Display) -> KeyError {
        KeyError::new(&self.label, reason)
    }

    fn generate(label: &str) -> Result<Self, KeyError> {
        let signer = ecdsa::SigningKey::random(&mut generator(label));
        let public =
            signer.verifying_key().to_public_key_der().map_err(|error| KeyError::new(label, error))?;
        Ok(Self { label: label.to_owned(), kid: key_id(public.as_bytes()), signer })
    }
}

impl SigningKey for EcKey {
    const ALGORITHM: &'static str = "ES256";

    fn kid(&self) -> &str {
        &self.kid
    }

    /// Signs with the nonce of RFC 6979, so that the same token comes out for the same claims. The signature is
    /// `r || s`, 64 bytes, as RFC 7518 section 3.4 wants.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let signature: Signature = self.signer.try_sign(message).map_err(|error| self.failed(error))?;
        Ok(signature.to_bytes().to_vec())
    }

    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature)
            .is_ok_and(|signature| self.signer.verifying_key().verify(message, &signature).is_ok())
    }
}

impl fmt::Debug for EcKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EcKey({})", self.kid)
    }
}
