//! What is printed: one line for each thing done and, on a terminal only, a last line with what is going on.

use std::env;
use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Standard output, shared by the threads that do the work.
#[derive(Clone)]
pub(crate) struct Terminal {
    state: Arc<Mutex<State>>,
    /// Somebody is looking: show what is going on, in colour.
    live: bool,
}

#[derive(Default)]
struct State {
    running: Vec<(String, Instant)>,
}

/// Something under way; it is over when this is dropped.
pub(crate) struct Task<'a> {
    terminal: &'a Terminal,
    label: String,
    since: Instant,
}

/// What a colour means here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Tone {
    Good,
    Bad,
}

/// Widest line that is drawn over and over: one that wraps could not be taken back.
const LIVE_WIDTH: usize = 78;

impl Terminal {
    pub(crate) fn new() -> Self {
        let live = io::stdout().is_terminal() && env::var_os("NO_COLOR").is_none();
        let terminal = Self { live, ..Self::plain() };
        if live {
            let ticking = terminal.clone();
            // Ends with the process.
            thread::spawn(move || {
                loop {
                    thread::sleep(Duration::from_secs(1));
                    ticking.redraw(&ticking.lock());
                }
            });
        }
        terminal
    }

    /// One that nobody looks at.
    pub(crate) fn plain() -> Self {
        Self { state: Arc::default(), live: false }
    }

    /// Prints a line, or several, for good.
    pub(crate) fn say(&self, text: &str) {
        let state = self.lock();
        let mut stdout = io::stdout().lock();
        let clear = if self.live { "\r\x1b[K" } else { "" };
        let _ = writeln!(stdout, "{clear}{text}");
        drop(stdout);
        self.redraw(&state);
    }

    /// Shows `label` as going on until the task is dropped.
    pub(crate) fn begin(&self, label: &str) -> Task<'_> {
        let task = Task { terminal: self, label: label.to_owned(), since: Instant::now() };
        let mut state = self.lock();
        state.running.push((task.label.clone(), task.since));
        self.redraw(&state);
        task
    }

    /// Colours a text if somebody is looking.
    pub(crate) fn paint(&self, text: &str, tone: Tone) -> String {
        let code = match tone {
            Tone::Good => "32",
            Tone::Bad => "31",
        };
        if self.live { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn redraw(&self, state: &State) {
        if !self.live {
            return;
        }
        let mut line = String::new();
        for (label, since) in &state.running {
            let _ = write!(
                line,
                "{}{label} {} s",
                if line.is_empty() { "" } else { ", " },
                since.elapsed().as_secs()
            );
        }
        let shown: String = line.chars().take(LIVE_WIDTH).collect();
        let mut stdout = io::stdout().lock();
        let _ = write!(stdout, "\r\x1b[K\x1b[2m{shown}\x1b[0m");
        let _ = stdout.flush();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Task<'_> {
    pub(crate) fn elapsed(&self) -> Duration {
        self.since.elapsed()
    }
}

impl Drop for Task<'_> {
    fn drop(&mut self) {
        let mut state = self.terminal.lock();
        let mine = |(label, since): &(String, Instant)| *label == self.label && *since == self.since;
        if let Some(at) = state.running.iter().position(mine) {
            state.running.remove(at);
        }
        self.terminal.redraw(&state);
    }
}

/// Seconds, as they are at the end of a line.
pub(crate) fn seconds(duration: Duration) -> String {
    format!("{:6.1} s", duration.as_secs_f64())
}
