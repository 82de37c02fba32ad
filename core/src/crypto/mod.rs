//! All that knows which library signs, verifies and hashes. No other module names it.

mod provider;

pub(crate) use self::provider::{
    EcdsaSigningKey, RsaSigningKey, SHA256_LENGTH, hmac_sha256, is_on_curve, sha256, verify,
};

/// A public key, checked for shape and strength when its key set was read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum PublicKey {
    /// Modulus and exponent, big-endian without leading zeros.
    Rsa { n: Vec<u8>, e: Vec<u8> },
    /// A point of an elliptic curve, uncompressed (SEC 1, section 2.3.3): 0x04, x, y.
    Ec { curve: Curve, point: Vec<u8> },
    /// A point of edwards25519 (RFC 8032, section 5.1.5).
    Ed25519 { point: Vec<u8> },
}

/// An elliptic curve for ECDSA (FIPS 186-5).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Curve {
    P256,
    P384,
}

/// A signature scheme, with its hash.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Scheme {
    /// RSASSA-PKCS1-v1_5 (RFC 8017, section 8.2).
    RsaPkcs1Sha256,
    RsaPkcs1Sha384,
    RsaPkcs1Sha512,
    /// RSASSA-PSS with MGF1 and a salt of the hash's length (RFC 7518, section 3.5).
    RsaPssSha256,
    /// ECDSA, r and s side by side (RFC 7518, section 3.4).
    EcdsaP256Sha256,
    EcdsaP384Sha384,
    /// Ed25519 (RFC 8032, section 5.1).
    Ed25519,
}

impl Scheme {
    /// Whether a signature of this scheme can be checked with a key of this type.
    pub(crate) fn fits(self, key: &PublicKey) -> bool {
        match self {
            Self::RsaPkcs1Sha256 | Self::RsaPkcs1Sha384 | Self::RsaPkcs1Sha512 | Self::RsaPssSha256 => {
                matches!(key, PublicKey::Rsa { .. })
            }
            Self::EcdsaP256Sha256 => matches!(key, PublicKey::Ec { curve: Curve::P256, .. }),
            Self::EcdsaP384Sha384 => matches!(key, PublicKey::Ec { curve: Curve::P384, .. }),
            Self::Ed25519 => matches!(key, PublicKey::Ed25519 { .. }),
        }
    }
}

/// Why a private key cannot be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct KeyRejected(pub(crate) &'static str);
