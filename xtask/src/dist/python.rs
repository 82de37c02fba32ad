//! Python: wheels for the stable ABI, one a platform, and a source distribution.

use std::fs;
use std::path::PathBuf;

use super::dependencies::Dependencies;
use super::platform::{PLATFORMS, Platform};
use super::workshop::{THIRD_PARTY, Workshop, copy, write};
use crate::failure::{Failure, Result};

/// Gathers the wheels that were built, and packs the sources.
pub(crate) fn make(workshop: &Workshop) -> Result<()> {
    for platform in PLATFORMS {
        if let Some(file) = wheel(workshop, platform)? {
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            copy(&file, &workshop.dist("python").join(name))?;
        }
    }
    add_licences(workshop)?;
    let sdist = workshop.tool("maturin").args(&["sdist", "--out"]).arg(workshop.dist("python"));
    workshop.run(&sdist.in_folder(workshop.source("packages/python")))?;
    Dependencies::of(workshop, "gatepass-python")?.write_bill(workshop, "python", "gatepass-python")
}

/// The wheel that was built for a platform, if it was.
pub(crate) fn wheel(workshop: &Workshop, platform: &Platform) -> Result<Option<PathBuf>> {
    let Some(folder) = workshop.native(platform, "") else { return Ok(None) };
    let entries = fs::read_dir(&folder).map_err(|error| Failure::file(&folder, &error))?;
    let mut files = entries.flatten().map(|entry| entry.path());
    Ok(files.find(|path| path.extension().is_some_and(|extension| extension == "whl")))
}

/// Puts the licences where maturin looks for them.
pub(crate) fn add_licences(workshop: &Workshop) -> Result<()> {
    let notice = Dependencies::of(workshop, "gatepass-python")?.notice()?;
    copy(&workshop.source("LICENSE"), &workshop.source("packages/python/LICENSE"))?;
    write(&workshop.source("packages/python").join(THIRD_PARTY), notice)
}
