//! An adapter to a framework is built on its package's public API: it reaches neither the native module, nor the driver, nor
//! what the package remembers.

use crate::Violations;
use crate::source::SourceFile;

/// The adapters of a package, and what they must not import.
struct Adapters {
    /// The beginnings of their paths.
    places: &'static [&'static str],
    inner: &'static [&'static str],
}

const ADAPTERS: &[Adapters] = &[
    Adapters {
        places: &[
            "packages/python/src/gatepass/asgi.py",
            "packages/python/src/gatepass/flask.py",
            "packages/python/src/gatepass/grpc/",
            "packages/python/src/gatepass/httpx.py",
            "packages/python/src/gatepass/requests.py",
        ],
        inner: &["gatepass._native", "gatepass._driver", "gatepass._keys", "gatepass._clock"],
    },
    Adapters {
        places: &[
            "packages/js/src/node/express.js",
            "packages/js/src/node/fastify.js",
            "packages/js/src/node/grpc",
        ],
        inner: &["/driver/", "/native.js", "./addon", "./host.js"],
    },
    Adapters {
        places: &["packages/go/grpc/"],
        inner: &["gatepass/internal/native", "gatepass/internal/driver"],
    },
    Adapters {
        places: &[
            "packages/java/gatepass/src/main/java/dev/gatepass/servlet/",
            "packages/java/gatepass-grpc/src/main/java/",
        ],
        inner: &["dev.gatepass.driver", "dev.gatepass.json"],
    },
];

/// Finds adapters that import what is inside of their package.
pub fn check(files: &[SourceFile]) -> Violations {
    files.iter().filter(|file| !file.is_test()).flat_map(check_file).collect()
}

fn check_file(file: &SourceFile) -> Violations {
    let of = ADAPTERS.iter().find(|of| of.places.iter().any(|place| file.path.starts_with(place)));
    let Some(of) = of else { return Violations::new() };
    let is_import = |line: &str| {
        let line = line.trim_start();
        ["import ", "from ", "\"", "export ", "} from "].iter().any(|beginning| line.starts_with(beginning))
            || line.contains("require(")
    };
    let imports = file.code_lines().into_iter().filter(|(_, line)| is_import(line));
    let inner = |line: &str| of.inner.iter().find(|inner| line.contains(*inner)).copied();
    imports
        .filter_map(|(number, line)| Some((number, inner(line)?)))
        .map(|(number, inner)| {
            format!("{}:{number}: an adapter imports {inner}; use the package's public API", file.path)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::source::read_all;
    use crate::testing::{assert_complains, assert_none, repository};

    #[test]
    fn adapters_stand_on_the_public_api() {
        let files = read_all(repository(), "packages", &["py", "js", "go", "java"]).unwrap();
        // One of each language that has one, so that a folder that has moved does not go unseen.
        for adapter in ["flask.py", "express.js", "credentials.go", "IdTokenFilter.java"] {
            let is_one = |file: &&SourceFile| file.name() == adapter && !file.is_test();
            let file = files.iter().find(is_one).unwrap_or_else(|| unreachable!("no {adapter}"));
            let is_placed = |of: &Adapters| of.places.iter().any(|place| file.path.starts_with(place));
            assert!(ADAPTERS.iter().any(is_placed), "{} is in no list", file.path);
        }
        assert_none(&check(&files));
    }

    #[test]
    fn an_adapter_that_reaches_inside_is_found() {
        for (path, bad) in [
            ("packages/python/src/gatepass/flask.py", "from gatepass._native import Verifier"),
            ("packages/js/src/node/express.js", "import { drive } from './driver/driver.js';"),
            ("packages/go/grpc/credentials.go", "import (\n\t\"gatepass.dev/gatepass/internal/native\"\n)"),
            (
                "packages/java/gatepass/src/main/java/dev/gatepass/servlet/A.java",
                "import dev.gatepass.driver.Driver;",
            ),
        ] {
            assert_complains(&check(&[SourceFile::new(path, bad)]), "an adapter imports");
        }
        let fine = SourceFile::new(
            "packages/python/src/gatepass/flask.py",
            "# from gatepass._native\nimport gatepass\n",
        );
        assert_none(&check(&[fine]));
    }
}
