//! `gatepass emulator run`: Cloud Run's front end before a local service.

mod proxy;

use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::str::FromStr;
use std::sync::LazyLock;
use std::time::Duration;

use clap::Args;
use gatepass_emulator::cloud_run::{HostLabel, Invoker, PublishedKeys, Service};
use gatepass_emulator::http::Request;
use gatepass_emulator::time::UnixSeconds;
use gatepass_emulator::{Config, Emulator};
use ureq::Agent;

use self::proxy::{FrontEnd, Keys};
use super::push::printable;
use super::{base_url, default_url};
use crate::Failure;

/// How long an emulator may take for an answer: one that has just started derives its keys first.
const EMULATOR_TIMEOUT: Duration = Duration::from_secs(60);

/// Where an emulator publishes the keys of its ID tokens.
const JWK_SET: &str = "/oauth2/v3/certs";

/// Play Cloud Run's front end before a local service.
///
/// Looks for an ID token of the emulator in X-Serverless-Authorization, else in Authorization, and passes the request
/// on without the token's signature if it is for this service and of an invoker. All else is answered as Cloud Run
/// does, and the reason goes to standard error. HTTP/1.1 with bodies of any length in both directions, and gRPC over HTTP/2
/// without TLS; upgrades, such as to WebSocket, are not passed on.
///
/// Prints what the service has in its environment on Cloud Run, as lines for a shell, and the audiences that callers
/// may ask a token for. Runs until SIGINT or SIGTERM.
///
/// Its keys are public test keys: it protects nothing.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    gatepass emulator run --service orders --to http://127.0.0.1:3000 --port 8080 \\\n    \
    --invoker default@emulator.iam.gserviceaccount.com --audience orders\n  \
    curl -H \"Authorization: $(gatepass token --audience orders --header)\" http://127.0.0.1:8080/")]
pub(super) struct Options {
    /// The name of the service
    #[arg(long, value_name = "NAME")]
    service: HostLabel,
    /// Where the service listens, over plain HTTP
    #[arg(long, value_name = "URL", value_parser = upstream)]
    to: String,
    /// The port of the front end on the loopback interface; 0 picks a free one
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Who may call: the e-mail of an account, or allUsers for a public service (may be repeated) [default: nobody]
    #[arg(long, value_name = "EMAIL|allUsers")]
    invoker: Vec<Invoker>,
    /// A custom audience, besides the service's own URLs (may be repeated)
    #[arg(long, value_name = "CUSTOM", value_parser = printable)]
    audience: Vec<String>,
    /// The region of the service [default: that of --emulator, else us-central1]
    #[arg(long)]
    region: Option<HostLabel>,
    /// An emulator that runs, to be asked for project number and region, and at each request for its keys [default:
    /// what an emulator has that is started without options]
    #[arg(long, value_name = "URL", value_parser = base_url)]
    emulator: Option<String>,
    /// Stop when standard input closes, so that a test that dies leaves no front end behind
    #[arg(long)]
    exit_with_stdin: bool,
}

impl Options {
    pub(super) fn run(self) -> Result<(), Failure> {
        let service = self.service()?;
        let wanted = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let cannot_listen = |error: io::Error| {
            Failure::runtime(format!(
                "cannot listen on {wanted}: {error}. Stop the program that does, or choose another port with --port \
                 (0 picks a free one)"
            ))
        };
        let listener = TcpListener::bind(wanted).map_err(cannot_listen)?;
        let address = listener.local_addr().map_err(cannot_listen)?;

        self.announce(&service, address)
            .map_err(|error| Failure::runtime(format!("cannot write to standard output: {error}")))?;
        let keys = match self.emulator {
            Some(emulator) => Keys::Of(emulator),
            None => Keys::Initial(LazyLock::new(initial_keys)),
        };
        let front_end = FrontEnd { service, upstream: self.to, keys };
        proxy::serve(listener, front_end, self.exit_with_stdin)
            .map_err(|error| Failure::runtime(format!("cannot serve on {address}: {error}")))
    }

    fn service(&self) -> Result<Service, Failure> {
        let defaults = Config::new(&default_url());
        let project_number = match &self.emulator {
            Some(emulator) => metadata(emulator, "project/numeric-project-id")?,
            None => defaults.project_number,
        };
        let region = match (&self.region, &self.emulator) {
            (Some(region), _) => region.clone(),
            (None, Some(emulator)) => {
                // projects/NUMBER/regions/REGION
                let path: String = metadata(emulator, "instance/region")?;
                parse(path.rsplit('/').next().unwrap_or_default(), "the region of the emulator")?
            }
            (None, None) => parse(&defaults.region, "the emulator's default region")?,
        };
        let mut service = Service::new(&self.service, project_number, &region);
        service.custom_audiences = self.audience.clone();
        service.invokers = self.invoker.clone();
        Ok(service)
    }

    /// Prints shell lines in one piece, so that a reader who stops after the first has got them all.
    fn announce(&self, service: &Service, address: SocketAddr) -> io::Result<()> {
        let name = &self.service;
        let mut lines = format!(
            "export K_SERVICE={name}\n\
             export K_CONFIGURATION={name}\n\
             export K_REVISION={name}-00001-aaa\n"
        );
        for audience in service.urls().iter().chain(&service.custom_audiences) {
            lines += &format!("# audience {audience}\n");
        }
        if service.invokers.is_empty() {
            lines += "# nobody may call, for there is no --invoker\n";
        }
        lines += &format!("# listening on http://{address}\n");
        let mut stdout = io::stdout().lock();
        stdout.write_all(lines.as_bytes())?;
        stdout.flush()
    }
}

/// Reads the address of the service, and gives host and port.
fn upstream(text: &str) -> Result<String, String> {
    let url = base_url(text)?;
    let authority = url
        .strip_prefix("http://")
        .ok_or("the service is called over plain HTTP; expected an address such as http://127.0.0.1:3000")?;
    // The colons of an IPv6 address are in brackets.
    let has_port = authority.rsplit(']').next().is_some_and(|end| end.contains(':'));
    Ok(if has_port { authority.to_owned() } else { format!("{authority}:80") })
}

/// Derives the keys of an emulator that has just started, which takes a moment.
fn initial_keys() -> Result<PublishedKeys, String> {
    let emulator = Emulator::new(Config::new(&default_url()));
    let answer = emulator.handle(&Request::get(JWK_SET), UnixSeconds(0));
    PublishedKeys::from_jwk_set(&answer.body).map_err(|error| error.to_string())
}

/// Asks an emulator for the keys that it has published now.
fn published_keys(emulator: &str) -> Result<PublishedKeys, String> {
    let url = format!("{emulator}{JWK_SET}");
    PublishedKeys::from_jwk_set(get(&url)?.as_bytes()).map_err(|error| format!("{url}: {error}"))
}

/// Asks an emulator's metadata server for a value.
fn metadata<T: FromStr>(emulator: &str, path: &str) -> Result<T, Failure> {
    let url = format!("{emulator}/computeMetadata/v1/{path}");
    parse(get(&url).map_err(Failure::runtime)?.trim(), &url)
}

fn get(url: &str) -> Result<String, String> {
    let config = Agent::config_builder().timeout_global(Some(EMULATOR_TIMEOUT)).proxy(None).build();
    let answer = config.new_agent().get(url).header("Metadata-Flavor", "Google").call();
    answer
        .and_then(|mut answer| answer.body_mut().read_to_string())
        .map_err(|error| format!("{url}: {error}. Is an emulator running there? --emulator says where"))
}

fn parse<T: FromStr>(text: &str, what: &str) -> Result<T, Failure> {
    text.parse().map_err(|_| Failure::runtime(format!("{what} makes no sense: {text:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_without_a_port_listens_on_port_80() {
        for (url, expected) in [
            ("http://localhost", "localhost:80"),
            ("http://localhost:3000/", "localhost:3000"),
            ("http://[::1]", "[::1]:80"),
            ("http://[::1]:3000", "[::1]:3000"),
        ] {
            assert_eq!(upstream(url), Ok(expected.to_owned()));
        }
    }
}
