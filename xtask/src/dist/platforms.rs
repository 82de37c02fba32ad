//! `cargo xtask dist --check platforms`: what was built for each Linux platform, loaded and run on this machine.
//!
//! AArch64 runs under qemu-user, musl on Debian's own dynamic linker. The `gatepass` program and C's libraries run the vectors;
//! the library for Java is loaded by a program that does no more. Those for Node and Python load in their hosts alone.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::platform::{Libc, PLATFORMS, Platform};
use super::workshop::{VERSION, Workshop, copy, write};
use crate::checkout::Checkout;
use crate::compilers;
use crate::failure::{Failure, Result};
use crate::process::Program;
use crate::table::{Cell, Table};
use crate::terminal::{Terminal, Tone};

/// Loads a library and calls nothing.
const LOADER: &str = r#"#include <dlfcn.h>
#include <stdio.h>

int main(int count, char **arguments) {
  if (count == 2 && dlopen(arguments[1], RTLD_LAZY | RTLD_LOCAL)) return 0;
  puts(dlerror());
  return 1;
}
"#;

const EMULATOR: &str = "qemu-aarch64-static";
const AARCH64_ROOT: &str = "/usr/aarch64-linux-gnu";

/// What was tried with one file, and how that ended.
struct Outcome {
    platform: &'static str,
    artefact: &'static str,
    loaded: Tried,
    vectors: Tried,
}

enum Tried {
    Well(String),
    Badly(String),
    /// Why not.
    Not(&'static str),
}

/// Tries all that there is, and prints a table; tells whether nothing went badly.
pub(crate) fn check(checkout: &Checkout, terminal: &Terminal) -> Result<bool> {
    let workshop = Workshop::as_it_is(checkout)?;
    let built: Vec<_> = PLATFORMS
        .iter()
        .filter(|platform| platform.libc != Libc::System && workshop.native(platform, "gatepass").is_some())
        .collect();
    install(&workshop, &built)?;
    let mut table = Table::new(["platform", "artefact", "loaded", "vectors"].map(Cell::from));
    let mut is_well = !built.is_empty();
    for platform in built {
        let _task = terminal.begin(platform.name);
        for outcome in Place::of(&workshop, platform)?.outcomes()? {
            is_well &=
                ![&outcome.loaded, &outcome.vectors].iter().any(|tried| matches!(tried, Tried::Badly(_)));
            let Outcome { platform, artefact, loaded, vectors } = outcome;
            table.row([platform.into(), artefact.into(), loaded.into(), vectors.into()]);
        }
    }
    terminal.say(&table.draw(terminal));
    Ok(is_well)
}

fn install(workshop: &Workshop, platforms: &[&Platform]) -> Result<()> {
    let needs = |is: fn(&Platform) -> bool| platforms.iter().any(|platform| is(platform));
    let mut packages = Vec::new();
    if needs(|platform| platform.arch() != std::env::consts::ARCH) {
        if !compilers::is_on_path(EMULATOR) {
            packages.push("qemu-user-static");
        }
        if !Path::new(AARCH64_ROOT).exists() {
            packages.push("libc6-arm64-cross");
        }
    }
    if needs(|platform| platform.libc == Libc::Musl) && !musl_linker().exists() {
        packages.push("musl");
    }
    if packages.is_empty() {
        return Ok(());
    }
    let programs = compilers::apt_install(&packages, "run what was built for other platforms")?;
    programs.iter().try_for_each(|program| workshop.run(program))
}

/// The dynamic linker of musl for this processor.
fn musl_linker() -> PathBuf {
    format!("/lib/ld-musl-{}.so.1", std::env::consts::ARCH).into()
}

/// Where the programs for one platform are made, and how they are run.
struct Place<'a> {
    workshop: &'a Workshop,
    platform: &'static Platform,
    folder: PathBuf,
}

impl<'a> Place<'a> {
    fn of(workshop: &'a Workshop, platform: &'static Platform) -> Result<Self> {
        let folder = workshop.scratch(&format!("run-{}", platform.name))?;
        write(&folder.join("loader.c"), LOADER)?;
        Ok(Self { workshop, platform, folder })
    }

    fn outcomes(&self) -> Result<Vec<Outcome>> {
        let example = self.workshop.source("bindings/c/package/verify.c").to_string_lossy().into_owned();
        // By both of its names: the one that is linked, and the one that is in it.
        let major = VERSION.split('.').next().unwrap_or_default();
        for name in ["libgatepass.so".to_owned(), format!("libgatepass.so.{major}")] {
            copy(&self.native("libgatepass.so"), &self.folder.join(name))?;
        }
        let libraries = self.folder.to_string_lossy().into_owned();
        let archive = self.native("libgatepass.a").to_string_lossy().into_owned();
        let shared = ["-L", &libraries, "-lgatepass", &format!("-Wl,-rpath,{libraries}")];
        // With zig, what gcc links by itself has to be named.
        let whole: &[&str] = if self.platform.libc == Libc::Musl {
            &["-static", "-lunwind"]
        } else {
            &["-lunwind", "-lpthread", "-ldl", "-lm"]
        };

        let program = self.wrap("gatepass", &self.native("gatepass"))?;
        let static_one = self.compile("verify-static", &[&[example.as_str(), &archive], whole].concat())?;
        let mut outcomes =
            vec![self.vectors("gatepass program", &program), self.vectors("C, static library", &static_one)];
        if let Some(reason) = self.why_not_dynamically() {
            let outcome = |artefact| self.outcome(artefact, Tried::Not(reason), Tried::Not(reason));
            outcomes.extend(["C, shared library", "Java library"].map(outcome));
        } else {
            let example = [&[example.as_str()], &shared[..]].concat();
            outcomes.push(self.vectors("C, shared library", &self.compile("verify-shared", &example)?));
            let loader = self.folder.join("loader.c").to_string_lossy().into_owned();
            let loader = self.compile("loader", &[&loader, "-ldl"])?;
            let load = self.read(&self.workshop.program(&loader).arg(self.native("libgatepass_jni.so")));
            let loaded = load.map_or_else(Tried::badly, |_| Tried::Well("yes".to_owned()));
            outcomes.push(self.outcome("Java library", loaded, Tried::Not("needs Java")));
        }
        // What these link is in their hosts.
        for artefact in ["Node add-on", "wheel"] {
            let tried = || Tried::Not("needs its host, for that platform");
            outcomes.push(self.outcome(artefact, tried(), tried()));
        }
        Ok(outcomes)
    }

    fn native(&self, file: &str) -> PathBuf {
        self.workshop.dist(&format!("natives/{}/{file}", self.platform.name))
    }

    fn outcome(&self, artefact: &'static str, loaded: Tried, vectors: Tried) -> Outcome {
        Outcome { platform: self.platform.name, artefact, loaded, vectors }
    }

    /// Why what is linked dynamically cannot be loaded here.
    fn why_not_dynamically(&self) -> Option<&'static str> {
        let is_foreign = self.platform.arch() != std::env::consts::ARCH;
        (is_foreign && self.platform.libc == Libc::Musl).then_some("needs musl of the platform")
    }

    /// Compiles a program by the compiler that the library was linked with, and gives what runs it.
    fn compile(&self, name: &str, arguments: &[&str]) -> Result<PathBuf> {
        let program = self.folder.join(format!("{name}.program"));
        let include = self.workshop.source("bindings/c/include");
        let compiler = self.workshop.zig_compiler(self.platform).args(&["-std=c11", "-I"]).arg(include);
        self.workshop.run(&compiler.args(arguments).arg("-o").arg(&program))?;
        self.wrap(name, &program)
    }

    /// A script of this name that runs a program, under the emulator where there is need.
    fn wrap(&self, name: &str, program: &Path) -> Result<PathBuf> {
        let script = self.folder.join(name);
        let emulator = match (self.platform.arch() == std::env::consts::ARCH, self.platform.libc) {
            (true, _) => String::new(),
            (false, Libc::Gnu) => format!("{EMULATOR} -L {AARCH64_ROOT} "),
            (false, _) => format!("{EMULATOR} "),
        };
        write(&script, format!("#!/bin/sh\nexec {emulator}'{}' \"$@\"\n", program.display()))?;
        fs::set_permissions(&script, Permissions::from_mode(0o755))
            .map_err(|error| Failure::file(&script, &error))?;
        Ok(script)
    }

    fn vectors(&self, artefact: &'static str, program: &Path) -> Outcome {
        let checkout = &self.workshop.checkout;
        let run = self.workshop.program("python3").arg(checkout.path("xtask/dist/vectors.py"));
        match self.read(&run.arg(checkout.path("tests/vectors")).arg(program)) {
            Ok(printed) => {
                let result = printed.lines().last().unwrap_or_default().replace("test result: ", "");
                self.outcome(artefact, Tried::Well("yes".to_owned()), Tried::Well(result))
            }
            Err(failure) => self.outcome(artefact, Tried::Not("see vectors"), Tried::badly(failure)),
        }
    }

    fn read(&self, program: &Program) -> Result<String> {
        self.workshop.read(program)
    }
}

impl Tried {
    fn badly(failure: Failure) -> Self {
        Self::Badly(failure.to_string())
    }
}

impl From<Tried> for Cell {
    fn from(tried: Tried) -> Self {
        match tried {
            Tried::Well(how) => Self::new(how),
            Tried::Badly(why) => Self::toned(why, Tone::Bad),
            Tried::Not(reason) => Self::new(format!("no: {reason}")),
        }
    }
}
