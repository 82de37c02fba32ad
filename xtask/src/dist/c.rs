//! C: the header, a static and a shared library, what pkg-config and CMake read, and an example.

use std::os::unix::fs::symlink;
use std::path::Path;

use super::dependencies::Dependencies;
use super::natives::IMPORT_LIBRARY;
use super::platform::{Libc, PLATFORMS, Platform};
use super::workshop::{THIRD_PARTY, VERSION, Workshop, copy, write};
use crate::failure::{Failure, Result};

/// Packs an archive for each platform that libraries were built for. It may be unpacked anywhere, `/usr/local` included.
pub(crate) fn make(workshop: &Workshop) -> Result<()> {
    let dependencies = Dependencies::of(workshop, "gatepass-c")?;
    let notice = dependencies.notice()?;
    for platform in PLATFORMS {
        let Some(archive) = workshop.native(platform, "libgatepass.a") else { continue };
        let parent = workshop.scratch("c")?;
        let name = format!("gatepass-c-{VERSION}-{}", platform.name);
        let folder = parent.join(&name);
        copy(&archive, &folder.join("lib/libgatepass.a"))?;
        shared_library(workshop, platform, &folder)?;
        for (from, to) in [
            ("bindings/c/include/gatepass.h", "include/gatepass.h"),
            ("bindings/c/package/README.md", "share/doc/gatepass/README.md"),
            ("bindings/c/package/verify.c", "share/doc/gatepass/verify.c"),
            ("LICENSE", "share/doc/gatepass/LICENSE"),
        ] {
            copy(&workshop.source(from), &folder.join(to))?;
        }
        write(&folder.join("share/doc/gatepass").join(THIRD_PARTY), &notice)?;
        for (from, to) in [
            ("gatepass.pc", "lib/pkgconfig/gatepass.pc"),
            ("gatepassConfig.cmake", "lib/cmake/gatepass/gatepassConfig.cmake"),
            ("gatepassConfigVersion.cmake", "lib/cmake/gatepass/gatepassConfigVersion.cmake"),
        ] {
            let template = workshop.source(&format!("bindings/c/package/{from}"));
            let text =
                std::fs::read_to_string(&template).map_err(|error| Failure::file(&template, &error))?;
            write(
                &folder.join(to),
                text.replace("@VERSION@", VERSION).replace("@LIBS@", platform.system_libraries()),
            )?;
        }
        workshop.pack(&parent, &name, &workshop.dist(&format!("c/{name}.tar.gz")))?;
    }
    dependencies.write_bill(workshop, "c", "gatepass-c")
}

/// Copies the shared library, with what programs are linked with in its place.
fn shared_library(workshop: &Workshop, platform: &Platform, folder: &Path) -> Result<()> {
    let shared = platform.shared_library("gatepass");
    let Some(library) = workshop.native(platform, &shared) else { return Ok(()) };
    let versioned = match platform.libc {
        Libc::Gnu | Libc::Musl => format!("{shared}.{}", major()),
        Libc::Apple => format!("libgatepass.{}.dylib", major()),
        Libc::Windows => {
            if let Some(import) = workshop.native(platform, IMPORT_LIBRARY) {
                copy(&import, &folder.join("lib").join(IMPORT_LIBRARY))?;
            }
            return copy(&library, &folder.join("bin").join(&shared));
        }
    };
    copy(&library, &folder.join("lib").join(&versioned))?;
    let link = folder.join("lib").join(&shared);
    symlink(&versioned, &link).map_err(|error| Failure::file(&link, &error))
}

/// The number in the shared library's name, which changes with its interface; bindings/c/build.rs writes it into the library.
fn major() -> &'static str {
    VERSION.split('.').next().unwrap_or_default()
}
