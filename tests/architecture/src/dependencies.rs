//! What others have written and we build: under which licence, from where, and what not.
//!
//! The lists are those of `deny.toml`, which `cargo deny` reads as well. That program checks more, advisories above all;
//! compiling it takes longer than all tests together, so these rules are checked without it.

use serde_json::Value;

use crate::Violations;

/// The one registry that packages come from, as cargo names it.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// What `deny.toml` says.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// Licences that any crate may have.
    allowed: Vec<String>,
    /// A crate and a licence that only it may have.
    exceptions: Vec<(String, String)>,
    /// A crate that is not to be built, and those that may use it all the same.
    banned: Vec<(String, Vec<String>)>,
}

impl Rules {
    /// Reads the lists of `deny.toml`: of `[licenses]` the members `allow` and `exceptions`, of `[bans]` `deny`.
    pub fn read(toml: &str) -> Self {
        let mut rules = Self::default();
        let (mut section, mut list) = (String::new(), String::new());
        for line in toml.lines().map(|line| line.split('#').next().unwrap_or_default().trim()) {
            if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                section = name.to_owned();
            } else if let Some(name) = line.strip_suffix("= [") {
                list = name.trim().to_owned();
            } else if line == "]" {
                list.clear();
            } else {
                let texts: Vec<_> = line.split('"').skip(1).step_by(2).map(str::to_owned).collect();
                match (section.as_str(), list.as_str(), texts.as_slice()) {
                    ("licenses", "allow", texts) => rules.allowed.extend_from_slice(texts),
                    ("licenses", "exceptions", [name, licence]) => {
                        rules.exceptions.push((name.clone(), licence.clone()));
                    }
                    ("bans", "deny", [name, wrappers @ ..]) => {
                        rules.banned.push((name.clone(), wrappers.to_vec()));
                    }
                    _ => {}
                }
            }
        }
        rules
    }

    /// Finds packages that break a rule, in the output of `cargo metadata`.
    pub fn check(&self, metadata: &Value) -> Violations {
        let packages = metadata.get("packages").and_then(Value::as_array).into_iter().flatten();
        packages.flat_map(|package| self.check_package(package)).collect()
    }

    fn check_package(&self, package: &Value) -> Violations {
        let text = |member| package.get(member).and_then(Value::as_str);
        let name = text("name").unwrap_or_default();
        let mut violations = Violations::new();
        // Without a source it is ours.
        if let Some(source) = text("source") {
            if source != REGISTRY {
                violations.push(format!("{name}: comes from {source}, expected crates.io"));
            }
            let licence = text("license").unwrap_or("no licence that it names");
            if !self.allows(name, licence) {
                violations.push(format!("{name}: has {licence}, expected a licence that deny.toml allows"));
            }
        }
        let used = package.get("dependencies").and_then(Value::as_array).into_iter().flatten();
        let used = used.filter(|dependency| dependency.get("kind").is_none_or(Value::is_null));
        let used: Vec<_> = used.filter_map(|one| one.get("name")?.as_str()).collect();
        for (banned, wrappers) in &self.banned {
            let is_optional_elsewhere = text("source").is_some();
            if used.contains(&banned.as_str())
                && !is_optional_elsewhere
                && !wrappers.iter().any(|one| one == name)
            {
                violations.push(format!("{name}: uses {banned}, which deny.toml bans"));
            }
            if name == banned && wrappers.is_empty() {
                violations.push(format!("{name}: is built, which deny.toml bans"));
            }
        }
        violations
    }

    /// Whether an SPDX expression is allowed: of what `OR` or a slash joins one, of what `AND` joins each.
    fn allows(&self, name: &str, expression: &str) -> bool {
        let expression = expression.replace('/', " OR ");
        let (mut any, mut rest) = (false, expression.as_str());
        // A group in brackets comes first, if there is one.
        if let Some((group, after)) = rest.strip_prefix('(').and_then(|inner| inner.split_once(')')) {
            let after = after.trim();
            return match after.strip_prefix("AND ") {
                Some(after) => self.allows(name, group) && self.allows(name, after),
                None => self.allows(name, group) || self.allows(name, after.trim_start_matches("OR ")),
            };
        }
        while !rest.is_empty() {
            let (one, after) = rest.split_once(" OR ").unwrap_or((rest, ""));
            any |= one.split(" AND ").all(|licence| self.allows_one(name, licence.trim()));
            rest = after;
        }
        any
    }

    fn allows_one(&self, name: &str, licence: &str) -> bool {
        self.allowed.iter().any(|allowed| allowed == licence)
            || self.exceptions.iter().any(|(of, allowed)| of == name && allowed == licence)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs;
    use std::process::Command;

    use serde_json::json;

    use super::*;
    use crate::testing::{assert_complains, assert_none, repository};

    fn rules() -> Rules {
        Rules::read(&fs::read_to_string(repository().join("deny.toml")).unwrap())
    }

    #[test]
    fn all_that_is_built_is_agreed_to() {
        // The host's dependencies: those of other systems need not be on this machine.
        let host = Command::new("rustc").args(["--print", "host-tuple"]).output().unwrap();
        let host = String::from_utf8(host.stdout).unwrap();
        let arguments = ["metadata", "--locked", "--format-version", "1", "--filter-platform", host.trim()];
        let output = Command::new(env!("CARGO")).args(arguments).current_dir(repository()).output().unwrap();
        let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
        let count = metadata.get("packages").and_then(Value::as_array).unwrap().len();
        assert!(count > 100, "{count} packages");
        assert_none(&rules().check(&metadata));
    }

    fn check(package: Value) -> Violations {
        rules().check(&json!({ "packages": [package] }))
    }

    #[test]
    fn licences_are_read_as_they_are_meant() {
        let package = |name: &str, licence: &str| json!({"name": name, "source": REGISTRY, "license": licence, "dependencies": []});
        for fine in [
            "MIT",
            "GPL-3.0 OR MIT",
            "Unlicense/MIT",
            "Apache-2.0 AND ISC",
            "(MIT OR GPL-3.0) AND Unicode-3.0",
            "(MIT OR Apache-2.0) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception OR GPL-3.0",
        ] {
            assert_none(&check(package("a", fine)));
        }
        for bad in ["GPL-3.0", "MIT AND GPL-3.0", "(MIT OR Apache-2.0) AND GPL-3.0", "", "MPL-2.0"] {
            assert_complains(&check(package("a", bad)), "expected a licence that deny.toml allows");
        }
        assert_none(&check(package("cbindgen", "MPL-2.0")));
    }

    #[test]
    fn another_source_and_a_banned_crate_are_found() {
        let git =
            json!({"name": "a", "source": "git+https://a.example/a", "license": "MIT", "dependencies": []});
        assert_complains(&check(git), "a: comes from git+https://a.example/a");
        let banned = json!({"name": "openssl", "source": REGISTRY, "license": "MIT", "dependencies": []});
        assert_complains(&check(banned), "openssl: is built");
        let uses = |name: &str| json!({"name": name, "source": null, "dependencies": [{"name": "rsa", "kind": null}]});
        assert_complains(&check(uses("gatepass-core")), "gatepass-core: uses rsa");
        assert_none(&check(uses("gatepass-emulator")));
    }

    #[test]
    fn the_lists_are_not_empty() {
        let Rules { allowed, exceptions, banned } = rules();
        assert!(allowed.len() > 5 && !exceptions.is_empty() && banned.len() > 2);
    }
}
