//! `gatepass emulator`, which serves the emulator, and what goes with it: `gatepass emulator key` writes credential files
//! and `gatepass emulator subject-token` prints what an outside identity provider would.

mod key;
mod subject_token;

use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use clap::{Args, Subcommand, value_parser};
use gatepass_emulator::service_account::DEFAULT_EMAIL;
use gatepass_emulator::{Config, Emulator, ServiceAccount};

use crate::{Failure, serve};

/// Where the emulator listens unless told otherwise, and where a key file points.
const DEFAULT_PORT: u16 = 8085;

/// Run a local stand-in for Google's metadata server, token endpoints, IAM Credentials API and key sets.
///
/// Prints what a program needs in its environment to find it, as lines for a shell, and runs until SIGINT or
/// SIGTERM. Its keys are public test keys: nothing real may trust them.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Command {
    #[command(subcommand)]
    subcommand: Option<Companion>,
    #[command(flatten)]
    serve: ServeOptions,
}

#[derive(Subcommand)]
enum Companion {
    Key(key::Options),
    SubjectToken(subject_token::Options),
}

#[derive(Args)]
struct ServeOptions {
    /// The port; 0 picks a free one
    #[arg(long, default_value_t = DEFAULT_PORT)]
    port: u16,
    /// The address to listen on, which must be a loopback address
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    address: IpAddr,
    /// The service account of the metadata server
    #[arg(long, default_value = DEFAULT_EMAIL)]
    email: ServiceAccount,
    /// The project's name [default: the one in the e-mail]
    #[arg(long)]
    project: Option<String>,
    /// The region of the emulated service
    #[arg(long, default_value = "us-central1")]
    region: String,
    /// How many seconds a token lives
    #[arg(long, default_value_t = 3600, value_parser = value_parser!(u64).range(1..=43_200))]
    lifetime: u64,
    /// Exchange only subject tokens that the emulator can verify; otherwise any text is taken for one
    #[arg(long)]
    verify_subject_tokens: bool,
    /// Stop when standard input closes, so that a test that dies leaves no emulator behind
    #[arg(long)]
    exit_with_stdin: bool,
    /// Allow an address that other machines can reach: whoever does can steer the emulator
    #[arg(long)]
    danger_expose_to_network: bool,
}

impl Command {
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self.subcommand {
            Some(Companion::Key(options)) => options.run(),
            Some(Companion::SubjectToken(options)) => options.run(),
            None => self.serve.run(),
        }
    }
}

impl ServeOptions {
    fn run(self) -> Result<(), Failure> {
        if !self.address.is_loopback() && !self.danger_expose_to_network {
            return Err(Failure::usage(format!(
                "--address {} can be reached from other machines, whose users could steer the emulator; expected a \
                 loopback address, such as 127.0.0.1. If it is meant to be reached, in a container's network perhaps, \
                 add --danger-expose-to-network",
                self.address
            )));
        }
        let wanted = SocketAddr::new(self.address, self.port);
        let cannot_listen = |error: io::Error| {
            Failure::runtime(format!(
                "cannot listen on {wanted}: {error}. Stop the program that does, or choose another port with --port \
                 (0 picks a free one)"
            ))
        };
        let listener = TcpListener::bind(wanted).map_err(cannot_listen)?;
        let reachable_at = reachable(listener.local_addr().map_err(cannot_listen)?);

        let emulator = Arc::new(Emulator::new(self.config(reachable_at)));
        derive_keys_ahead(&emulator);
        announce(reachable_at)
            .map_err(|error| Failure::runtime(format!("cannot write to standard output: {error}")))?;
        serve::run(listener, emulator, self.exit_with_stdin)
            .map_err(|error| Failure::runtime(format!("cannot serve on {wanted}: {error}")))
    }

    fn config(&self, reachable_at: SocketAddr) -> Config {
        let mut config = Config::new(&format!("http://{reachable_at}"));
        if let Some(project) = self.project.as_deref().or(self.email.project_id()) {
            config.project_id = project.to_owned();
        }
        config.service_account = self.email.clone();
        config.region = self.region.clone();
        config.token_lifetime = Duration::from_secs(self.lifetime);
        config.verify_subject_tokens = self.verify_subject_tokens;
        config
    }
}

/// An emulator that listens on all interfaces is reached on this machine by the loopback address.
fn reachable(bound: SocketAddr) -> SocketAddr {
    let ip = match bound.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, bound.port())
}

/// Finds the primes while the first client is still starting. A failure is left to the request that needs the key:
/// it fails the same way, and has somebody to tell.
fn derive_keys_ahead(emulator: &Arc<Emulator>) {
    let emulator = Arc::clone(emulator);
    thread::spawn(move || emulator.derive_published_keys());
}

/// Prints shell lines in one piece, so that a reader who stops after the first has got them all.
fn announce(address: SocketAddr) -> io::Result<()> {
    let lines = format!(
        "export GCE_METADATA_HOST={address}\n\
         export GCE_METADATA_IP={address}\n\
         export METADATA_SERVER_DETECTION=assume-present\n\
         export GATEPASS_TRUSTED_ENDPOINTS={address}\n\
         export CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS=http://{address}/\n\
         # listening on http://{address}\n"
    );
    let mut stdout = io::stdout().lock();
    stdout.write_all(lines.as_bytes())?;
    stdout.flush()
}

/// Reads the address of an emulator, without a slash at the end.
fn base_url(text: &str) -> Result<String, String> {
    let url = text.trim_end_matches('/');
    let authority = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://")).unwrap_or_default();
    let is_authority_byte = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
    if !authority.is_empty() && authority.bytes().all(is_authority_byte) {
        Ok(url.to_owned())
    } else {
        Err(format!("expected an address without a path, such as {}", default_url()))
    }
}

/// Where the emulator is unless told otherwise.
fn default_url() -> String {
    format!("http://127.0.0.1:{DEFAULT_PORT}")
}

fn print(text: &str) -> Result<(), Failure> {
    io::stdout()
        .write_all(text.as_bytes())
        .map_err(|error| Failure::runtime(format!("cannot write to standard output: {error}")))
}
