//! `gatepass emulator certificate`: TLS for a server under test, by the emulator's authority.

use std::path::PathBuf;

use clap::Args;
use gatepass_emulator::tls;

use super::{host_name, write_for_owner};
use crate::Failure;

/// Write a certificate and its key for a server of yours, in PEM; the emulator's authority has signed it.
///
/// It is good for localhost, 127.0.0.1, ::1 and each --san. Clients trust it that trust what `gatepass emulator ca` prints.
/// The keys are public test keys: nothing real may trust them.
#[derive(Args)]
#[command(after_help = "Example:\n  \
    gatepass emulator ca > ca.pem\n  \
    gatepass emulator certificate --san orders.example --cert server.pem --key server-key.pem")]
pub(super) struct Options {
    /// Another name of the server (may be repeated)
    #[arg(long, value_name = "NAME", value_parser = host_name)]
    san: Vec<String>,
    /// The file for the certificate; one that is there is replaced
    #[arg(long, value_name = "FILE")]
    cert: PathBuf,
    /// The file for its key, in PKCS#8; one that is there is replaced
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
}

impl Options {
    pub(super) fn run(self) -> Result<(), Failure> {
        let server = tls::server(&self.san).map_err(|error| Failure::runtime(error.to_string()))?;
        write_for_owner(&self.cert, &server.certificate_pem, "--cert")?;
        write_for_owner(&self.key, &server.private_key_pem, "--key")
    }
}
