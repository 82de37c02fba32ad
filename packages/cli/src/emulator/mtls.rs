//! The TLS of the emulator: its own certificate, and clients that may present one of the same authority.

use std::sync::Arc;

use gatepass_emulator::tls;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

use crate::Failure;

/// Sets TLS up so that a client without a certificate is served, and one with a certificate has shown that it holds
/// the key. The emulator is reached under these `names` as well.
pub(super) fn server_config(names: &[String]) -> Result<Arc<ServerConfig>, Failure> {
    build(names).map_err(|error| Failure::runtime(format!("cannot set up TLS: {error}")))
}

fn build(names: &[String]) -> Result<Arc<ServerConfig>, Box<dyn std::error::Error>> {
    let authority = CertificateDer::from_pem_slice(tls::authority_pem()?.as_bytes())?;
    let server = tls::server(names)?;
    let certificate = CertificateDer::from_pem_slice(server.certificate_pem.as_bytes())?;
    let key = PrivateKeyDer::from_pem_slice(server.private_key_pem.as_bytes())?;

    let mut clients = RootCertStore::empty();
    clients.add(authority.clone())?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(clients), Arc::clone(&provider))
        .allow_unauthenticated()
        .build()?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![certificate, authority], key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
