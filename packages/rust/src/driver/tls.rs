//! TLS of one request: whom it trusts, and what it presents. Files are read anew each time, because certificates
//! rotate.

use std::fs;

use gatepass_core::ClientCertificate;
use gatepass_core::HttpRequest;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig};

/// Sets TLS up for `request`. An error names the file that is at fault and shows nothing of it.
pub(super) fn config(request: &HttpRequest) -> Result<TlsConfig, String> {
    let roots = match &request.ca_certificate_path {
        Some(path) => certificates(path)?,
        None => system_roots()?,
    };
    let client = request.client_certificate.as_ref().map(client_certificate).transpose()?;
    Ok(TlsConfig::builder().root_certs(RootCerts::from(for_ureq(&roots))).client_cert(client).build())
}

/// The system's roots, or those that SSL_CERT_FILE and SSL_CERT_DIR name.
fn system_roots() -> Result<Vec<CertificateDer<'static>>, String> {
    let roots = rustls_native_certs::load_native_certs().certs;
    if roots.is_empty() {
        return Err("no root certificates are found; name a file of them with SSL_CERT_FILE".to_owned());
    }
    Ok(roots)
}

fn client_certificate(files: &ClientCertificate) -> Result<ClientCert, String> {
    let ClientCertificate { cert_path, key_path } = files;
    let chain = certificates(cert_path)?;
    let pem = read(key_path)?;
    let no_key = || format!("{key_path} holds no private key in PEM");
    let key = PrivateKeyDer::from_pem_slice(&pem).map_err(|_| no_key())?;
    // ureq would panic.
    CertifiedKey::from_der(chain.clone(), key, &ring::default_provider())
        .map_err(|_| format!("{key_path} is not the key of the certificate in {cert_path}"))?;
    let key = PrivateKey::from_pem(&pem).map_err(|_| no_key())?;
    Ok(ClientCert::new_with_certs(&for_ureq(&chain), key))
}

/// Reads the certificates in a file, of which there must be one at least.
fn certificates(path: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    CertificateDer::pem_slice_iter(&read(path)?)
        .collect::<Result<Vec<_>, _>>()
        .ok()
        .filter(|certificates| !certificates.is_empty())
        .ok_or_else(|| format!("{path} holds no PEM certificate"))
}

fn for_ureq(certificates: &[CertificateDer<'_>]) -> Vec<Certificate<'static>> {
    certificates.iter().map(|der| Certificate::from_der(der).to_owned()).collect()
}

fn read(path: &str) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("{path} cannot be read: {}", error.kind()))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use gatepass_emulator::tls;

    use super::*;

    /// Writes a file for the test, and gives its path.
    fn file(name: &str, content: &str) -> String {
        let path = std::env::temp_dir().join(format!("gatepass-{}-{name}", std::process::id()));
        fs::write(&path, content).unwrap();
        path.into_os_string().into_string().unwrap()
    }

    fn refused(cert_path: &str, key_path: &str) -> String {
        let files = ClientCertificate { cert_path: cert_path.to_owned(), key_path: key_path.to_owned() };
        client_certificate(&files).err().unwrap()
    }

    #[test]
    fn a_certificate_that_cannot_be_presented_is_named_and_not_shown() {
        let (workload, server) = (tls::workload().unwrap(), tls::server(&[]).unwrap());
        let certificate = file("certificate.pem", &workload.certificate_pem);
        let (key, other) =
            (file("key.pem", &workload.private_key_pem), file("other.pem", &server.private_key_pem));
        let files = ClientCertificate { cert_path: certificate.clone(), key_path: key.clone() };
        assert!(client_certificate(&files).is_ok());

        assert_eq!(refused("/no/such/file", &key), "/no/such/file cannot be read: entity not found");
        assert_eq!(refused(&key, &key), format!("{key} holds no PEM certificate"));
        assert_eq!(refused(&certificate, &certificate), format!("{certificate} holds no private key in PEM"));
        assert_eq!(
            refused(&certificate, &other),
            format!("{other} is not the key of the certificate in {certificate}")
        );
        for path in [certificate, key, other] {
            fs::remove_file(Path::new(&path)).unwrap();
        }
    }
}
