//! Imports run in one direction. Modules that import each other in a circle can only be understood, moved and tested
//! together.
//!
//! A module and those inside it count as one: a `mod.rs` lists its children, and a child may use what its parent
//! defines. Re-exports are followed to where the name is defined.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::Violations;
use crate::imports::Import;

/// Finds modules that import each other in a circle; names the imports of a shortest one for each knot.
pub fn check(imports: &[Import]) -> Violations {
    let imports: Vec<&Import> = imports.iter().filter(|import| !is_family(import)).collect();
    let mut next: BTreeMap<&str, Vec<&Import>> = BTreeMap::new();
    for import in imports {
        next.entry(&import.from).or_default().push(import);
    }
    let mut seen = BTreeSet::new();
    let mut violations = Vec::new();
    for start in next.keys() {
        if seen.contains(start) {
            continue;
        }
        if let Some(circle) = shortest_circle(start, &next) {
            seen.extend(circle.iter().map(|import| import.from.as_str()));
            violations.push(describe(&circle));
        }
    }
    violations
}

/// The same imports between the outermost modules only: `a::b` to `c::d` becomes `a` to `c`.
pub fn outermost(imports: &[Import]) -> Vec<Import> {
    let top = |module: &str| module.split("::").next().unwrap_or_default().to_owned();
    let tops = imports.iter().map(|import| Import {
        from: top(&import.from),
        to: top(&import.to),
        place: import.place.clone(),
    });
    tops.filter(|import| import.from != import.to && !import.from.is_empty() && !import.to.is_empty())
        .collect()
}

/// Whether one of the two is the other, or inside it.
fn is_family(import: &Import) -> bool {
    let inside = |outer: &str, inner: &str| {
        outer.is_empty()
            || inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    };
    inside(&import.from, &import.to) || inside(&import.to, &import.from)
}

/// Goes from `start` along the imports, nearest first, until it comes back.
fn shortest_circle<'a>(start: &str, next: &BTreeMap<&str, Vec<&'a Import>>) -> Option<Vec<&'a Import>> {
    let mut came_by: BTreeMap<&str, &Import> = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(module) = queue.pop_front() {
        for import in next.get(module).into_iter().flatten() {
            if import.to == start {
                let mut circle = vec![*import];
                let mut at = import.from.as_str();
                while at != start {
                    let step = came_by.get(at)?;
                    circle.push(step);
                    at = &step.from;
                }
                circle.reverse();
                return Some(circle);
            }
            if !came_by.contains_key(import.to.as_str()) {
                came_by.insert(&import.to, import);
                queue.push_back(&import.to);
            }
        }
    }
    None
}

fn describe(circle: &[&Import]) -> String {
    let steps =
        circle.iter().map(|import| format!("{} imports {} ({})", import.from, import.to, import.place));
    format!("a circle: {}", steps.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::imports::{java, javascript, python, rust};
    use crate::source::{SourceFile, read_all};
    use crate::testing::{assert_complains, assert_none, repository};

    fn files(list: &[(&str, &str)]) -> Vec<SourceFile> {
        list.iter().map(|(path, text)| SourceFile::new(path, text)).collect()
    }

    /// The crates without a circle.
    const CRATES: &[&str] = &[
        "bindings/bridge",
        "bindings/c",
        "bindings/jni",
        "bindings/node",
        "bindings/python",
        "core",
        "packages/cli",
        "packages/emulator",
        "packages/rust",
        "tests/architecture",
        "xtask",
    ];

    #[test]
    fn no_crate_has_a_circle() {
        let mut found = Violations::new();
        for folder in CRATES {
            let source = format!("{folder}/src");
            let files = read_all(repository(), &source, &["rs"]).unwrap();
            assert!(!files.is_empty(), "{source}");
            let imports = rust(&source, &files).unwrap();
            let inner = check(&imports);
            // What is a circle of files is one of folders as well, and need not be said twice.
            let violations = if inner.is_empty() { check(&outermost(&imports)) } else { inner };
            found.extend(violations.into_iter().map(|violation| format!("{folder}: {violation}")));
        }
        assert_none(&found);
    }

    #[test]
    fn no_package_has_a_circle() {
        let read = |folder, extensions: &[&str]| {
            let files = read_all(repository(), folder, extensions).unwrap();
            let files: Vec<_> = files.into_iter().filter(|file| !file.is_test()).collect();
            assert!(!files.is_empty(), "{folder}");
            files
        };
        let python = python("packages/python/src", &read("packages/python/src", &["py", "pyi"]));
        let javascript = javascript(&read("packages/js", &["js", "mjs", "cjs", "ts"]));
        let java = java(&read("packages/java", &["java"]));
        for (language, imports) in [("python", python), ("javascript", javascript), ("java", java)] {
            // A reader that has gone blind would find no circle either.
            assert!(imports.len() > 3, "{language}: {} imports found", imports.len());
            assert_none(&check(&imports));
        }
    }

    #[test]
    fn a_circle_in_rust_is_found() {
        let two = files(&[
            ("a/src/lib.rs", "mod x; mod y; pub use y::Y;"),
            ("a/src/x.rs", "use crate::Y; pub struct X;"),
            ("a/src/y.rs", "use std::fmt; use crate::{x::X}; pub struct Y;"),
        ]);
        assert_complains(
            &check(&rust("a/src", &two).unwrap()),
            "x imports y (a/src/x.rs:1), y imports x (a/src/y.rs:1)",
        );

        let by_paths = files(&[
            ("a/src/lib.rs", "mod x; mod y; mod z;"),
            ("a/src/x.rs", "fn f() { crate::y::g() }"),
            ("a/src/y.rs", "\nfn g() { super::z::h() }"),
            ("a/src/z.rs", "use super::x as other;"),
        ]);
        assert_complains(&check(&rust("a/src", &by_paths).unwrap()), "z imports x (a/src/z.rs:1)");

        // No file imports one that imports it, but the two folders do.
        let by_folders = files(&[
            ("a/src/lib.rs", ""),
            ("a/src/x/mod.rs", "mod a; mod b;"),
            ("a/src/x/a.rs", "use crate::y::c::C;"),
            ("a/src/x/b.rs", "pub struct B;"),
            ("a/src/y/mod.rs", "mod c; mod d;"),
            ("a/src/y/c.rs", "pub struct C;"),
            ("a/src/y/d.rs", "use crate::x::b::B;"),
        ]);
        let imports = rust("a/src", &by_folders).unwrap();
        assert_none(&check(&imports));
        assert_complains(&check(&outermost(&imports)), "x imports y (a/src/x/a.rs:1)");
    }

    #[test]
    fn parents_children_tests_and_comments_make_none_in_rust() {
        let fine = files(&[
            ("a/src/lib.rs", "mod x; mod y; pub use x::X;"),
            ("a/src/x/mod.rs", "mod inner; pub struct X(inner::Inner); pub use crate::y::Y;"),
            ("a/src/x/inner.rs", "use super::X; use crate::y::Y; pub struct Inner(Y);"),
            (
                "a/src/y.rs",
                "/// See [`crate::x`].\npub struct Y;\n#[cfg(test)] mod tests { use crate::x::X; }",
            ),
        ]);
        let imports = rust("a/src", &fine).unwrap();
        assert_none(&check(&imports));
        assert_none(&check(&outermost(&imports)));
        assert!(imports.iter().any(|import| import.from == "x::inner" && import.to == "y"));
    }

    #[test]
    fn a_circle_in_python_is_found_be_it_for_types_only() {
        let two = files(&[
            ("p/src/g/__init__.py", "from g._x import X\n"),
            (
                "p/src/g/_x.py",
                "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ._y import (\n        Y,\n    )\n",
            ),
            ("p/src/g/_y.py", "def f():\n    import g._x\n"),
        ]);
        assert_complains(&check(&python("p/src", &two)), "g._x imports g._y (p/src/g/_x.py:3)");
        let through_the_package = files(&[
            ("p/src/g/__init__.py", "from . import _x\n"),
            ("p/src/g/_x.py", "import os\nimport g\n"),
        ]);
        assert_complains(&check(&python("p/src", &through_the_package)), "g._x imports g ");
        let fine = files(&[
            ("p/src/g/__init__.py", "\"\"\"Says\nimport g.flask\n\"\"\"\nfrom ._x import X\n"),
            ("p/src/g/_x.py", "import flask\nfrom collections import abc\n"),
            ("p/src/g/flask.py", "import g\nfrom . import _x\n"),
        ]);
        assert_none(&check(&python("p/src", &fine)));
    }

    #[test]
    fn a_circle_in_javascript_is_found_be_it_for_types_only() {
        let two = files(&[
            ("j/lib/x.js", "import {\n  y,\n} from './y.js';\n"),
            ("j/lib/y.js", "/** @type {import('./x.js').X} */\nexport const y = null;\n"),
        ]);
        assert_complains(&check(&javascript(&two)), "j/lib/y.js imports j/lib/x.js (j/lib/y.js:1)");
        let others = files(&[
            ("j/x.mjs", "export * from './d/y.mjs';"),
            ("j/d/y.mjs", "const x = require(\"../x.mjs\");\n"),
            ("j/d/z.ts", "import type { X } from '../x.mjs';\nimport fs from 'node:fs';\n"),
        ]);
        assert_complains(&check(&javascript(&others)), "j/d/y.mjs imports j/x.mjs");
        let fine = files(&[("j/x.js", "import './y.js';"), ("j/y.js", "// import './x.js';\nconst a = 1;")]);
        assert_none(&check(&javascript(&fine)));
    }

    #[test]
    fn a_circle_of_java_packages_is_found() {
        let two = files(&[
            ("A.java", "package dev.g;\n\nimport dev.g.spi.B;\nimport java.util.List;\nclass A {}\n"),
            ("B.java", "package dev.g.spi;\nimport static dev.g.A.make;\nclass B {}\n"),
        ]);
        assert_complains(&check(&java(&two)), "dev.g imports dev.g.spi (A.java:3)");
        let fine = files(&[
            ("A.java", "package dev.g;\nimport dev.other.C;\nclass A {}\n"),
            ("B.java", "package dev.g.spi;\nimport dev.g.*;\n// import x;\nclass B {}\n"),
        ]);
        assert_none(&check(&java(&fine)));
    }
}
