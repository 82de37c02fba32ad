//! Where things are: the repository and the folder for what is built.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::failure::{Failure, Result};
use crate::process::Program;

/// The working copy of the repository.
#[derive(Clone, Debug)]
pub(crate) struct Checkout {
    root: PathBuf,
    target: PathBuf,
    /// Which cryptographic library the native libraries are built with; `None` is the default.
    provider: Option<&'static str>,
    /// The `gatepass` program, where it is not the one that was built here for tests.
    cli: Option<PathBuf>,
    /// This program. Asked for early: Linux has another name for it once cargo has built it anew.
    xtask: PathBuf,
}

/// Cryptographic libraries that may be asked for, which are cargo features of all crates.
pub(crate) const PROVIDERS: &[&str] = &["aws-lc-rs"];

/// What could lead a program to real credentials or past the emulator.
const FOREIGN: &[&str] = &[
    "GOOGLE_APPLICATION_CREDENTIALS",
    "GOOGLE_CLOUD_PROJECT",
    "GCE_METADATA_HOST",
    "GCE_METADATA_IP",
    "GCE_METADATA_ROOT",
    "METADATA_SERVER_DETECTION",
    "GATEPASS_TRUSTED_ENDPOINTS",
];

/// What cargo tells a program that it runs. Handed on to another cargo, build scripts would take it for a change.
const OF_CARGO_RUN: &[&str] =
    &["CARGO", "CARGO_MANIFEST_DIR", "CARGO_MANIFEST_PATH", "LD_LIBRARY_PATH", "RUST_RECURSION_COUNT"];

impl Checkout {
    /// Asks cargo, which knows the target folder whatever it is set by.
    pub(crate) fn find() -> Result<Self> {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command.args(["metadata", "--no-deps", "--offline", "--format-version", "1"]);
        // Wherever in the checkout the user is, cargo said where this crate is.
        if let Some(folder) = env::var_os("CARGO_MANIFEST_DIR") {
            command.current_dir(folder);
        }
        let output = command.output().map_err(|error| Failure::new(format!("cargo metadata: {error}")))?;
        let metadata: Value = serde_json::from_slice(&output.stdout).map_err(|_| {
            Failure::new("cargo metadata failed").with_output(String::from_utf8_lossy(&output.stderr))
        })?;
        let folder = |name| metadata.get(name).and_then(Value::as_str).map(PathBuf::from);
        let found = folder("workspace_root").zip(folder("target_directory"));
        let (root, target) = found.ok_or_else(|| Failure::new("cargo metadata names no folders"))?;
        let xtask = env::current_exe().map_err(|error| Failure::new(format!("this program: {error}")))?;
        Ok(Self { root, target, provider: None, cli: None, xtask })
    }

    /// This checkout, with all that is built on this provider.
    pub(crate) fn with_provider(&self, provider: &'static str) -> Self {
        Self { provider: Some(provider), ..self.clone() }
    }

    /// This checkout, with another `gatepass` program.
    pub(crate) fn with_cli(&self, cli: PathBuf) -> Self {
        Self { cli: Some(cli), ..self.clone() }
    }

    pub(crate) fn provider(&self) -> Option<&'static str> {
        self.provider
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The path of a file in the repository.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// The path of something built.
    pub(crate) fn built(&self, path: &str) -> PathBuf {
        self.target.join(path)
    }

    /// A folder of xtask's own, made when it is missing.
    pub(crate) fn scratch(&self, folder: &str) -> Result<PathBuf> {
        let folder = self.target.join("xtask").join(folder);
        fs::create_dir_all(&folder).map_err(|error| Failure::file(&folder, &error))?;
        Ok(folder)
    }

    /// The `gatepass` program, once it is built; a copy that no other build replaces while tests run it.
    pub(crate) fn cli(&self) -> PathBuf {
        self.cli.clone().unwrap_or_else(|| self.built("xtask/bin/gatepass"))
    }

    /// A program that runs at the root of the checkout, knows the `gatepass` program, and finds no credentials of the
    /// user's and no proxy: all that it has to do with is on this machine, but for what its package manager fetches.
    pub(crate) fn program(&self, name: impl AsRef<std::ffi::OsStr>) -> Program {
        let mut program = Program::new(name).in_folder(&self.root);
        for name in OF_CARGO_RUN.iter().chain(FOREIGN) {
            program = program.without_env(name);
        }
        for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CARGO_PKG_")) {
            program = program.without_env(name);
        }
        if let Some(provider) = self.provider {
            // For the builds of our packages, and for maturin's.
            program = program.env("GATEPASS_PROVIDER", provider);
            program = program.env("MATURIN_PEP517_ARGS", format!("--features {provider}"));
        }
        program
            .env("GATEPASS_CLI", self.cli())
            .env("GATEPASS_PROGRAM", self.cli())
            .env("CLOUDSDK_CONFIG", self.built("xtask/no-gcloud"))
            .env("CARGO_TERM_COLOR", "never")
            .env("NO_COLOR", "1")
    }

    /// `cargo xtask` with other arguments, without cargo, which would wait for whatever else it builds.
    pub(crate) fn xtask(&self, arguments: &[&str]) -> Program {
        self.program(&self.xtask).args(arguments)
    }

    /// A [`program`](Self::program) of cargo's.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Program {
        self.program("cargo").args(arguments)
    }
}
