//! What has to be on the machine, and what to install if it is not.

use std::fmt;
use std::process::{Command, Stdio};

/// A program of a language's, and the oldest version that will do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Toolchain {
    name: &'static str,
    /// Prints the version: the first number with a dot in it, on either output.
    probe: &'static [&'static str],
    at_least: Version,
    install: &'static str,
}

pub(crate) const PYTHON: Toolchain = Toolchain {
    name: "Python",
    // Debian's python3 comes without ensurepip, and then it makes no virtual environment.
    probe: &["python3", "-c", "import ensurepip, venv, platform; print(platform.python_version())"],
    at_least: Version(3, 10),
    install: "apt-get install python3 python3-venv",
};

pub(crate) const NODE: Toolchain = Toolchain {
    name: "Node.js",
    probe: &["node", "--version"],
    at_least: Version(20, 19),
    install: "install Node.js 20 or later from https://nodejs.org",
};

pub(crate) const NPM: Toolchain = Toolchain {
    name: "npm",
    probe: &["npm", "--version"],
    at_least: Version(9, 0),
    install: "npm comes with Node.js from https://nodejs.org; Debian has it as the package npm",
};

pub(crate) const GO: Toolchain = Toolchain {
    name: "Go",
    probe: &["go", "version"],
    at_least: Version(1, 24),
    install: "install Go from https://go.dev/dl",
};

pub(crate) const JDK: Toolchain = Toolchain {
    name: "JDK",
    probe: &["javac", "-version"],
    at_least: Version(17, 0),
    install: "apt-get install openjdk-17-jdk-headless",
};

pub(crate) const MAVEN: Toolchain = Toolchain {
    name: "Maven",
    probe: &["mvn", "--batch-mode", "--version"],
    at_least: Version(3, 6),
    install: "apt-get install maven",
};

/// A version as far as it matters: major and minor.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Version(u32, u32);

/// A toolchain that is not there, or too old.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Missing {
    toolchain: &'static str,
    at_least: Version,
    found: Option<Version>,
    install: &'static str,
}

/// Gives the first of the toolchains that is missing.
pub(crate) fn missing(toolchains: &[Toolchain]) -> Option<Missing> {
    toolchains.iter().find_map(|toolchain| toolchain.look().err())
}

impl Toolchain {
    fn look(&self) -> Result<(), Missing> {
        let found = self.version();
        if found.is_some_and(|found| found >= self.at_least) {
            return Ok(());
        }
        Err(Missing { toolchain: self.name, at_least: self.at_least, found, install: self.install })
    }

    fn version(&self) -> Option<Version> {
        let (program, arguments) = self.probe.split_first()?;
        let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().ok()?;
        let output = [output.stdout, output.stderr].concat();
        Version::find(&String::from_utf8_lossy(&output))
    }
}

impl Version {
    /// Finds the first number with a dot and another number behind it; `go1.26.8` is 1.26.
    fn find(text: &str) -> Option<Self> {
        text.split(|c: char| !c.is_ascii_digit() && c != '.').find_map(|word| {
            let mut numbers = word.split('.');
            Some(Self(numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
        })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} or later is needed, found ", self.toolchain, self.at_least)?;
        match self.found {
            Some(found) => write!(f, "{found}")?,
            None => f.write_str("none that works")?,
        }
        write!(f, ": {}", self.install)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_as_the_toolchains_print_them() {
        let printed = [
            ("v20.20.2\n", Version(20, 20)),
            ("go version go1.26.8 linux/amd64\n", Version(1, 26)),
            ("javac 17.0.15\n", Version(17, 0)),
            ("\u{1b}[1mApache Maven 3.8.7\u{1b}[m\nMaven home: /usr/share/maven\n", Version(3, 8)),
            ("3.11.7\n", Version(3, 11)),
        ];
        for (text, version) in printed {
            assert_eq!(Version::find(text), Some(version));
        }
        assert_eq!(Version::find("python3: No module named ensurepip"), None);
    }

    #[test]
    fn what_is_missing_is_named_with_what_to_install() {
        let toolchain =
            |probe, at_least| Toolchain { name: "Perl", probe, at_least, install: "apt-get install perl" };
        let none = toolchain(&["no-such-program"], Version(5, 0)).look();
        assert_eq!(
            none.map_err(|missing| missing.to_string()),
            Err("Perl 5.0 or later is needed, found none that works: apt-get install perl".to_owned())
        );
        let old = toolchain(&["echo", "v4.9"], Version(5, 0));
        assert_eq!(
            missing(&[old]).map(|missing| missing.to_string()),
            Some("Perl 5.0 or later is needed, found 4.9: apt-get install perl".to_owned())
        );
        assert_eq!(missing(&[toolchain(&["echo", "v5.10"], Version(5, 9))]), None);
    }
}
