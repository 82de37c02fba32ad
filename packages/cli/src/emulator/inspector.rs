//! The page that explains tokens (`docs/inspector`), which lies in a folder next to the program.

use std::collections::BTreeMap;
use std::path::Path;
use std::{env, fs, io};

use crate::Failure;

const FOLDER: &str = "inspector";
const INDEX: &str = "index.html";

/// The files of this folder, by their paths below it; of the one next to the program where none is named, if there is one.
pub(super) fn files(named: Option<&Path>) -> Result<BTreeMap<String, Vec<u8>>, Failure> {
    let beside = || Some(env::current_exe().ok()?.parent()?.join(FOLDER));
    let folder = match named {
        Some(folder) => folder.to_owned(),
        None => match beside().filter(|folder| folder.join(INDEX).is_file()) {
            Some(folder) => folder,
            None => return Ok(BTreeMap::new()),
        },
    };
    let mut found = BTreeMap::new();
    read(&folder, "", &mut found).map_err(|error| {
        Failure::usage(format!("--inspector {}: it cannot be read: {error}", folder.display()))
    })?;
    if found.contains_key(INDEX) {
        Ok(found)
    } else {
        Err(Failure::usage(format!(
            "--inspector {}: it has no {INDEX}, expected the folder that docs/inspector/build.js has written",
            folder.display()
        )))
    }
}

fn read(folder: &Path, below: &str, found: &mut BTreeMap<String, Vec<u8>>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = format!("{below}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            read(&entry.path(), &format!("{path}/"), found)?;
        } else {
            found.insert(path, fs::read(entry.path())?);
        }
    }
    Ok(())
}
