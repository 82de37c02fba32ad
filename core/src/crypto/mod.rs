//! All that knows which library signs, verifies and hashes. No other module names it.

mod ring;

pub(crate) use self::ring::{
    EcdsaSigningKey, RsaSigningKey, SHA256_LENGTH, hmac_sha256, is_p256_point, sha256, verify,
};

/// A public key, checked for shape and strength when its key set was read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum PublicKey {
    /// Modulus and exponent, big-endian without leading zeros.
    Rsa { n: Vec<u8>, e: Vec<u8> },
    /// An uncompressed point (SEC 1, section 2.3.3): 0x04, x, y.
    P256 { point: Vec<u8> },
}

/// A signature scheme, with its hash.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Scheme {
    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017, section 8.2).
    RsaPkcs1Sha256,
    /// ECDSA on P-256 with SHA-256, r and s side by side (RFC 7518, section 3.4).
    EcdsaP256Sha256,
}

/// Why a private key cannot be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct KeyRejected(pub(crate) &'static str);
