//! The fuzz targets of fuzz/: each runs for a short time over its seeds and what libFuzzer makes of them.
//!
//! Built by the compiler that builds everything else. `cargo fuzz`, which wants a nightly one, is for long runs; see
//! fuzz/README.md.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::{Build, Language, Suite};
use crate::checkout::Checkout;
use crate::counts::Runner;
use crate::failure::{Failure, Result};

pub(crate) const FUZZ: Language =
    Language { name: "fuzz", toolchains: &[], builds, suites, demo: None, mistakes: None, bench: None };

const FOLDER: &str = "fuzz";
/// As fuzz/Cargo.toml names them.
///
/// With each, how often it runs: a number and no time, and always from the same seed, so that the same tree gives the same
/// verdict on every machine. Searching is what long runs are for.
const TARGETS: [(&str, &str); 11] = [
    ("algorithms", "-runs=10000"),
    ("audience", "-runs=50000"),
    ("cache_headers", "-runs=10000"),
    ("claims", "-runs=10000"),
    ("credential_file", "-runs=5000"),
    ("explain", "-runs=2000"),
    ("headers", "-runs=50000"),
    ("jwk_set", "-runs=20000"),
    ("pem_map", "-runs=10000"),
    ("replies", "-runs=5000"),
    ("token", "-runs=50000"),
];

/// Coverage counters and comparisons, which libFuzzer steers by.
const RUSTFLAGS: &str = "--cfg fuzzing -C passes=sancov-module -C codegen-units=1 -C debug-assertions \
     -C llvm-args=-sanitizer-coverage-level=4 -C llvm-args=-sanitizer-coverage-inline-8bit-counters \
     -C llvm-args=-sanitizer-coverage-pc-table -C llvm-args=-sanitizer-coverage-trace-compares";

fn builds(checkout: &Checkout) -> Result<Vec<Build>> {
    let host = host()?;
    // With a target, although it is the host: without one the flags would hold for build scripts, too.
    let arguments = ["build", "--release", "--locked", "--target", &host, "--manifest-path"];
    let build = checkout.cargo(&arguments).arg(format!("{FOLDER}/Cargo.toml"));
    let build = build.arg("--target-dir").arg(checkout.built("fuzz")).env("RUSTFLAGS", RUSTFLAGS);
    let output = programs(checkout, &host).join(TARGETS[0].0);
    Ok(vec![Build::native("fuzz targets", &[], vec![build], output)])
}

fn suites(checkout: &Checkout) -> Result<Vec<Suite>> {
    let programs = programs(checkout, &host()?);
    TARGETS
        .into_iter()
        .map(|(target, runs)| {
            let found = checkout.scratch("fuzz")?;
            // What an earlier run has found would make this one another.
            let corpus = found.join(target);
            let _missing = fs::remove_dir_all(&corpus);
            fs::create_dir_all(&corpus).map_err(|error| Failure::file(&corpus, &error))?;
            let run = checkout.program(programs.join(target)).args(&["-seed=1", runs]);
            let run = run.arg(format!("-artifact_prefix={}/{target}-", found.display())).arg(corpus);
            Ok(Suite::new(target, Runner::Check, run.arg(format!("{FOLDER}/seeds/{target}"))))
        })
        .collect()
}

fn programs(checkout: &Checkout, host: &str) -> PathBuf {
    checkout.built("fuzz").join(host).join("release")
}

/// The target that the compiler runs on, such as x86_64-unknown-linux-gnu.
fn host() -> Result<String> {
    let output = Command::new("rustc").args(["--print", "host-tuple"]).output();
    let output = output.map_err(|error| Failure::new(format!("rustc: {error}")))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
