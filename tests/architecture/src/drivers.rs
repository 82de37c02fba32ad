//! A driver only carries out steps, and that takes few lines. One that grows has begun to decide.

use std::io;
use std::path::Path;

use crate::Violations;
use crate::source::{SourceFile, read_all};

/// The one driver of a language.
#[derive(Clone, Copy, Debug)]
pub struct Driver {
    /// The language.
    pub language: &'static str,
    /// The package that it is part of.
    pub folder: &'static str,
    /// The file's name.
    pub file: &'static str,
    /// How many lines of code the complete prototype took, before the first release.
    pub prototype: usize,
}

/// The drivers of all languages.
pub const DRIVERS: &[Driver] = &[
    Driver {
        language: "python",
        folder: "packages/python/src/gatepass/_driver",
        file: "steps.py",
        prototype: 72,
    },
    Driver { language: "node", folder: "packages/js/src/node/driver", file: "driver.js", prototype: 56 },
    Driver { language: "go", folder: "packages/go", file: "driver.go", prototype: 137 },
    Driver { language: "java", folder: "packages/java", file: "Driver.java", prototype: 93 },
];

impl Driver {
    /// The most lines of code it may have: twice the prototype's.
    pub fn limit(&self) -> usize {
        2 * self.prototype
    }

    /// Reads the driver's file.
    ///
    /// # Errors
    /// When there is none, more than one, or it cannot be read.
    pub fn read(&self, root: &Path) -> io::Result<SourceFile> {
        let extension = self.file.rsplit('.').next().unwrap_or_default();
        let mut files = read_all(root, self.folder, &[extension])?;
        files.retain(|file| file.name() == self.file);
        match <[SourceFile; 1]>::try_from(files) {
            Ok([file]) => Ok(file),
            Err(files) => Err(io::Error::other(format!(
                "expected one {} in {}, found {}",
                self.file,
                self.folder,
                files.len()
            ))),
        }
    }

    /// Tells whether the file is longer than the limit.
    pub fn check(&self, file: &SourceFile) -> Violations {
        let lines = file.code_lines().len();
        let too_long = lines > self.limit();
        let complaint = || {
            format!(
                "{}: {lines} lines of code, at most {}: a decision has leaked out of the core",
                file.path,
                self.limit()
            )
        };
        too_long.then(complaint).into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::testing::{assert_complains, assert_none, repository};

    #[test]
    fn no_driver_is_longer_than_twice_its_prototype() {
        for driver in DRIVERS {
            assert_none(&driver.check(&driver.read(repository()).unwrap()));
        }
    }

    #[test]
    fn a_driver_that_has_grown_is_found() {
        let driver = Driver { language: "go", folder: "packages/go", file: "driver.go", prototype: 3 };
        let lines = |count| SourceFile::new("packages/go/driver.go", &"// why\n\ncall()\n".repeat(count));
        assert_none(&driver.check(&lines(6)));
        assert_complains(&driver.check(&lines(7)), "7 lines of code, at most 6");
    }
}
