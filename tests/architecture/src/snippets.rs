//! The snippets of the README at the root are those of the packages' own READMEs, where each language's tests run them.

use crate::Violations;
use crate::source::SourceFile;

/// Languages whose README is run by its own tests, snippet for snippet: the word after the fence, and the page.
pub const TESTED: &[(&str, &str)] = &[
    ("python", "packages/python/README.md"),
    ("go", "packages/go/README.md"),
    ("java", "packages/java/README.md"),
    ("rust", "packages/rust/README.md"),
];

/// Finds snippets of `page` that are not among those of the language's own page.
pub fn check(page: &SourceFile, pages: &[SourceFile]) -> Violations {
    let is_known = |(language, snippet): &(&str, &str)| {
        let Some((_, own)) = TESTED.iter().find(|(tested, _)| tested == language) else { return true };
        let own = pages.iter().find(|page| page.path == *own);
        own.is_some_and(|own| snippets(&own.text).iter().any(|(_, other)| other == snippet))
    };
    let unknown = snippets(&page.text).into_iter().filter(|one| !is_known(one));
    unknown
        .map(|(language, snippet)| {
            let first = snippet.lines().next().unwrap_or_default();
            format!("{}: no test runs this snippet of {language}, which begins with {first:?}", page.path)
        })
        .collect()
}

/// Gives the language and the text of each block of code.
fn snippets(text: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, fenced)) = rest.split_once("```") {
        let Some((language, code)) = fenced.split_once('\n') else { break };
        let Some((code, after)) = code.split_once("```") else { break };
        // What follows a comma is for the tool that tests it.
        found.push((language.split(',').next().unwrap_or_default(), code));
        rest = after;
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
    fn every_snippet_is_run_in_its_language() {
        let pages = read_all(repository(), "", &["md"]).unwrap();
        let readme = pages.iter().find(|page| page.path == "README.md").unwrap();
        for (language, page) in TESTED {
            assert!(snippets(&readme.text).iter().any(|(found, _)| found == language), "{language}");
            assert!(pages.iter().any(|one| one.path == *page), "{page}");
        }
        assert_none(&check(readme, &pages));
    }

    #[test]
    fn a_snippet_that_nobody_runs_is_found() {
        let own = SourceFile::new("packages/rust/README.md", "```rust,no_run\nlet a = 1;\n```\n");
        let page = |text| SourceFile::new("README.md", text);
        assert_none(&check(&page("```rust\nlet a = 1;\n```\n```sh\nls\n```\n"), std::slice::from_ref(&own)));
        assert_complains(&check(&page("```rust\nlet a = 2;\n```\n"), &[own]), "begins with \"let a = 2;\"");
    }
}
