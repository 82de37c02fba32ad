//! `cargo xtask mistakes`: what gatepass says to twenty ordinary mistakes, in every language. The answers are the page
//! docs/mistakes.md: the programs of tests/mistakes make the mistakes, and the page is what they got for them.
//!
//! | module | what it is |
//! | --- | --- |
//! | [`cases`] | the mistakes |
//! | [`answers`] | making them in a language, by its program, its compiler or the shell |
//! | [`page`] | the answers in Markdown |

mod answers;
mod cases;
mod page;

use std::fs;

use crate::checkout::Checkout;
use crate::counts::Counts;
use crate::demo;
use crate::failure::{Failure, Result};
use crate::languages::Language;
use crate::terminal::Terminal;
use crate::threads::side_by_side;

use self::answers::{Answer, Asker};
use self::cases::MISTAKES;

const PAGE: &str = "docs/mistakes.md";
/// How to write the page anew.
const UPDATE: &str = "cargo xtask mistakes --update";

/// Builds what is needed, makes all mistakes and compares the answers with the page; with `update` it writes the page.
/// Tells whether the page is right.
pub(crate) fn run(checkout: &Checkout, terminal: &Terminal, update: bool) -> Result<bool> {
    demo::build_cli(checkout, terminal)?;
    build(checkout, terminal)?;
    if update {
        let text = page::text(&ask(checkout, terminal)?);
        let file = checkout.path(PAGE);
        fs::write(&file, text).map_err(|error| Failure::file(&file, &error))?;
    }
    let (counts, output) = check(checkout, terminal)?;
    terminal.say(&output);
    Ok(counts.failed == 0)
}

/// Builds the languages' packages and the programs that make the mistakes.
pub(crate) fn build(checkout: &Checkout, terminal: &Terminal) -> Result<()> {
    for language in demo::names().into_iter().filter_map(Language::named) {
        let mut builds = (language.builds)(checkout)?;
        if let Some(mistakes) = &language.mistakes {
            builds.extend((mistakes.builds)(checkout)?);
        }
        for build in builds {
            demo::announce(checkout, terminal, language.name, &build)?;
        }
    }
    Ok(())
}

/// Makes all mistakes, once everything is built, and compares the answers with the page. A mistake whose answers are
/// the page's counts as passed; the output has those that are not.
pub(crate) fn check(checkout: &Checkout, terminal: &Terminal) -> Result<(Counts, String)> {
    let answers = ask(checkout, terminal)?;
    let file = checkout.path(PAGE);
    let known = fs::read_to_string(&file).map_err(|error| Failure::file(&file, &error))?;
    let (mut counts, mut output) = (Counts::default(), String::new());
    for (mistake, answers) in MISTAKES.iter().zip(&answers) {
        let section = page::section(mistake, answers);
        if known.contains(&section) {
            counts += Counts::PASSED;
        } else {
            counts += Counts::FAILED;
            output += &format!("{PAGE} has something else than this, or nothing:\n\n{section}\n");
        }
    }
    if counts.failed == 0 && known != page::text(&answers) {
        counts += Counts::FAILED;
        output += &format!("{PAGE}: what is around the answers is not what {UPDATE} writes\n");
    }
    match counts.failed {
        0 => output += &format!("{PAGE} has the answers to all {} mistakes\n", counts.passed),
        _ => output += &format!("If the answers are good ones: {UPDATE}\n"),
    }
    Ok((counts, output))
}

/// For each mistake, the answer of each who can make it.
fn ask(checkout: &Checkout, terminal: &Terminal) -> Result<Vec<Vec<Answer>>> {
    let _task = terminal.begin("making mistakes");
    let asker = Asker::new(checkout)?;
    let by_asked = side_by_side(&answers::ASKED, |asked| asker.all(asked));
    let by_asked = by_asked.into_iter().collect::<Result<Vec<_>>>()?;
    let of = |index: usize| by_asked.iter().filter_map(|answers| answers.get(index).cloned()).collect();
    Ok((0..MISTAKES.len()).map(of).collect())
}
