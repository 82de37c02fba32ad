//! `cargo xtask test`: every test of every language, and one line at the end that sums them up.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::checkout::Checkout;
use crate::counts::Counts;
use crate::demo;
use crate::e2e;
use crate::failure::{Failure, Result};
use crate::grid::Grid;
use crate::grpc_matrix::{self, has_part};
use crate::languages::{self, Language, Suite};
use crate::matrix;
use crate::mistakes;
use crate::participants::{Emulators, Participant, State};
use crate::terminal::{Terminal, Tone, seconds};
use crate::toolchains;

/// The tests that go from language to language: the demo, counted, and the suites of tests/e2e.
const E2E: &str = "e2e";

/// What can be tested by itself.
pub(crate) fn names() -> Vec<&'static str> {
    languages::ALL.iter().map(|language| language.name).chain([E2E]).collect()
}

/// Tests what is named; tells whether something was tested and nothing failed.
pub(crate) fn run(checkout: &Checkout, terminal: &Terminal, names: &[&str]) -> Result<bool> {
    let run = Run { checkout, terminal, cli: OnceLock::new(), sum: Mutex::default(), began: Instant::now() };
    run.languages(names.iter().filter_map(|name| Language::named(name)).collect());
    // Last and alone, so that its times are those of a machine that does nothing else.
    if names.contains(&E2E) {
        run.end_to_end();
    }
    Ok(run.close())
}

struct Run<'a> {
    checkout: &'a Checkout,
    terminal: &'a Terminal,
    /// Built by whoever needs it first; the others wait.
    cli: OnceLock<Result<()>>,
    sum: Mutex<Sum>,
    began: Instant,
}

#[derive(Default)]
struct Sum {
    counts: Counts,
    /// Names of suites in which something failed.
    failed: Vec<String>,
}

impl Run<'_> {
    /// Builds everything, and then tests it: while compilers run the tests would wait for everything that they start. Each
    /// of the two is done side by side for as many languages at a time as there are cores, and at least two.
    fn languages(&self, languages: VecDeque<&'static Language>) {
        let built = Mutex::new(VecDeque::new());
        at_once(languages, |language| {
            let began = Instant::now();
            match self.prepare(language) {
                Ok(suites) => lock(&built).push_back((language, suites)),
                Err(failure) => {
                    self.report(language.name, "build", Counts::FAILED, began.elapsed(), &failure.to_string())
                }
            }
        });
        let built = built.into_inner().unwrap_or_else(PoisonError::into_inner);
        at_once(built, |(language, suites)| {
            suites.iter().for_each(|suite| self.suite(language.name, suite));
        });
    }

    fn prepare(&self, language: &Language) -> Result<Vec<Suite>> {
        if let Some(missing) = toolchains::missing(language.toolchains) {
            return Err(Failure::new(missing.to_string()));
        }
        for build in (language.builds)(self.checkout)? {
            demo::announce(self.checkout, self.terminal, language.name, &build)?;
        }
        self.cli.get_or_init(|| demo::build_cli(self.checkout, self.terminal)).clone()?;
        (language.suites)(self.checkout)
    }

    fn suite(&self, language: &str, suite: &Suite) {
        for build in &suite.builds {
            if let Err(failure) = demo::announce(self.checkout, self.terminal, language, build) {
                let output = failure.to_string();
                return self.report(language, suite.name, Counts::FAILED, Duration::ZERO, &output);
            }
        }
        let task = self.terminal.begin(&format!("{language} {}", suite.name));
        let (counts, output) = match suite.run(self.checkout, language) {
            Ok((output, end)) => {
                let counts = Counts::read(suite.runner, &output, end.is_ok());
                let why = end.err().map(|failure| format!("\n{failure}")).unwrap_or_default();
                (counts, suite.runner.readable(&output) + &why)
            }
            Err(failure) => (Counts::FAILED, failure.to_string()),
        };
        let elapsed = task.elapsed();
        drop(task);
        self.report(language, suite.name, counts, elapsed, &output);
    }

    fn end_to_end(&self) {
        let began = Instant::now();
        let participants = demo::names().into_iter().filter_map(Language::named).map(|language| {
            let built = match toolchains::missing(language.toolchains) {
                Some(missing) => Err(Failure::new(missing.to_string())),
                None => demo::build_demo(self.checkout, self.terminal, language),
            };
            if let Err(failure) = &built {
                self.terminal.say(&format!("{:8} {failure}", language.name));
            }
            Participant { language, state: if built.is_ok() { State::Ready } else { State::Broken } }
        });
        let participants: Vec<_> = participants.collect();
        let cli = self.cli.get_or_init(|| demo::build_cli(self.checkout, self.terminal)).clone();
        let emulators = match cli.and_then(|()| Emulators::start(self.checkout, &participants)) {
            Ok(emulators) => emulators,
            Err(failure) => {
                return self.report(E2E, "emulators", Counts::FAILED, began.elapsed(), &failure.to_string());
            }
        };
        self.matrix("matrix", matrix::run(self.checkout, self.terminal, &participants, &emulators), began);
        if participants.iter().any(has_part) {
            let began = Instant::now();
            let grid = grpc_matrix::run(self.checkout, self.terminal, &participants, &emulators);
            self.matrix("matrix over gRPC", grid, began);
        }
        let ready = participants.iter().filter(|participant| participant.state == State::Ready);
        let ready: Vec<_> = ready.map(|participant| participant.language).collect();
        match e2e::suites(self.checkout, &ready) {
            Ok(suites) => suites.iter().for_each(|suite| self.suite(E2E, suite)),
            Err(failure) => self.report(E2E, "suites", Counts::FAILED, Duration::ZERO, &failure.to_string()),
        }
        self.mistakes();
    }

    fn mistakes(&self) {
        let began = Instant::now();
        let (counts, output) = mistakes::build(self.checkout, self.terminal)
            .and_then(|()| mistakes::check(self.checkout, self.terminal))
            .unwrap_or_else(|failure| (Counts::FAILED, failure.to_string()));
        self.report(E2E, "mistakes", counts, began.elapsed(), &output);
    }

    fn matrix(&self, name: &str, grid: Result<Grid>, began: Instant) {
        let (counts, output) = match grid {
            Ok(grid) => (grid.counts(), grid.draw(self.terminal)),
            Err(failure) => (Counts::FAILED, failure.to_string()),
        };
        self.report(E2E, name, counts, began.elapsed(), &output);
    }

    /// Prints the line of a suite and, if something failed, its output.
    fn report(&self, language: &str, suite: &str, counts: Counts, elapsed: Duration, output: &str) {
        let Counts { passed, failed, skipped } = counts;
        let mut line = format!("{language:8} {suite:20} {passed:6} passed");
        for (count, what, tone) in [(failed, "failed", Some(Tone::Bad)), (skipped, "skipped", None)] {
            let text = if count == 0 { String::new() } else { format!("{count:4} {what}") };
            let text = format!("{text:12}");
            line += &tone.map_or(text.clone(), |tone| self.terminal.paint(&text, tone));
        }
        line += &seconds(elapsed);
        if failed > 0 {
            let frame = "─".repeat(78);
            line += &format!("\n{frame}\n{}\n{frame}", output.trim());
        }
        self.terminal.say(&line);
        let mut sum = self.sum();
        sum.counts += counts;
        if failed > 0 {
            sum.failed.push(format!("{language} {suite}"));
        }
    }

    /// Prints the sum as the last line of all.
    fn close(&self) -> bool {
        let sum = self.sum();
        self.terminal.say(&format!("\n{}", seconds(self.began.elapsed()).trim()));
        if !sum.failed.is_empty() {
            self.terminal.say(&format!("failed: {}", sum.failed.join(", ")));
        }
        self.terminal.say(&format!("{} passed, {} failed", sum.counts.passed, sum.counts.failed));
        sum.counts.failed == 0 && sum.counts.passed > 0
    }

    fn sum(&self) -> MutexGuard<'_, Sum> {
        lock(&self.sum)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Does `work` on all items, in their order, on as many threads as there are cores, and at least two: they wait a lot,
/// for the network and for each other's compilers.
fn at_once<T: Send>(items: VecDeque<T>, work: impl Fn(T) + Sync) {
    let workers = thread::available_parallelism().map_or(2, usize::from).max(2);
    let queue = Mutex::new(items);
    let next = || lock(&queue).pop_front();
    let work = || {
        while let Some(item) = next() {
            work(item);
        }
    };
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(work);
        }
    });
}
