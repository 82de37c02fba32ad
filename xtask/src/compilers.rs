//! Compilers for targets that the toolchain in use has no standard library for.
//!
//! rustup's own standard library is taken where it is installed. Otherwise Debian's second Rust compiler, which comes
//! with the sources of its standard library, compiles one.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

use crate::failure::{Failure, Result};
use crate::process::Program;

/// Debian's compiler, and the sources of its standard library.
pub(crate) const DEBIAN_RUST: &[&str] = &["rustc-web", "cargo-web", "rust-web-src"];

/// Where Debian puts those.
pub(crate) const DEBIAN_SOURCES: &str = "/usr/lib/rustlib/src/rust/library/std";

/// Tells whether the compiler on the `PATH` has a standard library for this target.
pub(crate) fn has_target(target: &str) -> bool {
    let mut rustc = Command::new("rustc");
    let output = rustc.args(["--print", "target-libdir", "--target", target]).output();
    output.is_ok_and(|output| Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_dir())
}

/// Tells whether Debian's compiler is here.
pub(crate) fn has_debian() -> bool {
    Path::new(DEBIAN_SOURCES).exists()
}

/// Tells whether a program of that name is found.
pub(crate) fn is_on_path(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// What installs Debian packages; fails where that is for the user to do. `purpose` says what they are needed for.
pub(crate) fn apt_install(packages: &[&str], purpose: &str) -> Result<Vec<Program>> {
    if !is_root() || !is_on_path("apt-get") {
        return Err(Failure::new(format!("to {purpose}, run: apt-get install {}", packages.join(" "))));
    }
    let apt =
        |arguments: &[&str]| Program::new("apt-get").args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
    let update = apt(&["update", "--quiet"]);
    let install = apt(&["install", "--yes", "--quiet", "--no-install-recommends"]).args(packages);
    Ok(vec![update, install])
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}
