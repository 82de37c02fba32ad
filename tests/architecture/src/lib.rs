//! The rules by which the repository is laid out, each a function from what it looks at to what is wrong with it.
//!
//! | module | rule |
//! | --- | --- |
//! | [`layers`] | who may depend on whom |
//! | [`purity`] | the core reads no clock, no file, no environment, and opens no socket |
//! | [`snippets`] | the README's snippets are run in their languages |
//! | [`links`] | what a page links to is there |
//! | [`unsafe_code`] | `unsafe` is at two borders only, with an argument each time |
//! | [`policy`] | the packages know nothing that the core decides |
//! | [`adapters`] | an adapter is built on its package's public API |
//! | [`circles`] | imports run in one direction, in every crate and package |
//! | [`dependencies`] | licences, sources and bans of what others have written |
//! | [`drivers`] | a driver stays as small as a thing that decides nothing |
//! | [`versions`] | all packages carry one version number |
//!
//! The tests of a module run its rule twice: over the repository, where it must find nothing, and over examples that
//! break it, where it must complain. A rule that has gone blind therefore fails as well.

#![forbid(unsafe_code)]

pub mod adapters;
pub mod circles;
pub mod dependencies;
pub mod drivers;
pub mod imports;
pub mod layers;
pub mod links;
pub mod policy;
pub mod purity;
pub mod snippets;
pub mod source;
pub mod unsafe_code;
pub mod versions;

/// What breaks a rule, one sentence each: where, what, and what to do.
pub type Violations = Vec<String>;

#[cfg(test)]
mod testing {
    use std::path::Path;

    use crate::Violations;

    /// The repository that this crate is in.
    pub(crate) fn repository() -> &'static Path {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
        root.unwrap_or_else(|| unreachable!("the crate is two folders below the root"))
    }

    #[track_caller]
    pub(crate) fn assert_none(violations: &Violations) {
        assert!(violations.is_empty(), "\n{}", violations.join("\n"));
    }

    /// Asserts that the rule complains once, and about this.
    #[track_caller]
    pub(crate) fn assert_complains(violations: &Violations, about: &str) {
        let [only] = violations.as_slice() else {
            unreachable!("expected one complaint about {about:?}, found {violations:?}")
        };
        assert!(only.contains(about), "{only:?} does not name {about:?}");
    }
}
