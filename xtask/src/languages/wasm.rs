//! The core for wasm32-unknown-unknown, where there is no operating system to lean on.
//!
//! rustup's own standard library for the target is taken where it is installed. Otherwise it is compiled, once, by
//! Debian's second Rust compiler, which comes with its sources.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

use super::{Build, Language, Suite};
use crate::checkout::Checkout;
use crate::counts::Runner;
use crate::failure::{Failure, Result};
use crate::process::Program;

pub(crate) const WASM: Language =
    Language { name: "wasm", toolchains: &[], builds, suites, demo: None, bench: None };

const TARGET: &str = "wasm32-unknown-unknown";

/// ring has C in it, so a C compiler for the target is needed as well.
const C_PACKAGES: &[&str] = &["clang", "llvm"];
const RUST_PACKAGES: &[&str] = &["rustc-web", "cargo-web", "rust-web-src"];

fn builds(_: &Checkout) -> Result<Vec<Build>> {
    let mut packages = Vec::new();
    if !is_on_path("clang") || !is_on_path("llvm-ar") {
        packages.extend(C_PACKAGES);
    }
    let sources = Path::new("/usr/lib/rustlib/src/rust/library/std");
    if !rustup_has_target() && !sources.exists() {
        packages.extend(RUST_PACKAGES);
    }
    if packages.is_empty() {
        return Ok(Vec::new());
    }
    if !is_root() || !is_on_path("apt-get") {
        let what = format!("to build for {TARGET}, run: apt-get install {}", packages.join(" "));
        return Err(Failure::new(what));
    }
    let apt =
        |arguments: &[&str]| Program::new("apt-get").args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
    let update = apt(&["update", "--quiet"]);
    let install = apt(&["install", "--yes", "--quiet", "--no-install-recommends"]).args(&packages);
    let output = sources.to_owned();
    Ok(vec![Build {
        what: "toolchain",
        inputs: Vec::new(),
        programs: vec![update, install],
        output,
        is_shared: false,
    }])
}

fn suites(checkout: &Checkout) -> Result<Vec<Suite>> {
    let arguments = ["build", "--package", "gatepass-core", "--target", TARGET, "--target-dir"];
    // Nothing of it is run, so nothing is optimised. The folder is not shared: it belongs to another compiler.
    let fast = ["--config", "profile.dev.package.'*'.opt-level=0", "--config", "profile.dev.debug=false"];
    let cargo = if rustup_has_target() {
        checkout.program("cargo")
    } else {
        let debian =
            checkout.program("/usr/bin/cargo").env("RUSTC", "/usr/bin/rustc").without_env("RUSTUP_TOOLCHAIN");
        // -Z build-std compiles the standard library; this variable allows it on a stable compiler.
        debian.env("RUSTC_BOOTSTRAP", "1").args(&["-Z", "build-std=std,panic_abort"])
    };
    let build = cargo.args(&arguments).arg(checkout.built("wasm")).args(&fast);
    let build = build.env("CC_wasm32_unknown_unknown", "clang").env("AR_wasm32_unknown_unknown", "llvm-ar");
    Ok(vec![Suite::new("core builds", Runner::Check, build)])
}

fn rustup_has_target() -> bool {
    let mut rustc = Command::new("rustc");
    let output = rustc.args(["--print", "target-libdir", "--target", TARGET]).output();
    output.is_ok_and(|output| Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_dir())
}

fn is_on_path(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}
