//! Rust: the core, the bindings, the `gatepass` program with the emulator, and the tools themselves.

use super::{Build, Language, Suite};
use crate::checkout::Checkout;
use crate::counts::Runner;
use crate::failure::Result;

pub(crate) const RUST: Language = Language {
    name: "rust",
    // The one that runs this program.
    toolchains: &[],
    builds: |_| Ok(Vec::<Build>::new()),
    suites,
    demo: None,
};

fn suites(checkout: &Checkout) -> Result<Vec<Suite>> {
    let format = checkout.cargo(&["fmt", "--all", "--check"]);
    let clippy = checkout.cargo(&["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"]);
    let docs = checkout.cargo(&["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "--deny warnings");
    let test =
        checkout.cargo(&["test", "--workspace", "--exclude", "gatepass-architecture", "--no-fail-fast"]);
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
        Suite::new("cargo test", Runner::Cargo, test),
        Suite::new("interleavings", Runner::Cargo, models),
    ])
}
