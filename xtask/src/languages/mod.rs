//! What is done for each language, as data: a file per language, all of the same form.

mod dist;
mod fuzz;
mod go;
mod java;
mod node;
mod python;
mod rust;
mod wasm;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::checkout::Checkout;
use crate::counts::Runner;
use crate::failure::{Failure, Result};
use crate::process::Program;
use crate::stamp::Stamp;
use crate::toolchains::Toolchain;

pub(crate) use wasm::module_builds as wasm_module_builds;
pub(crate) use wasm::wazero_module_builds;

/// All that is built and tested. What takes longest is begun first.
pub(crate) const ALL: &[&Language] =
    &[&dist::DIST, &rust::RUST, &python::PYTHON, &node::NODE, &go::GO, &java::JAVA, &fuzz::FUZZ, &wasm::WASM];

/// A language, or whatever else is built and tested by itself.
#[derive(Debug)]
pub(crate) struct Language {
    pub(crate) name: &'static str,
    pub(crate) toolchains: &'static [Toolchain],
    /// What has to be built first, in this order.
    pub(crate) builds: fn(&Checkout) -> Result<Vec<Build>>,
    /// What is tested then, in this order.
    pub(crate) suites: fn(&Checkout) -> Result<Vec<Suite>>,
    /// What takes part in the demo, if there is something.
    pub(crate) demo: Option<Demo>,
    /// What makes mistakes, if there is something.
    pub(crate) mistakes: Option<Mistakes>,
    /// What is measured, if there is something.
    pub(crate) bench: Option<Bench>,
}

/// The benchmark of a language: programs of tests/bench, each of which measures its peers in interleaved rounds. They
/// take `--rounds N`, `--seconds S` and `--job LIST`, and print a line of JSON for each job and peer; see [`crate::bench`].
#[derive(Debug)]
pub(crate) struct Bench {
    /// What these need that is not in [`Language::builds`].
    pub(crate) builds: fn(&Checkout) -> Result<Vec<Build>>,
    pub(crate) programs: fn(&Checkout) -> Result<Vec<Program>>,
}

/// The programs of tests/e2e, the same in every language.
///
/// The receiver answers `GET /` with `{"email": "<its caller>"}`, behind the language's middleware. It finds `PORT`,
/// `AUDIENCE` and `KEYS_URL` in its environment, prints `listening <port>`, and ends when its standard input closes.
///
/// The caller finds the receivers in its argument, `[{"name": …, "url": …, "audience": …}, …]`, and credentials in its
/// environment. It calls each a hundred times and prints a line for each: `{"receiver": <name>, "status": …,
/// "email": …, "first_us": …, "hundredth_us": …, "calls": 100}`, or `{"receiver": <name>, "error": …}`.
///
/// The middlewares are every middleware of the language's package behind every server that its users have. They find
/// `AUDIENCE`, `KEYS_URL`, `CERTIFICATE` and `PRIVATE_KEY` (PEM files) in their environment, print `{"server": …,
/// "protocol": …, "port": …}` for each and then `ready`, answer as the receiver does, and end as it does.
#[derive(Debug)]
pub(crate) struct Demo {
    /// What these need that is not in [`Language::builds`].
    pub(crate) builds: fn(&Checkout) -> Result<Vec<Build>>,
    pub(crate) receiver: fn(&Checkout) -> Program,
    pub(crate) caller: fn(&Checkout) -> Program,
    pub(crate) middlewares: Option<fn(&Checkout) -> Program>,
    /// The same over gRPC, as tests/e2e/grpc/README.md says.
    pub(crate) grpc: Option<Programs>,
}

/// A receiver and a caller.
#[derive(Debug)]
pub(crate) struct Programs {
    pub(crate) receiver: fn(&Checkout) -> Program,
    pub(crate) caller: fn(&Checkout) -> Program,
}

/// What makes the mistakes of docs/mistakes.md.
#[derive(Debug)]
pub(crate) struct Mistakes {
    /// What these need that is not in [`Language::builds`].
    pub(crate) builds: fn(&Checkout) -> Result<Vec<Build>>,
    /// The program of tests/mistakes, which finds in its argument what to do, and prints a line for each mistake:
    /// `{"mistake": <name>, "type": <of the error>, "code": <of gatepass, or null>, "message": …}`.
    pub(crate) program: fn(&Checkout) -> Program,
    pub(crate) compiler: Option<Compiler>,
}

/// What finds the mistakes in the folder `uncompiled`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Compiler {
    pub(crate) name: &'static str,
    /// How it compiles what the folder has under a name.
    pub(crate) program: fn(&Checkout, &str) -> Program,
}

/// Something that is built, unless it was built before from the same sources.
#[derive(Debug)]
pub(crate) struct Build {
    pub(crate) what: &'static str,
    /// Files and folders of the repository that it is made of.
    pub(crate) inputs: Vec<&'static str>,
    pub(crate) programs: Vec<Program>,
    /// One of the things that come of it; when it is gone, so is the rest.
    pub(crate) output: PathBuf,
    /// Whether several languages need it: whoever comes first builds it, and the others wait.
    pub(crate) is_shared: bool,
}

/// Held while something shared is built.
static SHARED: Mutex<()> = Mutex::new(());

/// Tests that a runner runs and counts.
#[derive(Debug)]
pub(crate) struct Suite {
    pub(crate) name: &'static str,
    /// What has to be built for it and for nothing else.
    pub(crate) builds: Vec<Build>,
    pub(crate) runner: Runner,
    pub(crate) program: Program,
    /// How long it may take before it is killed.
    pub(crate) limit: Duration,
}

/// What every native library is made of.
const NATIVE: &[&str] = &["Cargo.toml", "Cargo.lock", "core", "bindings"];

/// A compiler, a package manager and a slow network have to get by with this.
const BUILD_LIMIT: Duration = Duration::from_secs(40 * 60);

/// Longer than any suite takes on a machine with two cores, its compilation included, and short enough that a hang is
/// noticed.
const SUITE_LIMIT: Duration = Duration::from_secs(40 * 60);

/// The `gatepass` program, which serves the emulator to everybody's tests.
pub(crate) fn gatepass_program(checkout: &Checkout) -> Build {
    let install = checkout.cargo(&[
        "install",
        "--path",
        "packages/cli",
        "--debug",
        "--locked",
        "--force",
        "--no-track",
    ]);
    Build {
        what: "program",
        inputs: vec![
            "Cargo.toml",
            "Cargo.lock",
            "core",
            "packages/cli",
            "packages/emulator",
            "packages/rust",
        ],
        programs: vec![install.arg("--root").arg(checkout.built("xtask"))],
        output: checkout.cli(),
        is_shared: false,
    }
}

impl Language {
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        ALL.iter().copied().find(|language| language.name == name)
    }
}

impl Build {
    /// Something made of the native library and of `inputs`.
    fn native(what: &'static str, inputs: &[&'static str], programs: Vec<Program>, output: PathBuf) -> Self {
        Self { what, inputs: [NATIVE, inputs].concat(), programs, output, is_shared: false }
    }

    /// Builds it; tells whether there was anything to do.
    pub(crate) fn run(&self, checkout: &Checkout, language: &str) -> Result<bool> {
        let _alone = self.is_shared.then(|| SHARED.lock().unwrap_or_else(PoisonError::into_inner));
        let name = file_name(if self.is_shared { "shared" } else { language }, self.what);
        let recipe: Vec<String> = self.programs.iter().map(Program::line).collect();
        let stamp = Stamp::of(checkout, &name, &self.inputs, &recipe.join("\n"))?;
        if stamp.is_current() && self.output.exists() {
            return Ok(false);
        }
        stamp.clear();
        let log = log(checkout, &name)?;
        for program in &self.programs {
            program.run(&log, BUILD_LIMIT).map_err(|failure| failure.with_output(read(&log)))?;
        }
        stamp.set()?;
        Ok(true)
    }
}

impl Suite {
    pub(crate) fn new(name: &'static str, runner: Runner, program: Program) -> Self {
        Self { name, builds: Vec::new(), runner, program, limit: SUITE_LIMIT }
    }

    pub(crate) fn needs(mut self, build: Build) -> Self {
        self.builds.push(build);
        self
    }

    /// Runs the tests; gives what the runner printed, and how it ended.
    pub(crate) fn run(&self, checkout: &Checkout, language: &str) -> Result<(String, Result<()>)> {
        let log = log(checkout, &file_name(language, self.name))?;
        let end = self.program.run(&log, self.limit);
        Ok((read(&log), end))
    }
}

/// A new, empty file for what a program prints.
pub(crate) fn log(checkout: &Checkout, name: &str) -> Result<PathBuf> {
    let log = checkout.scratch("logs")?.join(format!("{name}.log"));
    fs::write(&log, "").map_err(|error| Failure::file(&log, &error))?;
    Ok(log)
}

/// What a program has printed.
pub(crate) fn read(log: &Path) -> String {
    fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

fn file_name(language: &str, what: &str) -> String {
    format!("{language} {what}").replace(|c: char| !c.is_ascii_alphanumeric(), "-")
}
