//! One JSON Web Key (RFC 7517; RFC 7518, section 6).

use crate::crypto::{self, PublicKey};
use crate::encoding::base64url_decode;
use crate::jose::alg::Algorithm;
use crate::json::Value;
use crate::step::Millis;

/// A key that can verify, with what it may be used for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Jwk {
    pub(crate) key: PublicKey,
    /// The `alg` of the JWK: the only algorithm that the key may be used with.
    pub(crate) alg: Option<Algorithm>,
    /// From a certificate: the key is used from the first moment to the second only.
    pub(crate) validity: Option<(Millis, Millis)>,
}

impl Jwk {
    /// Reads one entry of a key set, or says why the key cannot be used.
    pub(crate) fn from_json(jwk: &Value) -> Result<Self, &'static str> {
        check_purpose(jwk)?;
        let key = match text(jwk, "kty") {
            Some("RSA") => rsa(jwk)?,
            Some("EC") => p256(jwk)?,
            _ => return Err("its kty is neither RSA nor EC"),
        };
        let alg = match jwk.member("alg") {
            None => None,
            Some(alg) => {
                let alg = alg.as_str().and_then(Algorithm::from_name);
                Some(alg.ok_or("its alg is none that this verifier knows")?)
            }
        };
        let jwk = Self { key, alg, validity: None };
        match alg {
            Some(alg) if !jwk.has_type_of(alg) => Err("its alg does not belong to its kty"),
            _ => Ok(jwk),
        }
    }

    /// Whether the key may verify a signature of this algorithm: the key decides, not the token's header.
    pub(crate) fn allows(&self, alg: Algorithm) -> bool {
        self.has_type_of(alg) && self.alg.is_none_or(|own| own == alg)
    }

    fn has_type_of(&self, alg: Algorithm) -> bool {
        let kty = match self.key {
            PublicKey::Rsa { .. } => "RSA",
            PublicKey::P256 { .. } => "EC",
        };
        alg.key_type() == kty
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
    let n = octets(jwk, "n").ok_or("its n is missing or not base64url")?;
    let e = octets(jwk, "e").ok_or("its e is missing or not base64url")?;
    check_rsa(&n, &e)?;
    Ok(PublicKey::Rsa { n, e })
}

/// 2048 to 8192 bits, both parts odd and in their shortest form, 65537 ≤ e < 2³³.
pub(crate) fn check_rsa(n: &[u8], e: &[u8]) -> Result<(), &'static str> {
    let is_odd = |number: &[u8]| number.last().is_some_and(|octet| octet % 2 == 1);
    if bits(n).is_none() || bits(e).is_none() {
        return Err("its n or e is empty or has a leading zero octet");
    }
    if !bits(n).is_some_and(|bits| (2048..=8192).contains(&bits)) {
        return Err("its modulus is not of 2048 to 8192 bits");
    }
    let exponent = e.iter().fold(0u128, |sum, octet| (sum << 8) | u128::from(*octet));
    if e.len() > 5 || !(65537..1 << 33).contains(&exponent) {
        return Err("its exponent is not from 65537 to 2^33");
    }
    if is_odd(n) && is_odd(e) { Ok(()) } else { Err("its modulus or exponent is even") }
}

/// The length of a number in bits; `None` when it is empty or has a leading zero octet.
fn bits(number: &[u8]) -> Option<usize> {
    let first = number.first().filter(|octet| **octet != 0)?;
    Some(number.len() * 8 - first.leading_zeros() as usize)
}

fn p256(jwk: &Value) -> Result<PublicKey, &'static str> {
    if text(jwk, "crv") != Some("P-256") {
        return Err("its crv is not P-256");
    }
    let coordinate = |name| octets(jwk, name).filter(|octets| octets.len() == 32);
    let (Some(x), Some(y)) = (coordinate("x"), coordinate("y")) else {
        return Err("its x or y is not of 32 octets");
    };
    p256_point([&[4], x.as_slice(), y.as_slice()].concat())
}

/// An uncompressed point, if it lies on the curve.
pub(crate) fn p256_point(point: Vec<u8>) -> Result<PublicKey, &'static str> {
    if crypto::is_p256_point(&point) {
        Ok(PublicKey::P256 { point })
    } else {
        Err("its point is not on P-256")
    }
}

fn text<'a>(jwk: &'a Value, name: &str) -> Option<&'a str> {
    jwk.member(name).and_then(Value::as_str)
}

fn octets(jwk: &Value, name: &str) -> Option<Vec<u8>> {
    text(jwk, name).and_then(base64url_decode)
}
