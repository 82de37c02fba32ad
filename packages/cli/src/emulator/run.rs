//! `gatepass emulator run`: Cloud Run's front end before a local service.

mod proxy;

use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::Duration;

use clap::Args;
use gatepass_emulator::Config;
use gatepass_emulator::cloud_run::{HostLabel, Invoker, Service};
use ureq::Agent;

use self::proxy::FrontEnd;
use super::push::printable;
use super::{base_url, default_url};
use crate::Failure;

/// How long an emulator may take to say where it pretends to be.
const METADATA_TIMEOUT: Duration = Duration::from_secs(10);

/// Play Cloud Run's front end before a local service.
///
/// Looks for an ID token of the emulator in X-Serverless-Authorization, else in Authorization, and passes the request
/// on without the token's signature if it is for this service and of an invoker. All else is answered as Cloud Run
/// does, and the reason goes to standard error. HTTP/1.1 with bodies of any length in both directions; upgrades, such
/// as to WebSocket, are not passed on.
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
    /// A custom audience, beside the service's own URLs (may be repeated)
    #[arg(long, value_name = "CUSTOM", value_parser = printable)]
    audience: Vec<String>,
    /// The region of the service [default: that of --emulator, else us-central1]
    #[arg(long)]
    region: Option<HostLabel>,
    /// An emulator that runs, to be asked for project number and region [default: the emulator's own defaults]
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
        let front_end = FrontEnd { service, upstream: self.to };
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
    url.strip_prefix("http://").map(str::to_owned).ok_or_else(|| {
        "the service is called over plain HTTP; expected an address such as http://127.0.0.1:3000".to_owned()
    })
}

/// Asks an emulator's metadata server for a value.
fn metadata<T: std::str::FromStr>(emulator: &str, path: &str) -> Result<T, Failure> {
    let url = format!("{emulator}/computeMetadata/v1/{path}");
    let config = Agent::config_builder().timeout_global(Some(METADATA_TIMEOUT)).proxy(None).build();
    let text = config
        .new_agent()
        .get(&url)
        .header("Metadata-Flavor", "Google")
        .call()
        .and_then(|mut answer| answer.body_mut().read_to_string())
        .map_err(|error| {
            Failure::runtime(format!("{url}: {error}. Is an emulator running there? --emulator says where"))
        })?;
    parse(text.trim(), &url)
}

fn parse<T: std::str::FromStr>(text: &str, what: &str) -> Result<T, Failure> {
    text.parse().map_err(|_| Failure::runtime(format!("{what} makes no sense: {text:?}")))
}
