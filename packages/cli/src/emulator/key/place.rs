//! Files for their owner: the credential file, and those that it names, which are written next to it.

use std::fs;
use std::path::{self, Path};

use super::super::write_for_owner;
use crate::Failure;

/// The member by which a key file of the emulator is told from a real one.
const KEY_FILE_MARK: &str = "gatepass_emulator";

/// The place of a credential file, and of the files that go with it: `key.json`, `key.trust-chain.pem`.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    credential_file: &'a Path,
}

impl<'a> Place<'a> {
    pub(super) fn new(credential_file: &'a Path) -> Self {
        Self { credential_file }
    }

    /// Gives the absolute path of the file of that extension.
    pub(super) fn beside(self, extension: &str) -> Result<String, Failure> {
        path::absolute(self.credential_file.with_extension(extension))
            .ok()
            .and_then(|path| path.into_os_string().into_string().ok())
            .ok_or_else(|| {
                Failure::runtime(format!(
                    "{} is no path that can be in a JSON file; choose another --out",
                    self.credential_file.display()
                ))
            })
    }

    /// Refuses a place where something is that the emulator has not written.
    pub(super) fn check(self) -> Result<(), Failure> {
        let path = self.credential_file;
        if path.exists() && !is_key_file_of_emulator(path) { Err(in_the_way(path)) } else { Ok(()) }
    }

    /// Writes the file of that extension, and gives its absolute path. Files next to a key file of the emulator are its
    /// own; others stay as they are.
    pub(super) fn write_beside(self, extension: &str, content: &str) -> Result<String, Failure> {
        let path = self.beside(extension)?;
        let old = fs::read(&path).ok();
        if old.is_some_and(|old| old != content.as_bytes()) && !is_key_file_of_emulator(self.credential_file)
        {
            return Err(in_the_way(Path::new(&path)));
        }
        write_for_owner(Path::new(&path), content, "--out")?;
        Ok(path)
    }

    /// Writes the credential file itself, and says so if it replaces another.
    pub(super) fn write(self, content: &str) -> Result<(), Failure> {
        let path = self.credential_file;
        let old = fs::read_to_string(path).ok();
        write_for_owner(path, content, "--out")?;
        if old.is_some_and(|old| old != content) {
            eprintln!(
                "gatepass: {} held other credentials of the emulator, which are replaced",
                path.display()
            );
        }
        Ok(())
    }
}

fn in_the_way(path: &Path) -> Failure {
    Failure::runtime(format!(
        "{} exists and is not a file of the emulator, so it stays as it is; remove it, or choose another --out",
        path.display()
    ))
}

fn is_key_file_of_emulator(path: &Path) -> bool {
    let content: Option<serde_json::Value> =
        fs::read(path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    content.is_some_and(|content| content.get(KEY_FILE_MARK).is_some())
}
