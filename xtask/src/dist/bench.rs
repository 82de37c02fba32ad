//! `cargo xtask bench --installed`: the programs of tests/bench, with gatepass installed from the artefacts.

use super::checks::{copy_tree, go, maven, maven_settings, npm_archive, run_all};
use super::platform::Platform;
use super::room::{Compilers, Room};
use super::workshop::VERSION;
use crate::checkout::Checkout;
use crate::failure::{Failure, Result};
use crate::languages::log;
use crate::process::Program;

/// What installs in a room, and the benchmark that runs then.
type Prepare = fn(&Room) -> Result<(Vec<Program>, Program)>;

/// Installs gatepass and the libraries that it is compared with; gives the benchmark of a language.
pub(crate) fn programs(checkout: &Checkout, language: &str) -> Result<Vec<Program>> {
    let (kind, compilers, prepare): (_, _, Prepare) = match language {
        "python" => ("python", Compilers::None, python),
        "node" => ("npm", Compilers::None, node),
        "go" => ("go", Compilers::C, golang),
        "java" => ("maven", Compilers::None, java),
        _ => return Err(Failure::new(format!("there is no artefact for {language} that could be measured"))),
    };
    let room = Room::of(checkout, kind, compilers).named("bench");
    room.clear()?;
    copy_tree(&checkout.path("tests/bench").join(language), &room.folder)?;
    let (programs, benchmark) = prepare(&room)?;
    run_all(&room, &programs, &log(checkout, &format!("dist-bench-{language}"))?)?;
    Ok(vec![benchmark])
}

fn python(room: &Room) -> Result<(Vec<Program>, Program)> {
    let python = || room.program(room.path("venv/bin/python"));
    let pip = ["-m", "pip", "install", "--quiet", "--no-input", "--only-binary", ":all:", "--find-links"];
    let pip = python().args(&pip).arg(&room.artefact).arg(format!("gatepass=={VERSION}"));
    let venv = room.program("python3").args(&["-m", "venv", "venv"]);
    Ok((vec![venv, pip.args(&["--requirement", "requirements.txt"])], python().arg("bench.py")))
}

fn node(room: &Room) -> Result<(Vec<Program>, Program)> {
    let npm = room.program("npm").args(&["install", "--ignore-scripts", "--no-audit", "--no-fund"]);
    let npm = npm.arg("@grpc/grpc-js@^1.14.0").arg(room.file(&format!("gatepass-{VERSION}"), ".tgz")?);
    Ok((
        vec![npm.arg(room.file(&npm_archive(Platform::host()?), ".tgz")?)],
        room.program("node").arg("bench.mjs"),
    ))
}

fn golang(room: &Room) -> Result<(Vec<Program>, Program)> {
    let edit = ["mod", "edit", "-dropreplace=gatepass.dev/gatepass"];
    let edit = go(room, &edit).arg(format!("-require=gatepass.dev/gatepass@v{VERSION}"));
    Ok((vec![edit, go(room, &["build", "./..."])], go(room, &["run", "."])))
}

fn java(room: &Room) -> Result<(Vec<Program>, Program)> {
    let package = maven(room, "").arg("package");
    let bench = room.program("java").args(&["-cp", "target/*", "Bench"]);
    Ok((vec![maven_settings(room)?, package], bench))
}
