//! Rust: the crates that are public, as `cargo publish` would upload them.

use std::fs;

use super::workshop::{Workshop, copy};
use crate::failure::{Failure, Result};

/// In the order in which they are published.
const PUBLIC: &[&str] = &["gatepass-core", "gatepass"];

/// Packs them; cargo compiles each from its archive alone.
pub(crate) fn make(workshop: &Workshop) -> Result<()> {
    let target = workshop.checkout.built("dist-work/crates");
    let packed = target.join("package");
    let _missing = fs::remove_dir_all(&packed);
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
