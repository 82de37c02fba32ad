//! `cargo xtask dist --check KIND`: installs an artefact as a user does, and runs the vectors on what is installed.
//!
//! Then the same is done with a copy that lacks its library, which must fail: a check that passes then would check
//! nothing.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::time::Duration;

use super::platform::{GLIBC, Libc, PLATFORMS, Platform};
use super::room::{Compilers, Room};
use super::workshop::{VERSION, copy, write};
use crate::checkout::Checkout;
use crate::failure::{Failure, Result};
use crate::languages::{log, read};
use crate::process::Program;
use crate::terminal::Terminal;

/// How one kind of artefact is checked.
pub(crate) struct Check {
    pub(crate) kind: &'static str,
    /// The folder of `target/dist` that it is in.
    artefact: &'static str,
    compilers: Compilers,
    /// Installs it and runs a line that calls the library.
    pub(crate) install: fn(&Room) -> Result<Vec<Program>>,
    /// Runs the vectors; a test runner counts them. None: what is installed has no verifier of its own to run them by.
    pub(crate) vectors: fn(&Room) -> Result<Vec<Program>>,
    /// What the failure must speak of, once the library is not there.
    missing: &'static str,
    /// Takes the library out of the artefact.
    take_library: fn(&Room) -> Result<Vec<Program>>,
    /// Builds the programs of tests/e2e with what is installed.
    pub(crate) demo: fn(&Room) -> Result<Vec<Program>>,
}

pub(crate) const CHECKS: &[Check] = &[
    Check {
        kind: "python",
        artefact: "python",
        compilers: Compilers::None,
        install: python_install,
        vectors: python_vectors,
        missing: "_native",
        take_library: |room| {
            let wheel = room.file("gatepass-", host_wheel()?)?;
            Ok(vec![remove_from_zip(room, &wheel, "gatepass/_native.abi3.so")])
        },
        demo: |_| Ok(Vec::new()),
    },
    Check {
        kind: "sdist",
        artefact: "python",
        compilers: Compilers::All,
        install: sdist_install,
        vectors: |room| python_tests(room),
        missing: "core",
        take_library: |room| {
            let archive = room.file("gatepass-", ".tar.gz")?;
            let script = "mkdir unpacked; tar xzf \"$1\" -C unpacked; rm -r unpacked/*/core/src; tar czf \"$1\" -C unpacked $(ls unpacked)";
            Ok(vec![room.shell(script).arg("take").arg(archive)])
        },
        demo: |_| Ok(Vec::new()),
    },
    Check {
        kind: "npm",
        artefact: "npm",
        compilers: Compilers::None,
        install: npm_install,
        vectors: npm_vectors,
        missing: "cannot be loaded",
        take_library: |room| {
            let archive = room.file(&npm_archive(Platform::host()?), ".tgz")?;
            let script = "mkdir unpacked; tar xzf \"$1\" -C unpacked; rm unpacked/package/*.node; tar czf \"$1\" -C unpacked package";
            Ok(vec![room.shell(script).arg("take").arg(archive)])
        },
        demo: npm_demo,
    },
    Check {
        kind: "go",
        artefact: "go",
        compilers: Compilers::C,
        install: go_install,
        vectors: go_vectors,
        missing: "cannot find",
        take_library: |room| {
            let go = Platform::host()?.go_library();
            let zip = format!("gatepass.dev/gatepass/lib/{go}/@v/v{VERSION}.zip");
            let member = format!("gatepass.dev/gatepass/lib/{go}@v{VERSION}/libgatepass.a");
            Ok(vec![remove_from_zip(room, &room.artefact.join(zip), &member)])
        },
        demo: go_demo,
    },
    Check {
        kind: "maven",
        artefact: "maven",
        compilers: Compilers::None,
        install: maven_install,
        vectors: maven_vectors,
        missing: "holds no native library",
        take_library: |room| {
            let jar = room.artefact.join(format!("dev/gatepass/gatepass/{VERSION}/gatepass-{VERSION}.jar"));
            let host = Platform::host()?;
            let member = format!("native/{}/{}", host.jar, host.shared_library("gatepass_jni"));
            // Maven looks at the checksum that is beside the jar.
            let sum = "sha1sum \"$1\" | cut -d ' ' -f 1 >\"$1.sha1\"; rm -f \"$1.md5\"";
            Ok(vec![remove_from_zip(room, &jar, &member), room.shell(sum).arg("sum").arg(jar)])
        },
        demo: maven_demo,
    },
    Check {
        kind: "c",
        artefact: "c",
        compilers: Compilers::C,
        install: c_install,
        vectors: c_vectors,
        missing: "cannot find",
        take_library: |room| {
            let archive = room.file("gatepass-c-", &format!("{}.tar.gz", Platform::host()?.name))?;
            let script = "mkdir unpacked; tar xzf \"$1\" -C unpacked; rm unpacked/*/lib/libgatepass.*; tar czf \"$1\" -C unpacked $(ls unpacked)";
            Ok(vec![room.shell(script).arg("take").arg(archive)])
        },
        demo: |_| Ok(Vec::new()),
    },
    Check {
        kind: "cli",
        artefact: "cli",
        compilers: Compilers::None,
        install: cli_install,
        vectors: cli_vectors,
        missing: "./gatepass",
        take_library: |room| {
            let archive = room.file("gatepass-", &format!("{}.tar.gz", Platform::host()?.name))?;
            let script = "mkdir unpacked; tar xzf \"$1\" -C unpacked; rm unpacked/*/gatepass; tar czf \"$1\" -C unpacked $(ls unpacked)";
            Ok(vec![room.shell(script).arg("take").arg(archive)])
        },
        demo: |_| Ok(Vec::new()),
    },
];

impl Check {
    /// Where it is installed, whether it is yet or not.
    pub(crate) fn room(&self, checkout: &Checkout) -> Room {
        let mut room = Room::of(checkout, self.kind, self.compilers);
        room.artefact = checkout.built("dist").join(self.artefact);
        room
    }
}

/// Maven and npm fetch what others have published.
const LIMIT: Duration = Duration::from_secs(20 * 60);

/// Checks one kind; prints what its test runner says, and tells whether all of it is as it should be.
pub(crate) fn run(checkout: &Checkout, terminal: &Terminal, check: &Check) -> Result<bool> {
    let room = check.room(checkout);
    let log = log(checkout, &format!("dist-check-{}", check.kind))?;
    room.clear()?;
    run_all(&room, &[has_no_compiler(&room, check.compilers)], &log)?;
    run_all(&room, &(check.install)(&room)?, &log)?;
    for program in (check.vectors)(&room)? {
        let before = read(&log).len();
        let end = program.run(&log, LIMIT);
        terminal.say(read(&log).get(before..).unwrap_or_default());
        end?;
    }

    let incomplete = room.for_incomplete()?;
    incomplete.clear()?;
    run_all(&incomplete, &(check.take_library)(&incomplete)?, &log)?;
    let outcome = (check.install)(&incomplete).and_then(|programs| run_all(&incomplete, &programs, &log));
    match outcome {
        Err(failure) => {
            let failure = failure.to_string();
            let said = failure.lines().find(|line| line.contains(check.missing) && !line.starts_with("in "));
            let said = said.ok_or_else(|| {
                Failure::new(format!("without its library it fails for another reason: {failure}"))
            })?;
            terminal.say(&format!("without its library it fails, as it must: {}", said.trim()));
            Ok(true)
        }
        Ok(()) => Err(Failure::new(format!(
            "the check of {} passes without the library: it checks nothing",
            check.kind
        ))),
    }
}

/// Runs programs one after the other; the first that fails ends it.
pub(crate) fn run_all(room: &Room, programs: &[Program], log: &std::path::Path) -> Result<()> {
    for program in programs {
        let before = read(log).len();
        program
            .run(log, LIMIT)
            .map_err(|failure| failure.with_output(read(log).get(before..).unwrap_or_default()))
            .map_err(|failure| Failure::new(format!("in {}: {failure}", room.folder.display())))?;
    }
    Ok(())
}

fn has_no_compiler(room: &Room, compilers: Compilers) -> Program {
    let names = match compilers {
        Compilers::None => "cargo rustc cc gcc clang",
        Compilers::C => "cargo rustc",
        Compilers::All => "",
    };
    room.shell(&format!("for name in {names}; do if command -v $name; then exit 1; fi; done"))
}

/// Takes a member out of a zip archive.
fn remove_from_zip(room: &Room, archive: &std::path::Path, member: &str) -> Program {
    let script = "import sys, zipfile\n\
        archive, name = sys.argv[1:]\n\
        with zipfile.ZipFile(archive) as old: members = {each: old.read(each) for each in old.namelist()}\n\
        del members[name]\n\
        with zipfile.ZipFile(archive, 'w') as new: [new.writestr(*each) for each in members.items()]";
    room.program("python3").args(&["-c", script]).arg(archive).arg(member)
}

/// Fails when one of these libraries needs a newer glibc than [`GLIBC`]; where there is another C library, does nothing.
fn needs_no_newer_glibc(room: &Room, libraries: &str) -> Program {
    let script = format!(
        "command -v objdump || exit 0; for library in {libraries}; do \
         newest=$(objdump -T $library | grep -o 'GLIBC_[0-9.]*' | sort -uV | tail -n 1); echo $library needs $newest; \
         [ \"$(printf '%s\\n' $newest GLIBC_{GLIBC} | sort -V | tail -n 1)\" = GLIBC_{GLIBC} ]; done"
    );
    if cfg!(target_os = "linux") { room.shell(&script) } else { room.program("true") }
}

// Python.

fn host_wheel() -> Result<&'static str> {
    Ok(match Platform::host()?.target {
        "x86_64-unknown-linux-gnu" => "manylinux_2_17_x86_64.whl",
        "aarch64-unknown-linux-gnu" => "manylinux_2_17_aarch64.whl",
        _ => ".whl",
    })
}

const PIP: [&str; 5] = ["-m", "pip", "install", "--no-input", "--disable-pip-version-check"];

fn python(room: &Room, arguments: &[&str]) -> Program {
    room.program(room.path("venv/bin/python")).args(arguments)
}

/// A line of Python that calls the library, and fails when that is not the one that was installed.
fn python_line(room: &Room) -> Program {
    let line = "import sys, gatepass; assert gatepass.__file__.startswith(sys.prefix), gatepass.__file__; \
         print(gatepass.audience_for_url('https://a-b-uc.a.run.app/x'))";
    python(room, &["-c", line])
}

fn python_install(room: &Room) -> Result<Vec<Program>> {
    let from = ["--only-binary", ":all:", "--no-index", "--no-cache-dir", "--find-links"];
    let install = python(room, &PIP).args(&from).arg(&room.artefact).arg(format!("gatepass=={VERSION}"));
    Ok(vec![room.program("python3").args(&["-m", "venv", "venv"]), install, python_line(room)])
}

fn python_vectors(room: &Room) -> Result<Vec<Program>> {
    let wheel = room.file("gatepass-", host_wheel()?)?;
    let show = "\"$1\" show \"$2\" | tr '\\n' ' ' | grep 'platform tag: \"manylinux_2_17_'";
    let auditwheel = room.shell(show).arg("show").arg(room.checkout.built("dist-work/venv/bin/auditwheel"));
    Ok([vec![auditwheel.arg(wheel)], python_tests(room)?].concat())
}

fn python_tests(room: &Room) -> Result<Vec<Program>> {
    let requirements = room.checkout.path("packages/python/requirements-test.txt");
    let install = python(room, &PIP).args(&["--quiet", "--requirement"]).arg(requirements);
    let tests = ["test_vectors.py", "test_client_vectors.py"]
        .map(|file| room.checkout.path("packages/python/tests").join(file));
    let pytest = python(room, &["-m", "pytest", "-p", "no:cacheprovider"]);
    let pytest = pytest.arg(format!("--rootdir={}", room.checkout.path("packages/python").display()));
    Ok(vec![install, tests.iter().fold(pytest, Program::arg)])
}

/// By Rust, which pip finds on the `PATH`, and maturin, which it fetches: what a user does whose platform has no wheel.
fn sdist_install(room: &Room) -> Result<Vec<Program>> {
    let install = python(room, &PIP).args(&["--no-cache-dir", "--no-binary", "gatepass"]);
    let install = install
        .arg(room.file("gatepass-", ".tar.gz")?)
        .env("CARGO_TARGET_DIR", room.checkout.built("dist-check/sdist-target"))
        // Whether it builds and is right does not depend on how well it is optimised.
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1");
    Ok(vec![room.program("python3").args(&["-m", "venv", "venv"]), install, python_line(room)])
}

// npm.

pub(super) fn npm_archive(platform: &Platform) -> String {
    format!("gatepass-{}-{VERSION}", platform.npm.name)
}

/// What installs the package with the add-on for a platform, and with no script.
pub(super) fn npm_packages(room: &Room, platform: &Platform) -> Result<Program> {
    write(&room.path("package.json"), "{ \"private\": true, \"type\": \"module\" }\n")?;
    let npm = ["install", "--ignore-scripts", "--offline", "--no-audit", "--no-fund"];
    let install = room.program("npm").args(&npm).arg(room.file(&format!("gatepass-{VERSION}"), ".tgz")?);
    Ok(install.arg(room.file(&npm_archive(platform), ".tgz")?))
}

/// Puts the tests where they find what they test, and the vectors; gives those that run them.
pub(super) fn npm_tests(room: &Room) -> Result<Vec<PathBuf>> {
    let tests = room.path("node_modules/gatepass/test");
    copy_tree(&room.checkout.path("packages/js/test"), &tests)?;
    link(&room.checkout.path("tests"), &room.path("tests"))?;
    Ok(["vectors.test.js", "client-vectors.test.js"].map(|file| tests.join(file)).into())
}

fn npm_install(room: &Room) -> Result<Vec<Program>> {
    let line = "import { audienceForUrl } from 'gatepass'; console.log(audienceForUrl('https://a-b-uc.a.run.app/x'));";
    let required =
        line.replace("import {", "const {").replace("} from 'gatepass'", "} = require('gatepass')");
    let node = |backend: &str, kind: &str, line: &str| {
        // Left to itself it takes WebAssembly where there is no add-on.
        let node = room.program("node").env("GATEPASS_BACKEND", backend);
        node.args(&[&format!("--input-type={kind}"), "--eval", line])
    };
    Ok(vec![
        npm_packages(room, Platform::host()?)?,
        node("wasm", "module", line),
        node("wasm", "commonjs", &required),
        node("native", "module", line),
        node("native", "commonjs", &required),
    ])
}

fn npm_vectors(room: &Room) -> Result<Vec<Program>> {
    let files = npm_tests(room)?;
    let tests = |backend| {
        let node = room.program("node").args(&["--test", "--test-reporter=spec"]);
        files.iter().fold(node, Program::arg).env("GATEPASS_BACKEND", backend)
    };
    Ok(vec![needs_no_newer_glibc(room, "node_modules/@gatepass/*/*.node"), tests("native"), tests("wasm")])
}

fn npm_demo(room: &Room) -> Result<Vec<Program>> {
    for folder in ["node", "grpc"] {
        copy_tree(&room.checkout.path("tests/e2e").join(folder), &room.path("e2e").join(folder))?;
    }
    let npm = ["install", "--ignore-scripts", "--no-audit", "--no-fund"];
    let npm = room.program("npm").args(&npm).args(&[
        "express@^5.2.0",
        "@grpc/grpc-js@^1.14.0",
        "@grpc/proto-loader@^0.8.0",
    ]);
    let line = "import * as grpc from 'gatepass/grpc'; console.log(Object.keys(grpc).join(' '));";
    Ok(vec![npm, room.program("node").args(&["--input-type=module", "--eval", line])])
}

// Go.

const GO_MODULE: &str = "gatepass.dev/gatepass";
const GO_GRPC_MODULE: &str = "gatepass.dev/gatepass/grpc";

/// The go command with modules of its own, of which ours come from the artefact.
pub(super) fn go(room: &Room, arguments: &[&str]) -> Program {
    // As the user has set it, in the environment or by `go env -w`, or as Go has it.
    let found = std::process::Command::new("go").args(["env", "GOPROXY"]).output();
    let others =
        found.map(|found| String::from_utf8_lossy(&found.stdout).trim().to_owned()).unwrap_or_default();
    room.program("go")
        .args(arguments)
        .env("CGO_ENABLED", "1")
        .env("GOPROXY", format!("file://{},{others}", room.artefact.display()))
        // The checksum database knows what is published.
        .env("GONOSUMDB", "gatepass.dev/*")
        .env("GOFLAGS", "-mod=mod")
        .env("GOWORK", "off")
        .env("GOMODCACHE", modules(room))
}

/// Where the go command keeps modules. It remembers what is in a folder of these and never looks again, so what is made anew
/// under the same version has another folder.
fn modules(room: &Room) -> PathBuf {
    let mut hasher = DefaultHasher::new();
    let libraries = PLATFORMS.iter().map(|platform| format!("{GO_MODULE}/lib/{}", platform.go_library()));
    for module in libraries.chain([GO_MODULE.to_owned()]) {
        fs::read(room.artefact.join(module).join(format!("@v/v{VERSION}.zip"))).ok().hash(&mut hasher);
    }
    room.path(&format!("modules-{:016x}", hasher.finish()))
}

/// A module that requires ours.
pub(super) fn go_get(room: &Room) -> Result<Program> {
    write(&room.path("go.mod"), "module example.com/program\n\ngo 1.24.0\n")?;
    Ok(go(room, &["get", &format!("{GO_MODULE}@v{VERSION}")]))
}

/// What runs the vectors, which are put where the tests of the module look for them from the folder that the go command keeps it
/// in.
pub(super) fn go_test(room: &Room) -> Result<Program> {
    link(&room.checkout.path("tests"), &modules(room).join("tests"))?;
    let run = "-run=TestAttackCorpus|TestAlgorithmVectors|TestAcquireVectors|TestCacheVectors|TestClientAttackCorpus";
    Ok(go(room, &["test", "-count=1", "-timeout=15m", "-json", run, GO_MODULE]))
}

/// Writes a program that calls the library.
pub(super) fn go_program(room: &Room) -> Result<()> {
    let program = "package main\n\nimport (\n\t\"fmt\"\n\n\t\"gatepass.dev/gatepass\"\n)\n\nfunc main() {\n\t\
         fmt.Println(gatepass.AudienceForURL(\"https://a-b-uc.a.run.app/x\"))\n}\n";
    write(&room.path("main.go"), program)
}

fn go_install(room: &Room) -> Result<Vec<Program>> {
    go_program(room)?;
    let get = go_get(room)?;
    // Vendored, it needs no proxy.
    let vendor = go(room, &["mod", "vendor"]);
    let vendored = go(room, &["run", "-mod=vendor", "."]).env("GOFLAGS", "").env("GOPROXY", "off");
    let without_cgo = go(room, &["run", "."]).env("CGO_ENABLED", "0");
    Ok(vec![get, go(room, &["run", "."]), without_cgo, vendor, vendored])
}

fn go_vectors(room: &Room) -> Result<Vec<Program>> {
    let test = go_test(room)?;
    Ok(vec![
        go(room, &["get", &format!("{GO_GRPC_MODULE}@v{VERSION}")]),
        go(room, &["build", GO_GRPC_MODULE]),
        test.clone(),
        test.env("CGO_ENABLED", "0"),
    ])
}

fn go_demo(room: &Room) -> Result<Vec<Program>> {
    copy_tree(&room.checkout.path("tests/e2e/go"), &room.path("e2e"))?;
    let go = |arguments: &[&str]| go(room, arguments).in_folder(room.path("e2e"));
    let drop = |module| format!("-dropreplace={module}");
    let edit = ["mod".to_owned(), "edit".to_owned(), drop(GO_MODULE), drop(GO_GRPC_MODULE)];
    let programs = ["./caller", "./receiver", "./grpc-caller", "./grpc-receiver"];
    Ok(vec![
        go(&edit.each_ref().map(String::as_str)),
        go(&[&["build", "-o", "../bin/"], &programs[..]].concat()),
    ])
}

// Maven.

/// Maven with a repository of its own, in which nothing of ours is but what comes from the artefact.
pub(super) fn maven(room: &Room, folder: &str) -> Program {
    let maven = room.program("mvn").in_folder(room.path(folder));
    let maven =
        maven.args(&["--batch-mode", "--no-transfer-progress", "--settings"]).arg(room.path("settings.xml"));
    maven.arg(format!("-Dmaven.repo.local={}", room.path("repository").display()))
}

/// Writes where Maven looks for the artefact, and gives what fills the repository with what others have published and is here.
pub(super) fn maven_settings(room: &Room) -> Result<Program> {
    let settings = format!(
        "<settings><profiles><profile><id>dist</id><repositories><repository><id>dist</id><url>file://{}</url>\
         </repository></repositories></profile></profiles>\
         <activeProfiles><activeProfile>dist</activeProfile></activeProfiles></settings>\n",
        room.artefact.display()
    );
    write(&room.path("settings.xml"), settings)?;
    Ok(room.shell(
        "if [ -d ~/.m2/repository ]; then cp -a ~/.m2/repository repository; rm -rf repository/dev/gatepass; fi",
    ))
}

/// The project of a user, with the vectors as its tests; gives what is to be done before Maven is run in it.
pub(super) fn maven_project(room: &Room) -> Result<Program> {
    let pom = include_str!("../../dist/vectors-pom.xml").replace("@VERSION@", VERSION);
    let tests = room.checkout.path("packages/java/gatepass/src/test/java");
    write(&room.path("vectors/pom.xml"), pom.replace("@TESTS@", &tests.to_string_lossy()))?;
    maven_settings(room)
}

/// What runs the vectors.
pub(super) fn maven_test(room: &Room) -> Program {
    let test = maven(room, "vectors").arg("test");
    test.arg(format!("-Dgatepass.vectors={}", room.checkout.path("tests/vectors").display()))
}

/// Makes a program of a user's that calls the library, with all that it needs in `vectors/target`.
pub(super) fn maven_program(room: &Room) -> Result<Vec<Program>> {
    let project = maven_project(room)?;
    let line = "class Main { public static void main(String[] arguments) { \
         System.out.println(dev.gatepass.Gatepass.audienceForUrl(java.net.URI.create(\"https://a-b-uc.a.run.app/x\"))); } }\n";
    write(&room.path("vectors/src/main/java/Main.java"), line)?;
    let compile =
        maven(room, "vectors").args(&["compile", "dependency:copy-dependencies", "-DincludeScope=compile"]);
    Ok(vec![project, compile])
}

fn maven_install(room: &Room) -> Result<Vec<Program>> {
    let java =
        room.program("java").args(&["-cp", "vectors/target/classes:vectors/target/dependency/*", "Main"]);
    Ok([maven_program(room)?, vec![java]].concat())
}

fn maven_vectors(room: &Room) -> Result<Vec<Program>> {
    let jar = room.artefact.join(format!("dev/gatepass/gatepass/{VERSION}/gatepass-{VERSION}.jar"));
    let unpack = room.shell("mkdir unpacked; cd unpacked; jar xf \"$1\"").arg("unpack").arg(jar);
    Ok(vec![unpack, needs_no_newer_glibc(room, "unpacked/native/*/*.so"), maven_test(room)])
}

fn maven_demo(room: &Room) -> Result<Vec<Program>> {
    copy_tree(&room.checkout.path("tests/e2e/java"), &room.path("e2e"))?;
    copy_tree(&room.checkout.path("tests/e2e/grpc"), &room.path("grpc"))?;
    Ok(vec![maven(room, "e2e").arg("package")])
}

// C.

fn c_install(room: &Room) -> Result<Vec<Program>> {
    let archive = room.file("gatepass-c-", &format!("{}.tar.gz", Platform::host()?.name))?;
    let unpack =
        room.shell("mkdir usr; tar xzf \"$1\" -C usr --strip-components=1").arg("unpack").arg(archive);
    let libraries = if Platform::host()?.libc == Libc::Gnu { "-lpthread -ldl -lm" } else { "" };
    let example = "usr/share/doc/gatepass/verify.c";
    let flags = "-std=c11 -Wall -Wextra -Werror -Iusr/include";
    let linked_statically =
        format!("cc {flags} {example} usr/lib/libgatepass.a {libraries} -o verify-static");
    let linked_dynamically =
        format!("cc {flags} {example} -Lusr/lib -lgatepass -Wl,-rpath,\"$PWD/usr/lib\" -o verify-shared");
    // As the README says, where there is a pkg-config.
    let by_pkg_config = format!(
        "if command -v pkg-config; then export PKG_CONFIG_PATH=usr/lib/pkgconfig; \
         cc {example} $(pkg-config --cflags --libs gatepass) -o verify-by-pkg-config; else echo no pkg-config here; fi"
    );
    let by_cmake = format!(
        "if command -v cmake; then mkdir by-cmake; cp {example} by-cmake; cd by-cmake; printf '%s\\n' \
         'cmake_minimum_required(VERSION 3.13)' 'project(verify C)' 'find_package(gatepass {VERSION} REQUIRED)' \
         'add_executable(verify verify.c)' 'target_link_libraries(verify PRIVATE gatepass::static)' >CMakeLists.txt; \
         cmake -S . -B built -DCMAKE_PREFIX_PATH=\"$PWD/../usr\"; cmake --build built; else echo no cmake here; fi"
    );
    let run = "for program in verify-static verify-shared; do ./$program '{\"audiences\":[\"a\"],\"keys_url\":\"https://keys.example\"}' 1 </dev/null; done";
    Ok(vec![
        unpack,
        room.shell(&linked_statically),
        room.shell(&linked_dynamically),
        room.shell(run),
        room.shell(&by_pkg_config),
        room.shell(&by_cmake),
    ])
}

fn c_vectors(room: &Room) -> Result<Vec<Program>> {
    let run = room.program("python3").arg(room.checkout.path("xtask/dist/vectors.py"));
    let run = run.arg(room.checkout.path("tests/vectors")).args(&["./verify-static", "./verify-shared"]);
    Ok(vec![needs_no_newer_glibc(room, "usr/lib/libgatepass.so"), run])
}

// The program.

fn cli_install(room: &Room) -> Result<Vec<Program>> {
    let archive = room.file("gatepass-", &format!("{}.tar.gz", Platform::host()?.name))?;
    let unpack = room.shell("tar xzf \"$1\" --strip-components=1").arg("unpack").arg(archive);
    // Static: it asks for no interpreter, and so it runs on any distribution.
    let is_static = "! objdump -p gatepass | grep -E 'INTERP|NEEDED'";
    let is_complete = "ls completions/gatepass.bash completions/_gatepass completions/gatepass.fish man/gatepass.1 \
         LICENSE LICENSE-THIRD-PARTY.txt; bash -n completions/gatepass.bash";
    let run = room.program("env").args(&["-i", "./gatepass", "--version"]);
    let mut programs = vec![unpack, run, room.shell(is_complete)];
    if Platform::host()?.libc != Libc::Apple {
        programs.push(room.shell(is_static));
    }
    Ok(programs)
}

fn cli_vectors(room: &Room) -> Result<Vec<Program>> {
    let run = room.program("python3").arg(room.checkout.path("xtask/dist/vectors.py"));
    Ok(vec![run.arg(room.checkout.path("tests/vectors")).arg("./gatepass")])
}

fn link(from: &std::path::Path, to: &std::path::Path) -> Result<()> {
    symlink(from, to).map_err(|error| Failure::file(to, &error))
}

pub(super) fn copy_tree(from: &std::path::Path, to: &std::path::Path) -> Result<()> {
    for entry in fs::read_dir(from).map_err(|error| Failure::file(from, &error))?.flatten() {
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        let name = entry.file_name();
        match path.is_dir() {
            true if name == "target" || name == "node_modules" => {}
            true => copy_tree(&path, &to)?,
            false => copy(&path, &to)?,
        }
    }
    Ok(())
}
