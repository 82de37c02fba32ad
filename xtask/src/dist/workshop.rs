//! The tools, a copy of the sources, and the folders that everything is made in.

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::platform::{Libc, MACOS, PLATFORMS, Platform};
use crate::checkout::Checkout;
use crate::compilers;
use crate::failure::{Failure, Result};
use crate::languages::{log, read};
use crate::process::Program;

/// Where everything is made.
#[derive(Debug)]
pub(crate) struct Workshop {
    pub(crate) checkout: Checkout,
    /// A copy of the repository's files, and of nothing else that lies about in the checkout. Packages are given their
    /// licences here.
    source: PathBuf,
    log: PathBuf,
    /// When the commit was made, in Unix seconds: the time of all files in archives.
    pub(crate) epoch: String,
}

/// How a library for musl is linked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Link {
    Static,
    Dynamic,
}

/// The version of every artefact.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The folders of `target/dist` with what is published.
pub(crate) const FOLDERS: &[&str] = &["python", "npm", "go", "maven", "cli", "c", "crates"];

/// What ships signs and verifies by AWS-LC (docs/adr/0007-prebuilt-native-code.md).
pub(crate) const PROVIDER: &str = "aws-lc-rs";

/// The crates that are built with [`PROVIDER`].
pub(crate) const PREBUILT: &[&str] = &["gatepass-c", "gatepass-jni", "gatepass-node", "gatepass-python"];

/// The notice of what is compiled in, as artefacts call it.
pub(crate) const THIRD_PARTY: &str = "LICENSE-THIRD-PARTY.txt";

/// A compiler on a busy machine with two cores has to get by with this.
pub(crate) const LIMIT: Duration = Duration::from_secs(40 * 60);

/// What the names of MinGW's programs for Windows begin with.
pub(crate) const MINGW: &str = "x86_64-w64-mingw32-";

const TOOLS: &str = "xtask/dist/requirements.txt";

impl Workshop {
    /// Installs the tools and copies the sources.
    pub(crate) fn open(checkout: &Checkout) -> Result<Self> {
        let workshop = Self::as_it_is(checkout)?;
        workshop.install_tools()?;
        workshop.write_compilers()?;
        workshop.copy_sources()?;
        Ok(workshop)
    }

    /// As the last one has left it.
    pub(crate) fn as_it_is(checkout: &Checkout) -> Result<Self> {
        Ok(Self {
            checkout: checkout.clone(),
            source: checkout.built("dist-work/source"),
            log: log(checkout, "dist")?,
            epoch: commit_time(checkout),
        })
    }

    /// A file of the copy of the sources.
    pub(crate) fn source(&self, path: &str) -> PathBuf {
        self.source.join(path)
    }

    /// A file in `target/dist`.
    pub(crate) fn dist(&self, path: &str) -> PathBuf {
        self.checkout.built("dist").join(path)
    }

    /// An empty folder for work in progress.
    pub(crate) fn scratch(&self, name: &str) -> Result<PathBuf> {
        let folder = self.checkout.built("dist-work").join(name);
        let _missing = fs::remove_dir_all(&folder);
        make_folder(&folder)?;
        Ok(folder)
    }

    /// Copies a folder of the sources.
    pub(crate) fn copy_folder(&self, from: &str, to: &Path) -> Result<()> {
        let mut files = Vec::new();
        list(&self.source(from), "", &mut files)?;
        files.iter().try_for_each(|file| copy(&self.source(from).join(file), &to.join(file)))
    }

    /// Empties a folder of `target/dist`.
    pub(crate) fn clear(&self, folder: &str) -> Result<()> {
        let folder = self.dist(folder);
        let _missing = fs::remove_dir_all(&folder);
        make_folder(&folder)
    }

    /// The native code that was built for a platform, if it was.
    pub(crate) fn native(&self, platform: &Platform, file: &str) -> Option<PathBuf> {
        let path = self.dist(&format!("natives/{}/{file}", platform.name));
        path.exists().then_some(path)
    }

    /// A program of a Python package.
    pub(crate) fn tool(&self, name: &str) -> Program {
        self.program(self.venv().join("bin").join(name))
    }

    /// A program that runs among the sources, finds the tools, and makes the same of the same commit at all times.
    pub(crate) fn program(&self, name: impl AsRef<std::ffi::OsStr>) -> Program {
        let program = self.checkout.program(name).in_folder(&self.source);
        program.env("PATH", self.path(None)).env("SOURCE_DATE_EPOCH", &self.epoch).env("TZ", "UTC")
    }

    /// A release build for a platform by cargo.
    pub(crate) fn cargo_build(&self, arguments: &[&str], platform: &Platform, link: Link) -> Program {
        let build = self.program("cargo").args(&["build", "--release", "--locked"]);
        self.compiling(build.args(&["--target", platform.target]).args(arguments), platform, link)
    }

    /// A program that calls cargo to build for a platform, with zig as the C compiler and linker where the C library is to
    /// be an old one. It is for the caller to name the target.
    pub(crate) fn compiling(&self, mut program: Program, platform: &Platform, link: Link) -> Program {
        let own = compilers::has_target(platform.target);
        let home =
            env::var("CARGO_HOME").unwrap_or_else(|_| env::var("HOME").unwrap_or_default() + "/.cargo");
        let target = self.target_folder(own, link);
        // No panic message and no __FILE__ names a folder of this machine.
        let folders = [(home.as_str(), "/cargo"), (&self.source.to_string_lossy(), "/gatepass")]
            .map(|(from, to)| format!("--remap-path-prefix={from}={to}"));
        let mut flags = folders.join(" ");
        let c_flags =
            format!("-ffile-prefix-map={home}=/cargo -ffile-prefix-map={}=/build", target.display());
        if platform.libc == Libc::Musl {
            // Where there are none of Debian's, crt1.o and libunwind come from zig.
            flags += if own { "" } else { " -C link-self-contained=no" };
            flags += if link == Link::Static { "" } else { " -C target-feature=-crt-static" };
        }
        if platform.libc == Libc::Windows {
            // Where there are none of rustup's, crt2.o and the import libraries come from MinGW.
            flags += if own { "" } else { " -C link-self-contained=no" };
            flags += " -C link-arg=-Wl,--no-insert-timestamp";
        }
        if !own {
            // -Z build-std compiles the standard library; this variable allows it on a stable compiler.
            program = program
                .env("PATH", self.path(Some("/usr/bin")))
                .env("CARGO", "/usr/bin/cargo")
                .env("RUSTC", "/usr/bin/rustc")
                .env("RUSTC_BOOTSTRAP", "1")
                .without_env("RUSTUP_TOOLCHAIN")
                .args(&["-Z", "build-std=std,panic_unwind"]);
        }
        if platform.is_linked_by_zig() {
            // Given to cargo and maturin alike, so that each finds compiled what the other has compiled.
            let target = platform.target.replace('-', "_");
            let compiler = self.compiler(platform);
            program = program
                .env(format!("CC_{target}"), &compiler)
                .env(format!("AR_{target}"), self.zig_folder().join("ar"))
                .env(format!("CARGO_TARGET_{}_LINKER", target.to_uppercase()), &compiler);
        }
        if platform.libc == Libc::Windows {
            let target = platform.target.replace('-', "_");
            let linker = format!("{MINGW}gcc");
            program = program
                .env(format!("CC_{target}"), &linker)
                .env(format!("AR_{target}"), format!("{MINGW}ar"))
                .env(format!("CARGO_TARGET_{}_LINKER", target.to_uppercase()), &linker)
                .env("LIBNODE_PATH", self.no_node());
        }
        let strip = if platform.is_stripped() { "symbols" } else { "none" };
        program
            .env("RUSTFLAGS", flags)
            .env("CFLAGS", c_flags)
            .env("CARGO_TARGET_DIR", target)
            .env("CARGO_PROFILE_RELEASE_STRIP", strip)
            .env("CARGO_ZIGBUILD_ZIG_PATH", self.zig())
            .env("MACOSX_DEPLOYMENT_TARGET", MACOS)
            // What maturin sets: no libpython is linked.
            .env("PYO3_BUILD_EXTENSION_MODULE", "1")
    }

    /// Runs [`compiler`](Self::compiler).
    pub(crate) fn zig_compiler(&self, platform: &Platform) -> Program {
        self.program(self.compiler(platform)).env("CARGO_ZIGBUILD_ZIG_PATH", self.zig())
    }

    /// Where cargo puts what is built for a target.
    pub(crate) fn target(&self, target: &str, link: Link) -> PathBuf {
        self.target_folder(compilers::has_target(target), link).join(target)
    }

    /// Two compilers never share a folder, nor do two ways to link.
    fn target_folder(&self, own: bool, link: Link) -> PathBuf {
        let compiler = if own { "rustup" } else { "debian" };
        let link = if link == Link::Static { "static" } else { "dynamic" };
        self.checkout.built(&format!("dist-work/{compiler}-{link}"))
    }

    /// Runs a program; fails with its output when it does.
    pub(crate) fn run(&self, program: &Program) -> Result<()> {
        let before = fs::metadata(&self.log).map_or(0, |file| file.len());
        program.run(&self.log, LIMIT).map_err(|failure| {
            let output = read(&self.log);
            let from = usize::try_from(before).unwrap_or_default();
            failure.with_output(output.get(from..).unwrap_or(&output))
        })
    }

    /// Runs a program and gives what it prints.
    pub(crate) fn read(&self, program: &Program) -> Result<String> {
        let (output, end) = program.read(&self.log, LIMIT);
        end.map_err(|failure| failure.with_output(read(&self.log)))?;
        Ok(output)
    }

    /// A compressed archive of a folder, whose bytes depend on the folder's content alone.
    pub(crate) fn pack(&self, parent: &Path, folder: &str, archive: &Path) -> Result<()> {
        let script = "set -o pipefail; tar --create --sort=name --owner=0 --group=0 --numeric-owner \
             --mode=u=rwX,go=rX --mtime=@\"$1\" --directory=\"$2\" \"$3\" | gzip --no-name --best >\"$4\"";
        let tar = self.program("bash").args(&["-c", script, "pack", &self.epoch]);
        self.run(&tar.arg(parent).arg(folder).arg(archive))
    }

    /// Writes SHA256SUMS into `target/dist`, of every artefact.
    pub(crate) fn write_checksums(&self) -> Result<()> {
        let sums = self.program("sha256sum").in_folder(self.dist("")).arg("--");
        let sums = self.artefacts()?.iter().fold(sums, Program::arg);
        let text = self.read(&sums)?;
        write(&self.dist("SHA256SUMS"), text)
    }

    /// The files that are published, by their paths in `target/dist`.
    pub(crate) fn artefacts(&self) -> Result<Vec<String>> {
        let mut files = Vec::new();
        for kind in FOLDERS {
            list(&self.dist(""), kind, &mut files)?;
        }
        files.sort();
        Ok(files)
    }

    /// The files that are published, each with its size in bytes.
    pub(crate) fn sizes(&self) -> Result<Vec<(String, u64)>> {
        let size = |file: &String| {
            let path = self.dist(file);
            fs::metadata(&path).map(|file| file.len()).map_err(|error| Failure::file(&path, &error))
        };
        self.artefacts()?.into_iter().map(|file| Ok((file.clone(), size(&file)?))).collect()
    }

    pub(crate) fn venv(&self) -> PathBuf {
        self.checkout.built("dist-work/venv")
    }

    /// The C compilers and linkers of platforms, which are zig behind what cargo-zigbuild does to rustc's arguments.
    fn zig_folder(&self) -> PathBuf {
        self.checkout.built("dist-work/zig")
    }

    /// The C compiler and linker for a platform that zig links for.
    pub(crate) fn compiler(&self, platform: &Platform) -> PathBuf {
        self.zig_folder().join(format!("cc-{}", platform.target))
    }

    /// Where napi-build finds the library of Node's that it asks for: an empty one, for the add-on looks the functions up
    /// itself (bindings/node/Cargo.toml).
    fn no_node(&self) -> PathBuf {
        self.checkout.built("dist-work/no-node")
    }

    fn write_compilers(&self) -> Result<()> {
        let zigbuild = self.venv().join("bin/cargo-zigbuild");
        for platform in PLATFORMS.iter().filter(|platform| platform.is_linked_by_zig()) {
            let script = format!(
                "#!/bin/sh\nexec '{}' zig cc -- -fno-sanitize=all -target {} \"$@\"\n",
                zigbuild.display(),
                platform.zig_target()
            );
            let compiler = self.compiler(platform);
            write(&compiler, script)?;
            fs::set_permissions(&compiler, Permissions::from_mode(0o755))
                .map_err(|error| Failure::file(&compiler, &error))?;
        }
        write(&self.no_node().join("libnode.dll"), "")?;
        write(&self.no_node().join("libnode.dll.a"), "!<arch>\n")?;
        // Under this name it is ar.
        let ar = self.zig_folder().join("ar");
        let _present = fs::remove_file(&ar);
        symlink(&zigbuild, &ar).map_err(|error| Failure::file(&ar, &error))
    }

    pub(crate) fn zig(&self) -> PathBuf {
        let packages = fs::read_dir(self.venv().join("lib")).into_iter().flatten().flatten();
        let found = packages.map(|python| python.path().join("site-packages/ziglang/zig"));
        found.into_iter().find(|zig| zig.exists()).unwrap_or_else(|| "zig".into())
    }

    fn path(&self, first: Option<&str>) -> OsString {
        let path = env::var_os("PATH").unwrap_or_default();
        let folders = first.map(PathBuf::from).into_iter().chain([self.venv().join("bin")]);
        let joined = env::join_paths(folders.chain(env::split_paths(&path)));
        joined.unwrap_or(path)
    }

    fn install_tools(&self) -> Result<()> {
        let wanted = self.checkout.path(TOOLS);
        let text = fs::read_to_string(&wanted).map_err(|error| Failure::file(&wanted, &error))?;
        let installed = self.venv().join("installed.txt");
        if fs::read_to_string(&installed).is_ok_and(|installed| installed == text) {
            return Ok(());
        }
        self.scratch("venv")?;
        self.run(&self.checkout.program("python3").args(&["-m", "venv"]).arg(self.venv()))?;
        let pip = self.checkout.program(self.venv().join("bin/python"));
        let pip = pip.args(&["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]);
        self.run(&pip.arg("--requirement").arg(&wanted))?;
        write(&installed, text)
    }

    /// Files that have not changed keep their times, so that cargo builds nothing anew.
    fn copy_sources(&self) -> Result<()> {
        let mut git = Command::new("git");
        git.args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"])
            .current_dir(self.checkout.root());
        let output = git.output().map_err(|error| Failure::new(format!("git ls-files: {error}")))?;
        let names = String::from_utf8_lossy(&output.stdout).into_owned();
        let names: BTreeSet<&str> =
            names.split('\0').filter(|name| self.checkout.path(name).is_file()).collect();
        if names.is_empty() {
            return Err(Failure::new(
                "git ls-files names no files: artefacts are made in a clone of the repository",
            ));
        }
        let mut present = Vec::new();
        if self.source.exists() {
            list(&self.source, "", &mut present)?;
        }
        for name in present.iter().filter(|name| !names.contains(name.as_str())) {
            let path = self.source(name);
            fs::remove_file(&path).map_err(|error| Failure::file(&path, &error))?;
        }
        for name in names {
            let (from, to) = (self.checkout.path(name), self.source(name));
            if fs::read(&from).ok() != fs::read(&to).ok() {
                copy(&from, &to)?;
            }
        }
        Ok(())
    }
}

/// Copies a file, and makes its folder.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<()> {
    if let Some(folder) = to.parent() {
        make_folder(folder)?;
    }
    fs::copy(from, to)
        .map(drop)
        .map_err(|error| Failure::new(format!("{} to {}: {error}", from.display(), to.display())))
}

/// Writes a file, and makes its folder.
pub(crate) fn write(path: &Path, text: impl AsRef<[u8]>) -> Result<()> {
    if let Some(folder) = path.parent() {
        make_folder(folder)?;
    }
    fs::write(path, text).map_err(|error| Failure::file(path, &error))
}

/// Makes a folder, and those that it is in.
pub(crate) fn make_folder(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).map_err(|error| Failure::file(folder, &error))
}

/// Adds the files of a folder below `root`, by their paths from there.
fn list(root: &Path, folder: &str, files: &mut Vec<String>) -> Result<()> {
    let path = root.join(folder);
    let entries = fs::read_dir(&path).map_err(|error| Failure::file(&path, &error))?;
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let name = if folder.is_empty() { name } else { format!("{folder}/{name}") };
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            list(root, &name, files)?;
        } else {
            files.push(name);
        }
    }
    Ok(())
}

fn commit_time(checkout: &Checkout) -> String {
    let mut git = Command::new("git");
    let output = git.args(["log", "-1", "--format=%ct"]).current_dir(checkout.root()).output();
    let output = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    output.ok().filter(|time| !time.is_empty()).unwrap_or_else(|| "0".to_owned())
}
