//! The core for wasm32-unknown-unknown, where there is no operating system to lean on.

use super::{Build, Language, Suite};
use crate::checkout::Checkout;
use crate::compilers;
use crate::counts::Runner;
use crate::failure::Result;

pub(crate) const WASM: Language =
    Language { name: "wasm", toolchains: &[], builds, suites, demo: None, bench: None };

const TARGET: &str = "wasm32-unknown-unknown";

/// ring has C in it, so a C compiler for the target is needed as well.
const C_PACKAGES: &[&str] = &["clang", "llvm"];

fn builds(_: &Checkout) -> Result<Vec<Build>> {
    let mut packages = Vec::new();
    if !compilers::is_on_path("clang") || !compilers::is_on_path("llvm-ar") {
        packages.extend(C_PACKAGES);
    }
    if !compilers::has_target(TARGET) && !compilers::has_debian() {
        packages.extend(compilers::DEBIAN_RUST);
    }
    if packages.is_empty() {
        return Ok(Vec::new());
    }
    Ok(vec![Build {
        what: "toolchain",
        inputs: Vec::new(),
        programs: compilers::apt_install(&packages, &format!("build for {TARGET}"))?,
        output: compilers::DEBIAN_SOURCES.into(),
        is_shared: true,
    }])
}

fn suites(checkout: &Checkout) -> Result<Vec<Suite>> {
    let arguments = ["build", "--package", "gatepass-core", "--target", TARGET, "--target-dir"];
    // Nothing of it is run, so nothing is optimised. The folder is not shared: it belongs to another compiler.
    let fast = ["--config", "profile.dev.package.'*'.opt-level=0", "--config", "profile.dev.debug=false"];
    let cargo = if compilers::has_target(TARGET) {
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
