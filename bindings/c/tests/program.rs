//! Builds the library, links `program.c` with it, statically and dynamically, and runs it; under valgrind too, where
//! there is one.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

#[test]
fn a_c_program_uses_every_function() {
    let libraries = build_libraries();
    let program = compile("program-static", &libraries.archive, &[]);
    run(Command::new(&program));

    // It is looked for by the name that build.rs gives it.
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let name = folder.join(concat!("libgatepass.so.", env!("CARGO_PKG_VERSION_MAJOR")));
    let _ = std::fs::remove_file(&name);
    std::os::unix::fs::symlink(&libraries.shared, &name).unwrap();
    let mut run_path = OsString::from("-Wl,-rpath,");
    run_path.push(folder);
    run(Command::new(compile("program-shared", &libraries.shared, &[run_path])));

    match Command::new("valgrind").arg("--version").output() {
        Err(error) => eprintln!("not run under valgrind: {error}"),
        Ok(_) => {
            let mut valgrind = Command::new("valgrind");
            valgrind.args(["--quiet", "--error-exitcode=9", "--leak-check=full", "--show-leak-kinds=all"]);
            valgrind.arg("--errors-for-leak-kinds=definite,indirect,possible").arg(program);
            run(valgrind);
        }
    }
}

#[test]
fn the_library_exports_what_the_header_declares_and_nothing_else() {
    let shared = build_libraries().shared;
    let output = succeed(Command::new("nm").args(["-D", "--defined-only"]).arg(shared));
    let symbols = String::from_utf8(output.stdout).unwrap();
    let mut exported: Vec<&str> = symbols.lines().filter_map(|line| line.split(' ').nth(2)).collect();
    exported.sort_unstable();

    let header = std::fs::read_to_string(Path::new(ROOT).join("include/gatepass.h")).unwrap();
    let declared = header.lines().filter(|line| !line.starts_with("//") && !line.starts_with(" *"));
    let declared = declared.filter_map(|line| line.split_once('(')?.0.rsplit([' ', '*']).next());
    let mut declared: Vec<&str> = declared.filter(|name| name.starts_with("gp_")).collect();
    declared.sort_unstable();
    assert_eq!(exported, declared);
    assert_eq!(declared.len(), 30);
}

struct Libraries {
    archive: PathBuf,
    shared: PathBuf,
}

/// Cargo builds no static library for a test by itself. Where it puts it, it says.
fn build_libraries() -> Libraries {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--package", "gatepass-c", "--message-format=json-render-diagnostics"]);
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    let output = succeed(cargo.current_dir(ROOT));
    let messages = output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let artifacts = messages.map(|line| serde_json::from_slice::<Value>(line).unwrap());
    let library = artifacts
        .filter(|message| message["reason"] == "compiler-artifact" && message["target"]["name"] == "gatepass")
        .find(|message| message["target"]["crate_types"].as_array().unwrap().contains(&json!("staticlib")));
    let files = library.unwrap()["filenames"].as_array().unwrap().clone();
    let find = |prefix: &str, suffixes: &[&str]| {
        let files = files.iter().map(|file| PathBuf::from(file.as_str().unwrap()));
        let is_it = |file: &PathBuf| suffixes.iter().any(|s| file.ends_with(format!("{prefix}gatepass.{s}")));
        files.into_iter().find(is_it).unwrap_or_else(|| panic!("no {suffixes:?}"))
    };
    Libraries { archive: find("lib", &["a"]), shared: find("lib", &["so", "dylib"]) }
}

fn compile(name: &str, library: &Path, options: &[OsString]) -> PathBuf {
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    let mut cc = Command::new(compiler);
    cc.args(["-std=c11", "-D_POSIX_C_SOURCE=200809L", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-g"]);
    cc.arg("-I").arg(Path::new(ROOT).join("include")).arg(Path::new(ROOT).join("tests/program.c"));
    cc.arg(library).args(options).args(["-lpthread", "-ldl", "-lm"]).arg("-o").arg(&program);
    succeed(&mut cc);
    program
}

fn run(mut program: Command) {
    let corpus = Path::new(ROOT).join("../../tests/vectors/verify/attack_corpus.json");
    let corpus: Value = serde_json::from_slice(&std::fs::read(corpus).unwrap()).unwrap();
    let case = &corpus["cases"][0];
    assert_eq!(case["expected"], "accept");
    let keys = corpus["jwks"][case["jwks"].as_str().unwrap()].to_string();
    let audience = &corpus["profiles"]["google"]["audience"];
    let options = |member: &str, keys: &str| {
        let mut options = json!({"preset": "google", "audiences": [audience]});
        options[member] = json!(keys);
        options.to_string()
    };
    program.args([options("keys", &keys), options("keys_url", "https://keys.example/jwks")]);
    program.arg(json!({"reply": "response", "status": 200, "headers": [], "body": keys}).to_string());
    program.arg(case["token"].as_str().unwrap());
    program.arg((case["now"].as_u64().unwrap() * 1000).to_string());
    assert_eq!(String::from_utf8(succeed(&mut program).stdout).unwrap(), "ok\n");
}

fn succeed(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    output
}
