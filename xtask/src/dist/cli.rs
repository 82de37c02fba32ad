//! The `gatepass` program: one executable, its manual page, completions for shells, and the page that explains tokens.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use super::dependencies::Dependencies;
use super::platform::{PLATFORMS, Platform};
use super::workshop::{THIRD_PARTY, VERSION, Workshop, copy, write};
use crate::failure::{Failure, Result};
use crate::languages::wasm_module_builds;

/// Packs an archive for each platform that the program was built for.
pub(crate) fn make(workshop: &Workshop) -> Result<()> {
    let dependencies = Dependencies::of(workshop, "gatepass-cli")?;
    let notice = dependencies.notice()?;
    // What was built on other machines may have come from there as content alone.
    for program in PLATFORMS.iter().filter_map(|platform| workshop.native(platform, platform.program())) {
        fs::set_permissions(&program, Permissions::from_mode(0o755))
            .map_err(|error| Failure::file(&program, &error))?;
    }
    // The page that explains tokens has the core as WebAssembly, with arithmetic of its own.
    for build in wasm_module_builds(&workshop.checkout)? {
        build.run(&workshop.checkout, "wasm")?;
    }
    let notice_of_module = Dependencies::with_features(workshop, "gatepass-wasm", &["ring"])?.notice()?;
    let host = workshop.native(Platform::host()?, "gatepass");
    // Which are the same for every platform: any program that runs here writes them.
    let host = host
        .ok_or_else(|| Failure::new("the program was not built for this platform: run cargo xtask dist"))?;
    let say = |arguments: &[&str]| workshop.read(&workshop.program(&host).args(arguments));
    let written = [
        ("completions/gatepass.bash", say(&["completions", "bash"])?),
        ("completions/_gatepass", say(&["completions", "zsh"])?),
        ("completions/gatepass.fish", say(&["completions", "fish"])?),
        ("man/gatepass.1", say(&["man"])?),
    ];
    for platform in PLATFORMS.iter().filter(|platform| platform.libc != super::platform::Libc::Musl) {
        let Some(program) = workshop.native(platform, platform.program()) else { continue };
        let parent = workshop.scratch("cli")?;
        let name = format!("gatepass-{VERSION}-{}", platform.name);
        let folder = parent.join(&name);
        copy(&program, &folder.join(platform.program()))?;
        copy(&workshop.source("LICENSE"), &folder.join("LICENSE"))?;
        write(&folder.join(THIRD_PARTY), &notice)?;
        for (file, text) in &written {
            write(&folder.join(file), text)?;
        }
        let inspector = folder.join("inspector");
        workshop.run(&workshop.checkout.program("node").arg("docs/inspector/build.js").arg(&inspector))?;
        write(&inspector.join(THIRD_PARTY), &notice_of_module)?;
        workshop.pack(&parent, &name, &workshop.dist(&format!("cli/{name}.tar.gz")))?;
    }
    dependencies.write_bill(workshop, "cli", "gatepass-cli")
}
