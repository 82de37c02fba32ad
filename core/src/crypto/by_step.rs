//! The provider of a core whose host signs, and checks signatures, in steps of operations. Hashes are computed here, and
//! keys are read; nothing is signed.

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

pub(super) use self::by_host::SignatureCheck;
pub(crate) use super::curve_equation::is_on_curve;
use super::{Curve, HostKey, KeyRejected, PublicKey, Scheme};
use crate::der::{
    BIT_STRING, EC_PUBLIC_KEY, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, RSA_ENCRYPTION, SECP256R1, SEQUENCE,
    bit_string, take,
};
use crate::encoding::base64_encode;
use crate::secret::Secret;

/// Bytes of a SHA-256 digest.
pub(crate) const SHA256_LENGTH: usize = 32;

/// The bits that a private RSA key may have: as many as with the other providers.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=4096;

const NULL: &[u8] = &[5, 0];
const ATTRIBUTES: u8 = 0xa0;
const PARAMETERS: u8 = 0xa0;
const EC_POINT: u8 = 0xa1;

const DAMAGED: KeyRejected = KeyRejected("damaged key data");
const OF_ANOTHER_KIND: KeyRejected = KeyRejected("a key of another kind");
const INCONSISTENT: KeyRejected = KeyRejected("a key whose parts do not belong together");

/// SHA-256 of `data`.
pub(crate) fn sha256(data: &[u8]) -> [u8; SHA256_LENGTH] {
    Sha256::digest(data).into()
}

/// HMAC with SHA-256 (RFC 2104).
pub(crate) fn hmac_sha256(key: &[u8], message: &[u8]) -> Vec<u8> {
    // A key may have any length: there is no error.
    let hmac = Hmac::<Sha256>::new_from_slice(key);
    hmac.map(|hmac| hmac.chain_update(message).finalize().into_bytes().to_vec()).unwrap_or_default()
}

/// What checks signatures of this scheme with this key: the host, when it is asked; nothing where the two do not belong
/// together.
pub(super) fn signature_check(scheme: Scheme, key: &PublicKey) -> Option<SignatureCheck> {
    use Curve::{P256, P384};
    let fits = match scheme {
        Scheme::RsaPkcs1Sha256 | Scheme::RsaPkcs1Sha384 | Scheme::RsaPkcs1Sha512 | Scheme::RsaPssSha256 => {
            matches!(key, PublicKey::Rsa { .. })
        }
        Scheme::EcdsaP256Sha256 => matches!(key, PublicKey::Ec { curve: P256, .. }),
        Scheme::EcdsaP384Sha384 => matches!(key, PublicKey::Ec { curve: P384, .. }),
        Scheme::Ed25519 => matches!(key, PublicKey::Ed25519 { .. }),
    };
    fits.then_some(SignatureCheck)
}

mod by_host {
    /// A check that is the host's.
    #[derive(Clone)]
    pub(crate) struct SignatureCheck;

    impl SignatureCheck {
        pub(crate) fn verify(&self, _message: &[u8], _signature: &[u8]) -> Option<bool> {
            None
        }
    }
}

/// A private RSA key, for the host to sign with by RSASSA-PKCS1-v1_5 and SHA-256.
pub(crate) struct RsaSigningKey(HostKey);

impl RsaSigningKey {
    /// Reads PKCS#8 DER (RFC 5208).
    pub(crate) fn from_pkcs8(der: &[u8]) -> Result<Self, KeyRejected> {
        let (algorithm, key) = pkcs8(der)?;
        match take(algorithm, OBJECT_IDENTIFIER) {
            Some((RSA_ENCRYPTION, NULL)) => Self::of(der, key),
            Some((RSA_ENCRYPTION, _)) | None => Err(DAMAGED),
            Some(_) => Err(OF_ANOTHER_KIND),
        }
    }

    /// Reads PKCS#1 DER (RFC 8017, appendix A.1.2).
    pub(crate) fn from_pkcs1(der: &[u8]) -> Result<Self, KeyRejected> {
        let algorithm = [element(OBJECT_IDENTIFIER, &[RSA_ENCRYPTION]).expose(), NULL].concat();
        Self::of(in_pkcs8(&algorithm, der).expose(), der)
    }

    fn of(pkcs8: &[u8], key: &[u8]) -> Result<Self, KeyRejected> {
        let signature_length = modulus_length(key)?;
        Ok(Self(HostKey { pkcs8: Secret::new(base64_encode(pkcs8)), signature_length }))
    }

    /// Nothing: the host signs.
    pub(crate) fn sign(&self, _message: &[u8]) -> Option<Vec<u8>> {
        None
    }

    /// The key for the host.
    pub(crate) fn for_host(&self) -> Option<&HostKey> {
        Some(&self.0)
    }
}

/// A private P-256 key, for the host to sign with by ECDSA and SHA-256.
pub(crate) struct EcdsaSigningKey(HostKey);

impl EcdsaSigningKey {
    /// Reads PKCS#8 DER (RFC 5958).
    pub(crate) fn from_pkcs8(der: &[u8]) -> Result<Self, KeyRejected> {
        let (algorithm, key) = pkcs8(der)?;
        let (algorithm, parameters) = take(algorithm, OBJECT_IDENTIFIER).ok_or(DAMAGED)?;
        if algorithm != EC_PUBLIC_KEY || take(parameters, OBJECT_IDENTIFIER) != Some((SECP256R1, &[])) {
            return Err(OF_ANOTHER_KIND);
        }
        let (private, point) = ec_private_key(key).ok_or(DAMAGED)?;
        Self::of(der, private, point)
    }

    /// Takes the private number and the uncompressed point that belongs to it (SEC 1, section C.4).
    pub(crate) fn from_parts(private: &[u8], point: &[u8]) -> Result<Self, KeyRejected> {
        let identifier = |name| element(OBJECT_IDENTIFIER, &[name]);
        let algorithm =
            [identifier(EC_PUBLIC_KEY).expose().as_slice(), identifier(SECP256R1).expose()].concat();
        let point_bits = element(BIT_STRING, &[&[0], point]);
        let key = element(
            SEQUENCE,
            &[
                &[INTEGER, 1, 1],
                element(OCTET_STRING, &[private]).expose(),
                element(EC_POINT, &[point_bits.expose()]).expose(),
            ],
        );
        Self::of(in_pkcs8(&algorithm, key.expose()).expose(), private, point)
    }

    fn of(pkcs8: &[u8], private: &[u8], point: &[u8]) -> Result<Self, KeyRejected> {
        let coordinate_length = Curve::P256.coordinate_length();
        if private.len() != coordinate_length {
            return Err(DAMAGED);
        }
        if !is_on_curve(Curve::P256, point) {
            return Err(INCONSISTENT);
        }
        let pkcs8 = Secret::new(base64_encode(pkcs8));
        Ok(Self(HostKey { pkcs8, signature_length: 2 * coordinate_length }))
    }

    /// Nothing: the host signs.
    pub(crate) fn sign(&self, _message: &[u8]) -> Option<Vec<u8>> {
        None
    }

    /// The key for the host.
    pub(crate) fn for_host(&self) -> Option<&HostKey> {
        Some(&self.0)
    }
}

/// The algorithm and the key of a `PrivateKeyInfo` (RFC 5208, section 5).
fn pkcs8(der: &[u8]) -> Result<(&[u8], &[u8]), KeyRejected> {
    let read = || {
        let (info, rest) = take(der, SEQUENCE)?;
        let (version, info) = take(info, INTEGER)?;
        let (algorithm, info) = take(info, SEQUENCE)?;
        let (key, info) = take(info, OCTET_STRING)?;
        let info = take(info, ATTRIBUTES).map_or(info, |(_, after)| after);
        (version == [0] && info.is_empty() && rest.is_empty()).then_some((algorithm, key))
    };
    read().ok_or(DAMAGED)
}

/// The bytes of the modulus of an `RSAPrivateKey` (RFC 8017, appendix A.1.2). Of what only its owner knows, it is looked at
/// whether the primes are those of the modulus; the rest is the host's to refuse.
fn modulus_length(der: &[u8]) -> Result<usize, KeyRejected> {
    let read = || {
        let (key, rest) = take(der, SEQUENCE)?;
        let (version, mut key) = take(key, INTEGER)?;
        let mut next = || {
            let (number, after) = take(key, INTEGER)?;
            key = after;
            positive(number)
        };
        let numbers = [next()?, next()?, next()?, next()?, next()?, next()?, next()?, next()?];
        (version == [0] && key.is_empty() && rest.is_empty()).then_some(numbers)
    };
    let [n, e, _, p, q, ..] = read().ok_or(DAMAGED)?;
    let bits = n.len() * 8 - n.first().map_or(0, |first| first.leading_zeros() as usize);
    if bits < *RSA_BITS.start() {
        return Err(KeyRejected("an RSA key of less than 2048 bits"));
    }
    if bits > *RSA_BITS.end() {
        return Err(KeyRejected("an RSA key of more than 4096 bits"));
    }
    let is_odd = |number: &[u8]| number.last().is_some_and(|last| last % 2 == 1);
    // From 65537 to 2^33, as of the public keys that are verified with.
    let exponent = e.iter().try_fold(0u64, |sum, byte| sum.checked_mul(256)?.checked_add(u64::from(*byte)));
    if !is_odd(e) || !exponent.is_some_and(|e| (65537..1 << 33).contains(&e)) {
        return Err(DAMAGED);
    }
    if product(p, q) == n { Ok(n.len()) } else { Err(INCONSISTENT) }
}

/// The bytes of a positive INTEGER in its shortest form, big-endian.
fn positive(content: &[u8]) -> Option<&[u8]> {
    match content {
        [] | [0] | [0x80..=0xff, ..] | [0, 0..=0x7f, ..] => None,
        [0, number @ ..] => Some(number),
        number => Some(number),
    }
}

/// The product of two numbers, big-endian without leading zeros. Its time depends on their lengths alone.
fn product(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut sum = vec![0u8; a.len() + b.len()];
    for (place, factor) in a.iter().rev().enumerate() {
        let mut carry = 0u16;
        for (digit, other) in sum.iter_mut().rev().skip(place).zip(b.iter().rev().chain(&[0])) {
            let [high, low] =
                (u16::from(*digit) + u16::from(*factor) * u16::from(*other) + carry).to_be_bytes();
            (*digit, carry) = (low, u16::from(high));
        }
    }
    let zeros = sum.iter().take_while(|digit| **digit == 0).count();
    sum.split_off(zeros)
}

/// The private number and the public point of an `ECPrivateKey` (RFC 5915, section 3), which is in PKCS#8.
fn ec_private_key(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (key, rest) = take(der, SEQUENCE)?;
    let (version, key) = take(key, INTEGER)?;
    let (private, key) = take(key, OCTET_STRING)?;
    let (parameters, key) = take(key, PARAMETERS).map_or((None, key), |(own, after)| (Some(own), after));
    let is_of_curve = parameters.is_none_or(|own| take(own, OBJECT_IDENTIFIER) == Some((SECP256R1, &[])));
    let (public, key) = take(key, EC_POINT)?;
    let is_whole = version == [1] && is_of_curve && key.is_empty() && rest.is_empty();
    is_whole.then_some((private, bit_string(public)?))
}

/// A `PrivateKeyInfo` (RFC 5208, section 5).
fn in_pkcs8(algorithm: &[u8], key: &[u8]) -> Secret<Vec<u8>> {
    let (algorithm, key) = (element(SEQUENCE, &[algorithm]), element(OCTET_STRING, &[key]));
    element(SEQUENCE, &[&[INTEGER, 1, 0], algorithm.expose(), key.expose()])
}

/// A DER element of less than 64 KiB with this content, in one allocation that is never moved.
fn element(tag: u8, content: &[&[u8]]) -> Secret<Vec<u8>> {
    let length: usize = content.iter().map(|part| part.len()).sum();
    let mut out = Vec::with_capacity(4 + length);
    let [.., high, low] = length.to_be_bytes();
    match (high, low) {
        (0, 0..=0x7f) => out.extend([tag, low]),
        (0, _) => out.extend([tag, 0x81, low]),
        _ => out.extend([tag, 0x82, high, low]),
    }
    content.iter().for_each(|part| out.extend_from_slice(part));
    Secret::new(out)
}

#[cfg(test)]
mod tests {
    use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RsaKeyPair};

    use super::*;
    use crate::encoding::{base64_decode, pem_decode};

    fn rsa_pkcs8() -> Vec<u8> {
        pem_decode(include_str!("../../../tests/vectors/acquire/test_key.pem"), "PRIVATE KEY").unwrap()
    }

    fn ec_pkcs8() -> Vec<u8> {
        let (algorithm, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, ring::rand::SystemRandom::new());
        EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap().as_ref().to_vec()
    }

    fn number(content: &[u8]) -> Vec<u8> {
        element(INTEGER, &[content]).expose().clone()
    }

    /// A private RSA key of so many bytes, whose parts do not belong together.
    fn rsa_key(modulus: usize) -> Vec<u8> {
        let ones = |length: usize| number(&[&[0][..], &vec![0xff; length]].concat());
        let (whole, half) = (ones(modulus), ones(modulus / 2));
        let public = [number(&[0]), whole.clone(), number(&[1, 0, 1])].concat();
        element(SEQUENCE, &[&public, &whole, &half.repeat(5)]).expose().clone()
    }

    fn refusal<T>(key: Result<T, KeyRejected>) -> Option<&'static str> {
        key.err().map(|rejected| rejected.0)
    }

    fn decoded(key: &HostKey) -> Vec<u8> {
        base64_decode(key.pkcs8.expose()).unwrap()
    }

    #[test]
    fn hashes_are_those_of_the_standards() {
        let hash = |data: &[u8]| ring::digest::digest(&ring::digest::SHA256, data).as_ref().to_vec();
        let key = |key: &[u8]| ring::hmac::Key::new(ring::hmac::HMAC_SHA256, key);
        for length in [0, 1, 55, 56, 63, 64, 65, 200] {
            let data = vec![7; length];
            assert_eq!(sha256(&data).to_vec(), hash(&data));
            assert_eq!(hmac_sha256(&data, b"message"), ring::hmac::sign(&key(&data), b"message").as_ref());
        }
    }

    #[test]
    fn a_key_is_handed_on_in_pkcs8_whatever_form_it_came_in() {
        let pkcs8 = rsa_pkcs8();
        let same = RsaSigningKey::from_pkcs8(&pkcs8).unwrap();
        assert_eq!(decoded(&same.0), pkcs8);
        let (_, pkcs1) = super::pkcs8(&pkcs8).unwrap();
        let wrapped = RsaSigningKey::from_pkcs1(pkcs1).unwrap();
        assert_eq!(decoded(&wrapped.0), pkcs8);
        assert_eq!(wrapped.for_host().map(|key| key.signature_length), Some(256));
        assert_eq!(wrapped.sign(b"message"), None);
        assert!(RsaKeyPair::from_pkcs8(&pkcs8).is_ok(), "it is a key for others as well");

        let pkcs8 = ec_pkcs8();
        let same = EcdsaSigningKey::from_pkcs8(&pkcs8).unwrap();
        assert_eq!(decoded(&same.0), pkcs8);
        let (private, point) = ec_private_key(super::pkcs8(&pkcs8).unwrap().1).unwrap();
        let wrapped = EcdsaSigningKey::from_parts(private, point).unwrap();
        let (algorithm, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, ring::rand::SystemRandom::new());
        let read = EcdsaKeyPair::from_pkcs8(algorithm, &decoded(&wrapped.0), &random).unwrap();
        assert_eq!(read.public_key().as_ref(), point);
        assert_eq!(wrapped.for_host().map(|key| key.signature_length), Some(64));
        assert_eq!(wrapped.sign(b"message"), None);
    }

    /// The same reasons as ring's (provider.rs).
    #[test]
    fn a_key_that_cannot_be_used_says_why() {
        let pkcs1 = |der: &[u8]| refusal(RsaSigningKey::from_pkcs1(der));
        assert_eq!(pkcs1(&rsa_key(128)), Some("an RSA key of less than 2048 bits"));
        assert_eq!(pkcs1(&rsa_key(1024)), Some("an RSA key of more than 4096 bits"));
        assert_eq!(pkcs1(&rsa_key(256)), Some("a key whose parts do not belong together"));
        assert_eq!(pkcs1(b""), Some("damaged key data"));
        assert_eq!(refusal(RsaSigningKey::from_pkcs8(&ec_pkcs8())), Some("a key of another kind"));
        assert_eq!(refusal(EcdsaSigningKey::from_pkcs8(&rsa_pkcs8())), Some("a key of another kind"));
        let ec = ec_pkcs8();
        let (private, point) = ec_private_key(super::pkcs8(&ec).unwrap().1).unwrap();
        let mut elsewhere = point.to_vec();
        elsewhere[9] ^= 1;
        let parts = |private: &[u8], point: &[u8]| refusal(EcdsaSigningKey::from_parts(private, point));
        assert_eq!(parts(private, &elsewhere), Some("a key whose parts do not belong together"));
        assert_eq!(parts(&private[1..], point), Some("damaged key data"));
        assert_eq!(parts(private, point), None);
    }

    #[test]
    fn no_other_reading_of_a_key_is_accepted() {
        for (good, is_read) in [
            (rsa_pkcs8(), (|der| RsaSigningKey::from_pkcs8(der).is_ok()) as fn(&[u8]) -> bool),
            (ec_pkcs8(), |der| EcdsaSigningKey::from_pkcs8(der).is_ok()),
        ] {
            assert!(is_read(&good));
            assert!(!is_read(&[&good[..], &[0]].concat()));
            for length in 0..good.len() {
                assert!(!is_read(&good[..length]), "{length}");
            }
            // The first thirty bytes are versions, lengths and algorithms: none of them may be another one.
            for index in 0..30 {
                let mut bad = good.clone();
                bad[index] ^= 0x40;
                assert!(!is_read(&bad), "{index}");
            }
        }
        for bad in [&[][..], &[0], &[0x80], &[0, 1], &[0, 0, 0x80]] {
            assert_eq!(positive(bad), None);
        }
        assert_eq!((positive(&[0, 0x80]), positive(&[1])), (Some(&[0x80][..]), Some(&[1][..])));
    }

    #[test]
    fn products_are_right() {
        for (a, b) in [(0u64, 5u64), (1, 1), (255, 255), (65_537, 4_294_967_291), (u64::MAX, u64::MAX)] {
            let expected = (u128::from(a) * u128::from(b)).to_be_bytes();
            let zeros = expected.iter().take_while(|digit| **digit == 0).count();
            assert_eq!(product(&a.to_be_bytes(), &b.to_be_bytes()), expected[zeros..]);
        }
    }
}
