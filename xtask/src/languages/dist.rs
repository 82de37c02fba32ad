//! The artefacts of a release, installed as users install them; and the documentation as a site, which refers to them.

use super::{Build, Language, Suite};
use crate::checkout::Checkout;
use crate::compilers;
use crate::counts::Runner;
use crate::failure::Result;
use crate::toolchains;

pub(crate) const DIST: Language = Language {
    name: "dist",
    toolchains: &[
        toolchains::PYTHON,
        toolchains::NODE,
        toolchains::NPM,
        toolchains::GO,
        toolchains::JDK,
        toolchains::MAVEN,
    ],
    builds,
    suites,
    demo: None,
    bench: None,
    mistakes: None,
};

fn builds(checkout: &Checkout) -> Result<Vec<Build>> {
    let target = format!("{}-unknown-linux-musl", std::env::consts::ARCH);
    let mut builds = Vec::new();
    if cfg!(target_os = "linux") && !compilers::has_target(&target) && !compilers::has_debian() {
        // Shared with whoever else installs it, for apt-get does one thing at a time.
        builds.push(Build {
            what: "toolchain",
            inputs: Vec::new(),
            programs: compilers::apt_install(compilers::DEBIAN_RUST, &format!("build for {target}"))?,
            output: compilers::DEBIAN_SOURCES.into(),
            is_shared: true,
        });
    }
    // By itself cargo xtask dist would build them as well, at the same time as the tests that need them.
    builds.extend(super::wasm_module_builds(checkout)?);
    builds.extend(super::wazero_module_builds(checkout)?);
    builds.push(Build {
        what: "artefacts",
        inputs: vec!["."],
        programs: vec![checkout.xtask(&["dist"])],
        output: checkout.built("dist/SHA256SUMS"),
        is_shared: false,
    });
    Ok(builds)
}

fn suites(checkout: &Checkout) -> Result<Vec<Suite>> {
    let check = |what| checkout.xtask(&["dist", "--check", what]);
    Ok(vec![
        Suite::new("python", Runner::Pytest, check("python")),
        Suite::new("sdist", Runner::Pytest, check("sdist")),
        Suite::new("npm", Runner::Node, check("npm")),
        Suite::new("go", Runner::Go, check("go")),
        Suite::new("maven", Runner::Maven, check("maven")),
        Suite::new("c", Runner::Cargo, check("c")),
        Suite::new("cli", Runner::Cargo, check("cli")),
        Suite::new("demo", Runner::Cargo, check("demo")),
        Suite::new("folders", Runner::Check, check("folders")),
        Suite::new("sizes", Runner::Check, check("sizes")),
        // The references of the site are made of the artefacts.
        Suite::new("documentation", Runner::Check, checkout.xtask(&["docs"])),
    ])
}
