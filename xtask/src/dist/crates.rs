//! Rust: the crates that are public, as `cargo publish` would upload them.

use std::fs;
use std::path::PathBuf;

use super::workshop::{VERSION, Workshop, copy};
use crate::failure::{Failure, Result};

/// In the order in which they are published.
const PUBLIC: &[&str] = &["gatepass-core", "gatepass"];

/// Packs them; cargo compiles each from its archive alone, and what these need it shares with the tests.
pub(crate) fn make(workshop: &Workshop) -> Result<()> {
    let target = workshop.checkout.built("");
    let packed = target.join("package");
    let _missing = fs::remove_dir_all(&packed);
    forget_unpacked()?;
    for folder in ["core", "packages/rust"] {
        copy(&workshop.source("LICENSE"), &workshop.source(folder).join("LICENSE"))?;
    }
    let package =
        PUBLIC.iter().fold(workshop.program("cargo").args(&["package", "--locked"]), |cargo, name| {
            cargo.args(&["--package", name])
        });
    workshop.run(&package.arg("--target-dir").arg(&target))?;
    let entries = fs::read_dir(&packed).map_err(|error| Failure::file(&packed, &error))?;
    for file in entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|e| e == "crate"))
    {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        copy(&file, &workshop.dist("crates").join(name))?;
    }
    Ok(())
}

/// Removes what cargo has unpacked of ours to compile others of ours by. It looks at a crate's name and version alone, and would
/// take what was packed under this version before.
fn forget_unpacked() -> Result<()> {
    let home = std::env::var("CARGO_HOME").map(PathBuf::from);
    let home =
        home.unwrap_or_else(|_| PathBuf::from(std::env::var("HOME").unwrap_or_default()).join(".cargo"));
    for registry in fs::read_dir(home.join("registry/src")).into_iter().flatten().flatten() {
        for name in PUBLIC {
            let unpacked = registry.path().join(format!("{name}-{VERSION}"));
            // A registry that is a folder has a name without a host. Ours is in no other.
            if registry.file_name().to_string_lossy().starts_with('-') && unpacked.exists() {
                fs::remove_dir_all(&unpacked).map_err(|error| Failure::file(&unpacked, &error))?;
            }
        }
    }
    Ok(())
}
