//! `gatepass emulator`, which serves the emulator, and what goes with it: `gatepass emulator key` writes credential
//! files, `gatepass emulator subject-token` prints what an outside identity provider would, and `gatepass emulator ca`
//! the certificate that clients of its TLS trust, of which `gatepass emulator certificate` makes more. `gatepass emulator
//! run` plays the front end of a service, and `gatepass emulator push` calls one.

mod certificate;
mod http;
mod inspector;
mod key;
mod mtls;
mod push;
mod run;
mod subject_token;

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Subcommand, value_parser};
use gatepass_emulator::service_account::DEFAULT_EMAIL;
use gatepass_emulator::{Config, Emulator, ServiceAccount, tls};

use self::http::Listeners;
use crate::Failure;
use crate::output::print;

/// Where the emulator listens unless told otherwise, and where a key file points.
const DEFAULT_PORT: u16 = 8085;

/// By which the companions find a running emulator: it prints it.
const ADDRESS_VARIABLE: &str = "GATEPASS_EMULATOR";

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
    /// Print the certificate of the authority that has signed the emulator's, in PEM.
    ///
    /// A client that is to trust `--mtls-port` takes it for its root certificate. It is a test authority, whose key is
    /// public: nothing real may trust it.
    Ca,
    Certificate(certificate::Options),
    Key(key::Options),
    Push(push::Options),
    Run(run::Options),
    SubjectToken(subject_token::Options),
}

#[derive(Args)]
struct ServeOptions {
    /// The port; 0 picks a free one
    #[arg(long, default_value_t = DEFAULT_PORT)]
    port: u16,
    /// Serve the same over TLS on this port, and ask clients for a certificate; 0 picks a free one
    #[arg(long, value_name = "PORT")]
    mtls_port: Option<u16>,
    /// The address to listen on, which must be a loopback address
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    address: IpAddr,
    /// A name under which others reach the emulator, such as a service's in a compose file: the TLS certificate covers
    /// it, requests for it are answered, and what is printed carries the first one (may be repeated)
    #[arg(long, value_name = "NAME", value_parser = host_name)]
    san: Vec<String>,
    /// The service account of the metadata server
    #[arg(long, default_value = DEFAULT_EMAIL)]
    email: ServiceAccount,
    /// The project's name [default: the one in the e-mail]
    #[arg(long)]
    project: Option<String>,
    /// The region of the emulated service
    #[arg(long, default_value = "us-central1")]
    region: String,
    /// Be an OpenID Connect issuer of its own: ID tokens name the emulator's URL in iss, in place of Google, and the
    /// discovery document does so, too
    #[arg(long)]
    own_issuer: bool,
    /// How many seconds a token lives
    #[arg(long, default_value_t = 3600, value_parser = value_parser!(u64).range(1..=43_200))]
    lifetime: u64,
    /// Exchange only subject tokens that the emulator can verify; otherwise any text is taken for one
    #[arg(long)]
    verify_subject_tokens: bool,
    /// What happens to coming requests, in the JSON of the control API's POST /emulator/v1/fault (may be repeated),
    /// such as '{"path": "/token", "status": 503, "times": 2}'
    #[arg(long, value_name = "JSON")]
    fault: Vec<String>,
    /// How many seconds the emulator's clock is fast, or, if negative, slow
    #[arg(long, value_name = "SECONDS", default_value_t = 0, allow_negative_numbers = true)]
    clock_offset: i64,
    /// The folder of the page that explains tokens, which is served to browsers [default: `inspector` next to the program,
    /// if it is there]
    #[arg(long, value_name = "FOLDER")]
    inspector: Option<PathBuf>,
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
            Some(Companion::Ca) => print_authority(),
            Some(Companion::Certificate(options)) => options.run(),
            Some(Companion::Key(options)) => options.run(),
            Some(Companion::Push(options)) => options.run(),
            Some(Companion::Run(options)) => options.run(),
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
        let (plain, plain_address) = self.listen("--port", self.port)?;
        let mtls = self.mtls_port.map(|port| self.listen("--mtls-port", port)).transpose()?;
        let addresses = Addresses {
            plain: self.reached_at(plain_address),
            mtls: mtls.as_ref().map(|(_, address)| self.reached_at(*address)),
        };
        let mtls = mtls.map(|(listener, _)| Ok((listener, mtls::server_config(&self.san)?))).transpose()?;

        let emulator = Arc::new(self.emulator(&addresses.plain)?);
        // Before anybody is told of it: finding the primes takes a second, on a busy machine longer than a client waits.
        // A failure is left to the request that needs the key: it fails the same way, and has somebody to tell.
        let _left_to_the_request = emulator.derive_published_keys();
        addresses
            .announce()
            .map_err(|error| Failure::runtime(format!("cannot write to standard output: {error}")))?;
        http::serve(Listeners { plain, mtls }, emulator, self.exit_with_stdin)
            .map_err(|error| Failure::runtime(format!("cannot serve on {plain_address}: {error}")))
    }

    /// Opens a port that `option` names, and tells where it is reached.
    fn listen(&self, option: &str, port: u16) -> Result<(TcpListener, SocketAddr), Failure> {
        let wanted = SocketAddr::new(self.address, port);
        TcpListener::bind(wanted)
            .and_then(|listener| listener.local_addr().map(|bound| (listener, reachable(bound))))
            .map_err(|error| {
                Failure::runtime(format!(
                    "cannot listen on {wanted}: {error}. Stop the program that does, or choose another port with \
                     {option} (0 picks a free one)"
                ))
            })
    }

    /// The address that others find in what is printed: by name where there is one.
    fn reached_at(&self, address: SocketAddr) -> String {
        self.san.first().map_or_else(|| address.to_string(), |name| format!("{name}:{}", address.port()))
    }

    fn emulator(&self, reachable_at: &str) -> Result<Emulator, Failure> {
        let mut config = self.config(reachable_at);
        config.inspector = Arc::new(inspector::files(self.inspector.as_deref())?);
        let emulator = Emulator::new(config);
        emulator.set_clock_offset(self.clock_offset);
        for order in &self.fault {
            emulator
                .order_fault(order.as_bytes())
                .map_err(|error| Failure::usage(format!("--fault {order}: {error}")))?;
        }
        Ok(emulator)
    }

    fn config(&self, reachable_at: &str) -> Config {
        let mut config = Config::new(&format!("http://{reachable_at}"));
        if let Some(project) = self.project.as_deref().or(self.email.project_id()) {
            config.project_id = project.to_owned();
        }
        if self.own_issuer {
            config.issuer.clone_from(&config.base_url);
        }
        config.host_names.clone_from(&self.san);
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

/// Host and port by which clients reach the emulator.
struct Addresses {
    plain: String,
    mtls: Option<String>,
}

impl Addresses {
    /// Prints shell lines in one piece, so that a reader who stops after the first has got them all.
    fn announce(&self) -> io::Result<()> {
        let address = &self.plain;
        let (mut trusted, mut mtls_line) = (address.clone(), String::new());
        if let Some(mtls) = &self.mtls {
            trusted += &format!(",{mtls}");
            mtls_line = format!("# mTLS on https://{mtls}\n");
        }
        let lines = format!(
            "export GCE_METADATA_HOST={address}\n\
             export GCE_METADATA_IP={address}\n\
             export METADATA_SERVER_DETECTION=assume-present\n\
             export GATEPASS_TRUSTED_ENDPOINTS={trusted}\n\
             export CLOUDSDK_AUTH_TOKEN_HOST=http://{address}/token\n\
             export CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS=http://{address}/\n\
             export GATEPASS_DANGEROUSLY_TRUST_EMULATOR=http://{address}\n\
             export {ADDRESS_VARIABLE}=http://{address}\n\
             {mtls_line}\
             # listening on http://{address}\n"
        );
        let mut stdout = io::stdout().lock();
        stdout.write_all(lines.as_bytes())?;
        stdout.flush()
    }
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

/// Reads a name under which the emulator is reached: a DNS name or an IPv4 address.
fn host_name(text: &str) -> Result<String, String> {
    let is_label = |label: &str| {
        let is_name_byte = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        !label.is_empty() && label.len() <= 63 && label.bytes().all(is_name_byte)
    };
    if text.len() <= 253 && text.split('.').all(is_label) {
        Ok(text.to_owned())
    } else {
        Err("expected a host name without scheme and port, such as emulator or emulator.internal".to_owned())
    }
}

/// Where the emulator is unless told otherwise.
fn default_url() -> String {
    format!("http://127.0.0.1:{DEFAULT_PORT}")
}

fn print_authority() -> Result<(), Failure> {
    print(&tls::authority_pem().map_err(|error| Failure::runtime(error.to_string()))?)
}

/// Writes a file, which `option` has named, for its owner alone. No key here is a secret, but tools rightly complain about
/// a key file that is open to all.
fn write_for_owner(path: &Path, content: &str, option: &str) -> Result<(), Failure> {
    let write = || {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path)?;
        // The mode above counts for a new file only.
        #[cfg(unix)]
        file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
        file.write_all(content.as_bytes())
    };
    write().map_err(|error: io::Error| {
        Failure::runtime(format!(
            "cannot write {}: {error}; choose a file that can be written with {option}",
            path.display()
        ))
    })
}
