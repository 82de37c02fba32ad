//! Go: the module as a module proxy serves it, that for gRPC, and a module for each platform's static library.
//!
//! Build constraints choose which of those is imported, so `go build` downloads one of them; the tag `musl` stands for the C
//! library. `target/dist/go` is laid out
//! as `GOPROXY=file://…` wants it, and as a proxy would answer.

use serde_json::json;

use super::dependencies::Dependencies;
use super::platform::{Libc, PLATFORMS, Platform};
use super::workshop::{THIRD_PARTY, VERSION, Workshop, copy, write};
use crate::failure::{Failure, Result};

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
        let _missing = std::fs::remove_dir_all(folder.join(nested));
    }
    let native = folder.join("internal/native");
    // How a checkout finds the library that build.sh makes.
    let own = native.join("library.go");
    std::fs::remove_file(&own).map_err(|error| Failure::file(&own, &error))?;
    copy(&workshop.source("bindings/c/include/gatepass.h"), &native.join("gatepass.h"))?;
    copy(&workshop.source("LICENSE"), &folder.join("LICENSE"))?;

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
    publish(workshop, MODULE, &folder)?;
    publish_grpc(workshop)?;
    dependencies.write_bill(workshop, "go", "gatepass-c")
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
    let libraries = match platform.libc {
        Libc::System => "-framework Security -framework CoreFoundation",
        Libc::Gnu | Libc::Musl => "-lpthread -ldl -lm",
    };
    let libc = if platform.libc == Libc::Musl { " with musl" } else { "" };
    format!(
        "// Package library links the native code of {MODULE} for {}{libc}, which imports it.\n\
         package library\n\n\
         // #cgo LDFLAGS: ${{SRCDIR}}/libgatepass.a {libraries}\n\
         import \"C\"\n",
        platform.go.replace('_', "/")
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
        Libc::System => "",
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
