//! A certificate for receivers, by the emulator's authority.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::checkout::Checkout;
use crate::failure::{Failure, Result};
use crate::languages::{log, read};
use crate::process::Program;
use crate::receiver::host;

/// Files in PEM.
#[derive(Debug)]
pub(crate) struct Tls {
    /// The certificate of the authority.
    ca: PathBuf,
    /// A certificate for the receivers of all languages, and its key.
    certificate: PathBuf,
    key: PathBuf,
}

const LIMIT: Duration = Duration::from_secs(120);

impl Tls {
    pub(crate) fn make(checkout: &Checkout, names: &[&str]) -> Result<Self> {
        let folder = checkout.scratch("tls")?;
        let tls = Self {
            ca: folder.join("ca.pem"),
            certificate: folder.join("receiver.pem"),
            key: folder.join("receiver-key.pem"),
        };
        let log = log(checkout, "tls")?;
        let gatepass = checkout.program(checkout.cli()).arg("emulator");
        let (ca, end) = gatepass.clone().arg("ca").read(&log, LIMIT);
        end.map_err(|failure| failure.with_output(read(&log)))?;
        fs::write(&tls.ca, ca).map_err(|error| Failure::file(&tls.ca, &error))?;

        let sans = names.iter().flat_map(|name| ["--san".to_owned(), host(name)]);
        let program = sans.fold(gatepass.arg("certificate"), Program::arg);
        let program = program.arg("--cert").arg(&tls.certificate).arg("--key").arg(&tls.key);
        program.run(&log, LIMIT).map_err(|failure| failure.with_output(read(&log)))?;
        Ok(tls)
    }

    pub(crate) fn ca(&self) -> &Path {
        &self.ca
    }

    /// A receiver that has this certificate.
    pub(crate) fn give_to(&self, receiver: Program) -> Program {
        receiver.env("TLS_CERTIFICATE", &self.certificate).env("TLS_KEY", &self.key)
    }
}
