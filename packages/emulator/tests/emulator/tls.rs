//! The certificates of TLS, read with a library that did not write them.

use gatepass_emulator::tls;
use x509_parser::pem::parse_x509_pem;
use x509_parser::prelude::X509Certificate;

use super::{emulator, get, text};

fn with_certificate<T>(pem: &str, look: impl FnOnce(&X509Certificate<'_>) -> T) -> T {
    let (_, pem) = parse_x509_pem(pem.as_bytes()).unwrap();
    look(&pem.parse_x509().unwrap())
}

#[test]
fn the_authority_has_signed_both_certificates() {
    let authority = tls::authority_pem().unwrap();
    for (identity, is_server) in [(tls::server(&[]).unwrap(), true), (tls::workload().unwrap(), false)] {
        with_certificate(&authority, |authority| {
            assert!(authority.is_ca());
            with_certificate(&identity.certificate_pem, |certificate| {
                certificate.verify_signature(Some(authority.public_key())).expect("signed by the authority");
                let usage = certificate.extended_key_usage().unwrap().unwrap().value;
                assert_eq!((usage.server_auth, usage.client_auth), (is_server, !is_server));
                assert_eq!(certificate.subject_alternative_name().unwrap().is_some(), is_server);
            });
        });
        assert!(identity.private_key_pem.starts_with("-----BEGIN PRIVATE KEY-----"));
    }
}

/// Clients keep the file, so it has to be the same next time.
#[test]
fn certificates_stay_the_same() {
    assert_eq!(tls::workload().unwrap(), tls::workload().unwrap());
    let served = get(&emulator(), "/emulator/v1/ca.pem");
    assert_eq!(text(&served), tls::authority_pem().unwrap());
}
