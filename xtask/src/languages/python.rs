//! Python: packages/python in a virtual environment below the target folder.

use std::path::PathBuf;

use super::{Bench, Build, Demo, Language, Mistakes, Programs, Suite, node};
use crate::checkout::Checkout;
use crate::counts::Runner;
use crate::failure::Result;
use crate::process::Program;
use crate::toolchains;

pub(crate) const PYTHON: Language = Language {
    name: "python",
    toolchains: &[toolchains::PYTHON],
    builds,
    suites,
    demo: Some(Demo {
        builds: |_| Ok(Vec::new()),
        receiver: |checkout| python(checkout).arg("tests/e2e/python/receiver.py"),
        caller: |checkout| python(checkout).arg("tests/e2e/python/caller.py"),
        grpc: Some(Programs {
            receiver: |checkout| python(checkout).arg("tests/e2e/python/grpc_receiver.py"),
            caller: |checkout| python(checkout).arg("tests/e2e/python/grpc_caller.py"),
        }),
        middlewares: Some(|checkout| python(checkout).arg("tests/e2e/python/middlewares.py")),
    }),
    mistakes: Some(Mistakes {
        builds: |_| Ok(Vec::new()),
        program: |checkout| python(checkout).arg("tests/mistakes/python/mistakes.py"),
        compiler: None,
    }),
    bench: Some(Bench {
        builds: |checkout| {
            let folder = checkout.built("bench-venv");
            let venv = checkout.program("python3").args(&["-m", "venv"]).arg(&folder);
            let pip =
                checkout.program(folder.join("bin/python")).args(&["-m", "pip", "install", "--no-input"]);
            let install =
                pip.args(&["./packages/python", "--requirement", "tests/bench/python/requirements.txt"]);
            let inputs = &["packages/python", "tests/bench/python/requirements.txt"];
            Ok(vec![Build::native("benchmark", inputs, vec![venv, install], folder)])
        },
        programs: |checkout| {
            let python = checkout.program(checkout.built("bench-venv/bin/python"));
            Ok(vec![python.arg("tests/bench/python/bench.py")])
        },
    }),
};

fn builds(checkout: &Checkout) -> Result<Vec<Build>> {
    let venv = checkout.program("python3").args(&["-m", "venv"]).arg(folder(checkout));
    let pip = python(checkout).args(&["-m", "pip", "install", "--no-input", "--disable-pip-version-check"]);
    let install = pip.args(&["./packages/python", "--requirement", "packages/python/requirements-test.txt"]);
    Ok(vec![Build::native("package", &["packages/python"], vec![venv, install], folder(checkout))])
}

fn suites(checkout: &Checkout) -> Result<Vec<Suite>> {
    let pytest = |folder| python(checkout).args(&["-m", "pytest", folder]);
    let tool = |arguments: &[&str]| {
        python(checkout).arg("-m").args(arguments).in_folder(checkout.path("packages/python"))
    };
    Ok(vec![
        Suite::new("ruff check", Runner::Check, tool(&["ruff", "check"])),
        Suite::new("ruff format", Runner::Check, tool(&["ruff", "format", "--check"])),
        Suite::new("mypy", Runner::Check, tool(&["mypy"])),
        Suite::new("pytest", Runner::Pytest, pytest("packages/python/tests")),
        Suite::new("interop", Runner::Pytest, pytest("tests/interop/python")).needs(node::issuer(checkout)),
    ])
}

fn folder(checkout: &Checkout) -> PathBuf {
    checkout.built("venv")
}

fn python(checkout: &Checkout) -> Program {
    checkout.program(folder(checkout).join("bin/python"))
}
