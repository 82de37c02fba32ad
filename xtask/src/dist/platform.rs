//! What each platform is called by Rust, PyPI, npm, Go, Maven and ourselves.

use std::process::Command;

use crate::failure::{Failure, Result};

/// A platform that native code is built for.
#[derive(Debug)]
pub(crate) struct Platform {
    pub(crate) name: &'static str,
    /// Rust's name for it.
    pub(crate) target: &'static str,
    pub(crate) libc: Libc,
    /// The tag of a wheel, for maturin's `--compatibility`.
    pub(crate) wheel: &'static str,
    /// The package of npm is `@gatepass/` and this.
    pub(crate) npm: Npm,
    /// `GOOS_GOARCH`.
    pub(crate) go: &'static str,
    /// The folder in Java's jar.
    pub(crate) jar: &'static str,
}

/// What npm is told, so that it installs the package where it works.
#[derive(Debug)]
pub(crate) struct Npm {
    pub(crate) name: &'static str,
    pub(crate) os: &'static str,
    pub(crate) cpu: &'static str,
    pub(crate) libc: Option<&'static str>,
}

/// The C library of a platform.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Libc {
    /// glibc, and the oldest release that will do.
    Gnu,
    Musl,
    /// macOS's own.
    Apple,
    /// Windows' own: msvcrt, as Rust's target for MinGW links it.
    Windows,
}

/// The oldest glibc that the artefacts run on: that of manylinux2014.
pub(crate) const GLIBC: &str = "2.17";

/// The oldest macOS that the artefacts run on: the first for Apple's own processors.
pub(crate) const MACOS: &str = "11.0";

pub(crate) const PLATFORMS: &[Platform] = &[
    Platform {
        name: "linux-x86_64",
        target: "x86_64-unknown-linux-gnu",
        libc: Libc::Gnu,
        wheel: "manylinux_2_17",
        npm: Npm { name: "linux-x64-gnu", os: "linux", cpu: "x64", libc: Some("glibc") },
        go: "linux_amd64",
        jar: "linux-x86_64",
    },
    Platform {
        name: "linux-aarch64",
        target: "aarch64-unknown-linux-gnu",
        libc: Libc::Gnu,
        wheel: "manylinux_2_17",
        npm: Npm { name: "linux-arm64-gnu", os: "linux", cpu: "arm64", libc: Some("glibc") },
        go: "linux_arm64",
        jar: "linux-aarch64",
    },
    Platform {
        name: "linux-musl-x86_64",
        target: "x86_64-unknown-linux-musl",
        libc: Libc::Musl,
        wheel: "musllinux_1_2",
        npm: Npm { name: "linux-x64-musl", os: "linux", cpu: "x64", libc: Some("musl") },
        go: "linux_amd64",
        jar: "linux-musl-x86_64",
    },
    Platform {
        name: "linux-musl-aarch64",
        target: "aarch64-unknown-linux-musl",
        libc: Libc::Musl,
        wheel: "musllinux_1_2",
        npm: Npm { name: "linux-arm64-musl", os: "linux", cpu: "arm64", libc: Some("musl") },
        go: "linux_arm64",
        jar: "linux-musl-aarch64",
    },
    Platform {
        name: "macos-aarch64",
        target: "aarch64-apple-darwin",
        libc: Libc::Apple,
        wheel: "off",
        npm: Npm { name: "darwin-arm64", os: "darwin", cpu: "arm64", libc: None },
        go: "darwin_arm64",
        jar: "macos-aarch64",
    },
    Platform {
        name: "macos-x86_64",
        target: "x86_64-apple-darwin",
        libc: Libc::Apple,
        wheel: "off",
        npm: Npm { name: "darwin-x64", os: "darwin", cpu: "x64", libc: None },
        go: "darwin_amd64",
        jar: "macos-x86_64",
    },
    Platform {
        name: "windows-x86_64",
        target: "x86_64-pc-windows-gnu",
        libc: Libc::Windows,
        wheel: "off",
        npm: Npm { name: "win32-x64-gnu", os: "win32", cpu: "x64", libc: None },
        go: "windows_amd64",
        jar: "windows-x86_64",
    },
];

/// The names of all platforms, as they stand in messages.
pub(crate) fn names() -> String {
    PLATFORMS.iter().map(|platform| platform.name).collect::<Vec<_>>().join(", ")
}

impl Platform {
    /// The one of this name.
    pub(crate) fn named(name: &str) -> Result<&'static Self> {
        let unknown = || Failure::new(format!("{name}: expected one of {}", names()));
        PLATFORMS.iter().find(|platform| platform.name == name).ok_or_else(unknown)
    }

    /// The platform that the compiler builds for when it is told none.
    pub(crate) fn host() -> Result<&'static Self> {
        let output = Command::new("rustc").args(["--print", "host-tuple"]).output();
        let output = output.map_err(|error| Failure::new(format!("rustc: {error}")))?;
        let target = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        let known = PLATFORMS.iter().find(|platform| platform.target == target);
        known.ok_or_else(|| {
            let names: Vec<_> = PLATFORMS.iter().map(|platform| platform.target).collect();
            Failure::new(format!("no artefacts are made on {target}, only on {}", names.join(", ")))
        })
    }

    /// Whether zig or MinGW on a `host` can link for this one, or its own linker does.
    pub(crate) fn is_built_from(&self, host: &Self) -> bool {
        self.target == host.target || matches!(host.libc, Libc::Gnu | Libc::Musl)
    }

    /// Whether zig links for it on this machine. Apple's linker is better where it is there, and for Windows there is
    /// MinGW.
    pub(crate) fn is_linked_by_zig(&self) -> bool {
        match self.libc {
            Libc::Gnu | Libc::Musl => true,
            Libc::Apple => cfg!(not(target_os = "macos")),
            Libc::Windows => false,
        }
    }

    /// Whether symbols are taken out: rustc of Debian has no program that does so for macOS.
    pub(crate) fn is_stripped(&self) -> bool {
        !(self.libc == Libc::Apple && self.is_linked_by_zig())
    }

    /// The name of the Go module with the library. Go knows no C libraries: for musl there is a build tag.
    pub(crate) fn go_library(&self) -> String {
        if self.libc == Libc::Musl { format!("{}_musl", self.go) } else { self.go.to_owned() }
    }

    /// What zig calls it, with the oldest glibc at its end.
    pub(crate) fn zig_target(&self) -> String {
        let target = self.target.replace("-unknown", "");
        match self.libc {
            Libc::Gnu => format!("{target}.{GLIBC}"),
            Libc::Musl => target,
            Libc::Apple => format!("{}-macos.{MACOS}", self.arch()),
            Libc::Windows => format!("{}-windows-gnu", self.arch()),
        }
    }

    /// The processor, as it stands in the target.
    pub(crate) fn arch(&self) -> &'static str {
        self.target.split('-').next().unwrap_or_default()
    }

    /// The file of a shared library, as cargo and Java call it.
    pub(crate) fn shared_library(&self, name: &str) -> String {
        match self.libc {
            Libc::Gnu | Libc::Musl => format!("lib{name}.so"),
            Libc::Apple => format!("lib{name}.dylib"),
            Libc::Windows => format!("{name}.dll"),
        }
    }

    /// What a program is linked with besides the static library.
    pub(crate) fn system_libraries(&self) -> &'static str {
        match self.libc {
            Libc::Gnu => "-lpthread -ldl -lm",
            Libc::Musl => "",
            Libc::Apple => "-framework Security -framework CoreFoundation",
            Libc::Windows => "-lws2_32 -luserenv -lntdll -lbcrypt -ladvapi32 -l:libpthread.a",
        }
    }

    /// The file of the `gatepass` program.
    pub(crate) fn program(&self) -> &'static str {
        if self.libc == Libc::Windows { "gatepass.exe" } else { "gatepass" }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_platforms_share_a_name() {
        let of: [fn(&Platform) -> String; 5] = [
            |platform| platform.name.to_owned(),
            |platform| platform.target.to_owned(),
            |platform| platform.npm.name.to_owned(),
            |platform| platform.jar.to_owned(),
            Platform::go_library,
        ];
        for name in of {
            assert_eq!(PLATFORMS.iter().map(name).collect::<BTreeSet<_>>().len(), PLATFORMS.len());
        }
    }

    #[test]
    fn a_platform_is_found_by_its_name_and_by_no_other() {
        assert!(Platform::named("windows-x86_64").is_ok_and(|found| found.libc == Libc::Windows));
        let unknown = Platform::named("windows").map(|found| found.name).map_err(|error| error.to_string());
        assert!(unknown.is_err_and(|error| error.starts_with("windows: expected one of linux-x86_64, ")));
    }

    #[test]
    fn a_library_is_called_as_its_system_looks_for_it() {
        let of = |name| Platform::named(name).map(|platform| platform.shared_library("gatepass")).ok();
        assert_eq!(of("linux-musl-aarch64").as_deref(), Some("libgatepass.so"));
        assert_eq!(of("macos-aarch64").as_deref(), Some("libgatepass.dylib"));
        assert_eq!(of("windows-x86_64").as_deref(), Some("gatepass.dll"));
    }
}
