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
    if !can_install() {
        return Err(Failure::new(format!("to {purpose}, run: apt-get install {}", packages.join(" "))));
    }
    let apt =
        |arguments: &[&str]| Program::new("apt-get").args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
    let update = apt(&["update", "--quiet"]);
    let install = apt(&["install", "--yes", "--quiet", "--no-install-recommends"]).args(packages);
    Ok(vec![update, install])
}

/// Tells whether packages of Debian's can be installed without asking the user.
pub(crate) fn can_install() -> bool {
    is_root() && is_on_path("apt-get")
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_target_of_the_toolchain_itself_is_had_and_no_unknown_one() {
        let host = Command::new("rustc").args(["--print", "host-tuple"]).output();
        let host = host.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
        assert!(host.is_ok_and(|host| has_target(&host)));
        assert!(!has_target("no-such-target"));
        // Known to the compiler, with a folder of its own in every toolchain that has it; nobody installs it for this.
        assert!(!has_target("x86_64-unknown-hermit"));
    }
}
