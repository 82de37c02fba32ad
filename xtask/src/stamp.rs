//! Builds that are skipped while nothing has changed.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::process::Command;

use crate::checkout::Checkout;
use crate::failure::{Failure, Result};

/// A mark that something was built from inputs of this content.
#[derive(Debug)]
pub(crate) struct Stamp {
    file: PathBuf,
    /// `None` when the inputs cannot be told, and everything has to be built again.
    hash: Option<u64>,
}

impl Stamp {
    /// Looks at the files of the repository below `inputs`, those that git ignores left out. `recipe` is whatever else
    /// the build depends on.
    pub(crate) fn of(checkout: &Checkout, name: &str, inputs: &[&str], recipe: &str) -> Result<Self> {
        let file = checkout.scratch("stamps")?.join(name);
        Ok(Self { file, hash: hash(checkout, inputs, recipe) })
    }

    /// Tells whether the last build that ended well had the same inputs.
    pub(crate) fn is_current(&self) -> bool {
        let stamped = fs::read_to_string(&self.file).ok();
        self.hash.is_some_and(|hash| stamped == Some(hash.to_string()))
    }

    /// Forgets the last build: from here on what it made may be in pieces.
    pub(crate) fn clear(&self) {
        let _ = fs::remove_file(&self.file);
    }

    /// Remembers that the build ended well.
    pub(crate) fn set(&self) -> Result<()> {
        let text = self.hash.map(|hash| hash.to_string()).unwrap_or_default();
        fs::write(&self.file, text).map_err(|error| Failure::file(&self.file, &error))
    }
}

fn hash(checkout: &Checkout, inputs: &[&str], recipe: &str) -> Option<u64> {
    let mut git = Command::new("git");
    git.args(["ls-files", "--cached", "--others", "--exclude-standard", "-z", "--"]).args(inputs);
    let output = git.current_dir(checkout.root()).output().ok().filter(|output| output.status.success())?;
    let mut files: Vec<&[u8]> =
        output.stdout.split(|byte| *byte == 0).filter(|path| !path.is_empty()).collect();
    files.sort_unstable();
    files.dedup();

    let mut hasher = DefaultHasher::new();
    (recipe, checkout.provider(), inputs, files.len()).hash(&mut hasher);
    for file in files {
        let path = checkout.path(&String::from_utf8_lossy(file));
        // A file that was deleted and is still in git's index counts as such.
        (file, fs::read(path).ok()).hash(&mut hasher);
    }
    Some(hasher.finish())
}
