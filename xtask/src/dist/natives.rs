//! The native code of one platform: what every artefact carries, and the wheel, which is nothing else.

use std::fs;
use std::path::{Path, PathBuf};

use super::dependencies::Dependencies;
use super::platform::{Libc, PLATFORMS, Platform};
use super::workshop::{Link, MINGW, PROVIDER, Workshop, copy, write};
use crate::compilers;
use crate::failure::{Failure, Result};

/// The crates whose libraries are loaded by other languages.
const BINDINGS: &[&str] = &["gatepass-c", "gatepass-jni", "gatepass-node"];

/// What a program for Windows is linked with, in place of C's shared library.
pub(super) const IMPORT_LIBRARY: &str = "libgatepass.dll.a";

/// Builds it into `natives/<platform>`.
pub(crate) fn make(workshop: &Workshop, platform: &Platform) -> Result<()> {
    let folder = format!("natives/{}", platform.name);
    workshop.clear(&folder)?;
    for target in [platform.target, program_target(platform)] {
        if !compilers::has_target(target) && !compilers::has_debian() {
            for program in compilers::apt_install(compilers::DEBIAN_RUST, &format!("build for {target}"))? {
                workshop.run(&program)?;
            }
        }
    }
    if platform.libc == Libc::Windows
        && !(compilers::is_on_path(&format!("{MINGW}gcc")) && compilers::is_on_path("nasm"))
    {
        // AWS-LC's assembly for Windows is written for NASM.
        for program in compilers::apt_install(&["gcc-mingw-w64-x86-64-win32", "nasm"], "build for Windows")? {
            workshop.run(&program)?;
        }
    }
    let keep = |from: PathBuf, name: &str| copy(&from, &workshop.dist(&format!("{folder}/{name}")));

    let built = bindings(workshop, platform)?;
    for library in ["gatepass", "gatepass_jni"].map(|name| platform.shared_library(name)) {
        keep(built.join(&library), &library)?;
    }
    keep(built.join(platform.shared_library("gatepass_node")), "gatepass.node")?;
    if platform.libc == Libc::Windows {
        keep(built.join(IMPORT_LIBRARY), IMPORT_LIBRARY)?;
    }
    let slim = slim(workshop, platform, &built.join("libgatepass.a"))?;
    keep(slim, "libgatepass.a")?;
    wheel(workshop, platform, &folder)?;
    if platform.libc == Libc::Apple && platform.is_linked_by_zig() {
        // It takes the system's certificates, by frameworks that come with Apple's own tools alone.
        return Ok(());
    }
    keep(program(workshop, platform)?, platform.program())
}

/// Builds the libraries; gives the folder that cargo puts them into.
fn bindings(workshop: &Workshop, platform: &Platform) -> Result<PathBuf> {
    let mut cargo = workshop.cargo_build(&[], platform, Link::Dynamic);
    for package in BINDINGS {
        cargo = cargo.args(&["--package", package, "--features", &format!("{package}/{PROVIDER}")]);
    }
    workshop.run(&cargo)?;
    Ok(workshop.target(platform.target, Link::Dynamic).join("release"))
}

fn wheel(workshop: &Workshop, platform: &Platform, folder: &str) -> Result<()> {
    super::python::add_licences(workshop)?;
    let strip = if platform.is_stripped() { "--strip=true" } else { "--strip=false" };
    let arguments = ["build", "--release", "--locked", strip, "--target", platform.target];
    let maturin = workshop.compiling(workshop.tool("maturin").args(&arguments), platform, Link::Dynamic);
    let maturin = match platform.libc {
        Libc::Apple | Libc::Windows => maturin,
        Libc::Gnu | Libc::Musl => maturin.args(&["--compatibility", platform.wheel]),
    };
    let bill = workshop.scratch("bill")?.join("gatepass-python.cdx.json");
    write(&bill, Dependencies::of(workshop, "gatepass-python")?.bill("gatepass-python")?)?;
    let maturin = maturin.arg("--sbom-include").arg(bill);
    let maturin = maturin.args(&["--features", PROVIDER, "--out"]).arg(workshop.dist(folder));
    workshop.run(&maturin.in_folder(workshop.source("packages/python")))
}

/// The `gatepass` program. On Linux it is static, so one does for every distribution.
fn program(workshop: &Workshop, platform: &Platform) -> Result<PathBuf> {
    let target = program_target(platform);
    let build_for = PLATFORMS.iter().find(|platform| platform.target == target).unwrap_or(platform);
    let build = workshop.cargo_build(&["--package", "gatepass-cli"], build_for, Link::Static);
    // Its speed is that of the network and of a person; of all that is built here, it is made of the most crates.
    let build = build
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "s");
    workshop.run(&build)?;
    Ok(workshop.target(target, Link::Static).join("release").join(platform.program()))
}

fn program_target(platform: &Platform) -> &'static str {
    let static_one =
        PLATFORMS.iter().find(|other| other.libc == Libc::Musl && other.arch() == platform.arch());
    match (platform.libc, static_one) {
        (Libc::Gnu, Some(musl)) => musl.target,
        _ => platform.target,
    }
}

/// Makes one relocatable object of a static library, in which only `gp_*` is global and whatever these do not need is
/// gone. Without this, two Rust libraries in one program do not link: each brings its own `rust_eh_personality`.
fn slim(workshop: &Workshop, platform: &Platform, archive: &Path) -> Result<PathBuf> {
    if matches!(platform.libc, Libc::Apple | Libc::Windows) {
        // Their linkers have other options for it, which nobody has tried yet.
        return Ok(archive.to_owned());
    }
    let folder = workshop.scratch("slim")?;
    let object = folder.join("gatepass.o");
    let is_cross = std::env::consts::ARCH != platform.arch();
    let prefix = if is_cross { format!("{}-linux-gnu-", platform.arch()) } else { String::new() };
    if !compilers::is_on_path(&format!("{prefix}objcopy")) {
        let package = format!("binutils-{}-linux-gnu", platform.arch().replace('_', "-"));
        for program in compilers::apt_install(&[&package], &format!("link for {}", platform.name))? {
            workshop.run(&program)?;
        }
    }
    let tool = |name: &str| workshop.program(format!("{prefix}{name}"));
    let symbols = workshop.read(&tool("nm").args(&["-g", "--defined-only"]).arg(archive))?;
    let symbols: Vec<&str> = symbols
        .lines()
        .filter_map(|line| line.split_whitespace().nth(2))
        .filter(|symbol| symbol.starts_with("gp_"))
        .collect();
    if symbols.is_empty() {
        return Err(Failure::new(format!("{}: no gp_ symbols", archive.display())));
    }
    let mut ld = tool("ld").args(&["-r", "--gc-sections"]);
    let mut objcopy =
        tool("objcopy").args(&["--strip-unneeded", "--remove-section=.llvmbc", "--remove-section=.llvmcmd"]);
    for symbol in symbols {
        ld = ld.args(&["-u", symbol]);
        objcopy = objcopy.arg(format!("--keep-global-symbol={symbol}"));
    }
    workshop.run(&ld.arg("-o").arg(&object).arg(archive))?;
    workshop.run(&objcopy.arg(&object))?;
    let slim = folder.join("libgatepass.a");
    let _missing = fs::remove_file(&slim);
    workshop.run(&tool("ar").arg("rcsD").arg(&slim).arg(&object))?;
    Ok(slim)
}
