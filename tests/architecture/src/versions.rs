//! One version number for all packages: the workspace's.

use serde_json::Value;

use crate::Violations;
use crate::layers::Crate;
use crate::source::SourceFile;

/// Finds crates of another version.
pub fn check_crates(crates: &[Crate], expected: &str) -> Violations {
    let others = crates.iter().filter(|package| package.version != expected);
    others.map(|package| complaint(&package.name, &package.version, expected)).collect()
}

/// Finds manifests of packages (`package.json`, `package-lock.json`, `pom.xml`, `pyproject.toml`, `Cargo.toml`) that give
/// gatepass another version, be it as their own or as that of a dependency. Files of other names say nothing.
pub fn check_manifests(files: &[SourceFile], expected: &str) -> Violations {
    let versions = |file: &SourceFile| match file.name() {
        "package.json" | "package-lock.json" => npm(file),
        "Cargo.toml" => cargo(&file.text),
        "pom.xml" => maven(&file.text),
        "pyproject.toml" => python(&file.text),
        _ => Vec::new(),
    };
    let others =
        files.iter().flat_map(|file| versions(file).into_iter().map(move |version| (&file.path, version)));
    others
        .filter(|(_, found)| found != expected)
        .map(|(path, found)| complaint(path, &found, expected))
        .collect()
}

fn complaint(place: &str, found: &str, expected: &str) -> String {
    format!("{place}: says version {found} of gatepass, the workspace's is {expected}")
}

fn is_ours(name: &str) -> bool {
    name == "gatepass" || name.starts_with("gatepass-") || name.starts_with("@gatepass/")
}

fn npm(file: &SourceFile) -> Vec<String> {
    let Ok(manifest) = serde_json::from_str::<Value>(&file.text) else {
        return vec!["that is not JSON".to_owned()];
    };
    let text = |member| manifest.get(member).and_then(Value::as_str);
    let own = text("name").filter(|name| is_ours(name)).and(text("version"));
    let kinds = ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"];
    let dependencies = kinds.iter().filter_map(|kind| manifest.get(kind)?.as_object()).flatten();
    let dependencies = dependencies.filter(|(name, _)| is_ours(name)).filter_map(|(_, range)| range.as_str());
    // A folder has no version but its own manifest's.
    let versions = dependencies.filter(|range| !range.starts_with("file:"));
    own.into_iter().chain(versions).map(str::to_owned).collect()
}

/// Gives the version that follows each artifact of ours, unless the next artifact comes first.
fn maven(pom: &str) -> Vec<String> {
    let artifacts = pom.split("<artifactId>").skip(1).filter(|rest| is_ours(up_to(rest, "<")));
    let versions = artifacts.filter_map(|rest| rest.split_once("<version>"));
    let versions = versions.map(|(_, rest)| up_to(rest, "<").trim().to_owned());
    // A property says what the file says elsewhere.
    versions.filter(|version| !version.starts_with("${")).collect()
}

fn python(pyproject: &str) -> Vec<String> {
    let lines = pyproject.lines().map(|line| line.replace(' ', ""));
    let versions =
        lines.filter_map(|line| Some(line.strip_prefix("version=")?.trim_matches(['"', '\'']).to_owned()));
    versions.collect()
}

/// Gives the versions of dependencies on crates of ours that say one; `check_crates` knows the crates' own.
fn cargo(manifest: &str) -> Vec<String> {
    let lines = manifest.lines().map(|line| line.replace(' ', ""));
    let ours = lines.filter(|line| is_ours(up_to(line, "=").trim_matches('"')));
    let version = |line: String| line.split_once("version=\"").map(|(_, rest)| up_to(rest, "\"").to_owned());
    ours.filter_map(version).collect()
}

fn up_to<'a>(text: &'a str, end: &str) -> &'a str {
    text.split(end).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::process::Command;

    use super::*;
    use crate::layers::read_metadata;
    use crate::source::read_all;
    use crate::testing::{assert_complains, assert_none, repository};

    const VERSION: &str = env!("CARGO_PKG_VERSION");

    #[test]
    fn every_crate_and_package_has_the_workspace_version() {
        let arguments = ["metadata", "--no-deps", "--offline", "--format-version", "1"];
        let output = Command::new(env!("CARGO")).args(arguments).current_dir(repository()).output().unwrap();
        assert_none(&check_crates(&read_metadata(&output.stdout).unwrap(), VERSION));

        let mut files = read_all(repository(), "packages", &["json", "xml", "toml"]).unwrap();
        files.extend(read_all(repository(), "tests", &["json", "xml", "toml"]).unwrap());
        let workspace = std::fs::read_to_string(repository().join("Cargo.toml")).unwrap();
        assert_eq!(
            cargo(&workspace),
            [VERSION],
            "gatepass-core, which others' crates depend on by its version"
        );
        for manifest in
            ["packages/python/pyproject.toml", "packages/js/package.json", "packages/java/pom.xml"]
        {
            assert!(files.iter().any(|file| file.path == manifest), "no {manifest}");
        }
        assert_none(&check_manifests(&files, VERSION));
    }

    #[test]
    fn another_version_is_found() {
        let crates =
            [Crate { name: "gatepass-core".into(), version: "9.9.9".into(), dependencies: Vec::new() }];
        assert_complains(&check_crates(&crates, "0.1.0"), "gatepass-core: says version 9.9.9");
        let manifests = [
            (
                "package.json",
                r#"{"name": "gatepass", "version": "9.9.9", "dependencies": {"undici": "7.0.0"}}"#,
            ),
            (
                "package.json",
                r#"{"name": "app", "version": "1.0.0", "optionalDependencies": {"@gatepass/linux": "9.9.9"}}"#,
            ),
            ("package-lock.json", r#"{"name": "gatepass", "version": "9.9.9"}"#),
            ("Cargo.toml", "[dependencies]\ngatepass-core = { path = \"core\", version = \"9.9.9\" }\n"),
            ("pyproject.toml", "[project]\nname = \"gatepass\"\nversion = \"9.9.9\"\n"),
            ("pom.xml", "<project>\n<artifactId>gatepass</artifactId>\n<version>9.9.9</version>"),
            (
                "pom.xml",
                "<artifactId>e2e</artifactId><version>1</version><dependency><artifactId>gatepass</artifactId>\
                 <version>9.9.9</version></dependency><artifactId>junit</artifactId><version>5</version>",
            ),
        ];
        for (path, bad) in manifests {
            let found = check_manifests(&[SourceFile::new(path, bad)], "0.1.0");
            assert_complains(&found, "says version 9.9.9 of gatepass, the workspace's is 0.1.0");
        }
    }

    #[test]
    fn other_peoples_versions_are_their_own() {
        let fine = [
            (
                "package.json",
                r#"{"name": "app", "version": "1.0.0", "dependencies": {"gatepass": "file:../js"}}"#,
            ),
            ("pom.xml", "<artifactId>app</artifactId><version>1</version>"),
            ("pyproject.toml", "[project]\nname = \"gatepass\"\ndynamic = [\"version\"]\n"),
            ("pom.xml", "<artifactId>gatepass</artifactId><version>${project.version}</version>"),
            ("Cargo.toml", "gatepass-core = { path = \"core\" }\nserde = { version = \"1\" }\n"),
            ("schema.json", r#"{"version": "2"}"#),
        ];
        for (path, text) in fine {
            assert_none(&check_manifests(&[SourceFile::new(path, text)], "0.1.0"));
        }
    }
}
