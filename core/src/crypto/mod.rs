//! All that knows which library signs, verifies and hashes. No other module names it.

#[cfg(not(any(feature = "ring", feature = "aws-lc-rs", feature = "by-step")))]
#[path = "by_host.rs"]
mod provider;
#[cfg(all(not(any(feature = "ring", feature = "aws-lc-rs")), feature = "by-step"))]
#[path = "by_step.rs"]
mod provider;
#[cfg(any(feature = "ring", feature = "aws-lc-rs"))]
mod provider;

#[cfg(all(not(any(feature = "ring", feature = "aws-lc-rs")), feature = "by-step"))]
mod curve_equation;
mod host;

use std::fmt;

use crate::secret::Secret;

pub use self::host::{BadKey, HostCrypto, Primitive, set_host_crypto};

pub(crate) use self::provider::{
    EcdsaSigningKey, RsaSigningKey, SHA256_LENGTH, hmac_sha256, is_on_curve, sha256,
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

/// A public key, made ready once for all the signatures that it checks.
#[derive(Clone)]
pub(crate) struct VerifyingKey {
    public: PublicKey,
    /// For each scheme that the key's type has.
    checks: Vec<(Scheme, provider::SignatureCheck)>,
}

impl VerifyingKey {
    pub(crate) fn new(public: PublicKey) -> Self {
        let check = |scheme| Some((scheme, provider::signature_check(scheme, &public)?));
        Self { checks: Scheme::ALL.into_iter().filter_map(check).collect(), public }
    }

    /// The key itself.
    pub(crate) fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Whether a signature of this scheme can be checked with a key of this type.
    pub(crate) fn fits(&self, scheme: Scheme) -> bool {
        self.check(scheme).is_some()
    }

    /// Whether `signature` is this key's signature of `message`; `None` where that is for the host to say. A key of another
    /// type than the scheme's says no.
    pub(crate) fn verify(&self, scheme: Scheme, message: &[u8], signature: &[u8]) -> Option<bool> {
        self.check(scheme).map_or(Some(false), |check| check.verify(message, signature))
    }

    fn check(&self, scheme: Scheme) -> Option<&provider::SignatureCheck> {
        self.checks.iter().find(|(own, _)| *own == scheme).map(|(_, check)| check)
    }
}

impl PartialEq for VerifyingKey {
    fn eq(&self, other: &Self) -> bool {
        self.public == other.public
    }
}

impl Eq for VerifyingKey {}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.public.fmt(f)
    }
}

/// An elliptic curve for ECDSA (FIPS 186-5).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Curve {
    P256,
    P384,
}

impl Curve {
    /// The value of `crv` (RFC 7518, section 6.2.1.1).
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
        }
    }

    /// The bytes of a coordinate, and of each half of a signature.
    pub(crate) const fn coordinate_length(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
        }
    }
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
    const ALL: [Self; 7] = [
        Self::RsaPkcs1Sha256,
        Self::RsaPkcs1Sha384,
        Self::RsaPkcs1Sha512,
        Self::RsaPssSha256,
        Self::EcdsaP256Sha256,
        Self::EcdsaP384Sha384,
        Self::Ed25519,
    ];
}

/// A private key as a host takes it that signs.
#[allow(dead_code, reason = "made by the provider that leaves signing to the host, and by no other")]
pub(crate) struct HostKey {
    /// PKCS#8 DER (RFC 5208) in base64.
    pub(crate) pkcs8: Secret<String>,
    /// The bytes of each of its signatures.
    pub(crate) signature_length: usize,
}

/// Why a private key cannot be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct KeyRejected(pub(crate) &'static str);
