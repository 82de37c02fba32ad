//! The public key of a PEM certificate (RFC 5280) or of a PEM public key (RFC 5280, section 4.1.2.7).
//!
//! Google publishes its keys as certificates too. They are self-signed envelopes, trusted because of the URL that
//! they came from, so no path is validated: the key and the period of validity are all that is read.

use crate::calendar;
use crate::crypto::{Curve, PublicKey, VerifyingKey};
use crate::der::{
    EC_PUBLIC_KEY, INTEGER, OBJECT_IDENTIFIER, RSA_ENCRYPTION, SECP256R1, SEQUENCE, bit_string, take,
};
use crate::encoding::pem_decode;
use crate::jose::jwk::{self, Jwk};
use crate::step::Millis;

const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const VERSION: u8 = 0xa0;

/// 1.3.132.0.34 (RFC 5480, section 2.1.1.1)
const SECP384R1: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];
/// 1.3.101.112 (RFC 8410, section 3)
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];

/// Reads the key of one PEM block, or says why it cannot be used.
pub(crate) fn key_from_pem(pem: &str) -> Result<Jwk, &'static str> {
    if let Some(der) = pem_decode(pem, "CERTIFICATE") {
        let (spki, validity) = certificate(&der).ok_or("its certificate is damaged")?;
        return Ok(Jwk { key: VerifyingKey::new(public_key(spki)?), alg: None, validity: Some(validity) });
    }
    let der = pem_decode(pem, "PUBLIC KEY").ok_or("it is neither a PEM certificate nor a PEM public key")?;
    let (spki, rest) = take(&der, SEQUENCE).ok_or("its PEM public key is damaged")?;
    if !rest.is_empty() {
        return Err("its PEM public key is damaged");
    }
    Ok(Jwk { key: VerifyingKey::new(public_key(spki)?), alg: None, validity: None })
}

/// The content of `subjectPublicKeyInfo`, and the period of validity.
fn certificate(der: &[u8]) -> Option<(&[u8], (Millis, Millis))> {
    let (certificate, rest) = take(der, SEQUENCE)?;
    let (tbs, _) = take(certificate, SEQUENCE)?;
    let tbs = match take(tbs, VERSION) {
        Some((_, after)) => after,
        None => tbs,
    };
    let (_serial_number, tbs) = take(tbs, INTEGER)?;
    let (_signature, tbs) = take(tbs, SEQUENCE)?;
    let (_issuer, tbs) = take(tbs, SEQUENCE)?;
    let (validity, tbs) = take(tbs, SEQUENCE)?;
    let (_subject, tbs) = take(tbs, SEQUENCE)?;
    let (spki, _) = take(tbs, SEQUENCE)?;
    let (not_before, validity) = time(validity)?;
    let (not_after, _) = time(validity)?;
    rest.is_empty().then_some((spki, (not_before, not_after)))
}

fn public_key(spki: &[u8]) -> Result<PublicKey, &'static str> {
    const DAMAGED: &str = "its public key is damaged";
    let (algorithm, rest) = take(spki, SEQUENCE).ok_or(DAMAGED)?;
    let key = bit_string(rest).ok_or(DAMAGED)?;
    let (identifier, parameters) = take(algorithm, OBJECT_IDENTIFIER).ok_or(DAMAGED)?;
    if identifier == RSA_ENCRYPTION {
        let (numbers, _) = take(key, SEQUENCE).ok_or(DAMAGED)?;
        let (n, numbers) = take(numbers, INTEGER).ok_or(DAMAGED)?;
        let (e, _) = take(numbers, INTEGER).ok_or(DAMAGED)?;
        // DER integers are signed: a leading zero byte keeps the highest bit from being the sign.
        let (n, e) = (n.strip_prefix(&[0]).unwrap_or(n), e.strip_prefix(&[0]).unwrap_or(e));
        jwk::check_rsa(n, e)?;
        Ok(PublicKey::Rsa { n: n.to_vec(), e: e.to_vec() })
    } else if identifier == EC_PUBLIC_KEY {
        let curve = match take(parameters, OBJECT_IDENTIFIER) {
            Some((SECP256R1, _)) => Curve::P256,
            Some((SECP384R1, _)) => Curve::P384,
            _ => return Err("its curve is neither P-256 nor P-384"),
        };
        jwk::ec_point(curve, key.to_vec())
    } else if identifier == ED25519 {
        jwk::ed25519_point(key.to_vec())
    } else {
        Err("its public key is none of RSA, EC and Ed25519")
    }
}

/// Takes a `Time` (RFC 5280, section 4.1.2.5).
fn time(der: &[u8]) -> Option<(Millis, &[u8])> {
    let (digits, is_utc_time, rest) = match take(der, UTC_TIME) {
        Some((digits, rest)) => (digits, true, rest),
        None => take(der, GENERALIZED_TIME).map(|(digits, rest)| (digits, false, rest))?,
    };
    Some((Millis::from_secs(calendar::read_asn1(digits, is_utc_time)?), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_both_kinds_are_read() {
        let utc = [&[UTC_TIME, 13], b"270115080000Z".as_slice()].concat();
        assert_eq!(time(&utc), Some((Millis::from_secs(1_800_000_000), [].as_slice())));
        let generalized = [&[GENERALIZED_TIME, 15], b"20270115080000Z".as_slice()].concat();
        assert_eq!(time(&generalized), Some((Millis::from_secs(1_800_000_000), [].as_slice())));
    }

    #[test]
    fn a_point_of_p_256_is_read() {
        const PEM: &str = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEUVw9brnjlrkE0/7Kf1T9zQzB6Ze/\nN13KUVrQpsO0A19FNr46UPMY+/mlR1kCoiFQK+8NV+CMU7LMClbxfZ+TVA==\n-----END PUBLIC KEY-----";
        assert!(matches!(
            key_from_pem(PEM).map(|key| key.key.public().clone()),
            Ok(PublicKey::Ec { curve: Curve::P256, .. })
        ));
    }
}
