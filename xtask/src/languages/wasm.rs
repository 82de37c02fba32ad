//! WebAssembly: `bindings/wasm`, and packages/js with it in the add-on's place, in every JavaScript runtime.

use std::path::{Path, PathBuf};

use super::{Build, Language, NATIVE, Suite, node};
use crate::checkout::Checkout;
use crate::compilers;
use crate::counts::Runner;
use crate::failure::Result;
use crate::process::Program;
use crate::toolchains;

pub(crate) const WASM: Language = Language {
    name: "wasm",
    toolchains: &[toolchains::NODE, toolchains::NPM],
    builds,
    suites,
    demo: None,
    mistakes: None,
    bench: None,
};

const TARGET: &str = "wasm32-unknown-unknown";

/// ring has C in it, so a C compiler for the target is needed as well.
const C_PACKAGES: &[&str] = &["clang", "llvm"];

/// Runtimes from npm, and what makes the module smaller.
const RUNTIMES: &str = "tests/runtimes";

/// What all engines of the last years know, and the compiler uses.
const FEATURES: &[&str] = &[
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-call-indirect-overlong",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

fn builds(checkout: &Checkout) -> Result<Vec<Build>> {
    let mut builds = module_builds(checkout)?;
    builds.extend(browser()?);
    builds.push(node::package(checkout));
    Ok(builds)
}

/// What puts the module into packages/js/wasm: for the tests here, and for what is published.
pub(crate) fn module_builds(checkout: &Checkout) -> Result<Vec<Build>> {
    let mut builds = tools(checkout)?;
    builds.extend([glue(checkout), modules(checkout)]);
    Ok(builds)
}

/// What puts the module for wazero into packages/go: for the tests there, and for what is published.
pub(crate) fn wazero_module_builds(checkout: &Checkout) -> Result<Vec<Build>> {
    let mut builds = tools(checkout)?;
    let folder = checkout.path("packages/go/internal/wasm/made_by_cargo_xtask");
    let output = folder.join("gatepass.wasm");
    let compiled = checkout.built("wasm").join(TARGET).join("wazero/gatepass_wazero.wasm");
    builds.push(Build {
        what: "wazero module",
        inputs: NATIVE.to_vec(),
        programs: vec![
            compile(checkout, "gatepass-wazero", "wazero"),
            checkout.program("mkdir").arg("-p").arg(&folder),
            shrink(checkout, &compiled, &output),
        ],
        output,
        is_shared: true,
    });
    Ok(builds)
}

/// The compiler and what goes with it.
fn tools(checkout: &Checkout) -> Result<Vec<Build>> {
    let mut builds = toolchain()?;
    if !compilers::has_target(TARGET) {
        builds.push(linker(checkout));
    }
    let runtimes = checkout.program("npm").args(&["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
    builds.push(Build {
        what: "runtimes",
        inputs: vec!["tests/runtimes/package.json", "tests/runtimes/package-lock.json"],
        programs: vec![runtimes.in_folder(checkout.path(RUNTIMES))],
        output: checkout.path(RUNTIMES).join("node_modules"),
        is_shared: true,
    });
    Ok(builds)
}

fn toolchain() -> Result<Vec<Build>> {
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

/// Chromium, where it can be installed. Without it the tests leave out what needs it, and say so.
fn browser() -> Result<Option<Build>> {
    let is_there = ["chromium", "chromium-browser"].iter().any(|name| compilers::is_on_path(name));
    if is_there || !compilers::can_install() {
        return Ok(None);
    }
    Ok(Some(Build {
        what: "browser",
        inputs: Vec::new(),
        programs: compilers::apt_install(&["chromium"], "test in a browser")?,
        output: "/usr/bin/chromium".into(),
        is_shared: true,
    }))
}

/// A linker of the version of LLVM that Debian's compiler has, by a name without that version.
fn linker(checkout: &Checkout) -> Build {
    let script = r#"
version=$(/usr/bin/rustc -vV | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')
command -v "wasm-ld-$version" || {
    apt-get update --quiet
    apt-get install --yes --quiet --no-install-recommends "lld-$version"
}
ln -sf "$(command -v "wasm-ld-$version")" "$1"
"#;
    let link = linker_link(checkout);
    Build {
        what: "linker",
        inputs: Vec::new(),
        programs: vec![checkout.program("sh").args(&["-e", "-c", script, "sh"]).arg(&link)],
        output: link,
        is_shared: true,
    }
}

fn linker_link(checkout: &Checkout) -> PathBuf {
    checkout.built("xtask/wasm-ld")
}

/// The program that makes JavaScript of what the module says about itself.
fn glue(checkout: &Checkout) -> Build {
    let build = checkout.cargo(&["build", "--locked", "--manifest-path", "bindings/wasm/glue/Cargo.toml"]);
    Build {
        what: "glue",
        inputs: vec!["bindings/wasm/glue"],
        programs: vec![build.arg("--target-dir").arg(checkout.built("wasm-glue"))],
        output: glue_program(checkout),
        is_shared: true,
    }
}

fn glue_program(checkout: &Checkout) -> PathBuf {
    checkout.built("wasm-glue").join("debug/gatepass-wasm-glue")
}

/// packages/js/wasm: the whole core, and what only verifies, each with its glue in both module systems; and for the inspector,
/// which waits for nothing, the whole core with arithmetic of its own.
fn modules(checkout: &Checkout) -> Build {
    let whole = module(checkout, "gatepass", &[]);
    let verifying = module(checkout, "verify", &["--no-default-features"]);
    let computing = module(checkout, "computing", &["--features", "ring"]);
    Build {
        what: "modules",
        inputs: [NATIVE, &["packages/js/scripts"]].concat(),
        programs: whole.into_iter().chain(verifying).chain(computing).collect(),
        output: checkout.path("packages/js/wasm/computing.wasm"),
        is_shared: true,
    }
}

fn module(checkout: &Checkout, name: &str, features: &[&str]) -> [Program; 4] {
    let target = checkout.built("wasm");
    let compiled = target.join(TARGET).join("wasm/gatepass_wasm.wasm");
    let written = target.join(name);
    let smaller = target.join(format!("{name}.wasm"));
    let split = checkout.program(glue_program(checkout)).arg(&compiled).arg(&written);
    // To inline what is called once makes a module smaller, and larger when compressed.
    let shrink = shrink(checkout, &written.join("gatepass_bg.wasm"), &smaller)
        .arg("--one-caller-inline-max-function-size=0");
    let place = checkout.program("node").arg("packages/js/scripts/wasm.js").arg(&written).arg(&smaller);
    [compile(checkout, "gatepass-wasm", "wasm").args(features), split, shrink, place.arg(name)]
}

fn shrink(checkout: &Checkout, from: &Path, to: &Path) -> Program {
    checkout
        .program(checkout.path(RUNTIMES).join("node_modules/.bin/wasm-opt"))
        .args(&["-Oz", "--strip-debug", "--strip-producers"])
        .args(FEATURES)
        .arg(from)
        .arg("-o")
        .arg(to)
}

fn compile(checkout: &Checkout, package: &str, profile: &str) -> Program {
    // What is smallest is called more often than it need be: by this much inlining, a new token takes 0.5 µs less, and the module 2 %
    // more.
    let inlining = if profile == "wasm" { "-Cllvm-args=-inline-threshold=30" } else { "" };
    let (cargo, flags) = if compilers::has_target(TARGET) {
        (checkout.program("cargo"), "")
    } else {
        (with_own_standard_library(checkout), "-Zunstable-options -Cpanic=immediate-abort ")
    };
    cargo
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", format!("{flags}{inlining}"))
        .args(&["build", "--profile", profile, "--package", package, "--target", TARGET])
        // The folder is not shared: it may belong to another compiler.
        .arg("--target-dir")
        .arg(checkout.built("wasm"))
        .env("CC_wasm32_unknown_unknown", "clang")
        .env("AR_wasm32_unknown_unknown", "llvm-ar")
}

/// Debian's compiler. Its standard library is compiled for size, and without the texts of panics, which nobody would see.
fn with_own_standard_library(checkout: &Checkout) -> Program {
    checkout
        .program("/usr/bin/cargo")
        .env("RUSTC", "/usr/bin/rustc")
        .without_env("RUSTUP_TOOLCHAIN")
        // -Z allows what follows on a stable compiler.
        .env("RUSTC_BOOTSTRAP", "1")
        .args(&["-Z", "build-std=std,panic_abort", "-Z", "build-std-features=optimize_for_size"])
        // But for memory, which is got and given back some fifty times for each new token.
        .args(&["--config", "profile.wasm.package.dlmalloc.opt-level=3"])
        .args(&["--config", "profile.wasm.package.alloc.opt-level=3"])
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker_link(checkout))
}

fn suites(checkout: &Checkout) -> Result<Vec<Suite>> {
    let npm = |arguments: &[&str], folder| {
        let npm = checkout.program("npm").args(arguments).in_folder(checkout.path(folder));
        npm.env("NODE_OPTIONS", "--test-reporter=spec")
    };
    let public = npm(&["run", "test:public"], "packages/js").env("GATEPASS_BACKEND", "wasm");
    Ok(vec![
        Suite::new("public API", Runner::Node, public),
        Suite::new("runtimes", Runner::Node, npm(&["test"], RUNTIMES)),
    ])
}
