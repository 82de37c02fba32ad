//! What only the core may know. A package that names one of these has begun to decide something by itself.

use crate::Violations;
use crate::source::SourceFile;

/// Where the packages' own source is, without their tests.
pub const PACKAGES: &[Package] = &[
    Package { folder: "packages/python", extensions: &["py"] },
    Package { folder: "packages/js", extensions: &["js", "mjs", "cjs", "ts"] },
    Package { folder: "packages/go", extensions: &["go"] },
    Package { folder: "packages/java", extensions: &["java"] },
    Package { folder: "packages/rust/src", extensions: &["rs"] },
];

/// A package that users install.
#[derive(Clone, Copy, Debug)]
pub struct Package {
    /// Its folder.
    pub folder: &'static str,
    /// How its source files end.
    pub extensions: &'static [&'static str],
}

/// Words of the protocol, with the module that decides about them. Comments may name them.
const WORDS: &[(&str, &str)] = &[
    ("metadata.google.internal", "core/src/exchange/metadata.rs"),
    ("169.254.169.254", "core/src/exchange/metadata.rs"),
    ("Metadata-Flavor", "core/src/exchange/metadata.rs"),
    ("computeMetadata", "core/src/exchange/metadata.rs"),
    ("oauth2.googleapis.com", "core/src/exchange/oauth2_token.rs"),
    ("jwt-bearer", "core/src/exchange/oauth2_token.rs"),
    ("oauth2/v3/certs", "core/src/verify/issuers.rs"),
    ("gstatic.com/iap", "core/src/verify/issuers.rs"),
    ("accounts.google.com", "core/src/verify/issuers.rs"),
    ("application_default_credentials", "core/src/environment.rs"),
    ("SIGNATURE_REMOVED_BY_GOOGLE", "core/src/jose/jws.rs"),
    ("WWW-Authenticate", "core/src/header.rs"),
    ("Retry-After", "core/src/header.rs"),
    ("invalid_token", "core/src/header.rs"),
];

/// Where every environment variable is named that gatepass reads.
pub const ENVIRONMENT: &str = "core/src/environment.rs";

/// Variables by which a host finds things of its own as well; `NO_PROXY` is also a constant of java.net.http.
const OF_HOSTS_TOO: &[&str] = &["APPDATA", "HOME", "NO_PROXY"];

/// Reads the names of the variables from the text of [`ENVIRONMENT`].
pub fn variables(environment: &SourceFile) -> Vec<&str> {
    let is_name = |text: &&str| {
        text.len() > 2 && text.bytes().all(|byte| byte.is_ascii_uppercase() || b"_0123456789".contains(&byte))
    };
    let code = environment.text.split("#[cfg(test)]").next().unwrap_or_default();
    // What stands between quotes is every second piece.
    let mut names: Vec<_> = code.split('"').skip(1).step_by(2).filter(is_name).collect();
    names.sort_unstable();
    names.dedup();
    names.retain(|name| !OF_HOSTS_TOO.contains(name));
    names
}

/// Finds words that belong to the core in the code of packages, and the names of `variables`.
pub fn check(files: &[SourceFile], variables: &[&str]) -> Violations {
    let files = files.iter().filter(|file| !file.is_test());
    files.flat_map(|file| check_file(file, variables)).collect()
}

fn check_file(file: &SourceFile, variables: &[&str]) -> Violations {
    let mut violations = Vec::new();
    for (number, line) in file.code_lines() {
        let lower = line.to_ascii_lowercase();
        let words = WORDS.iter().filter(|(word, _)| lower.contains(&word.to_ascii_lowercase())).copied();
        let named = line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        let named = named.filter(|word| variables.contains(word)).map(|word| (word, ENVIRONMENT));
        for (word, owner) in words.chain(named) {
            violations.push(format!("{}:{number}: names {word}, which is for {owner} to know", file.path));
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::source::read_all;
    use crate::testing::{assert_complains, assert_none, repository};

    fn environment() -> SourceFile {
        let mut files = read_all(repository(), "core/src", &["rs"]).unwrap();
        files.retain(|file| file.path == ENVIRONMENT);
        files.pop().unwrap()
    }

    #[test]
    fn packages_leave_policy_to_the_core() {
        let environment = environment();
        let variables = variables(&environment);
        for package in PACKAGES {
            let files = read_all(repository(), package.folder, package.extensions).unwrap();
            assert!(!files.is_empty(), "{}: no source found", package.folder);
            assert_none(&check(&files, &variables));
        }
    }

    #[test]
    fn policy_in_a_package_is_found() {
        let environment = environment();
        let variables = variables(&environment);
        let complaints = [
            (
                "packages/python/gatepass/_a.py",
                "HOST = 'metadata.google.internal'  # why not",
                "core/src/exchange",
            ),
            ("packages/js/lib/a.js", "headers.set('www-authenticate', 'Bearer')", "core/src/header.rs"),
            ("packages/go/a.go", "os.Getenv(\"GOOGLE_APPLICATION_CREDENTIALS\")", ENVIRONMENT),
            ("packages/python/a.py", "os.environ.get('K_SERVICE')", "names K_SERVICE"),
            (
                "packages/java/src/main/A.java",
                "if (s.equals(\"SIGNATURE_REMOVED_BY_GOOGLE\")) {}",
                "A.java:1",
            ),
        ];
        for (path, bad, about) in complaints {
            assert_complains(&check(&[SourceFile::new(path, bad)], &variables), about);
        }
    }

    #[test]
    fn comments_and_tests_may_name_it() {
        let environment = environment();
        let variables = variables(&environment);
        let fine = [
            ("packages/go/a.go", "// Reads GOOGLE_APPLICATION_CREDENTIALS, through the core.\nfunc a() {}"),
            ("packages/go/a_test.go", "t.Setenv(\"GOOGLE_APPLICATION_CREDENTIALS\", path)"),
            ("packages/go/a.go", "const myK_SERVICES = 1"),
            ("packages/java/src/test/java/A.java", "assertEquals(\"invalid_token\", body);"),
        ];
        for (path, text) in fine {
            assert_none(&check(&[SourceFile::new(path, text)], &variables));
        }
    }

    #[test]
    fn the_words_are_the_cores() {
        let core = read_all(repository(), "core/src", &["rs"]).unwrap();
        let knows = |word: &str| core.iter().any(|file| file.text.to_ascii_lowercase().contains(word));
        let unknown = WORDS.iter().filter(|(word, _)| !knows(&word.to_ascii_lowercase()));
        assert_none(&unknown.map(|(word, _)| format!("{word}: the core does not know it either")).collect());
    }
}
