//! One JSON Web Key (RFC 7517; RFC 7518, section 6; RFC 8037, section 2).
//!
//! Members that a verifier has no use for are not looked at: private ones (a set that publishes them is the issuer's
//! misfortune, and its public half is as good as before), certificates, and URLs of either.

use std::ops::Range;

use crate::crypto::{self, Curve, PublicKey, VerifyingKey};
use crate::encoding::{base64url_decode, base64url_encode, hex};
use crate::jose::alg::Algorithm;
use crate::json::{self, Value};
use crate::step::Millis;

/// The points of edwards25519 whose order divides 8, in every encoding, without the sign bit. With such a key a
/// signature says nothing, and ring does not refuse them.
const SMALL_ORDER_POINTS: [&str; 7] = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

/// A key that can verify, with what it may be used for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Jwk {
    pub(crate) key: VerifyingKey,
    /// The `alg` of the JWK: the only algorithm that the key may be used with.
    pub(crate) alg: Option<Algorithm>,
    /// From a certificate: the key is used from the first moment to the second only.
    pub(crate) validity: Option<(Millis, Millis)>,
}

impl Jwk {
    /// Whether `now` lies within the validity of the key's certificate, if it came in one.
    pub(crate) fn is_valid_at(&self, now: Millis) -> bool {
        self.validity.is_none_or(|(not_before, not_after)| not_before <= now && now <= not_after)
    }

    /// Of these moments, those that lie within the validity of the key's certificate, if it came in one.
    pub(crate) fn valid_within(&self, moments: Range<Millis>) -> Range<Millis> {
        match self.validity {
            None => moments,
            Some((first, last)) => moments.start.max(first)..moments.end.min(last.plus(1)),
        }
    }

    /// Reads one entry of a key set, or says why the key cannot be used.
    pub(crate) fn from_json(jwk: &Value) -> Result<Self, &'static str> {
        check_purpose(jwk)?;
        let key = match text(jwk, "kty") {
            Some("RSA") => rsa(jwk)?,
            Some("EC") => ec(jwk)?,
            Some("OKP") => ed25519(jwk)?,
            _ => return Err("its kty is none of RSA, EC and OKP"),
        };
        let alg = match jwk.member("alg") {
            None => None,
            Some(alg) => {
                let alg = alg.as_str().and_then(Algorithm::from_name);
                Some(alg.ok_or("its alg is none that this verifier knows")?)
            }
        };
        let jwk = Self { key: VerifyingKey::new(key), alg, validity: None };
        match alg {
            Some(alg) if !jwk.key.fits(alg.scheme()) => Err("its alg does not belong to its kty or crv"),
            _ => Ok(jwk),
        }
    }

    /// Whether `signature` is this key's signature of `message`; `None` where that is for the host to say.
    pub(crate) fn verifies(&self, alg: Algorithm, message: &str, signature: &[u8]) -> Option<bool> {
        self.key.verify(alg.scheme(), message.as_bytes(), signature)
    }

    /// The bytes of a signature by this key (RFC 8017, section 8; RFC 7518, section 3.4; RFC 8032, section 5.1.6).
    pub(crate) fn signature_length(&self) -> usize {
        match self.key.public() {
            PublicKey::Rsa { n, .. } => n.len(),
            PublicKey::Ec { curve, .. } => 2 * curve.coordinate_length(),
            PublicKey::Ed25519 { .. } => 64,
        }
    }

    /// The public key alone, as a JWK of the members that it consists of.
    pub(crate) fn to_json(&self) -> String {
        json::object(|jwk| match self.key.public() {
            PublicKey::Rsa { n, e } => {
                jwk.text("e", &base64url_encode(e)).text("kty", "RSA").text("n", &base64url_encode(n));
            }
            PublicKey::Ec { curve, point } => {
                let (prefix_and_x, y) =
                    point.split_at_checked(1 + curve.coordinate_length()).unwrap_or_default();
                jwk.text("crv", curve.as_str())
                    .text("kty", "EC")
                    .text("x", &base64url_encode(prefix_and_x.get(1..).unwrap_or_default()))
                    .text("y", &base64url_encode(y));
            }
            PublicKey::Ed25519 { point } => {
                jwk.text("crv", "Ed25519").text("kty", "OKP").text("x", &base64url_encode(point));
            }
        })
    }

    /// Whether the key may verify a signature of this algorithm: the key decides, not the token's header.
    pub(crate) fn allows(&self, alg: Algorithm) -> bool {
        self.key.fits(alg.scheme()) && self.alg.is_none_or(|own| own == alg)
    }
}

fn check_purpose(jwk: &Value) -> Result<(), &'static str> {
    match jwk.member("use") {
        None => {}
        Some(purpose) if purpose.as_str() == Some("sig") => {}
        Some(_) => return Err("its use is not sig"),
    }
    match jwk.member("key_ops") {
        None => Ok(()),
        Some(Value::Array(ops)) if ops.iter().any(|op| op.as_str() == Some("verify")) => Ok(()),
        Some(_) => Err("its key_ops do not hold verify"),
    }
}

fn rsa(jwk: &Value) -> Result<PublicKey, &'static str> {
    let n = bytes(jwk, "n").ok_or("its n is missing or not base64url")?;
    let e = bytes(jwk, "e").ok_or("its e is missing or not base64url")?;
    check_rsa(&n, &e)?;
    Ok(PublicKey::Rsa { n, e })
}

/// 2048 to 8192 bits, both parts odd and in their shortest form, 65537 ≤ e < 2³³. Smaller exponents have a history of
/// forgeries, larger ones make a verifier work for an attacker; ring has the same upper bound.
pub(crate) fn check_rsa(n: &[u8], e: &[u8]) -> Result<(), &'static str> {
    let is_odd = |number: &[u8]| number.last().is_some_and(|byte| byte % 2 == 1);
    if bits(n).is_none() || bits(e).is_none() {
        return Err("its n or e is empty or has a leading zero byte");
    }
    if !bits(n).is_some_and(|bits| (2048..=8192).contains(&bits)) {
        return Err("its modulus is not of 2048 to 8192 bits");
    }
    let exponent = e.iter().fold(0u128, |sum, byte| (sum << 8) | u128::from(*byte));
    if e.len() > 5 || !(65537..1 << 33).contains(&exponent) {
        return Err("its exponent is not from 65537 to 2^33");
    }
    if is_odd(n) && is_odd(e) { Ok(()) } else { Err("its modulus or exponent is even") }
}

/// The length of a number in bits; `None` when it is empty or has a leading zero byte.
fn bits(number: &[u8]) -> Option<usize> {
    let first = number.first().filter(|byte| **byte != 0)?;
    Some(number.len() * 8 - first.leading_zeros() as usize)
}

fn ec(jwk: &Value) -> Result<PublicKey, &'static str> {
    let named = |curve: &Curve| text(jwk, "crv") == Some(curve.as_str());
    let Some(curve) = [Curve::P256, Curve::P384].into_iter().find(named) else {
        return Err("its crv is neither P-256 nor P-384");
    };
    let coordinate = |name| self::bytes(jwk, name).filter(|found| found.len() == curve.coordinate_length());
    let (Some(x), Some(y)) = (coordinate("x"), coordinate("y")) else {
        return Err("its x or y is missing or not of its curve's length");
    };
    ec_point(curve, [&[4], x.as_slice(), y.as_slice()].concat())
}

/// An uncompressed point, if it lies on the curve.
pub(crate) fn ec_point(curve: Curve, point: Vec<u8>) -> Result<PublicKey, &'static str> {
    if crypto::is_on_curve(curve, &point) {
        Ok(PublicKey::Ec { curve, point })
    } else {
        Err("its point is not on its curve")
    }
}

fn ed25519(jwk: &Value) -> Result<PublicKey, &'static str> {
    if text(jwk, "crv") != Some("Ed25519") {
        return Err("its crv is not Ed25519");
    }
    ed25519_point(bytes(jwk, "x").ok_or("its x is missing or not base64url")?)
}

/// A point of edwards25519, if it is one that a private key can have.
pub(crate) fn ed25519_point(point: Vec<u8>) -> Result<PublicKey, &'static str> {
    let mut y = point.clone();
    if let Some(sign_byte) = y.last_mut() {
        *sign_byte &= 0x7f;
    }
    if point.len() != 32 {
        Err("its x is not of 32 bytes")
    } else if SMALL_ORDER_POINTS.contains(&hex(&y).as_str()) {
        Err("its point is of small order: anybody can sign for it")
    } else {
        Ok(PublicKey::Ed25519 { point })
    }
}

fn text<'a>(jwk: &'a Value, name: &str) -> Option<&'a str> {
    jwk.member(name).and_then(Value::as_str)
}

fn bytes(jwk: &Value, name: &str) -> Option<Vec<u8>> {
    text(jwk, name).and_then(base64url_decode)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_of_a_certificates_validity_is_what_is_checked() {
        let key = VerifyingKey::new(PublicKey::Ed25519 { point: vec![9; 32] });
        for validity in [None, Some((Millis(20), Millis(30)))] {
            let jwk = Jwk { key: key.clone(), alg: None, validity };
            let within = jwk.valid_within(Millis(10)..Millis(40));
            for now in (0..50).map(Millis) {
                let expected = (Millis(10)..Millis(40)).contains(&now) && jwk.is_valid_at(now);
                assert_eq!(within.contains(&now), expected, "{now:?}");
            }
        }
    }

    const P256: &str = r#"{"kty":"EC","crv":"P-256","x":"UVw9brnjlrkE0_7Kf1T9zQzB6Ze_N13KUVrQpsO0A18","y":"RTa-OlDzGPv5pUdZAqIhUCvvDVfgjFOyzApW8X2fk1Q"}"#;

    #[test]
    fn an_exponent_is_bounded_and_both_numbers_are_odd() {
        let modulus = [0xff; 256];
        let long = [&[1][..], &[0; 13], &[1, 0, 1]].concat();
        for (n, e, good) in [
            (&modulus[..], &[1, 0, 1][..], true),
            (&modulus, &[1, 0, 0, 0, 1], true),
            (&modulus, &[1, 255, 255, 255, 255], true),
            (&modulus, &[255, 255], false),
            (&modulus, &[2, 0, 0, 0, 1], false),
            (&modulus, &[1, 0, 0, 0, 0, 1], false),
            // Its low 128 bits are 65537.
            (&modulus, &long, false),
            (&modulus, &[1, 0, 2], false),
            (&modulus, &[0, 1, 0, 1], false),
            (&modulus, &[], false),
            (&[&[0x7f][..], &modulus[1..]].concat(), &[1, 0, 1], false),
            (&[&modulus[1..], &[0xfe]].concat(), &[1, 0, 1], false),
            (&[0xff; 1024], &[1, 0, 1], true),
            (&[&[1][..], &[0xff; 1024]].concat(), &[1, 0, 1], false),
        ] {
            assert_eq!(check_rsa(n, e).is_ok(), good, "{n:x?} {e:x?}");
        }
    }

    #[test]
    fn an_algorithm_of_another_kind_of_key_is_refused() {
        for (alg, expected) in [
            ("ES256", None),
            ("ES384", Some("its alg does not belong to its kty or crv")),
            ("RS256", Some("its alg does not belong to its kty or crv")),
            ("HS256", Some("its alg is none that this verifier knows")),
        ] {
            let mut jwk: serde_json::Value = serde_json::from_str(P256).unwrap();
            jwk["alg"] = alg.into();
            let read = Jwk::from_json(&crate::json::value(jwk.to_string().as_bytes()).unwrap());
            assert_eq!(read.err(), expected, "{alg}");
        }
    }

    #[test]
    fn what_is_written_is_what_was_read() {
        let jwk = Jwk::from_json(&crate::json::value(P256.as_bytes()).unwrap()).unwrap();
        assert!(format!("{jwk:?}").contains("curve: P256"), "{jwk:?}");
        let written: serde_json::Value = serde_json::from_str(&jwk.to_json()).unwrap();
        assert_eq!(written, serde_json::from_str::<serde_json::Value>(P256).unwrap());
    }
}
