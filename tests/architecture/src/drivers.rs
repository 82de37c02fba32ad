//! A driver only carries out steps and waits for them, and that takes few lines. One that grows has begun to decide.

use std::io;
use std::path::Path;

use crate::Violations;
use crate::source::{SourceFile, read_all};

/// The one driver of a language: everything that carries out steps and waits, and nothing else.
#[derive(Clone, Copy, Debug)]
pub struct Driver {
    /// The language.
    pub language: &'static str,
    /// The folders and files that it is made of.
    pub places: &'static [&'static str],
    /// How its source files end.
    pub extension: &'static str,
    /// The most lines of code that it may have: what is there, and a tenth more.
    pub limit: usize,
}

/// The drivers of all languages.
pub const DRIVERS: &[Driver] = &[
    Driver {
        language: "python",
        places: &["packages/python/src/gatepass/_driver/"],
        extension: "py",
        limit: 640,
    },
    Driver {
        language: "js",
        // Of two hosts: Node.js, and the web.
        places: &[
            "packages/js/src/driver/",
            "packages/js/src/node/driver/",
            "packages/js/src/web/signatures.js",
            "packages/js/src/web/steps.js",
        ],
        extension: "js",
        limit: 645,
    },
    Driver { language: "go", places: &["packages/go/internal/driver/"], extension: "go", limit: 600 },
    Driver {
        language: "java",
        places: &["packages/java/gatepass/src/main/java/dev/gatepass/driver/"],
        extension: "java",
        limit: 1100,
    },
    Driver { language: "rust", places: &["packages/rust/src/driver/"], extension: "rs", limit: 640 },
];

impl Driver {
    /// Reads the driver's files, without their tests.
    ///
    /// # Errors
    /// When there is none, or one cannot be read.
    pub fn read(&self, root: &Path) -> io::Result<Vec<SourceFile>> {
        let mut files = Vec::new();
        for place in self.places {
            let folder = place.rsplit_once('/').map_or("", |(folder, _)| folder);
            let mut found = read_all(root, folder, &[self.extension])?;
            found.retain(|file| file.path.starts_with(place) && !file.is_test());
            files.extend(found);
        }
        if files.is_empty() {
            return Err(io::Error::other(format!(
                "no driver for {} in {}",
                self.language,
                self.places.join(", ")
            )));
        }
        Ok(files)
    }

    /// Counts the lines of code.
    ///
    /// # Errors
    /// When a file of Rust is not Rust.
    pub fn lines(&self, files: &[SourceFile]) -> Result<usize, String> {
        files.iter().map(|file| Ok(file.code_lines().len() - file.rust_test_lines()?)).sum()
    }

    /// Tells whether the driver is longer than its limit.
    pub fn check(&self, files: &[SourceFile]) -> Violations {
        let complaint = |lines| {
            format!(
                "the {} driver: {lines} lines of code, at most {}: a decision has leaked out of the core",
                self.language, self.limit
            )
        };
        match self.lines(files) {
            Ok(lines) if lines <= self.limit => Violations::new(),
            Ok(lines) => vec![complaint(lines)],
            Err(error) => vec![error],
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::testing::{assert_complains, assert_none, repository};

    #[test]
    fn no_driver_is_longer_than_its_limit() {
        for driver in DRIVERS {
            let files = driver.read(repository()).unwrap();
            println!(
                "{}: {} lines of code in {} files, at most {}",
                driver.language,
                driver.lines(&files).unwrap(),
                files.len(),
                driver.limit
            );
            assert_none(&driver.check(&files));
        }
    }

    const TINY: Driver =
        Driver { language: "go", places: &["packages/go/driver"], extension: "go", limit: 6 };

    #[test]
    fn a_driver_that_has_grown_is_found_be_it_by_a_file_more() {
        let file = |count| SourceFile::new("packages/go/driver.go", &"// why\n\ncall()\n".repeat(count));
        assert_none(&TINY.check(&[file(6)]));
        assert_complains(&TINY.check(&[file(7)]), "7 lines of code, at most 6");
        assert_complains(&TINY.check(&[file(4), file(3)]), "7 lines of code, at most 6");
    }

    #[test]
    fn tests_within_a_file_of_rust_are_not_counted() {
        let text = "fn a() {}\n\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\nfn c() {}\n";
        assert_eq!(TINY.lines(&[SourceFile::new("a.rs", text)]), Ok(2));
    }

    #[test]
    fn a_driver_that_has_moved_away_is_missed() {
        let gone = Driver { places: &["packages/go/no-such-driver/"], ..TINY };
        assert!(gone.read(repository()).is_err());
    }
}
