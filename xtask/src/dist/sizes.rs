//! How large each artefact may be: 5 % above what xtask/dist/sizes.json says.

use std::collections::BTreeMap;
use std::fs;

use super::platform::PLATFORMS;
use super::workshop::{VERSION, Workshop, write};
use crate::failure::{Failure, Result};
use crate::terminal::{Terminal, Tone};

const KNOWN: &str = "xtask/dist/sizes.json";

/// What is smaller holds no native code. It grows with every feature and every test, and may.
const SMALLEST: u64 = 1 << 20;

/// Compares. The archives of several platforms differ from those of one, and only of one the sizes are known.
pub(crate) fn check(workshop: &Workshop, terminal: &Terminal) -> Result<bool> {
    let built = PLATFORMS.iter().filter(|platform| workshop.native(platform, "").is_some());
    if built.map(|platform| platform.name).collect::<Vec<_>>() != ["linux-x86_64"] {
        terminal.say("sizes are compared where there is native code for linux-x86_64 alone: skipped");
        return Ok(true);
    }
    let file = workshop.checkout.path(KNOWN);
    let text = fs::read_to_string(&file).map_err(|error| Failure::file(&file, &error))?;
    let known = serde_json::from_str(&text).map_err(|error| Failure::new(format!("{KNOWN}: {error}")))?;
    let complaints = complaints(&known, &found(workshop)?);
    for complaint in &complaints {
        terminal.say(&terminal.paint(complaint, Tone::Bad));
    }
    Ok(complaints.is_empty())
}

/// Writes down what there is.
pub(crate) fn update(workshop: &Workshop) -> Result<bool> {
    let text =
        serde_json::to_string_pretty(&found(workshop)?).map_err(|error| Failure::new(error.to_string()))?;
    write(&workshop.checkout.path(KNOWN), text + "\n")?;
    Ok(true)
}

fn found(workshop: &Workshop) -> Result<BTreeMap<String, u64>> {
    let large = workshop.sizes()?.into_iter().filter(|(_, size)| *size >= SMALLEST);
    Ok(large.map(|(file, size)| (file.replace(VERSION, "VERSION"), size)).collect())
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
