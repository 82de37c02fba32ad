//! The suites of tests/e2e that start programs of every language beside others: proxies, and clients that send what no
//! HTTP library sends.

use serde_json::{Map, Value};

use crate::checkout::Checkout;
use crate::compilers::is_on_path;
use crate::counts::Runner;
use crate::failure::Result;
use crate::languages::{Build, Language, Suite};
use crate::process::Program;

/// The suites, with the programs of these languages.
pub(crate) fn suites(checkout: &Checkout, languages: &[&Language]) -> Result<Vec<Suite>> {
    let pytest = |folder: &str| {
        let python = checkout.program(checkout.built("xtask/e2e-venv/bin/python"));
        python.args(&["-m", "pytest", "-p", "no:cacheprovider"]).arg(checkout.path(folder))
    };
    let demos = || languages.iter().filter_map(|language| Some((language.name, language.demo.as_ref()?)));
    let callers = demos().map(|(name, demo)| (name, (demo.caller)(checkout)));
    let middlewares = demos().filter_map(|(name, demo)| Some((name, demo.middlewares?(checkout))));

    let (tinyproxy, tinyproxy_build) = tinyproxy(checkout)?;
    let proxy = in_own_network(checkout, pytest("tests/e2e/proxy"))
        .env("CALLERS", json(callers))
        .env("TINYPROXY", tinyproxy);
    let http = pytest("tests/e2e/http").env("MIDDLEWARES", json(middlewares));
    let mut proxy = Suite::new("proxies", Runner::Pytest, proxy).needs(venv(checkout));
    proxy.builds.extend(tinyproxy_build);
    Ok(vec![proxy, Suite::new("requests", Runner::Pytest, http).needs(venv(checkout))])
}

/// The program in a network namespace of its own, where the machine lets us have one: there link-local addresses can lead
/// to the emulator. It finds `OWN_NETWORK` in its environment then.
fn in_own_network(checkout: &Checkout, program: Program) -> Program {
    let unshare = || checkout.program("unshare").args(&["--map-root-user", "--net"]);
    if unshare().arg("true").succeeds() {
        program.words().iter().fold(unshare(), Program::arg).env("OWN_NETWORK", "1")
    } else {
        program
    }
}

/// For each language the words of a command.
fn json<'a>(programs: impl Iterator<Item = (&'a str, Program)>) -> String {
    let commands = programs.map(|(name, program)| (name.to_owned(), Value::from(program.words())));
    Value::Object(commands.collect::<Map<_, _>>()).to_string()
}

/// What the suites need, apart from what the programs do that they start.
fn venv(checkout: &Checkout) -> Build {
    const REQUIREMENTS: &str = "tests/e2e/requirements.txt";
    let folder = checkout.built("xtask/e2e-venv");
    let venv = checkout.program("python3").args(&["-m", "venv"]).arg(&folder);
    let pip = checkout.program(folder.join("bin/python")).args(&["-m", "pip", "install", "--no-input"]);
    let install = pip.args(&["--disable-pip-version-check", "--requirement", REQUIREMENTS]);
    Build {
        what: "suites",
        inputs: vec![REQUIREMENTS],
        programs: vec![venv, install],
        output: folder,
        is_shared: false,
    }
}

/// The machine's own, or else Debian's, unpacked below the target folder.
fn tinyproxy(checkout: &Checkout) -> Result<(std::ffi::OsString, Option<Build>)> {
    if is_on_path("tinyproxy") {
        return Ok(("tinyproxy".into(), None));
    }
    const FETCH: &str = "apt-get download tinyproxy-bin || { apt-get update && apt-get download tinyproxy-bin; } \
                         && dpkg-deb --extract tinyproxy-bin_*.deb .";
    let folder = checkout.scratch("tinyproxy")?;
    let program = folder.join("usr/bin/tinyproxy");
    let fetch = checkout.program("sh").args(&["-c", FETCH]).in_folder(folder);
    let build = Build {
        what: "tinyproxy",
        inputs: Vec::new(),
        programs: vec![fetch],
        output: program.clone(),
        is_shared: false,
    };
    Ok((program.into(), Some(build)))
}
