//! How large each artefact may be: 5 % above what xtask/dist/sizes.json says.

use std::collections::BTreeMap;
use std::fs;

use super::platform::PLATFORMS;
use super::workshop::{VERSION, Workshop, write};
use crate::failure::{Failure, Result};
use crate::terminal::{Terminal, Tone};

const KNOWN: &str = "xtask/dist/sizes.json";

/// What a user downloads.
const ARCHIVES: &[&str] = &[".whl", ".tgz", ".zip", ".jar", ".gz", ".crate"];

/// Compares, or writes down what was found. The archives of several platforms differ from those of one, and only of
/// one the sizes are known.
pub(crate) fn check(
    workshop: &Workshop,
    terminal: &Terminal,
    found: &[(String, u64)],
    update: bool,
) -> Result<bool> {
    let is_archive = |file: &str| ARCHIVES.iter().any(|ending| file.ends_with(ending));
    let found: BTreeMap<String, u64> = found
        .iter()
        .filter(|(file, _)| is_archive(file))
        .map(|(file, size)| (file.replace(VERSION, "VERSION"), *size))
        .collect();
    let built = PLATFORMS.iter().filter(|platform| workshop.native(platform, "").is_some());
    if built.map(|platform| platform.name).collect::<Vec<_>>() != ["linux-x86_64"] {
        terminal.say("Sizes are compared for linux-x86_64 alone.");
        return Ok(true);
    }
    let file = workshop.checkout.path(KNOWN);
    if update {
        let text = serde_json::to_string_pretty(&found).map_err(|error| Failure::new(error.to_string()))?;
        write(&file, text + "\n")?;
        return Ok(true);
    }
    let text = fs::read_to_string(&file).map_err(|error| Failure::file(&file, &error))?;
    let known = serde_json::from_str(&text).map_err(|error| Failure::new(format!("{KNOWN}: {error}")))?;
    let complaints = complaints(&known, &found);
    for complaint in &complaints {
        terminal.say(&terminal.paint(complaint, Tone::Bad));
    }
    Ok(complaints.is_empty())
}

fn complaints(known: &BTreeMap<String, u64>, found: &BTreeMap<String, u64>) -> Vec<String> {
    let mend = "if that is right, run cargo xtask dist --update-sizes";
    let too_large = found.iter().filter_map(|(file, size)| match known.get(file) {
        None => Some(format!("{file}: of no known size; {mend}")),
        Some(known) if *size * 100 > known * 105 => {
            Some(format!("{file}: {size} bytes, more than 5 % above the {known} that are known; {mend}"))
        }
        Some(_) => None,
    });
    let gone = known.keys().filter(|file| !found.contains_key(*file));
    too_large.chain(gone.map(|file| format!("{file}: was not made; {mend}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(list: &[(&str, u64)]) -> BTreeMap<String, u64> {
        list.iter().map(|(file, size)| ((*file).to_owned(), *size)).collect()
    }

    #[test]
    fn five_per_cent_are_granted_and_no_more() {
        let known = sizes(&[("a.whl", 1000)]);
        assert!(complaints(&known, &sizes(&[("a.whl", 1050)])).is_empty());
        assert!(complaints(&known, &sizes(&[("a.whl", 10)])).is_empty());
        assert_eq!(complaints(&known, &sizes(&[("a.whl", 1051)])).len(), 1);
    }

    #[test]
    fn what_is_new_and_what_is_gone_is_named() {
        let complaints = complaints(&sizes(&[("a.whl", 1)]), &sizes(&[("b.whl", 1)]));
        assert!(complaints.iter().any(|one| one.starts_with("b.whl: of no known size")));
        assert!(complaints.iter().any(|one| one.starts_with("a.whl: was not made")));
    }
}
