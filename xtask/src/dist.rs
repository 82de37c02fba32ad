//! `cargo xtask dist`: everything that a release publishes, in `target/dist`.
//!
//! Native code is built per platform, into `target/dist/natives/<platform>`; the artefacts are then made of all that
//! lies there. So a release puts them together from what several machines have built.
//!
//! | module | what it is |
//! | --- | --- |
//! | [`platform`] | what each platform is called by Rust, PyPI, npm, Go and Maven |
//! | [`workshop`] | the tools, a copy of the sources, and the folders |
//! | [`natives`] | the native code of one platform |
//! | [`python`], [`npm`], [`go`], [`maven`], [`c`], [`cli`], [`crates`] | the artefacts |
//! | [`dependencies`] | what is compiled in: licences and bill of materials |
//! | [`sizes`] | how large each artefact may be |
//! | [`checks`], [`demo`], [`mod@bench`], [`room`] | artefacts as users install them |
//! | [`platforms`], [`guest`] | what was built for other platforms, run on this machine |
//! | [`mod@reproduce`] | the same commit built once more, and compared |

mod bench;
mod c;
mod checks;
mod cli;
mod crates;
mod demo;
mod dependencies;
mod go;
mod guest;
mod maven;
mod natives;
mod npm;
mod platform;
mod platforms;
mod python;
mod reproduce;
mod room;
mod sizes;
mod workshop;

use std::time::Instant;

use crate::checkout::Checkout;
use crate::failure::{Failure, Result};
use crate::languages::{log, read};
use crate::process::Program;
use crate::table::{Cell, Table};
use crate::terminal::{Terminal, seconds};
use platform::{PLATFORMS, Platform};
use workshop::{FOLDERS, LIMIT, Workshop};

/// Makes the artefacts of one folder of `target/dist`, which is empty.
type Make = fn(&Workshop) -> Result<()>;

const KINDS: &[(&str, Make)] = &[
    ("python", python::make),
    ("npm", npm::make),
    ("go", go::make),
    ("maven", maven::make),
    ("cli", cli::make),
    ("c", c::make),
    ("crates", crates::make),
];

/// What of all this to do.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Scope {
    /// The native code of this platform, and the artefacts.
    Host,
    /// The native code of every platform that can be built here, and the artefacts; then what runs of it.
    All,
    /// The artefacts alone, from the native code that is there.
    Assemble,
    /// The native code of one platform alone.
    Natives(&'static Platform),
}

impl Scope {
    /// Reads the options of `cargo xtask dist`; none are this platform.
    pub(crate) fn read(options: &[&str]) -> Result<Self> {
        match options {
            [] => Ok(Self::Host),
            ["--all"] => Ok(Self::All),
            ["--assemble"] => Ok(Self::Assemble),
            ["--natives"] => Platform::host().map(Self::Natives),
            ["--natives", name] => Platform::named(name).map(Self::Natives),
            _ => Err(Failure::new(format!(
                "{}: expected --all, --assemble, or --natives and one of {}",
                options.join(" "),
                platform::names()
            ))),
        }
    }
}

/// Makes it all and prints what it made.
pub(crate) fn run(checkout: &Checkout, terminal: &Terminal, scope: Scope) -> Result<bool> {
    let began = Instant::now();
    let workshop = Workshop::open(checkout)?;
    let host = Platform::host()?;
    let platforms: Vec<&Platform> = match scope {
        Scope::Host => vec![host],
        Scope::Natives(platform) => vec![platform],
        Scope::All => PLATFORMS.iter().filter(|platform| platform.is_built_from(host)).collect(),
        Scope::Assemble => Vec::new(),
    };
    for platform in platforms {
        step(terminal, &format!("native code for {}", platform.name), || natives::make(&workshop, platform))?;
    }
    if matches!(scope, Scope::Natives(_)) {
        return Ok(true);
    }
    for (kind, make) in KINDS {
        workshop.clear(kind)?;
        step(terminal, kind, || make(&workshop))?;
    }
    workshop.write_checksums()?;
    report(&workshop, terminal)?;
    terminal.say(&seconds(began.elapsed()));
    if matches!(scope, Scope::All) { platforms::check(checkout, terminal, None) } else { Ok(true) }
}

/// The kinds of artefact that can be checked, and what can be checked of all of them.
pub(crate) fn checked() -> Vec<&'static str> {
    checks::CHECKS.iter().map(|check| check.kind).chain(["demo", "folders", "platforms", "sizes"]).collect()
}

/// Checks one of [`checked`]; tells whether all of it is as it should be.
pub(crate) fn check(checkout: &Checkout, terminal: &Terminal, what: &str) -> Result<bool> {
    match what {
        "demo" => return demo::run(checkout, terminal),
        "folders" => return folders(checkout, terminal),
        "platforms" => return platforms::check(checkout, terminal, None),
        "sizes" => return sizes::check(&Workshop::as_it_is(checkout)?, terminal),
        _ => {}
    }
    let check = checks::CHECKS.iter().find(|check| check.kind == what);
    let unknown = || Failure::new(format!("--check {what}: expected one of {}", checked().join(", ")));
    checks::run(checkout, terminal, check.ok_or_else(unknown)?)
}

/// Runs what was built for one platform.
pub(crate) fn check_platform(checkout: &Checkout, terminal: &Terminal, name: &str) -> Result<bool> {
    platforms::check(checkout, terminal, Some(Platform::named(name)?))
}

/// The benchmark of a language, with gatepass installed from the artefacts.
pub(crate) fn benchmark(checkout: &Checkout, language: &str) -> Result<Vec<Program>> {
    bench::programs(checkout, language)
}

/// Builds it all once more; tells whether it is the same.
pub(crate) fn reproduce(checkout: &Checkout, terminal: &Terminal) -> Result<bool> {
    reproduce::run(checkout, terminal)
}

/// Writes down how large what was made is.
pub(crate) fn update_sizes(checkout: &Checkout) -> Result<bool> {
    sizes::update(&Workshop::as_it_is(checkout)?)
}

/// Looks for folders of this machine in all that was made; tells whether there are none.
fn folders(checkout: &Checkout, terminal: &Terminal) -> Result<bool> {
    let workshop = Workshop::as_it_is(checkout)?;
    let home = std::env::var("HOME").unwrap_or_else(|_| "/root".to_owned());
    let folders =
        [checkout.root().display().to_string(), format!("{home}/.cargo"), format!("{home}/.rustup")];
    let script = workshop.program("python3").arg(checkout.path("xtask/dist/folders.py"));
    let script = script.arg(workshop.dist("")).args(&[&FOLDERS.join(","), &folders.join(",")]);
    let log = log(checkout, "dist-check-folders")?;
    let end = script.run(&log, LIMIT);
    terminal.say(&read(&log));
    Ok(end.is_ok())
}

fn step(terminal: &Terminal, what: &str, make: impl FnOnce() -> Result<()>) -> Result<()> {
    let task = terminal.begin(what);
    make()?;
    let elapsed = task.elapsed();
    drop(task);
    terminal.say(&format!("{what:48} {}", seconds(elapsed)));
    Ok(())
}

fn report(workshop: &Workshop, terminal: &Terminal) -> Result<()> {
    let mut table = Table::new(["artefact", "size"].map(Cell::from));
    for (file, size) in workshop.sizes()? {
        table.row([Cell::new(file), Cell::new(format!("{:7} KiB", size.div_ceil(1024)))]);
    }
    terminal.say(&format!("\n{}", table.draw(terminal)));
    Ok(())
}
