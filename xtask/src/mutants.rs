//! `cargo xtask mutants`: cargo-mutants over the core. Hours of work, so outside of CI; docs/mutants.md has the results.

use std::fs;
use std::time::Duration;

use crate::checkout::Checkout;
use crate::failure::{Failure, Result};
use crate::languages::{log, read};
use crate::terminal::Terminal;

const VERSION: &str = "27.1.0";
/// Whose tests are to fail: the core's own, and the vectors'.
const TESTS: [&str; 4] = ["--test-package", "gatepass-core", "--test-package", "gatepass-vectors"];
const INSTALL_LIMIT: Duration = Duration::from_secs(40 * 60);
/// Longer than any shard should be.
const LIMIT: Duration = Duration::from_secs(48 * 3600);

/// Runs the mutants of one shard, `"K/N"` with K from 0 on, or of all, in all of the core or in these files of it.
/// Tells whether tests have caught them all.
pub(crate) fn run(checkout: &Checkout, terminal: &Terminal, options: &[&str]) -> Result<bool> {
    let (shard, files) = match options {
        ["--shard", shard, files @ ..] => (Some(*shard), files),
        files => (None, files),
    };
    if let Some(unknown) = files.iter().find(|file| !checkout.path(file).is_file()) {
        return Err(Failure::new(format!(
            "{unknown} is no file of the core, expected one such as core/src/url.rs"
        )));
    }
    let tools = checkout.scratch("mutants")?;
    let log = log(checkout, "mutants")?;
    if !tools.join("bin/cargo-mutants").exists() {
        let task = terminal.begin("installing cargo-mutants");
        let install =
            checkout.cargo(&["install", "--locked", "--version", VERSION, "cargo-mutants", "--root"]);
        install.arg(&tools).run(&log, INSTALL_LIMIT).map_err(|failure| failure.with_output(read(&log)))?;
        drop(task);
    }
    let program =
        checkout.program(tools.join("bin/cargo-mutants")).arg("mutants").arg("--output").arg(&tools);
    let program = program
        .args(&["--package", "gatepass-core", "--no-shuffle", "--exclude-re", "tests::", "--colors", "never"])
        .args(&TESTS);
    let program = shard.iter().fold(program, |program, shard| program.args(&["--shard", shard]));
    let program = files.iter().fold(program, |program, file| program.args(&["--file", file]));
    let task = terminal.begin("running mutants");
    let end = program.run(&log, LIMIT);
    drop(task);
    terminal.say(read(&log).trim_end());
    for outcome in ["caught", "missed", "timeout", "unviable"] {
        let list = fs::read_to_string(tools.join(format!("mutants.out/{outcome}.txt"))).unwrap_or_default();
        terminal.say(&format!("{outcome:8} {:5}", list.lines().count()));
    }
    Ok(end.is_ok())
}
