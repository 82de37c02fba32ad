//! What the emulator serves TLS with: certificates of an authority of its own, which nothing may trust but a test.
//!
//! The library does not implement TLS. Whoever serves it takes [`server`]'s certificate, trusts clients by [`authority_pem`],
//! and says in [`Request::client_certificate`](crate::http::Request::client_certificate) what a client has presented.

use std::sync::Arc;

use crate::keys::{EcKey, KeyError, Usage};

/// A certificate and its key, both in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The certificate alone; the authority has signed it.
    pub certificate_pem: String,
    /// The private key in PKCS#8.
    pub private_key_pem: String,
}

/// Gives the authority's certificate in PEM.
pub fn authority_pem() -> Result<String, KeyError> {
    authority()?.authority_pem()
}

/// Gives the emulator's own identity, which is good for `localhost`, `127.0.0.1`, `::1` and these `names`, which may be
/// addresses as well.
pub fn server(names: &[String]) -> Result<Identity, KeyError> {
    identity("tls/server", Usage::Server(names))
}

/// Gives the identity of a workload, which presents it to the Security Token Service (AIP-4118).
pub fn workload() -> Result<Identity, KeyError> {
    identity("tls/workload", Usage::Client)
}

fn authority() -> Result<Arc<EcKey>, KeyError> {
    EcKey::derive("tls/authority")
}

fn identity(label: &str, usage: Usage<'_>) -> Result<Identity, KeyError> {
    let key = EcKey::derive(label)?;
    Ok(Identity {
        certificate_pem: key.certificate_pem(usage, &*authority()?)?,
        private_key_pem: key.private_key_pem()?,
    })
}
