//! Where an artefact is installed as a user would: an empty folder, and a `PATH` without the compilers that it should not
//! need.

use std::env;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::workshop::make_folder;
use crate::checkout::Checkout;
use crate::failure::{Failure, Result};
use crate::process::Program;

/// A folder that an artefact is installed into.
#[derive(Clone, Debug)]
pub(crate) struct Room {
    pub(crate) checkout: Checkout,
    pub(crate) folder: PathBuf,
    /// Where the artefact is: `target/dist/<kind>`, or a copy of it that lacks something.
    pub(crate) artefact: PathBuf,
    compilers: Compilers,
    /// The one folder on the `PATH`.
    programs: PathBuf,
}

/// What may be on the `PATH`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Compilers {
    None,
    /// A C compiler, which cgo and C need; no Rust.
    C,
    /// All there are: what is installed from its sources compiles them.
    All,
}

/// Names of compilers, as they stand between the hyphens of a program's name.
const RUST: &[&str] = &["cargo", "rustc", "rustup", "rustdoc", "maturin"];
const C: &[&str] = &["cc", "gcc", "g++", "c++", "clang", "clang++", "cpp", "c89", "c99", "tcc", "zig"];

impl Room {
    /// Where a kind of artefact is installed, whether it is yet or not.
    pub(crate) fn of(checkout: &Checkout, kind: &str, compilers: Compilers) -> Self {
        let programs = match compilers {
            Compilers::None => "programs",
            Compilers::C => "programs-with-cc",
            Compilers::All => "programs-with-compilers",
        };
        Self {
            checkout: checkout.clone(),
            folder: checkout.built(&format!("dist-check/{kind}")),
            artefact: checkout.built(&format!("dist/{kind}")),
            compilers,
            programs: checkout.built(&format!("dist-check/{programs}")),
        }
    }

    /// Empties it.
    pub(crate) fn clear(&self) -> Result<()> {
        // Go makes the folders of its modules such that nothing in them can be removed.
        let chmod = std::process::Command::new("chmod").args(["-R", "u+w"]).arg(&self.folder).output();
        let _missing = (chmod, fs::remove_dir_all(&self.folder));
        make_folder(&self.folder)?;
        self.gather_programs()
    }

    /// The room for a copy of the artefact, made by now, that lacks its library.
    pub(crate) fn for_incomplete(&self) -> Result<Self> {
        let incomplete = Self { artefact: self.beside("without-library"), ..self.named("incomplete") };
        let _missing = fs::remove_dir_all(&incomplete.artefact);
        copy_folder(&self.artefact, &incomplete.artefact)?;
        Ok(incomplete)
    }

    /// A room for the same artefact and another purpose.
    pub(crate) fn named(&self, purpose: &str) -> Self {
        Self { folder: self.beside(purpose), ..self.clone() }
    }

    fn beside(&self, name: &str) -> PathBuf {
        PathBuf::from(format!("{}-{name}", self.folder.display()))
    }

    /// A program that runs in this folder and finds no compiler.
    pub(crate) fn program(&self, name: impl AsRef<std::ffi::OsStr>) -> Program {
        let program = self.checkout.program(name).in_folder(&self.folder).env("PATH", &self.programs);
        let program =
            ["PYTHONPATH", "NODE_PATH", "CLASSPATH", "GOFLAGS"].iter().fold(program, Program::without_env);
        if self.compilers == Compilers::All {
            return program;
        }
        ["CC", "CXX", "RUSTC", "CARGO_HOME", "RUSTUP_HOME"].iter().fold(program, Program::without_env)
    }

    /// A line of shell.
    pub(crate) fn shell(&self, script: &str) -> Program {
        self.program("bash").args(&["-euo", "pipefail", "-c", script])
    }

    /// A file of this folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The only file of the artefact whose name begins and ends so.
    pub(crate) fn file(&self, start: &str, end: &str) -> Result<PathBuf> {
        let entries = fs::read_dir(&self.artefact).map_err(|error| Failure::file(&self.artefact, &error))?;
        let mut files = entries.flatten().map(|entry| entry.path()).filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            name.starts_with(start) && name.ends_with(end)
        });
        match (files.next(), files.next()) {
            (Some(file), None) => Ok(file),
            (found, _) => Err(Failure::new(format!(
                "{}: {} file is named {start}…{end}; run cargo xtask dist",
                self.artefact.display(),
                if found.is_some() { "more than one" } else { "no" }
            ))),
        }
    }

    /// Links to every program on the `PATH` but the compilers that may not be there.
    fn gather_programs(&self) -> Result<()> {
        let _missing = fs::remove_dir_all(&self.programs);
        make_folder(&self.programs)?;
        for folder in env::split_paths(&env::var_os("PATH").unwrap_or_default()) {
            for program in fs::read_dir(&folder).into_iter().flatten().flatten() {
                let name = program.file_name();
                if !is_compiler(&name.to_string_lossy(), self.compilers) {
                    // The first of a name is the one that is found.
                    let _present = symlink(program.path(), self.programs.join(name));
                }
            }
        }
        Ok(())
    }
}

fn is_compiler(name: &str, allowed: Compilers) -> bool {
    let is = |list: &[&str]| name.split('-').any(|word| list.contains(&word));
    match allowed {
        Compilers::None => is(RUST) || is(C),
        Compilers::C => is(RUST),
        Compilers::All => false,
    }
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    make_folder(to)?;
    for entry in fs::read_dir(from).map_err(|error| Failure::file(from, &error))?.flatten() {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &to)?;
        } else {
            super::workshop::copy(&entry.path(), &to)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compilers_are_known_by_any_of_their_names() {
        for name in ["cc", "gcc", "gcc-12", "x86_64-linux-gnu-gcc-12", "clang++-22", "c89-gcc", "zig"] {
            assert!(is_compiler(name, Compilers::None) && !is_compiler(name, Compilers::C), "{name}");
        }
        for name in ["cargo", "rustc", "cargo-clippy", "rustup"] {
            assert!(is_compiler(name, Compilers::None) && is_compiler(name, Compilers::C), "{name}");
        }
        for name in ["python3", "node", "go", "mvn", "javac", "ld", "ncc", "gccgo1"] {
            assert!(!is_compiler(name, Compilers::None), "{name}");
        }
    }
}
