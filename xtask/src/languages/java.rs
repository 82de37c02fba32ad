//! Java: packages/java, which Maven installs into the user's own repository of artifacts.

use super::{Bench, Build, Compiler, Demo, Language, Mistakes, Programs, Suite, node};
use crate::checkout::Checkout;
use crate::counts::Runner;
use crate::failure::Result;
use crate::process::Program;
use crate::toolchains;

pub(crate) const JAVA: Language = Language {
    name: "java",
    toolchains: &[toolchains::JDK, toolchains::MAVEN],
    builds: |checkout| {
        let install = maven(checkout, "packages/java").args(&["install", "-DskipTests"]);
        Ok(vec![Build::native(
            "package",
            &["packages/java"],
            vec![install],
            checkout.path("packages/java/gatepass/target/classes"),
        )])
    },
    suites,
    demo: Some(Demo {
        builds: |checkout| Ok(vec![e2e(checkout)]),
        receiver: |checkout| java(checkout).arg("Receiver"),
        caller: |checkout| java(checkout).arg("Caller"),
        grpc: Some(Programs {
            receiver: |checkout| java(checkout).arg("GrpcReceiver"),
            caller: |checkout| java(checkout).arg("GrpcCaller"),
        }),
        middlewares: Some(|checkout| java(checkout).arg("Middlewares")),
    }),
    mistakes: Some(Mistakes {
        builds: |checkout| Ok(vec![e2e(checkout)]),
        // One file, which the launcher compiles; what it needs is beside the programs of the demo.
        program: |checkout| java(checkout).arg("tests/mistakes/java/Mistakes.java"),
        compiler: Some(Compiler {
            name: "javac",
            program: |checkout, class| {
                let javac =
                    checkout.program("javac").args(&["-J-Duser.language=en", "-proc:none", "-cp", E2E]);
                let file = format!("tests/mistakes/java/uncompiled/{class}.java");
                javac.arg("-d").arg(checkout.built("xtask/java")).arg(file)
            },
        }),
    }),
    bench: Some(Bench {
        builds: |checkout| {
            let package = maven(checkout, "tests/bench/java").arg("package");
            let output = checkout.path("tests/bench/java/target/classes");
            Ok(vec![Build::native(
                "benchmark",
                &["packages/java", "tests/bench/java"],
                vec![package],
                output,
            )])
        },
        programs: |checkout| {
            let bench = checkout.program("java").args(&["-cp", "target/*", "Bench"]);
            Ok(vec![bench.in_folder(checkout.path("tests/bench/java"))])
        },
    }),
};

fn suites(checkout: &Checkout) -> Result<Vec<Suite>> {
    let test = |folder| maven(checkout, folder).arg("test");
    Ok(vec![
        Suite::new("mvn test", Runner::Maven, test("packages/java")),
        Suite::new(
            "install",
            Runner::Check,
            checkout.program(checkout.path("packages/java/check-install.sh")),
        ),
        Suite::new("example", Runner::Maven, test("packages/java/examples/grpc")),
        Suite::new("interop", Runner::Maven, test("tests/interop/java")).needs(node::issuer(checkout)),
    ])
}

fn maven(checkout: &Checkout, folder: &str) -> Program {
    checkout.program("mvn").args(&["--batch-mode", "--no-transfer-progress"]).in_folder(checkout.path(folder))
}

/// The programs of the demo, with all that they need next to them.
fn e2e(checkout: &Checkout) -> Build {
    let package = maven(checkout, "tests/e2e/java").arg("package");
    let output = checkout.path("tests/e2e/java/target/classes");
    Build::native("e2e", &["packages/java", "tests/e2e/java", "tests/e2e/grpc"], vec![package], output)
}

/// A class of tests/e2e/java, with what Maven has put next to it.
fn java(checkout: &Checkout) -> Program {
    checkout.program("java").args(&["-cp", E2E])
}

const E2E: &str = "tests/e2e/java/target/*";
