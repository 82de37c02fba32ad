//! `cargo xtask`: builds, shows, tests and measures everything, in all languages.
//!
//! | module | what it is |
//! | --- | --- |
//! | [`demo`] | `cargo xtask demo`: every caller language against every receiver language, over HTTP and over gRPC |
//! | [`grpc_long`] | `cargo xtask grpc-long`: channels that are called for longer than a token lives |
//! | [`mod@test`] | `cargo xtask test`: every test of every language |
//! | [`mod@dist`] | `cargo xtask dist`: everything that a release publishes |
//! | [`docs`] | `cargo xtask docs`: the documentation as a site |
//! | [`sizes`] | `cargo xtask sizes`: how long the drivers and how large the native libraries are |
//! | [`mod@bench`] | `cargo xtask bench`: gatepass compared with the libraries that a user would otherwise pick |
//! | [`mistakes`] | `cargo xtask mistakes`: what is said to twenty ordinary mistakes, in every language |
//! | [`mutants`] | `cargo xtask mutants`: whether the tests notice changes of the core |
//! | [`instructions`] | `cargo xtask instructions`: how many instructions the hot paths take |
//! | [`languages`] | per language: its toolchains, how its package is built, its test suites, its demo programs |
//! | [`toolchains`] | what has to be on the machine, and what to install if it is not |
//! | [`compilers`] | compilers for other targets than this machine's |
//! | [`counts`] | how many tests passed, read from what a test runner printed |
//! | [`matrix`], [`grpc_matrix`], [`bad_tokens`] | callers against receivers, and what receivers must refuse |
//! | [`participants`], [`receiver`], [`grid`], [`outcome`], [`tls`] | what the matrices have in common |
//! | [`e2e`] | programs of every language behind proxies, and before clients that send what no HTTP library sends |
//! | [`emulator`], [`http`] | the emulator, and the few requests that are made by hand |
//! | [`process`], [`stamp`], [`threads`] | programs with a time limit, builds that are skipped while nothing has changed, things done side by side |
//! | [`terminal`], [`table`] | what is printed |

#![forbid(unsafe_code)]

mod bad_tokens;
mod bench;
mod checkout;
mod compilers;
mod counts;
mod demo;
mod dist;
mod docs;
mod e2e;
mod emulator;
mod failure;
mod grid;
mod grpc_long;
mod grpc_matrix;
mod http;
mod instructions;
mod languages;
mod matrix;
mod mistakes;
mod mutants;
mod outcome;
mod participants;
mod process;
mod receiver;
mod sizes;
mod stamp;
mod table;
mod terminal;
mod test;
mod threads;
mod tls;
mod toolchains;

use std::env;
use std::process::ExitCode;

use checkout::{Checkout, PROVIDERS};
use dist::Scope;
use failure::Failure;
use terminal::Terminal;

const USAGE: &str = "\
Builds, shows, tests and measures gatepass in all languages.

  cargo xtask demo  [--only LIST]   run every caller language against every receiver language, over HTTP and over gRPC
  cargo xtask test  [--only LIST]   run every test of every language
  cargo xtask grpc-long [--only LIST]
                                    call over gRPC for longer than tokens live: six minutes for each language
  cargo xtask dist  [--all | --natives [PLATFORM] | --assemble]
                                    make what a release publishes, in target/dist: for this platform; for all that can
                                    be built here; the native code of one alone; all else, of the native code that is
                                    there
  cargo xtask dist --check KIND     install an artefact as a user does, and run the vectors on it; KIND is python,
                                    sdist, npm, go, maven, c, cli, demo (of all that are installed), folders (that
                                    none of this machine's is named), sizes, or platforms (runs what was built for other
                                    platforms, and writes docs/platforms.md; with a PLATFORM after it, that one alone)
  cargo xtask dist --reproduce      build the last commit once more, in another folder, and compare
  cargo xtask dist --update-sizes   write down how large what was made is
  cargo xtask docs                  build the documentation as a site, in target/docs
  cargo xtask sizes                 print how long the drivers and how large the native libraries are
  cargo xtask bench [--language LIST] [--job LIST] [--rounds N] [--seconds S]
                    [--provider aws-lc-rs]
                                    measure gatepass against other libraries; writes tests/bench/RESULTS.md
  cargo xtask bench --installed …   the same with gatepass installed from what cargo xtask dist has made
  cargo xtask bench --report        write that page anew from the figures next to it
  cargo xtask mistakes [--update]   compare what every language says to ordinary mistakes with docs/mistakes.md; --update
                                    writes that page
  cargo xtask mutants [--shard K/N] [FILE …]
                                    change the core in each way that cargo-mutants knows, and see which changes no test
                                    notices: in all of it, a shard, or these files; takes hours, and is not part of test
  cargo xtask instructions [--update]
                                    count the instructions of the hot paths; --update writes them down as the known ones

LIST is separated by commas. demo and grpc-long know python, node, go, java; test knows rust, fuzz, wasm,
dist and e2e as well.
";

fn main() -> ExitCode {
    match run(env::args().skip(1).collect()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("xtask: {failure}");
            ExitCode::from(2)
        }
    }
}

/// Runs the command; tells whether everything is as it should be.
fn run(arguments: Vec<String>) -> Result<bool, Failure> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let checkout = Checkout::find()?;
    let terminal = Terminal::new();
    match words.as_slice() {
        ["demo", options @ ..] => demo::run(&checkout, &terminal, &only(options, demo::names())?),
        ["test", options @ ..] => test::run(&checkout, &terminal, &only(options, test::names())?),
        ["grpc-long", options @ ..] => grpc_long::run(&checkout, &terminal, &only(options, demo::names())?),
        ["dist", "--check", what] => dist::check(&checkout, &terminal, what),
        ["dist", "--check", "platforms", name] => dist::check_platform(&checkout, &terminal, name),
        ["dist", "--reproduce"] => dist::reproduce(&checkout, &terminal),
        ["dist", "--update-sizes"] => dist::update_sizes(&checkout),
        ["dist", options @ ..] => dist::run(&checkout, &terminal, Scope::read(options)?),
        ["docs"] => docs::run(&checkout, &terminal),
        ["sizes"] => sizes::run(&checkout, &terminal),
        ["bench", "--report"] => bench::run(&checkout, &terminal, bench::Build::Checkout, &[], &[]),
        ["bench", "--installed", options @ ..] => {
            let (checkout, mut languages, options) = bench_options(checkout, options)?;
            // A crate is compiled by whoever uses it.
            languages.retain(|language| *language != "rust");
            bench::run(&checkout, &terminal, bench::Build::Installed, &languages, &options)
        }
        ["bench", options @ ..] => {
            let (checkout, languages, options) = bench_options(checkout, options)?;
            bench::run(&checkout, &terminal, bench::Build::Checkout, &languages, &options)
        }
        ["instructions"] => instructions::run(&checkout, &terminal, false),
        ["instructions", "--update"] => instructions::run(&checkout, &terminal, true),
        ["mistakes"] => mistakes::run(&checkout, &terminal, false),
        ["mistakes", "--update"] => mistakes::run(&checkout, &terminal, true),
        ["mutants", options @ ..] => mutants::run(&checkout, &terminal, options),
        [] | ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            Ok(true)
        }
        _ => Err(Failure::new(format!("there is no command {:?}\n\n{USAGE}", words.join(" ")))),
    }
}

/// Reads `--language a,b` and `--provider p`, and hands the other options on to the benchmarks.
fn bench_options<'a>(
    mut checkout: Checkout,
    options: &[&'a str],
) -> Result<(Checkout, Vec<&'static str>, Vec<&'a str>), Failure> {
    let known: Vec<_> = languages::ALL.iter().filter(|one| one.bench.is_some()).map(|one| one.name).collect();
    let (mut chosen, mut others) = (known.clone(), Vec::new());
    let mut words = options.iter().copied();
    while let Some(option) = words.next() {
        let value = words.next().ok_or_else(|| Failure::new(format!("{option} wants a value\n\n{USAGE}")))?;
        match option {
            "--language" => chosen = only(&["--only", value], known.clone())?,
            "--provider" => {
                let provider = PROVIDERS.iter().find(|known| **known == value);
                let expected =
                    || Failure::new(format!("--provider {value}: expected {}", PROVIDERS.join(", ")));
                checkout = checkout.with_provider(provider.ok_or_else(expected)?);
            }
            "--job" | "--rounds" | "--seconds" => others.extend([option, value]),
            _ => return Err(Failure::new(format!("{option} is no option\n\n{USAGE}"))),
        }
    }
    Ok((checkout, chosen, others))
}

/// Reads `--only a,b`: these of the `known` names, in their order; all of them without the option.
fn only(options: &[&str], known: Vec<&'static str>) -> Result<Vec<&'static str>, Failure> {
    let list = match options {
        [] => return Ok(known),
        ["--only", list] => list,
        [option] if option.starts_with("--only=") => option.trim_start_matches("--only="),
        _ => return Err(Failure::new(format!("{:?} is no option\n\n{USAGE}", options.join(" ")))),
    };
    let wanted: Vec<&str> = list.split(',').map(str::trim).collect();
    match wanted.iter().find(|name| !known.contains(name)) {
        Some(name) => Err(Failure::new(format!("--only {name}: expected some of {}", known.join(", ")))),
        None => Ok(known.into_iter().filter(|name| wanted.contains(name)).collect()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_keeps_the_known_order_and_names_the_unknown() {
        let known = || vec!["rust", "python", "go"];
        assert_eq!(only(&[], known()).unwrap(), known());
        assert_eq!(only(&["--only", "go, rust"], known()).unwrap(), ["rust", "go"]);
        assert_eq!(only(&["--only=python"], known()).unwrap(), ["python"]);
        assert!(only(&["--only", "perl"], known()).unwrap_err().to_string().contains("--only perl"));
        assert!(only(&["--fast"], known()).is_err());
    }
}
