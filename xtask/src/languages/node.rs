//! Node.js: packages/js, with what npm installs next to each package.json.

use super::{Bench, Build, Demo, Language, Mistakes, Programs, Suite};
use crate::checkout::Checkout;
use crate::counts::Runner;
use crate::failure::Result;
use crate::process::Program;
use crate::toolchains;

pub(crate) const NODE: Language = Language {
    name: "node",
    toolchains: &[toolchains::NODE, toolchains::NPM],
    builds: |checkout| Ok(vec![package(checkout)]),
    suites,
    demo: Some(Demo {
        builds: |checkout| Ok(vec![dependencies(checkout, "e2e", "tests/e2e/node")]),
        receiver: |checkout| checkout.program("node").arg("tests/e2e/node/receiver.mjs"),
        caller: |checkout| checkout.program("node").arg("tests/e2e/node/caller.mjs"),
        grpc: Some(Programs {
            receiver: |checkout| checkout.program("node").arg("tests/e2e/node/grpc-receiver.mjs"),
            caller: |checkout| checkout.program("node").arg("tests/e2e/node/grpc-caller.mjs"),
        }),
        middlewares: Some(|checkout| checkout.program("node").arg("tests/e2e/node/middlewares.mjs")),
    }),
    mistakes: Some(Mistakes {
        builds: |checkout| Ok(vec![dependencies(checkout, "mistakes", "tests/mistakes/node")]),
        program: |checkout| checkout.program("node").arg("tests/mistakes/node/mistakes.mjs"),
        compiler: None,
    }),
    bench: Some(Bench {
        builds: |checkout| Ok(vec![dependencies(checkout, "benchmark", "tests/bench/node")]),
        programs: |checkout| Ok(vec![checkout.program("node").arg("tests/bench/node/bench.mjs")]),
    }),
};

/// The package with the add-on, and what its tests need.
pub(super) fn package(checkout: &Checkout) -> Build {
    let modules = checkout.path("packages/js/node_modules");
    let install = vec![install(checkout, "packages/js")];
    Build { is_shared: true, ..Build::native("JavaScript package", &["packages/js"], install, modules) }
}

fn suites(checkout: &Checkout) -> Result<Vec<Suite>> {
    let npm_test = |folder| checkout.program("npm").arg("test").in_folder(checkout.path(folder));
    // The form that a person reads, whatever the version takes for a terminal.
    let test = |folder| npm_test(folder).env("NODE_OPTIONS", "--test-reporter=spec");
    Ok(vec![
        Suite::new("npm test", Runner::Node, test("packages/js")),
        Suite::new("interop", Runner::Node, test("tests/interop/node")).needs(issuer(checkout)),
        Suite::new("bundlers", Runner::Node, test(BUNDLERS))
            .needs(dependencies(checkout, "bundlers", BUNDLERS)),
    ])
}

/// Bundlers and test runners with a module system of their own.
const BUNDLERS: &str = "tests/interop/node/bundlers";

/// What tests/interop/node depends on, the OpenID Connect issuer that every language's interop tests start included.
pub(super) fn issuer(checkout: &Checkout) -> Build {
    Build { is_shared: true, ..dependencies(checkout, "interop", "tests/interop/node") }
}

/// What a program outside of packages/js depends on.
fn dependencies(checkout: &Checkout, what: &'static str, folder: &'static str) -> Build {
    let inputs = vec![folder, "packages/js/package.json"];
    let output = checkout.path(folder).join("node_modules");
    Build { what, inputs, programs: vec![install(checkout, folder)], output, is_shared: false }
}

fn install(checkout: &Checkout, folder: &str) -> Program {
    checkout.program("npm").args(&["ci", "--no-audit", "--no-fund"]).in_folder(checkout.path(folder))
}
