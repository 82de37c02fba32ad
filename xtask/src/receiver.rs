//! The receiver of a language, over HTTP or gRPC, as a service under xtask's control.

use std::path::Path;

use crate::emulator::Emulator;
use crate::outcome::Outcome;
use crate::process::{Program, Service};

/// A receiver that is running, or what stands in its cells instead.
pub(crate) struct Receiver {
    pub(crate) name: &'static str,
    pub(crate) running: std::result::Result<Running, Outcome>,
}

pub(crate) struct Running {
    _service: Service,
    /// Host and port.
    pub(crate) address: String,
}

impl Receiver {
    /// Starts it, if it takes part. It takes tokens of `issuer` for its [`audience`](Self::audience).
    pub(crate) fn start(
        name: &'static str,
        program: std::result::Result<Program, Outcome>,
        issuer: &Emulator,
        log: &Path,
    ) -> Self {
        let audience = format!("https://{}", host(name));
        let running = program.and_then(|program| {
            let program = issuer.show_to(program).env("PORT", "0");
            let program = program.env("AUDIENCE", audience).env("KEYS_URL", issuer.keys_url());
            let service = program.start(log, |line| port_in(line).is_some());
            let service = service.map_err(|failure| Outcome::wrong("did not start", failure))?;
            let port = service.lines().iter().find_map(|line| port_in(line)).unwrap_or_default();
            Ok(Running { address: format!("127.0.0.1:{port}"), _service: service })
        });
        Self { name, running }
    }

    pub(crate) fn audience(&self) -> String {
        format!("https://{}", self.host())
    }

    /// The name by which callers know it, wherever it is.
    pub(crate) fn host(&self) -> String {
        host(self.name)
    }

    /// Host and port, if it is running.
    pub(crate) fn address(&self) -> Option<&str> {
        self.running.as_ref().ok().map(|running| running.address.as_str())
    }
}

/// The name of the receiver of a language.
pub(crate) fn host(name: &str) -> String {
    format!("receiver-{name}.example")
}

fn port_in(line: &str) -> Option<u16> {
    line.strip_prefix("listening ")?.trim().parse().ok()
}
