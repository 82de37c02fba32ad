//! Go: the module as a module proxy serves it, that for gRPC, and a module for each platform's static library.
//!
//! Build constraints choose which of those is imported, so `go build` downloads one of them, or none where the core is
//! WebAssembly, which is in the module itself; the tag `musl` stands for the C library. `target/dist/go` is laid out
//! as `GOPROXY=file://…` wants it, and as a proxy would answer.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::dependencies::Dependencies;
use super::platform::{Libc, PLATFORMS, Platform};
use super::workshop::{THIRD_PARTY, VERSION, Workshop, copy, write};
use crate::failure::{Failure, Result};
use crate::languages::wazero_module_builds;

const MODULE: &str = "gatepass.dev/gatepass";

/// Folders of the module that are modules of their own.
const NESTED: &[&str] = &["grpc", "examples"];

/// As golang.org/x/mod/zip makes it: all files below module@version, of no time.
const ZIP: &str = r#"
import os, sys, zipfile
folder, prefix, archive = sys.argv[1:]
files = sorted(os.path.relpath(os.path.join(root, name), folder) for root, _, names in os.walk(folder) for name in names)
with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as out:
    for file in files:
        with open(os.path.join(folder, file), "rb") as content:
            out.writestr(zipfile.ZipInfo(f"{prefix}/{file}"), content.read(), zipfile.ZIP_DEFLATED)
"#;

/// Lays out the module, and those of the platforms that libraries were built for.
pub(crate) fn make(workshop: &Workshop) -> Result<()> {
    let dependencies = Dependencies::of(workshop, "gatepass-c")?;
    let notice = dependencies.notice()?;
    let folder = workshop.scratch("go")?;
    workshop.copy_folder("packages/go", &folder)?;
    for nested in NESTED {
        let _missing = fs::remove_dir_all(folder.join(nested));
    }
    let native = folder.join("internal/native");
    // How a checkout finds the library that build.sh makes.
    let own = native.join("library.go");
    fs::remove_file(&own).map_err(|error| Failure::file(&own, &error))?;
    copy(&workshop.source("bindings/c/include/gatepass.h"), &native.join("gatepass.h"))?;
    copy(&workshop.source("LICENSE"), &folder.join("LICENSE"))?;
    add_module(workshop, &folder)?;

    let mut edit = workshop.program("go").in_folder(&folder).args(&["mod", "edit"]);
    for platform in PLATFORMS {
        let Some(library) = workshop.native(platform, "libgatepass.a") else { continue };
        let module = format!("{MODULE}/lib/{}", platform.go_library());
        let folder = workshop.scratch("go-library")?;
        write(&folder.join("go.mod"), format!("module {module}\n\ngo 1.24.0\n"))?;
        write(&folder.join("library.go"), library_package(platform))?;
        copy(&library, &folder.join("libgatepass.a"))?;
        copy(&workshop.source("LICENSE"), &folder.join("LICENSE"))?;
        write(&folder.join(THIRD_PARTY), &notice)?;
        publish(workshop, &module, &folder)?;
        write(&native.join(importing_file(platform)), importing(platform, &module))?;
        edit = edit.args(&["-require", &format!("{module}@v{VERSION}")]);
    }
    workshop.run(&edit)?;
    constrain(&folder)?;
    publish(workshop, MODULE, &folder)?;
    publish_grpc(workshop)?;
    dependencies.write_bill(workshop, "go", "gatepass-c")
}

/// The WebAssembly module, for builds without cgo and platforms without a library.
fn add_module(workshop: &Workshop, folder: &Path) -> Result<()> {
    for build in wazero_module_builds(&workshop.checkout)? {
        build.run(&workshop.checkout, "go")?;
    }
    let module = "internal/wasm/made_by_cargo_xtask/gatepass.wasm";
    copy(&workshop.checkout.path("packages/go").join(module), &folder.join(module))?;
    let dependencies = Dependencies::of(workshop, "gatepass-wazero")?;
    write(&folder.join(THIRD_PARTY), dependencies.notice()?)?;
    dependencies.write_bill(workshop, "go", "gatepass-wazero")
}

/// The platforms that a checkout has a library for.
const OF_A_CHECKOUT: &str = "linux && (amd64 || arm64)";

/// Puts those that are published with one in their place.
fn constrain(folder: &Path) -> Result<()> {
    let mut platforms = BTreeSet::new();
    for file in files(&folder.join("internal/native"))? {
        let name = file.file_stem().and_then(OsStr::to_str).unwrap_or_default();
        if let Some((rest, machine)) = name.strip_prefix("library_").and_then(|name| name.rsplit_once('_')) {
            let system = rest.rsplit('_').next().unwrap_or_default();
            platforms.insert(format!("({system} && {machine})"));
        }
    }
    let platforms: Vec<_> = platforms.into_iter().collect();
    let constraint = format!("({})", platforms.join(" || "));
    for file in ["internal/native", "internal/wasm"].map(|name| files(&folder.join(name))) {
        for file in file?.into_iter().filter(|file| file.extension() == Some(OsStr::new("go"))) {
            let text = fs::read_to_string(&file).map_err(|error| Failure::file(&file, &error))?;
            write(&file, text.replace(OF_A_CHECKOUT, &constraint))?;
        }
    }
    Ok(())
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).map_err(|error| Failure::file(folder, &error))?;
    Ok(entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()).collect())
}

/// Lays out the module for gRPC, which has no native code of its own.
fn publish_grpc(workshop: &Workshop) -> Result<()> {
    let folder = workshop.scratch("go-grpc")?;
    workshop.copy_folder("packages/go/grpc", &folder)?;
    copy(&workshop.source("LICENSE"), &folder.join("LICENSE"))?;
    // In a checkout it is the module in the folder above.
    let edit = workshop.program("go").in_folder(&folder).args(&["mod", "edit", "-dropreplace", MODULE]);
    workshop.run(&edit.args(&["-require", &format!("{MODULE}@v{VERSION}")]))?;
    publish(workshop, &format!("{MODULE}/grpc"), &folder)
}

/// The package that links the library and holds nothing else.
fn library_package(platform: &Platform) -> String {
    let libc = if platform.libc == Libc::Musl { " with musl" } else { "" };
    let flags = format!("${{SRCDIR}}/libgatepass.a {}", platform.system_libraries());
    format!(
        "// Package library links the native code of {MODULE} for {}{libc}, which imports it.\n\
         package library\n\n\
         // #cgo LDFLAGS: {}\n\
         import \"C\"\n",
        platform.go.replace('_', "/"),
        flags.trim_end()
    )
}

/// A file of the package that calls the library; its name is a build constraint.
fn importing_file(platform: &Platform) -> String {
    let libc = if platform.libc == Libc::Musl { "musl_" } else { "" };
    format!("library_{libc}{}.go", platform.go)
}

fn importing(platform: &Platform, module: &str) -> String {
    let constraint = match platform.libc {
        Libc::Gnu => " && !musl",
        Libc::Musl => " && musl",
        Libc::Apple | Libc::Windows => "",
    };
    format!(
        "//go:build cgo && !gatepass_wasm{constraint}\n\npackage native\n\n// The library.\nimport _ \"{module}\"\n"
    )
}

fn publish(workshop: &Workshop, module: &str, folder: &std::path::Path) -> Result<()> {
    let versions = workshop.dist(&format!("go/{module}/@v"));
    let epoch =
        workshop.program("date").args(&["--utc", "--date", &format!("@{}", workshop.epoch), "+%FT%TZ"]);
    let time = workshop.read(&epoch)?;
    let version = format!("v{VERSION}");
    write(&versions.join("list"), format!("{version}\n"))?;
    let info = json!({"Version": version, "Time": time.trim()});
    write(&versions.join(format!("{version}.info")), info.to_string())?;
    copy(&folder.join("go.mod"), &versions.join(format!("{version}.mod")))?;
    let zip = workshop.program("python3").args(&["-c", ZIP]).arg(folder).arg(format!("{module}@{version}"));
    workshop.run(&zip.arg(versions.join(format!("{version}.zip"))))
}
