//! How many tests passed and failed, read from what the test runner itself prints.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use serde_json::Value;

/// What a suite came to.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

/// Whose summary it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Runner {
    /// No test runner: a program that passes or fails as a whole.
    Check,
    /// `cargo test`: a line `test result: …` for each test program.
    Cargo,
    /// `pytest`: a last line such as `=== 1 failed, 12 passed in 0.34s ===`.
    Pytest,
    /// `node --test`: lines such as `# pass 12` (TAP) or `ℹ pass 12` (spec).
    Node,
    /// `go test -json`: an event for each test.
    Go,
    /// Surefire, under Maven: lines such as `Tests run: 12, Failures: 0, Errors: 0, Skipped: 0`.
    Maven,
}

impl Counts {
    pub(crate) const PASSED: Self = Self { passed: 1, failed: 0, skipped: 0 };
    pub(crate) const FAILED: Self = Self { passed: 0, failed: 1, skipped: 0 };

    /// Reads the output of a suite that ended well, or not.
    ///
    /// One that failed and counts no failure has crashed before it could; one that counts nothing has not run. Both
    /// count as one failed.
    pub(crate) fn read(runner: Runner, output: &str, ended_well: bool) -> Self {
        let mut counts = match runner {
            Runner::Check if ended_well => Self::PASSED,
            Runner::Check => Self::FAILED,
            Runner::Cargo => cargo(output),
            Runner::Pytest => pytest(output),
            Runner::Node => node(output),
            Runner::Go => go(output),
            Runner::Maven => maven(output),
        };
        if counts.failed == 0 && (!ended_well || counts.passed == 0) {
            counts.failed = 1;
        }
        counts
    }
}

impl Runner {
    /// The output as a person wants to read it.
    pub(crate) fn readable(self, output: &str) -> String {
        if self == Self::Go { go_text(output) } else { output.to_owned() }
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

/// Reads `12 passed; 0 failed; 1 ignored`: numbers, each before its word.
fn numbers_before_words(text: &str) -> BTreeMap<&str, u64> {
    let words: Vec<&str> = text.split([' ', ',', ';', '=']).filter(|word| !word.is_empty()).collect();
    let pairs = words.iter().zip(words.iter().skip(1));
    pairs.filter_map(|(number, word)| Some((*word, number.parse().ok()?))).collect()
}

fn sum(numbers: &BTreeMap<&str, u64>, words: &[&str]) -> u64 {
    words.iter().filter_map(|word| numbers.get(word)).sum()
}

fn cargo(output: &str) -> Counts {
    let mut counts = Counts::default();
    for line in output.lines().filter(|line| line.starts_with("test result: ")) {
        let numbers = numbers_before_words(line);
        counts += Counts {
            passed: sum(&numbers, &["passed"]),
            failed: sum(&numbers, &["failed"]),
            skipped: sum(&numbers, &["ignored"]),
        };
    }
    counts
}

fn pytest(output: &str) -> Counts {
    let is_summary = |line: &&str| {
        let words = [" passed", " failed", " error", " skipped", " xfailed", " xpassed"];
        line.contains(" in ") && words.iter().any(|word| line.contains(word))
    };
    let numbers = output.lines().rev().find(is_summary).map(numbers_before_words).unwrap_or_default();
    Counts {
        passed: sum(&numbers, &["passed", "xpassed"]),
        failed: sum(&numbers, &["failed", "error", "errors"]),
        skipped: sum(&numbers, &["skipped", "xfailed"]),
    }
}

fn node(output: &str) -> Counts {
    let number = |word: &str| {
        let lines = output.lines().filter_map(|line| {
            let line = line.strip_prefix("# ").or_else(|| line.strip_prefix("ℹ "))?;
            line.strip_prefix(word)?.strip_prefix(' ')?.trim().parse::<u64>().ok()
        });
        lines.sum::<u64>()
    };
    Counts {
        passed: number("pass"),
        failed: number("fail") + number("cancelled"),
        skipped: number("skipped") + number("todo"),
    }
}

fn go(output: &str) -> Counts {
    let mut counts = Counts::default();
    let tests = go_events(output).filter(|event| event.get("Test").is_some());
    for event in tests {
        match event.get("Action").and_then(Value::as_str) {
            Some("pass") => counts.passed += 1,
            Some("fail") => counts.failed += 1,
            Some("skip") => counts.skipped += 1,
            _ => {}
        }
    }
    counts
}

fn go_text(output: &str) -> String {
    let mut text = String::new();
    for line in output.lines() {
        match serde_json::from_str::<Value>(line) {
            Ok(event) => text.push_str(event.get("Output").and_then(Value::as_str).unwrap_or_default()),
            Err(_) => {
                text.push_str(line);
                text.push('\n');
            }
        }
    }
    text
}

fn go_events(output: &str) -> impl Iterator<Item = Value> + '_ {
    output.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok())
}

fn maven(output: &str) -> Counts {
    let mut counts = Counts::default();
    // A line that says how long it took is about one class; the summary of a module comes after them.
    let summaries = output.lines().filter(|line| !line.contains("Time elapsed"));
    for summary in summaries.filter_map(|line| line.split_once("Tests run: ").map(|(_, rest)| rest)) {
        let mut numbers = summary.split(", ").map(|part| {
            let digits: String =
                part.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
            digits.parse::<u64>().unwrap_or(0)
        });
        let mut next = || numbers.next().unwrap_or(0);
        let (run, failures, errors, skipped) = (next(), next(), next(), next());
        let failed = failures + errors;
        counts += Counts { passed: run.saturating_sub(failed + skipped), failed, skipped };
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(passed: u64, failed: u64, skipped: u64) -> Counts {
        Counts { passed, failed, skipped }
    }

    #[test]
    fn a_check_passes_or_fails_as_a_whole() {
        assert_eq!(Counts::read(Runner::Check, "", true), counts(1, 0, 0));
        assert_eq!(Counts::read(Runner::Check, "", false), counts(0, 1, 0));
    }

    #[test]
    fn cargo_sums_its_test_programs() {
        let output = "running 3 tests\n\
            test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.22s\n\
            test result: ok. 5 passed; 0 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.22s\n";
        assert_eq!(Counts::read(Runner::Cargo, output, false), counts(7, 1, 2));
    }

    #[test]
    fn pytest_errors_are_failures() {
        let quiet = "....\n1 failed, 85 passed, 2 skipped, 1 error in 9.30s\n";
        assert_eq!(Counts::read(Runner::Pytest, quiet, false), counts(85, 2, 2));
        let loud = "tests/test_a.py ..\n======== 12 passed in 0.34s ========\n";
        assert_eq!(Counts::read(Runner::Pytest, loud, true), counts(12, 0, 0));
    }

    #[test]
    fn node_in_both_of_its_formats() {
        let tap =
            "ok 1 - a\n# tests 4\n# suites 1\n# pass 2\n# fail 1\n# cancelled 1\n# skipped 0\n# todo 0\n";
        assert_eq!(Counts::read(Runner::Node, tap, false), counts(2, 2, 0));
        let spec = "✔ a (1ms)\nℹ tests 4\nℹ pass 3\nℹ fail 0\nℹ cancelled 0\nℹ skipped 1\nℹ todo 0\n";
        assert_eq!(Counts::read(Runner::Node, spec, true), counts(3, 0, 1));
    }

    #[test]
    fn go_counts_tests_and_not_packages() {
        let output = r#"{"Action":"start","Package":"a"}
{"Action":"output","Package":"a","Test":"TestB","Output":"    b_test.go:1: no\n"}
{"Action":"fail","Package":"a","Test":"TestB","Elapsed":0}
{"Action":"pass","Package":"a","Test":"TestC","Elapsed":0}
{"Action":"skip","Package":"a","Test":"TestD","Elapsed":0}
{"Action":"fail","Package":"a","Elapsed":0.1}
"#;
        assert_eq!(Counts::read(Runner::Go, output, false), counts(1, 1, 1));
        assert_eq!(Runner::Go.readable(output), "    b_test.go:1: no\n");
    }

    #[test]
    fn maven_counts_modules_and_not_classes() {
        let output = "[INFO] Tests run: 3, Failures: 0, Errors: 0, Skipped: 0, Time elapsed: 0.05 s -- in dev.A\n\
            [ERROR] Tests run: 2, Failures: 1, Errors: 0, Skipped: 0, Time elapsed: 0.05 s <<< FAILURE! -- in dev.B\n\
            [INFO] Results:\n\
            [ERROR] Tests run: 5, Failures: 1, Errors: 1, Skipped: 1\n";
        assert_eq!(Counts::read(Runner::Maven, output, false), counts(2, 2, 1));
    }

    #[test]
    fn a_suite_that_crashed_or_ran_nothing_counts_as_one_failed() {
        let crashed = "test result: ok. 5 passed; 0 failed; 0 ignored\nerror: could not compile\n";
        assert_eq!(Counts::read(Runner::Cargo, crashed, false), counts(5, 1, 0));
        for runner in [Runner::Cargo, Runner::Pytest, Runner::Node, Runner::Go, Runner::Maven] {
            assert_eq!(Counts::read(runner, "Segmentation fault", false), counts(0, 1, 0));
            assert_eq!(Counts::read(runner, "nothing to do", true), counts(0, 1, 0));
        }
    }
}
