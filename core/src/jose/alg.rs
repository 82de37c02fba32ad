//! Signature algorithms (RFC 7518, section 3.1).

use std::fmt;

use crate::crypto::Scheme;

/// An algorithm that a verifier may allow. There is no `none` and no HMAC to allow.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256, and a salt as long as the hash.
    Ps256,
    /// ECDSA with P-256 and SHA-256.
    Es256,
    /// ECDSA with P-384 and SHA-384.
    Es384,
    /// Ed25519 (RFC 8037, section 3.1). Ed448, which has the same name, is none that gatepass verifies.
    EdDsa,
}

impl Algorithm {
    /// Every algorithm that gatepass verifies.
    pub const ALL: &'static [Self] =
        &[Self::Rs256, Self::Rs384, Self::Rs512, Self::Ps256, Self::Es256, Self::Es384, Self::EdDsa];

    /// The value of the `alg` header parameter.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::EdDsa => "EdDSA",
        }
    }

    /// The algorithm of this exact name; names are case-sensitive.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|alg| alg.as_str() == name)
    }

    pub(crate) const fn scheme(self) -> Scheme {
        match self {
            Self::Rs256 => Scheme::RsaPkcs1Sha256,
            Self::Rs384 => Scheme::RsaPkcs1Sha384,
            Self::Rs512 => Scheme::RsaPkcs1Sha512,
            Self::Ps256 => Scheme::RsaPssSha256,
            Self::Es256 => Scheme::EcdsaP256Sha256,
            Self::Es384 => Scheme::EcdsaP384Sha384,
            Self::EdDsa => Scheme::Ed25519,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_algorithm_is_shown_by_its_registered_name() {
        for name in ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"] {
            assert_eq!(Algorithm::from_name(name).map(|alg| alg.to_string()).as_deref(), Some(name));
        }
        for none in ["none", "HS256", "rs256", ""] {
            assert_eq!(Algorithm::from_name(none), None);
        }
    }
}
