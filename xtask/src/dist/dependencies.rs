//! What is compiled into an artefact: its licences, and a bill of materials (CycloneDX).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::workshop::{PREBUILT, PROVIDER, VERSION, Workshop, write};
use crate::failure::{Failure, Result};

/// The crates that one of ours is made of.
#[derive(Debug)]
pub(crate) struct Dependencies {
    root: &'static str,
    crates: Vec<Crate>,
}

/// A crate of somebody else's.
#[derive(Debug)]
struct Crate {
    name: String,
    version: String,
    license: String,
    folder: PathBuf,
    /// SHA-256 of the archive that it was downloaded as.
    checksum: Option<String>,
    /// What it depends on itself.
    needs: BTreeSet<String>,
}

impl Dependencies {
    /// Those of the crate `root`, as it is built for a release: not what tests, build scripts or macros need.
    pub(crate) fn of(workshop: &Workshop, root: &'static str) -> Result<Self> {
        let features = if PREBUILT.contains(&root) { &[PROVIDER][..] } else { &[] };
        Self::with_features(workshop, root, features)
    }

    /// The same with these features of the crate.
    pub(crate) fn with_features(workshop: &Workshop, root: &'static str, features: &[&str]) -> Result<Self> {
        let features: Vec<_> = features.iter().map(|feature| format!("{root}/{feature}")).collect();
        let features = ["--features", &features.join(",")];
        let cargo = workshop.program("cargo").args(&["metadata", "--locked", "--format-version", "1"]);
        let cargo = cargo.args(&features);
        // Of the crates that all of the workspace is built of together, those that this one is built of by itself.
        let tree = [
            "tree", "--locked", "--edges", "normal", "--target", "all", "--prefix", "none", "--format", "{p}",
        ];
        let tree = workshop.program("cargo").args(&tree).args(&["--package", root]).args(&features);
        let tree = workshop.read(&tree)?;
        let is_built = |package: &Value| {
            let name = format!("{} v{}", text(package, "name"), text(package, "version"));
            tree.lines().any(|line| {
                line.strip_prefix(&name).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
            })
        };
        // What other systems need is not told apart: an artefact of many platforms has one notice.
        let metadata: Value = serde_json::from_str(&workshop.read(&cargo)?)
            .map_err(|error| Failure::new(format!("cargo metadata: {error}")))?;
        let checksums = checksums(&workshop.source("Cargo.lock"))?;
        let list = |value: &Value, name: &str| {
            value.get(name).and_then(Value::as_array).cloned().unwrap_or_default()
        };
        let packages = list(&metadata, "packages");
        let nodes: BTreeMap<String, Value> = list(metadata.get("resolve").unwrap_or(&Value::Null), "nodes")
            .into_iter()
            .map(|node| (text(&node, "id"), node))
            .collect();
        let normal = |id: &str| -> Vec<String> {
            let needs = nodes.get(id).map(|node| list(node, "deps")).unwrap_or_default();
            let is_normal = |need: &Value| {
                list(need, "dep_kinds").iter().any(|kind| kind.get("kind").is_none_or(Value::is_null))
            };
            needs.iter().filter(|need| is_normal(need)).map(|need| text(need, "pkg")).collect()
        };
        let by_id: BTreeMap<String, &Value> =
            packages.iter().map(|package| (text(package, "id"), package)).collect();
        let is_macro = |package: &Value| {
            list(package, "targets")
                .iter()
                .any(|target| list(target, "kind").iter().any(|kind| kind == "proc-macro"))
        };

        let first = by_id.iter().find(|(_, package)| text(package, "name") == root);
        let (first, _) = first.ok_or_else(|| Failure::new(format!("the workspace has no crate {root}")))?;
        let (mut seen, mut queue) = (BTreeSet::new(), vec![first.clone()]);
        while let Some(id) = queue.pop() {
            let counts = by_id.get(&id).is_some_and(|package| !is_macro(package) && is_built(package));
            if counts && seen.insert(id.clone()) {
                queue.extend(normal(&id));
            }
        }
        let reference = |id: &String| {
            by_id.get(id).map(|package| purl(&text(package, "name"), &text(package, "version")))
        };
        let crates = seen.iter().filter_map(|id| {
            let package = by_id.get(id)?;
            // Ours have no source: they are folders of this repository.
            package.get("source").filter(|source| !source.is_null())?;
            let (name, version) = (text(package, "name"), text(package, "version"));
            Some(Crate {
                license: text(package, "license"),
                folder: Path::new(&text(package, "manifest_path"))
                    .parent()
                    .unwrap_or(Path::new(""))
                    .to_owned(),
                checksum: checksums.get(&format!("{name} {version}")).cloned(),
                needs: normal(id).iter().filter(|need| seen.contains(*need)).filter_map(reference).collect(),
                name,
                version,
            })
        });
        Ok(Self { root, crates: crates.collect() })
    }

    /// The notice that accompanies every copy: who wrote what, and each licence once.
    pub(crate) fn notice(&self) -> Result<String> {
        let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut notice = "gatepass is licensed under the Apache License 2.0. Compiled into it are the Rust standard library (MIT \
             or Apache-2.0) and:\n\n"
            .to_owned();
        for one in &self.crates {
            let name = format!("{} {}", one.name, one.version);
            notice +=
                &format!("  {name}: {}\n", if one.license.is_empty() { "see below" } else { &one.license });
            for text in one.licences()? {
                texts.entry(text).or_default().push(name.clone());
            }
        }
        for (text, names) in texts {
            notice += &format!("\n{}\n{}\n\n{}\n", "-".repeat(78), names.join(", "), text.trim());
        }
        Ok(notice)
    }

    /// Writes the bill of materials beside the artefacts, as `<kind>/<name>.cdx.json`.
    pub(crate) fn write_bill(&self, workshop: &Workshop, kind: &str, name: &str) -> Result<()> {
        write(&workshop.dist(&format!("{kind}/{name}-{VERSION}.cdx.json")), self.bill(name)?)
    }

    /// The bill of materials of the artefact `name`.
    pub(crate) fn bill(&self, name: &str) -> Result<String> {
        let root = purl(self.root, VERSION);
        let components = self.crates.iter().map(|one| {
            let mut component = json!({
                "type": "library",
                "bom-ref": purl(&one.name, &one.version),
                "name": one.name,
                "version": one.version,
                "purl": purl(&one.name, &one.version),
                "licenses": [{"expression": one.license.replace('/', " OR ")}],
            });
            if let (Some(checksum), Some(component)) = (&one.checksum, component.as_object_mut()) {
                component.insert("hashes".into(), json!([{"alg": "SHA-256", "content": checksum}]));
            }
            component
        });
        let all: Vec<_> = self.crates.iter().map(|one| purl(&one.name, &one.version)).collect();
        let mut edges = vec![json!({"ref": root, "dependsOn": all})];
        edges.extend(
            self.crates
                .iter()
                .map(|one| json!({"ref": purl(&one.name, &one.version), "dependsOn": one.needs})),
        );
        let bill = json!({
            "bomFormat": "CycloneDX",
            "specVersion": "1.6",
            "version": 1,
            "metadata": {"component": {
                "type": "library", "bom-ref": root, "name": name, "version": VERSION, "purl": root,
                "licenses": [{"expression": "Apache-2.0"}],
            }},
            "components": components.collect::<Vec<_>>(),
            "dependencies": edges,
        });
        let text = serde_json::to_string_pretty(&bill).map_err(|error| Failure::new(error.to_string()))?;
        Ok(text + "\n")
    }
}

impl Crate {
    fn licences(&self) -> Result<Vec<String>> {
        let entries = fs::read_dir(&self.folder).map_err(|error| Failure::file(&self.folder, &error))?;
        let is_licence = |name: &str| {
            ["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE", "UNLICENSE"]
                .iter()
                .any(|start| name.starts_with(start))
        };
        let mut files: Vec<PathBuf> =
            entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()).collect();
        files.retain(|path| {
            is_licence(&path.file_name().unwrap_or_default().to_string_lossy().to_uppercase())
        });
        files.sort();
        let read = |path: &PathBuf| fs::read(path).map_err(|error| Failure::file(path, &error));
        files.iter().map(|path| Ok(String::from_utf8_lossy(&read(path)?).replace("\r\n", "\n"))).collect()
    }
}

fn purl(name: &str, version: &str) -> String {
    format!("pkg:cargo/{name}@{version}")
}

fn text(value: &Value, name: &str) -> String {
    value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// The checksums of Cargo.lock, by `name version`.
fn checksums(lock: &Path) -> Result<BTreeMap<String, String>> {
    let lock = fs::read_to_string(lock).map_err(|error| Failure::file(lock, &error))?;
    Ok(lock.split("[[package]]").filter_map(checksum).collect())
}

fn checksum(entry: &str) -> Option<(String, String)> {
    let value = |name: &str| {
        let line = entry.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = "));
        line.map(|value| value.trim_matches('"').to_owned())
    };
    Some((format!("{} {}", value("name")?, value("version")?), value("checksum")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_found_by_name_and_version() {
        let entry = "\nname = \"ring\"\nversion = \"0.17.14\"\nsource = \"registry\"\nchecksum = \"a4\"\n";
        assert_eq!(checksum(entry), Some(("ring 0.17.14".to_owned(), "a4".to_owned())));
        assert_eq!(checksum("\nname = \"ours\"\nversion = \"0.1.0\"\n"), None);
    }
}
