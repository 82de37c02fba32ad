//! Rust: the core, the bindings, the `gatepass` program with the emulator, and the tools themselves.

use super::{Bench, Build, Language, Suite};
use crate::checkout::Checkout;
use crate::counts::Runner;
use crate::failure::Result;
use crate::process::Program;

pub(crate) const RUST: Language = Language {
    name: "rust",
    // The one that runs this program.
    toolchains: &[],
    builds,
    suites,
    demo: None,
    mistakes: None,
    bench: Some(Bench { builds: |_| Ok(Vec::new()), programs: benches }),
};

/// The tests, so that nobody's tests run during that much compilation.
fn builds(checkout: &Checkout) -> Result<Vec<Build>> {
    Ok(vec![Build {
        what: "tests",
        inputs: vec!["Cargo.toml", "Cargo.lock", "core", "bindings", "packages", "tests", "xtask"],
        programs: vec![test(checkout).arg("--no-run")],
        output: checkout.built("debug"),
        is_shared: false,
    }])
}

/// What tells one provider of cryptography from another: Wycheproof, and every vector.
const ON_AWS_LC: [&str; 13] = [
    "test",
    "--package=gatepass-core",
    "--lib",
    "--package=gatepass-vectors",
    "--test=algorithms",
    "--test=client",
    "--test=operations",
    "--test=presets",
    "--test=verify",
    "--test=wycheproof",
    "--test=keys",
    "--no-fail-fast",
    "--features=gatepass-core/aws-lc-rs",
];

/// What tells a core that computes no signatures from one that does: its reading of keys, with Wycheproof, and what it asks.
const BY_STEP: [&str; 8] = [
    "test",
    "--package=gatepass-core",
    "--lib",
    "--test=signatures",
    "--test=signing",
    "--no-fail-fast",
    "--no-default-features",
    "--features=by-step",
];

/// The same core and every vector.
const VECTORS_BY_STEP: [&str; 5] =
    ["test", "--package=gatepass-vectors", "--no-fail-fast", "--no-default-features", "--features=by-step"];

fn suites(checkout: &Checkout) -> Result<Vec<Suite>> {
    let format = checkout.cargo(&["fmt", "--all", "--check"]);
    let clippy = checkout.cargo(&["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"]);
    let docs = checkout.cargo(&["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "--deny warnings");
    let architecture = checkout.cargo(&["test", "--package", "gatepass-architecture", "--no-fail-fast"]);
    // With flags and a target folder of its own: with the others', everything would be compiled anew each time.
    let models = ["test", "--release", "--package", "gatepass-core", "--test", "interleavings"];
    let models = checkout.cargo(&models).arg("--target-dir").arg(checkout.built("loom"));
    let models = models.env("RUSTFLAGS", "--cfg loom").env("CARGO_PROFILE_RELEASE_LTO", "off");
    Ok(vec![
        Suite::new("format", Runner::Check, format),
        Suite::new("architecture", Runner::Cargo, architecture),
        Suite::new("clippy", Runner::Check, clippy),
        Suite::new("documentation", Runner::Check, docs),
        Suite::new("cargo test", Runner::Cargo, test(checkout).arg("--no-fail-fast")),
        Suite::new("on aws-lc-rs", Runner::Cargo, checkout.cargo(&ON_AWS_LC)),
        Suite::new("by step", Runner::Cargo, checkout.cargo(&BY_STEP)),
        Suite::new("vectors by step", Runner::Cargo, checkout.cargo(&VECTORS_BY_STEP)),
        Suite::new("instruction counts", Runner::Check, checkout.cargo(&["xtask", "instructions"])),
        Suite::new("interleavings", Runner::Cargo, models),
    ])
}

/// The tests of all crates but the one that looks at the others' code.
fn test(checkout: &Checkout) -> Program {
    checkout.cargo(&["test", "--workspace", "--exclude", "gatepass-architecture"])
}

/// One program for each backend of the peer: the two cannot be in one.
fn benches(checkout: &Checkout) -> Result<Vec<Program>> {
    let program = |backend| {
        let run =
            ["run", "--quiet", "--release", "--locked", "--manifest-path", "tests/bench/rust/Cargo.toml"];
        let run = checkout.cargo(&run).arg("--target-dir").arg(checkout.built("bench").join(backend));
        let run = run.args(&["--features", backend]);
        checkout.provider().map_or(run.clone(), |provider| run.args(&["--features", provider])).arg("--")
    };
    Ok(["rust_crypto", "aws_lc_rs"].map(program).into())
}
