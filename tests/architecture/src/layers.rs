//! Who may depend on whom.
//!
//! ```text
//!   packages ──▶ bindings/X ──▶ bindings/bridge ──▶ core ──▶ ring, serde, serde_json, base64, zeroize
//!   packages/rust ──▶ core
//!   packages/cli ──▶ packages/rust, and packages/emulator, which shares no code with the core
//! ```

use serde_json::Value;

use crate::Violations;

/// A crate of the workspace and what it names as its dependencies.
#[derive(Clone, Debug)]
pub struct Crate {
    /// The package's name.
    pub name: String,
    /// The package's version.
    pub version: String,
    /// All dependencies, in the order of the manifest.
    pub dependencies: Vec<Dependency>,
}

/// A line of a manifest.
#[derive(Clone, Debug)]
pub struct Dependency {
    /// The package that is depended on.
    pub name: String,
    /// Whether it is for tests only.
    pub for_tests: bool,
}

struct Layer {
    name: &'static str,
    /// Crates of this workspace that it may use; its tests may use [`TEST_CRATES`] as well.
    ours: &'static [&'static str],
    others: Others,
}

enum Others {
    /// These and no more: each was argued for.
    Only(&'static [&'static str]),
    /// Any but these.
    AllBut(&'static [&'static str]),
}

/// Every crate of the workspace, from the bottom to the top.
const LAYERS: &[Layer] = &[
    // loom only where the compiler is told cfg(loom): in no build that anybody uses. hmac and sha2 only where neither ring nor
    // AWS-LC is: in WebAssembly for JavaScript.
    layer(
        "gatepass-core",
        &[],
        Others::Only(&[
            "arc-swap",
            "aws-lc-rs",
            "base64",
            "hmac",
            "loom",
            "ring",
            "serde",
            "serde_json",
            "sha2",
            "zeroize",
        ]),
    ),
    layer("gatepass-bridge", &["gatepass-core"], Others::Only(&["serde", "serde_json"])),
    layer("gatepass-c", &["gatepass-bridge"], Others::Only(&[])),
    layer("gatepass-jni", &["gatepass-bridge"], Others::Only(&["jni"])),
    layer("gatepass-node", &["gatepass-bridge"], Others::Only(&["napi", "napi-build", "napi-derive"])),
    layer("gatepass-python", &["gatepass-bridge"], Others::Only(&["pyo3", "serde", "serde_json"])),
    layer("gatepass-wasm", &["gatepass-bridge"], Others::Only(&["wasm-bindgen"])),
    layer("gatepass-wazero", &["gatepass-bridge"], Others::Only(&[])),
    // ring is what the core is built on: the emulator would share its mistakes.
    layer("gatepass-emulator", &[], Others::AllBut(&["ring"])),
    layer("gatepass", &["gatepass-core"], Others::AllBut(&[])),
    layer("gatepass-cli", &["gatepass", "gatepass-emulator"], Others::AllBut(&[])),
    layer("gatepass-vectors", &["gatepass-bridge", "gatepass-core"], Others::AllBut(&[])),
    layer("gatepass-architecture", &[], Others::AllBut(&[])),
    // It judges the border from outside; its tests call it.
    layer("gatepass-interface", &["gatepass-bridge", "gatepass-core"], Others::AllBut(&[])),
    layer("xtask", &["gatepass-architecture"], Others::Only(&["base64", "serde_json"])),
];

/// What tests of any layer may use: neither depends on anything that it would test.
const TEST_CRATES: &[&str] = &["gatepass-emulator"];

const fn layer(name: &'static str, ours: &'static [&'static str], others: Others) -> Layer {
    Layer { name, ours, others }
}

/// Finds dependencies that the layers do not allow, and crates that belong to none.
pub fn check(crates: &[Crate]) -> Violations {
    crates.iter().flat_map(|package| check_crate(package, crates)).collect()
}

/// Reads the output of `cargo metadata --no-deps`: what all manifests of the workspace say.
///
/// # Errors
/// When it is not that.
pub fn read_metadata(json: &[u8]) -> Result<Vec<Crate>, String> {
    let metadata: Value = serde_json::from_slice(json).map_err(|error| error.to_string())?;
    let packages = metadata.get("packages").and_then(Value::as_array).ok_or("no packages")?;
    packages.iter().map(|package| read_package(package).ok_or(format!("not a package: {package}"))).collect()
}

fn read_package(package: &Value) -> Option<Crate> {
    let dependencies = package.get("dependencies")?.as_array()?.iter();
    let dependencies = dependencies.map(|dependency| {
        Some(Dependency {
            name: dependency.get("name")?.as_str()?.to_owned(),
            for_tests: dependency.get("kind")? == "dev",
        })
    });
    Some(Crate {
        name: package.get("name")?.as_str()?.to_owned(),
        version: package.get("version")?.as_str()?.to_owned(),
        dependencies: dependencies.collect::<Option<_>>()?,
    })
}

fn check_crate(package: &Crate, all: &[Crate]) -> Violations {
    let Some(layer) = LAYERS.iter().find(|layer| layer.name == package.name) else {
        return vec![format!("{}: belongs to no layer; say in LAYERS what it may use", package.name)];
    };
    let is_ours =
        |name: &str| all.iter().any(|one| one.name == name) || LAYERS.iter().any(|l| l.name == name);
    let is_allowed = |dependency: &Dependency| {
        let name = dependency.name.as_str();
        if is_ours(name) {
            layer.ours.contains(&name) || (dependency.for_tests && TEST_CRATES.contains(&name))
        } else {
            dependency.for_tests
                || match layer.others {
                    Others::Only(names) => names.contains(&name),
                    Others::AllBut(names) => !names.contains(&name),
                }
        }
    };
    let refused = package.dependencies.iter().filter(|dependency| !is_allowed(dependency));
    refused.map(|dependency| format!("{}: may not depend on {}", package.name, dependency.name)).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::process::Command;

    use super::*;
    use crate::testing::{assert_complains, assert_none, repository};

    #[test]
    fn no_crate_depends_upwards() {
        let arguments = ["metadata", "--no-deps", "--offline", "--format-version", "1"];
        let output = Command::new(env!("CARGO")).args(arguments).current_dir(repository()).output().unwrap();
        let crates = read_metadata(&output.stdout).unwrap();
        assert_none(&check(&crates));
        let missing = LAYERS.iter().filter(|layer| !crates.iter().any(|one| one.name == layer.name));
        assert_none(&missing.map(|layer| format!("{}: is in LAYERS and is no crate", layer.name)).collect());
    }

    #[test]
    fn a_dependency_that_points_upwards_or_sideways_is_found() {
        let complaints = [
            ("gatepass-core", "gatepass-bridge"),
            ("gatepass-core", "tokio"),
            ("gatepass-bridge", "pyo3"),
            ("gatepass-c", "gatepass-core"),
            ("gatepass-node", "gatepass-python"),
            ("gatepass-emulator", "gatepass-core"),
            ("gatepass-emulator", "ring"),
            ("gatepass-cli", "gatepass-c"),
        ];
        for (name, dependency) in complaints {
            let found = check(&[bad_crate(name, dependency, false)]);
            assert_complains(&found, &format!("{name}: may not depend on {dependency}"));
        }
    }

    #[test]
    fn tests_may_use_other_peoples_crates_but_point_upwards_no_more_than_the_rest() {
        assert_none(&check(&[bad_crate("gatepass-core", "proptest", true)]));
        assert_none(&check(&[bad_crate("gatepass-core", "gatepass-emulator", true)]));
        assert_complains(&check(&[bad_crate("gatepass-core", "gatepass-bridge", true)]), "gatepass-bridge");
    }

    #[test]
    fn a_crate_that_nobody_placed_is_found() {
        assert_complains(&check(&[bad_crate("gatepass-new", "serde", false)]), "belongs to no layer");
    }

    fn bad_crate(name: &str, dependency: &str, for_tests: bool) -> Crate {
        let dependencies = vec![Dependency { name: dependency.to_owned(), for_tests }];
        Crate { name: name.to_owned(), version: "0.0.0".to_owned(), dependencies }
    }
}
