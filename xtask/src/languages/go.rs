//! Go: packages/go, which links the core as a static library; and without cgo, where it is WebAssembly.

use super::{Bench, Build, Compiler, Demo, Language, Mistakes, Programs, Suite, node, wazero_module_builds};
use crate::checkout::Checkout;
use crate::counts::Runner;
use crate::failure::Result;
use crate::process::Program;
use crate::toolchains;

pub(crate) const GO: Language = Language {
    name: "go",
    toolchains: &[toolchains::GO, toolchains::NODE, toolchains::NPM],
    builds: |checkout| {
        let library = checkout.program(checkout.path("packages/go/build.sh"));
        let mut builds = wazero_module_builds(checkout)?;
        builds.push(Build::native(
            "package",
            &["packages/go"],
            vec![library],
            checkout.path("packages/go/internal/native/lib"),
        ));
        Ok(builds)
    },
    suites,
    demo: Some(Demo {
        builds: |checkout| {
            let programs =
                go(checkout, "tests/e2e/go").args(&["build", "-o"]).arg(folder(checkout)?).arg("./...");
            Ok(vec![Build::native(
                "e2e",
                &["packages/go", "tests/e2e/go"],
                vec![programs],
                checkout.built("xtask/go"),
            )])
        },
        receiver: |checkout| checkout.program(checkout.built("xtask/go/receiver")),
        caller: |checkout| checkout.program(checkout.built("xtask/go/caller")),
        grpc: Some(Programs {
            receiver: |checkout| checkout.program(checkout.built("xtask/go/grpc-receiver")),
            caller: |checkout| checkout.program(checkout.built("xtask/go/grpc-caller")),
        }),
        middlewares: Some(|checkout| checkout.program(checkout.built("xtask/go/middlewares"))),
    }),
    mistakes: Some(Mistakes {
        builds: |checkout| {
            let program =
                go(checkout, "tests/mistakes/go").args(&["build", "-o"]).arg(folder(checkout)?).arg(".");
            Ok(vec![Build::native(
                "mistakes",
                &["packages/go", "tests/mistakes/go"],
                vec![program],
                checkout.built("xtask/go/mistakes"),
            )])
        },
        program: |checkout| checkout.program(checkout.built("xtask/go/mistakes")),
        compiler: Some(Compiler {
            name: "go build",
            program: |checkout, package| {
                go(checkout, "tests/mistakes/go").args(&["build", &format!("./uncompiled/{package}")])
            },
        }),
    }),
    bench: Some(Bench {
        builds: |_| Ok(Vec::new()),
        programs: |checkout| {
            let run = || go(checkout, "tests/bench/go").args(&["run", "."]);
            let mut programs = vec![run()];
            // Without cgo it is the same whatever the provider.
            if checkout.provider().is_none() {
                programs.push(run().env("CGO_ENABLED", "0"));
            }
            Ok(programs)
        },
    }),
};

fn suites(checkout: &Checkout) -> Result<Vec<Suite>> {
    let vet = |folder| go(checkout, folder).args(&["vet", "./..."]);
    // -count=1: the go command does not know that the emulator may have changed, and would remember the result.
    let test =
        |folder| go(checkout, folder).args(&["test", "-race", "-count=1", "-timeout=15m", "-json", "./..."]);
    let without_cgo =
        |arguments: &[&str]| go(checkout, "packages/go").args(arguments).env("CGO_ENABLED", "0");
    let elsewhere =
        |system, machine| without_cgo(&["build", "./..."]).env("GOOS", system).env("GOARCH", machine);
    // The race detector itself needs cgo; with the tag the package does without. What drives operations is the same.
    let tagged = go(checkout, "packages/go").args(&["test", "-race", "-tags=gatepass_wasm"]);
    let tagged =
        tagged.args(&["-count=1", "-timeout=15m", "-json", ".", "./gatepasstest", "./internal/native"]);
    let vectors = without_cgo(&["test", "-count=1", "-run=Vector", "-json", "."]);
    Ok(vec![
        Suite::new("vet", Runner::Check, vet("packages/go")),
        Suite::new("vet without cgo", Runner::Check, without_cgo(&["vet", "./..."])),
        Suite::new("build for macOS", Runner::Check, elsewhere("darwin", "arm64")),
        Suite::new("build for Windows", Runner::Check, elsewhere("windows", "arm64")),
        Suite::new("vectors without cgo", Runner::Go, vectors),
        Suite::new("go test -race, as WebAssembly", Runner::Go, tagged),
        Suite::new("vet, grpc", Runner::Check, vet("packages/go/grpc")),
        Suite::new("go test -race", Runner::Go, test("packages/go")),
        Suite::new("go test -race, grpc", Runner::Go, test("packages/go/grpc")),
        Suite::new("examples", Runner::Go, test("packages/go/examples/grpc")),
        Suite::new("interop", Runner::Go, test("tests/interop/go")).needs(node::issuer(checkout)),
    ])
}

/// The go command within a module.
fn go(checkout: &Checkout, module: &str) -> Program {
    checkout.program("go").in_folder(checkout.path(module)).env("CGO_ENABLED", "1")
}

/// Where the demo's programs go. With a slash at its end the go command takes it for a folder.
fn folder(checkout: &Checkout) -> Result<String> {
    Ok(format!("{}/", checkout.scratch("go")?.display()))
}
