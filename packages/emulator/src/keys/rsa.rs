//! RSA-2048 keys, which sign Google's ID tokens and service accounts' assertions with RS256.

use std::fmt;
use std::sync::Arc;

use rsa::RsaPrivateKey;
use rsa::pkcs1v15::{self, Signature};
use rsa::pkcs8::{EncodePrivateKey, EncodePublicKey, LineEnding};
use rsa::sha2::Sha256;
use rsa::signature::{Keypair, SignatureEncoding, Signer, Verifier};
use rsa::traits::PublicKeyParts;
use serde_json::{Value, json};

use super::certificate::{self, Subject};
use super::{KeyError, Memo, SigningKey, base64url, display_name, generator, key_id};
use crate::TEST_KEY_NOTICE;

/// The smallest size that verifiers accept, and what Google uses.
const MODULUS_BITS: usize = 2048;

static DERIVED: Memo<RsaKey> = Memo::new();

/// An RSA test key.
pub struct RsaKey {
    label: String,
    kid: String,
    signer: pkcs1v15::SigningKey<Sha256>,
}

impl RsaKey {
    /// Derives the key of that label, or gives the one derived before.
    pub fn derive(label: &str) -> Result<Arc<Self>, KeyError> {
        DERIVED.derive_once(label, Self::generate)
    }

    /// Gives the public key as a JWK, RFC 7517, with an extra member that calls it a test key.
    pub fn jwk(&self) -> Value {
        let key: &RsaPrivateKey = self.signer.as_ref();
        json!({
            "kid": self.kid,
            "kty": "RSA",
            "alg": Self::ALGORITHM,
            "use": "sig",
            "n": base64url(&key.n().to_bytes_be()),
            "e": base64url(&key.e().to_bytes_be()),
            "gatepass_emulator": TEST_KEY_NOTICE,
        })
    }

    /// Gives a self-signed certificate in PEM whose common name calls the key a test key.
    pub fn certificate_pem(&self) -> Result<String, KeyError> {
        let subject = Subject { common_name: &display_name(&self.label), kid: &self.kid };
        certificate::self_signed(&subject, &self.signer).map_err(|error| KeyError::new(&self.label, error))
    }

    /// Gives the private key in PKCS#8 PEM, as it is in a service account's key file.
    pub fn private_key_pem(&self) -> Result<String, KeyError> {
        let key: &RsaPrivateKey = self.signer.as_ref();
        key.to_pkcs8_pem(LineEnding::LF)
            .map(|pem| pem.to_string())
            .map_err(|error| KeyError::new(&self.label, error))
    }

    fn generate(label: &str) -> Result<Self, KeyError> {
        let failed = |error: &dyn fmt::Display| KeyError::new(label, error);
        let key = RsaPrivateKey::new(&mut generator(label), MODULUS_BITS).map_err(|error| failed(&error))?;
        let public = key.to_public_key().to_public_key_der().map_err(|error| failed(&error))?;
        Ok(Self {
            label: label.to_owned(),
            kid: key_id(public.as_bytes()),
            signer: pkcs1v15::SigningKey::new(key),
        })
    }
}

impl SigningKey for RsaKey {
    const ALGORITHM: &'static str = "RS256";

    fn kid(&self) -> &str {
        &self.kid
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let signature = self.signer.try_sign(message).map_err(|error| KeyError::new(&self.label, error))?;
        Ok(signature.to_vec())
    }

    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::try_from(signature)
            .is_ok_and(|signature| self.signer.verifying_key().verify(message, &signature).is_ok())
    }
}

impl fmt::Debug for RsaKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RsaKey({})", self.kid)
    }
}
