//! The provider: ring or, with the feature `aws-lc-rs`, AWS-LC, whose crate offers the same interface but for the
//! few functions in [`differences`].

#[cfg(feature = "aws-lc-rs")]
use aws_lc_rs as library;
#[cfg(not(feature = "aws-lc-rs"))]
use ring as library;

use library::digest;
use library::hmac;
use library::rand::SystemRandom;
use library::signature::{
    self, ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED, ED25519,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PKCS1_SHA256,
    RSA_PSS_2048_8192_SHA256,
};

pub(super) use self::differences::SignatureCheck;
use super::{Curve, HostKey, KeyRejected, PublicKey, Scheme};

/// Bytes of a SHA-256 digest.
pub(crate) const SHA256_LENGTH: usize = digest::SHA256_OUTPUT_LEN;

/// SHA-256 of `data`.
pub(crate) fn sha256(data: &[u8]) -> [u8; SHA256_LENGTH] {
    let mut out = [0; SHA256_LENGTH];
    out.copy_from_slice(digest::digest(&digest::SHA256, data).as_ref());
    out
}

/// HMAC with SHA-256 (RFC 2104).
pub(crate) fn hmac_sha256(key: &[u8], message: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message).as_ref().to_vec()
}

/// What checks signatures of this scheme with this key; nothing where the two do not belong together.
pub(super) fn signature_check(scheme: Scheme, key: &PublicKey) -> Option<SignatureCheck> {
    use Curve::{P256, P384};
    match (scheme, key) {
        (Scheme::RsaPkcs1Sha256, PublicKey::Rsa { n, e }) => {
            SignatureCheck::rsa(&RSA_PKCS1_2048_8192_SHA256, n, e)
        }
        (Scheme::RsaPkcs1Sha384, PublicKey::Rsa { n, e }) => {
            SignatureCheck::rsa(&RSA_PKCS1_2048_8192_SHA384, n, e)
        }
        (Scheme::RsaPkcs1Sha512, PublicKey::Rsa { n, e }) => {
            SignatureCheck::rsa(&RSA_PKCS1_2048_8192_SHA512, n, e)
        }
        (Scheme::RsaPssSha256, PublicKey::Rsa { n, e }) => {
            SignatureCheck::rsa(&RSA_PSS_2048_8192_SHA256, n, e)
        }
        (Scheme::EcdsaP256Sha256, PublicKey::Ec { curve: P256, point }) => {
            SignatureCheck::point(&ECDSA_P256_SHA256_FIXED, point)
        }
        (Scheme::EcdsaP384Sha384, PublicKey::Ec { curve: P384, point }) => {
            SignatureCheck::point(&ECDSA_P384_SHA384_FIXED, point)
        }
        (Scheme::Ed25519, PublicKey::Ed25519 { point }) => SignatureCheck::point(&ED25519, point),
        _ => None,
    }
}

/// Whether the uncompressed point lies on the curve.
pub(crate) fn is_on_curve(curve: Curve, point: &[u8]) -> bool {
    differences::is_on_curve(curve, point)
}

/// A private RSA key that signs with RSASSA-PKCS1-v1_5 and SHA-256.
pub(crate) struct RsaSigningKey(signature::RsaKeyPair);

impl RsaSigningKey {
    /// Reads PKCS#8 DER (RFC 5208).
    pub(crate) fn from_pkcs8(der: &[u8]) -> Result<Self, KeyRejected> {
        signature::RsaKeyPair::from_pkcs8(der).map(Self).map_err(rejected)
    }

    /// Reads PKCS#1 DER (RFC 8017, appendix A.1.2).
    pub(crate) fn from_pkcs1(der: &[u8]) -> Result<Self, KeyRejected> {
        signature::RsaKeyPair::from_der(der).map(Self).map_err(rejected)
    }

    /// Signs `message`; `None` when the system has no randomness for blinding.
    pub(crate) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let mut out = vec![0; differences::modulus_length(&self.0)];
        self.0.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut out).ok()?;
        Some(out)
    }

    /// Nothing: the signature is made here.
    pub(crate) fn for_host(&self) -> Option<&HostKey> {
        None
    }
}

/// A private P-256 key that signs with ECDSA and SHA-256.
pub(crate) struct EcdsaSigningKey(signature::EcdsaKeyPair);

impl EcdsaSigningKey {
    /// Reads PKCS#8 DER (RFC 5958).
    pub(crate) fn from_pkcs8(der: &[u8]) -> Result<Self, KeyRejected> {
        differences::ecdsa_from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der).map(Self).map_err(rejected)
    }

    /// Takes the private number and the uncompressed point that belongs to it (SEC 1, section C.4).
    pub(crate) fn from_parts(private: &[u8], point: &[u8]) -> Result<Self, KeyRejected> {
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        differences::ecdsa_from_parts(algorithm, private, point).map(Self).map_err(rejected)
    }

    /// Signs `message`; `None` when the system has no randomness.
    pub(crate) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        self.0.sign(&SystemRandom::new(), message).ok().map(|signature| signature.as_ref().to_vec())
    }

    /// Nothing: the signature is made here.
    pub(crate) fn for_host(&self) -> Option<&HostKey> {
        None
    }
}

/// Both give their reasons as text only; these are the ones that a person can act on.
fn rejected(reason: library::error::KeyRejected) -> KeyRejected {
    KeyRejected(match reason.to_string().as_str() {
        "TooSmall" => "an RSA key of less than 2048 bits",
        "TooLarge" => "an RSA key of more than 4096 bits",
        "WrongAlgorithm" => "a key of another kind",
        "InconsistentComponents" => "a key whose parts do not belong together",
        _ => "damaged key data",
    })
}

#[cfg(not(feature = "aws-lc-rs"))]
mod differences {
    use ring::agreement::{self, EphemeralPrivateKey};
    use ring::error::KeyRejected;
    use ring::rand::SystemRandom;
    use ring::signature::{
        EcdsaKeyPair, EcdsaSigningAlgorithm, RsaKeyPair, RsaParameters, RsaPublicKeyComponents,
        UnparsedPublicKey, VerificationAlgorithm,
    };

    use super::Curve;

    /// The key as it came: ring's interface lets nobody keep what it makes of a public key.
    #[derive(Clone)]
    pub(crate) enum SignatureCheck {
        Rsa(&'static RsaParameters, RsaPublicKeyComponents<Vec<u8>>),
        Point(UnparsedPublicKey<Vec<u8>>),
    }

    impl SignatureCheck {
        pub(super) fn rsa(parameters: &'static RsaParameters, n: &[u8], e: &[u8]) -> Option<Self> {
            Some(Self::Rsa(parameters, RsaPublicKeyComponents { n: n.to_vec(), e: e.to_vec() }))
        }

        pub(super) fn point(algorithm: &'static dyn VerificationAlgorithm, point: &[u8]) -> Option<Self> {
            Some(Self::Point(UnparsedPublicKey::new(algorithm, point.to_vec())))
        }

        pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> Option<bool> {
            let verified = match self {
                Self::Rsa(parameters, key) => key.verify(parameters, message, signature),
                Self::Point(key) => key.verify(message, signature),
            };
            Some(verified.is_ok())
        }
    }

    /// ring tells a bad point from a bad signature nowhere in its signature API; its key agreement checks the point
    /// before anything else (SP 800-56A, section 5.6.2.3.3), so an agreement with a throw-away key answers it.
    pub(super) fn is_on_curve(curve: Curve, point: &[u8]) -> bool {
        let algorithm = match curve {
            Curve::P256 => &agreement::ECDH_P256,
            Curve::P384 => &agreement::ECDH_P384,
        };
        let peer = agreement::UnparsedPublicKey::new(algorithm, point);
        EphemeralPrivateKey::generate(algorithm, &SystemRandom::new())
            .and_then(|ours| agreement::agree_ephemeral(ours, &peer, |_| ()))
            .is_ok()
    }

    pub(super) fn modulus_length(key: &RsaKeyPair) -> usize {
        key.public().modulus_len()
    }

    pub(super) fn ecdsa_from_pkcs8(
        algorithm: &'static EcdsaSigningAlgorithm,
        der: &[u8],
    ) -> Result<EcdsaKeyPair, KeyRejected> {
        EcdsaKeyPair::from_pkcs8(algorithm, der, &SystemRandom::new())
    }

    pub(super) fn ecdsa_from_parts(
        algorithm: &'static EcdsaSigningAlgorithm,
        private: &[u8],
        point: &[u8],
    ) -> Result<EcdsaKeyPair, KeyRejected> {
        EcdsaKeyPair::from_private_key_and_public_key(algorithm, private, point, &SystemRandom::new())
    }
}

#[cfg(feature = "aws-lc-rs")]
mod differences {
    use aws_lc_rs::error::KeyRejected;
    use aws_lc_rs::signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, EcdsaKeyPair, EcdsaSigningAlgorithm,
        ParsedPublicKey, RsaKeyPair, RsaParameters, RsaPublicKeyComponents, VerificationAlgorithm,
    };

    use super::Curve;

    /// The key as AWS-LC has read it.
    #[derive(Clone)]
    pub(crate) struct SignatureCheck(ParsedPublicKey);

    impl SignatureCheck {
        pub(super) fn rsa(parameters: &'static RsaParameters, n: &[u8], e: &[u8]) -> Option<Self> {
            RsaPublicKeyComponents { n, e }.to_parsed_public_key(parameters).ok().map(Self)
        }

        pub(super) fn point(algorithm: &'static dyn VerificationAlgorithm, point: &[u8]) -> Option<Self> {
            ParsedPublicKey::new(algorithm, point).ok().map(Self)
        }

        pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> Option<bool> {
            Some(self.0.verify_sig(message, signature).is_ok())
        }
    }

    pub(super) fn is_on_curve(curve: Curve, point: &[u8]) -> bool {
        let algorithm = match curve {
            Curve::P256 => &ECDSA_P256_SHA256_FIXED,
            Curve::P384 => &ECDSA_P384_SHA384_FIXED,
        };
        ParsedPublicKey::new(algorithm, point).is_ok()
    }

    pub(super) fn modulus_length(key: &RsaKeyPair) -> usize {
        key.public_modulus_len()
    }

    pub(super) fn ecdsa_from_pkcs8(
        algorithm: &'static EcdsaSigningAlgorithm,
        der: &[u8],
    ) -> Result<EcdsaKeyPair, KeyRejected> {
        EcdsaKeyPair::from_pkcs8(algorithm, der)
    }

    pub(super) fn ecdsa_from_parts(
        algorithm: &'static EcdsaSigningAlgorithm,
        private: &[u8],
        point: &[u8],
    ) -> Result<EcdsaKeyPair, KeyRejected> {
        EcdsaKeyPair::from_private_key_and_public_key(algorithm, private, point)
    }
}

#[cfg(all(test, not(feature = "aws-lc-rs")))]
mod tests {
    use super::*;

    /// A DER element.
    fn der(tag: u8, content: &[u8]) -> Vec<u8> {
        let [high, low] = u16::try_from(content.len()).unwrap().to_be_bytes();
        let head = match (high, low) {
            (0, 0..=0x7f) => vec![tag, low],
            (0, _) => vec![tag, 0x81, low],
            _ => vec![tag, 0x82, high, low],
        };
        [head, content.to_vec()].concat()
    }

    /// A private RSA key of so many bytes, whose parts do not belong together (RFC 8017, appendix A.1.2).
    fn rsa_key(modulus: usize) -> Vec<u8> {
        let number = |length: usize| der(2, &[&[0][..], &vec![0xff; length]].concat());
        let (whole, half) = (number(modulus), number(modulus / 2));
        let public = [der(2, &[0]), whole.clone(), der(2, &[1, 0, 1])].concat();
        der(0x30, &[public, whole, half.repeat(5)].concat())
    }

    // ring's answers: what AWS-LC looks at first is another matter.
    #[test]
    fn a_key_that_cannot_be_used_says_why() {
        let why = |key: Result<RsaSigningKey, KeyRejected>| key.err().map(|rejected| rejected.0);
        assert_eq!(why(RsaSigningKey::from_pkcs1(&rsa_key(128))), Some("an RSA key of less than 2048 bits"));
        assert_eq!(why(RsaSigningKey::from_pkcs1(&rsa_key(1024))), Some("an RSA key of more than 4096 bits"));
        assert_eq!(
            why(RsaSigningKey::from_pkcs1(&rsa_key(256))),
            Some("a key whose parts do not belong together")
        );
        assert_eq!(why(RsaSigningKey::from_pkcs1(b"")), Some("damaged key data"));
        let ec_public_key = [0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
        let of_ec = [der(2, &[0]), der(0x30, &der(6, &ec_public_key)), der(4, &[0; 20])].concat();
        let ec = der(0x30, &of_ec);
        assert_eq!(why(RsaSigningKey::from_pkcs8(&ec)), Some("a key of another kind"));
    }
}
