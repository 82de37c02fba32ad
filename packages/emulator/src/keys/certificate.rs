//! X.509 certificates: the self-signed ones of the PEM map, and those of TLS.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;
use std::time::Duration;

use p256::ecdsa::{self, DerSignature};
use rsa::pkcs1v15::{self, Signature};
use rsa::pkcs8::LineEnding;
use rsa::sha2::Sha256;
use rsa::signature::Keypair;
use x509_cert::builder::{Builder, CertificateBuilder, Error, Profile};
use x509_cert::der::EncodePem;
use x509_cert::der::asn1::{Ia5String, OctetString, UtcTime};
use x509_cert::der::oid::db::rfc5280::{ID_KP_CLIENT_AUTH, ID_KP_SERVER_AUTH};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{ExtendedKeyUsage, SubjectAltName};
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::{DynSignatureAlgorithmIdentifier, EncodePublicKey, SubjectPublicKeyInfoOwned};
use x509_cert::time::{Time, Validity};

/// 2020-01-01T00:00:00Z and 2049-12-31T23:59:59Z. Fixed, because the certificate must not depend on a clock; wide,
/// because Google's libraries look at the key only, but others may look at the dates; and no later, because
/// UTCTime ends there (RFC 5280 section 4.1.2.5).
const NOT_BEFORE: Duration = Duration::from_secs(1_577_836_800);
const NOT_AFTER: Duration = Duration::from_secs(2_524_607_999);

/// Whom a certificate is about.
pub(super) struct Subject<'a> {
    pub(super) common_name: &'a str,
    /// Gives the serial number.
    pub(super) kid: &'a str,
}

/// What a certificate is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Usage<'a> {
    /// The emulator, as clients on the same machine reach it, and others under these names.
    Server(&'a [String]),
    /// A client of the emulator.
    Client,
}

/// Signs a certificate for the signer's own RSA key.
pub(super) fn self_signed(
    subject: &Subject<'_>,
    signer: &pkcs1v15::SigningKey<Sha256>,
) -> Result<String, Error> {
    let profile = Profile::Leaf {
        issuer: name(subject.common_name)?,
        enable_key_agreement: false,
        enable_key_encipherment: false,
    };
    let key = SubjectPublicKeyInfoOwned::from_key(signer.verifying_key())?;
    Ok(builder(profile, subject, key, signer)?.build::<Signature>()?.to_pem(LineEnding::LF)?)
}

/// Signs the certificate of an authority, the signer.
pub(super) fn authority(subject: &Subject<'_>, signer: &ecdsa::SigningKey) -> Result<String, Error> {
    let key = SubjectPublicKeyInfoOwned::from_key(*signer.verifying_key())?;
    Ok(builder(Profile::Root, subject, key, signer)?.build::<DerSignature>()?.to_pem(LineEnding::LF)?)
}

/// Signs a certificate for `key` in the name of an authority, `issuer`.
pub(super) fn issued(
    subject: &Subject<'_>,
    key: &ecdsa::VerifyingKey,
    usage: Usage<'_>,
    issuer: &Subject<'_>,
    signer: &ecdsa::SigningKey,
) -> Result<String, Error> {
    let profile = Profile::Leaf {
        issuer: name(issuer.common_name)?,
        enable_key_agreement: false,
        enable_key_encipherment: false,
    };
    let key = SubjectPublicKeyInfoOwned::from_key(*key)?;
    let mut builder = builder(profile, subject, key, signer)?;
    match usage {
        Usage::Client => builder.add_extension(&ExtendedKeyUsage(vec![ID_KP_CLIENT_AUTH]))?,
        Usage::Server(names) => {
            builder.add_extension(&ExtendedKeyUsage(vec![ID_KP_SERVER_AUTH]))?;
            let mut all = vec![
                GeneralName::DnsName(Ia5String::new("localhost")?),
                ip_address(Ipv4Addr::LOCALHOST.into())?,
                ip_address(Ipv6Addr::LOCALHOST.into())?,
            ];
            for name in names {
                all.push(match name.parse() {
                    Ok(address) => ip_address(address)?,
                    Err(_) => GeneralName::DnsName(Ia5String::new(name)?),
                });
            }
            builder.add_extension(&SubjectAltName(all))?;
        }
    }
    Ok(builder.build::<DerSignature>()?.to_pem(LineEnding::LF)?)
}

fn builder<'s, S>(
    profile: Profile,
    subject: &Subject<'_>,
    key: SubjectPublicKeyInfoOwned,
    signer: &'s S,
) -> Result<CertificateBuilder<'s, S>, Error>
where
    S: Keypair + DynSignatureAlgorithmIdentifier,
    S::VerifyingKey: EncodePublicKey,
{
    let validity = Validity {
        not_before: Time::UtcTime(UtcTime::from_unix_duration(NOT_BEFORE)?),
        not_after: Time::UtcTime(UtcTime::from_unix_duration(NOT_AFTER)?),
    };
    // RFC 5280 section 4.1.2.2 wants a positive number of at most 20 bytes; digits and letters are positive.
    let serial: Vec<u8> = subject.kid.bytes().take(16).collect();
    CertificateBuilder::new(
        profile,
        SerialNumber::new(&serial)?,
        validity,
        name(subject.common_name)?,
        key,
        signer,
    )
}

fn name(common_name: &str) -> Result<Name, Error> {
    Ok(Name::from_str(&format!("CN={common_name}"))?)
}

fn ip_address(address: IpAddr) -> Result<GeneralName, Error> {
    let octets = match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    Ok(GeneralName::IpAddress(OctetString::new(octets)?))
}
