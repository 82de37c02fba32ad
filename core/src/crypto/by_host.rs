//! The provider of a core that has none: the [host](super::host).

use super::host::{BadKey, Primitive, compute};
use super::{Curve, HostKey, KeyRejected, PublicKey, Scheme};
use crate::secret::Secret;

/// Bytes of a SHA-256 digest.
pub(crate) const SHA256_LENGTH: usize = 32;

/// The bits that a private RSA key may have.
const RSA_BITS: std::ops::RangeInclusive<u32> = 2048..=4096;

/// Bytes of the longest signature: by an RSA key of the most bits.
const SIGNATURE_LENGTH: usize = 4096 / 8;

/// SHA-256 of `data`.
pub(crate) fn sha256(data: &[u8]) -> [u8; SHA256_LENGTH] {
    digest(Primitive::Sha256, &[data])
}

/// HMAC with SHA-256 (RFC 2104).
pub(crate) fn hmac_sha256(key: &[u8], message: &[u8]) -> Vec<u8> {
    digest(Primitive::HmacSha256, &[key, message]).to_vec()
}

/// Panics where there is no hash: without one, any token would pass for any other.
fn digest(what: Primitive, inputs: &[&[u8]]) -> [u8; SHA256_LENGTH] {
    let mut out = [0; SHA256_LENGTH];
    assert_eq!(compute(what, inputs, &mut out), Some(SHA256_LENGTH), "the host computes no hash");
    out
}

/// Whether the uncompressed point lies on the curve.
pub(crate) fn is_on_curve(curve: Curve, point: &[u8]) -> bool {
    let primitive = match curve {
        Curve::P256 => Primitive::IsOnP256,
        Curve::P384 => Primitive::IsOnP384,
    };
    compute(primitive, &[point], &mut []).is_some()
}

/// A key and what checks its signatures.
#[derive(Clone)]
pub(super) struct SignatureCheck {
    primitive: Primitive,
    key: PublicKey,
}

/// What checks signatures of this scheme with this key; nothing where the two do not belong together.
pub(super) fn signature_check(scheme: Scheme, key: &PublicKey) -> Option<SignatureCheck> {
    use Curve::{P256, P384};
    let primitive = match (scheme, key) {
        (Scheme::RsaPkcs1Sha256, PublicKey::Rsa { .. }) => Primitive::VerifyRsaPkcs1Sha256,
        (Scheme::RsaPkcs1Sha384, PublicKey::Rsa { .. }) => Primitive::VerifyRsaPkcs1Sha384,
        (Scheme::RsaPkcs1Sha512, PublicKey::Rsa { .. }) => Primitive::VerifyRsaPkcs1Sha512,
        (Scheme::RsaPssSha256, PublicKey::Rsa { .. }) => Primitive::VerifyRsaPssSha256,
        (Scheme::EcdsaP256Sha256, PublicKey::Ec { curve: P256, .. }) => Primitive::VerifyEcdsaP256Sha256,
        (Scheme::EcdsaP384Sha384, PublicKey::Ec { curve: P384, .. }) => Primitive::VerifyEcdsaP384Sha384,
        (Scheme::Ed25519, PublicKey::Ed25519 { .. }) => Primitive::VerifyEd25519,
        _ => return None,
    };
    Some(SignatureCheck { primitive, key: key.clone() })
}

impl SignatureCheck {
    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> Option<bool> {
        let inputs = match &self.key {
            PublicKey::Rsa { n, e } => &[n, e, message, signature][..],
            PublicKey::Ec { point, .. } | PublicKey::Ed25519 { point } => &[point, message, signature],
        };
        Some(compute(self.primitive, inputs, &mut []).is_some())
    }
}

/// A private RSA key that signs with RSASSA-PKCS1-v1_5 and SHA-256.
pub(crate) struct RsaSigningKey {
    der: Secret<Vec<u8>>,
    sign: Primitive,
}

impl RsaSigningKey {
    /// Reads PKCS#8 DER (RFC 5208).
    pub(crate) fn from_pkcs8(der: &[u8]) -> Result<Self, KeyRejected> {
        Self::read(Primitive::RsaPkcs8, Primitive::SignRsaPkcs8, der)
    }

    /// Reads PKCS#1 DER (RFC 8017, appendix A.1.2).
    pub(crate) fn from_pkcs1(der: &[u8]) -> Result<Self, KeyRejected> {
        Self::read(Primitive::RsaPkcs1, Primitive::SignRsaPkcs1, der)
    }

    fn read(read: Primitive, sign: Primitive, der: &[u8]) -> Result<Self, KeyRejected> {
        let mut bits = [0; 4];
        let answer = compute(read, &[der], &mut bits);
        match (answer, u32::from_be_bytes(bits)) {
            (Some(4), bits) if bits < *RSA_BITS.start() => {
                Err(KeyRejected("an RSA key of less than 2048 bits"))
            }
            (Some(4), bits) if bits > *RSA_BITS.end() => {
                Err(KeyRejected("an RSA key of more than 4096 bits"))
            }
            (Some(4), _) => Ok(Self { der: Secret::new(der.to_vec()), sign }),
            _ => Err(rejected(answer, bits)),
        }
    }

    /// Signs `message`; `None` when the host does not.
    pub(crate) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        sign(self.sign, &[self.der.expose(), message])
    }

    /// Nothing: the host signs within the call.
    pub(crate) fn for_host(&self) -> Option<&HostKey> {
        None
    }
}

/// A private P-256 key that signs with ECDSA and SHA-256.
pub(crate) enum EcdsaSigningKey {
    Pkcs8(Secret<Vec<u8>>),
    Parts { private: Secret<Vec<u8>>, point: Vec<u8> },
}

impl EcdsaSigningKey {
    /// Reads PKCS#8 DER (RFC 5958).
    pub(crate) fn from_pkcs8(der: &[u8]) -> Result<Self, KeyRejected> {
        checked(Primitive::P256Pkcs8, &[der])?;
        Ok(Self::Pkcs8(Secret::new(der.to_vec())))
    }

    /// Takes the private number and the uncompressed point that belongs to it (SEC 1, section C.4).
    pub(crate) fn from_parts(private: &[u8], point: &[u8]) -> Result<Self, KeyRejected> {
        checked(Primitive::P256Parts, &[private, point])?;
        Ok(Self::Parts { private: Secret::new(private.to_vec()), point: point.to_vec() })
    }

    /// Signs `message`; `None` when the host does not.
    pub(crate) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Pkcs8(der) => sign(Primitive::SignP256Pkcs8, &[der.expose(), message]),
            Self::Parts { private, point } => {
                sign(Primitive::SignP256Parts, &[private.expose(), point, message])
            }
        }
    }

    /// Nothing: the host signs within the call.
    pub(crate) fn for_host(&self) -> Option<&HostKey> {
        None
    }
}

fn checked(what: Primitive, inputs: &[&[u8]]) -> Result<(), KeyRejected> {
    let mut out = [0; 4];
    match compute(what, inputs, &mut out) {
        Some(0) => Ok(()),
        answer => Err(rejected(answer, out)),
    }
}

fn sign(what: Primitive, inputs: &[&[u8]]) -> Option<Vec<u8>> {
    let mut out = vec![0; SIGNATURE_LENGTH];
    let length = compute(what, inputs, &mut out)?;
    out.truncate(length);
    Some(out)
}

fn rejected(answer: Option<usize>, [problem, ..]: [u8; 4]) -> KeyRejected {
    const KIND: u8 = BadKey::Kind as u8;
    const PARTS: u8 = BadKey::Parts as u8;
    KeyRejected(match (answer, problem) {
        (Some(1), KIND) => "a key of another kind",
        (Some(1), PARTS) => "a key whose parts do not belong together",
        _ => "damaged key data",
    })
}
