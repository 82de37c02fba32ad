//! The self-signed certificates of the PEM map.

use std::str::FromStr;
use std::time::Duration;

use rsa::pkcs1v15::{Signature, SigningKey};
use rsa::pkcs8::LineEnding;
use rsa::sha2::Sha256;
use rsa::signature::Keypair;
use x509_cert::builder::{Builder, CertificateBuilder, Error, Profile};
use x509_cert::der::EncodePem;
use x509_cert::der::asn1::UtcTime;
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::SubjectPublicKeyInfoOwned;
use x509_cert::time::{Time, Validity};

/// 2020-01-01T00:00:00Z and 2049-12-31T23:59:59Z. Fixed, because the certificate must not depend on a clock; wide,
/// because Google's libraries look at the key only, but others may look at the dates; and no later, because
/// UTCTime ends there (RFC 5280 section 4.1.2.5).
const NOT_BEFORE: Duration = Duration::from_secs(1_577_836_800);
const NOT_AFTER: Duration = Duration::from_secs(2_524_607_999);

/// Signs a certificate for the signer's own key. `kid` gives the serial number.
pub(super) fn self_signed(
    common_name: &str,
    kid: &str,
    signer: &SigningKey<Sha256>,
) -> Result<String, Error> {
    let validity = Validity {
        not_before: Time::UtcTime(UtcTime::from_unix_duration(NOT_BEFORE)?),
        not_after: Time::UtcTime(UtcTime::from_unix_duration(NOT_AFTER)?),
    };
    let name = Name::from_str(&format!("CN={common_name}"))?;
    let profile =
        Profile::Leaf { issuer: name.clone(), enable_key_agreement: false, enable_key_encipherment: false };
    // RFC 5280 section 4.1.2.2 wants a positive number of at most 20 bytes; digits and letters are positive.
    let serial: Vec<u8> = kid.bytes().take(16).collect();

    let builder = CertificateBuilder::new(
        profile,
        SerialNumber::new(&serial)?,
        validity,
        name,
        SubjectPublicKeyInfoOwned::from_key(signer.verifying_key())?,
        signer,
    )?;
    Ok(builder.build::<Signature>()?.to_pem(LineEnding::LF)?)
}
