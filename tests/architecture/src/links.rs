//! What a page links to is there.

use std::path::Path;

use crate::Violations;
use crate::source::SourceFile;

/// Finds relative links of Markdown files that lead nowhere below `root`.
pub fn check(root: &Path, pages: &[SourceFile]) -> Violations {
    pages.iter().flat_map(|page| check_page(root, page)).collect()
}

fn check_page(root: &Path, page: &SourceFile) -> Violations {
    let folder = page.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let is_dead = |(_, target): &(usize, &str)| {
        let path = target.split('#').next().unwrap_or_default();
        !path.is_empty() && !root.join(folder).join(path).exists()
    };
    links(&page.text)
        .into_iter()
        .filter(is_dead)
        .map(|(line, target)| format!("{}:{line}: links to {target}, which is not there", page.path))
        .collect()
}

/// Gives the line and the target of each link to a file, code blocks left out.
fn links(text: &str) -> Vec<(usize, &str)> {
    let mut in_code = false;
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        let targets = line.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        let targets = targets.filter(|target| !in_code && !target.contains(':'));
        found.extend(targets.map(|target| (number + 1, target)));
    }
    found
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::source::read_all;
    use crate::testing::{assert_complains, assert_none, repository};

    #[test]
    fn every_link_leads_somewhere() {
        let mut pages = read_all(repository(), "", &["md"]).unwrap();
        // It links to what `cargo xtask docs` makes, which builds it strictly.
        pages.retain(|page| !page.path.starts_with("docs/site/"));
        assert!(pages.iter().any(|page| page.path == "docs/threat-model.md"));
        assert_none(&check(repository(), &pages));
    }

    #[test]
    fn a_dead_link_is_found() {
        let page = |text| [SourceFile::new("docs/a.md", text)];
        let dead = page("See\n[that](adr/9999-nothing.md#part).");
        assert_complains(&check(repository(), &dead), "docs/a.md:2: links to adr/9999-nothing.md");
        let fine = page("[a](../README.md) [b](https://a.example/x) [c](#here)\n```\n[d](nothing.md)\n```\n");
        assert_none(&check(repository(), &fine));
    }
}
