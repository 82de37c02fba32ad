//! Programs, with a time limit and an end: none outlives xtask, however xtask itself ends.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::failure::{Failure, Result};

/// Runs a program and kills it, with all that it has started, as soon as standard input closes. xtask holds the other
/// end, so this is what happens when the time is up, when the user presses Ctrl-C and when xtask is killed.
const GUARD: &str = r#"
exec 3<&0 </dev/null
{ read -r _ <&3; kill -KILL 0; } &
guard=$!
"$@" 3<&-
status=$?
kill "$guard"
exit "$status"
"#;

/// How long a service may take to say that it is ready. A JVM on a busy machine takes a while.
const READY_WITHIN: Duration = Duration::from_secs(300);

/// How long a service may take to end once its standard input is closed.
const END_WITHIN: Duration = Duration::from_secs(5);

/// A program to be run, with its arguments, its folder and its environment.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    name: OsString,
    arguments: Vec<OsString>,
    folder: PathBuf,
    /// In order; `None` removes the variable.
    environment: Vec<(OsString, Option<OsString>)>,
}

impl Program {
    pub(crate) fn new(name: impl AsRef<OsStr>) -> Self {
        Self {
            name: name.as_ref().to_owned(),
            arguments: Vec::new(),
            folder: PathBuf::from("."),
            environment: Vec::new(),
        }
    }

    pub(crate) fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    pub(crate) fn args(self, arguments: &[&str]) -> Self {
        arguments.iter().fold(self, Program::arg)
    }

    pub(crate) fn in_folder(mut self, folder: impl AsRef<Path>) -> Self {
        self.folder = folder.as_ref().to_owned();
        self
    }

    pub(crate) fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.environment.push((name.as_ref().to_owned(), Some(value.as_ref().to_owned())));
        self
    }

    pub(crate) fn without_env(mut self, name: impl AsRef<OsStr>) -> Self {
        self.environment.push((name.as_ref().to_owned(), None));
        self
    }

    /// The line that a user would type.
    pub(crate) fn line(&self) -> String {
        self.words().join(" ")
    }

    /// Its name and its arguments.
    pub(crate) fn words(&self) -> Vec<String> {
        let words = std::iter::once(&self.name).chain(&self.arguments);
        words.map(|word| word.to_string_lossy().into_owned()).collect()
    }

    /// Runs the program to its end; what it prints goes to the end of the file `log`.
    ///
    /// Fails when it cannot be started, takes longer than `limit`, or ends with a status other than 0.
    pub(crate) fn run(&self, log: &Path, limit: Duration) -> Result<()> {
        self.finish(append_to(log)?, append_to(log)?, limit)
    }

    /// Runs the program to its end, whatever its status, and gives what it printed to standard output; the rest goes
    /// to the end of the file `log`.
    pub(crate) fn read(&self, log: &Path, limit: Duration) -> (String, Result<()>) {
        let output = log.with_extension("out");
        let finish = || {
            let file = File::create(&output).map_err(|error| Failure::file(&output, &error))?;
            self.finish(file, append_to(log)?, limit)
        };
        let end = finish();
        (fs::read_to_string(&output).unwrap_or_default(), end)
    }

    /// Whether the program can be run and ends well; what it prints is for nobody.
    pub(crate) fn succeeds(&self) -> bool {
        let mut command = Command::new(&self.name);
        command.args(&self.arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.prepare(&mut command).status().is_ok_and(|status| status.success())
    }

    fn finish(&self, stdout: File, stderr: File, limit: Duration) -> Result<()> {
        let mut command = Command::new("sh");
        command.args(["-c", GUARD, "sh"]).arg(&self.name).args(&self.arguments);
        self.prepare(&mut command).stdin(Stdio::piped()).stdout(stdout).stderr(stderr);
        let mut child = command.spawn().map_err(|error| self.fail(&error.to_string()))?;
        let stdin = child.stdin.take();
        match wait(child, stdin, limit) {
            End::InTime(status) if status.success() => Ok(()),
            End::InTime(status) => Err(self.fail(&format!("ended with {status}"))),
            End::TooLate => Err(self.fail(&format!("was still running after {} s", limit.as_secs()))),
        }
    }

    /// Starts a service and waits for the line with which it says that it is ready. Its other output goes to the end
    /// of the file `log`. It is expected to end when its standard input closes.
    pub(crate) fn start(&self, log: &Path, is_ready: impl Fn(&str) -> bool) -> Result<Service> {
        let mut command = Command::new(&self.name);
        command.args(&self.arguments);
        self.prepare(&mut command).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(append_to(log)?);
        let mut child = command.spawn().map_err(|error| self.fail(&error.to_string()))?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().ok_or_else(|| self.fail("has no standard output"))?;
        let (sender, output) = mpsc::channel();
        // Goes on to read when nobody listens any more, so that the service never waits for a full pipe.
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(std::result::Result::ok) {
                let _ = sender.send(line);
            }
        });
        let mut service = Service { child, stdin, lines: Vec::new(), output: Mutex::new(output) };
        loop {
            match service.next_line(READY_WITHIN) {
                Ok(line) => {
                    let ready = is_ready(&line);
                    service.lines.push(line);
                    if ready {
                        return Ok(service);
                    }
                }
                Err(reason) => {
                    let what = match reason {
                        RecvTimeoutError::Timeout => "did not say that it is ready",
                        RecvTimeoutError::Disconnected => "ended before it was ready",
                    };
                    let output = fs::read_to_string(log).unwrap_or_default();
                    return Err(self.fail(what).with_output(service.lines.join("\n") + "\n" + &output));
                }
            }
        }
    }

    /// In a process group of its own, so that [`GUARD`] can kill the whole of it.
    fn prepare<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        for (name, value) in &self.environment {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.current_dir(&self.folder).process_group(0)
    }

    fn fail(&self, what: &str) -> Failure {
        Failure::new(format!("`{}` {what}", self.line()))
    }
}

/// A program that serves until it is dropped.
#[derive(Debug)]
pub(crate) struct Service {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Vec<String>,
    /// A mutex because services are looked at from several threads, which a channel does not allow.
    output: Mutex<Receiver<String>>,
}

impl Service {
    /// What it printed until it was ready.
    pub(crate) fn lines(&self) -> &[String] {
        &self.lines
    }

    fn next_line(&mut self, within: Duration) -> std::result::Result<String, RecvTimeoutError> {
        self.output.get_mut().unwrap_or_else(PoisonError::into_inner).recv_timeout(within)
    }
}

impl Drop for Service {
    /// Closes its standard input and waits until it closes its output; one that does not is killed.
    fn drop(&mut self) {
        drop(self.stdin.take());
        while self.next_line(END_WITHIN).is_ok() {}
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

enum End {
    InTime(ExitStatus),
    TooLate,
}

/// Waits for the end of a guarded child, and brings it about when the time is up.
fn wait(mut child: Child, stdin: Option<ChildStdin>, limit: Duration) -> End {
    let (sender, ended) = mpsc::channel();
    let waiter = thread::spawn(move || {
        let status = child.wait();
        let _ = sender.send(());
        status
    });
    let in_time = ended.recv_timeout(limit).is_ok();
    drop(stdin);
    match waiter.join() {
        Ok(Ok(status)) if in_time => End::InTime(status),
        _ => End::TooLate,
    }
}

fn append_to(log: &Path) -> Result<File> {
    let file = File::options().create(true).append(true).open(log);
    file.map_err(|error| Failure::file(log, &error))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn log(name: &str) -> PathBuf {
        let log = std::env::temp_dir().join(format!("xtask-{}-{name}", std::process::id()));
        let _ = fs::remove_file(&log);
        log
    }

    fn shell(script: &str) -> Program {
        Program::new("sh").args(&["-c", script])
    }

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn a_program_that_ends_well_leaves_its_output() {
        let log = log("ends-well");
        shell("echo out; echo err >&2").run(&log, LONG).unwrap();
        assert_eq!(fs::read_to_string(&log).unwrap(), "out\nerr\n");
    }

    #[test]
    fn a_status_is_an_error_that_names_the_program() {
        let error = shell("exit 3").run(&log("status"), LONG).unwrap_err().to_string();
        assert_eq!(error, "`sh -c exit 3` ended with exit status: 3");
    }

    #[test]
    fn a_program_that_takes_too_long_is_killed_with_its_children() {
        let log = log("too-long");
        // The inner one would hold on to the log, and write to it, if it lived on.
        let error = shell("sleep 60 & wait; echo alive").run(&log, Duration::from_millis(50)).unwrap_err();
        assert!(error.to_string().contains("was still running after 0 s"), "{error}");
        assert_eq!(fs::read_to_string(&log).unwrap(), "");
    }

    #[test]
    fn standard_input_is_empty() {
        shell("! read line").run(&log("stdin"), LONG).unwrap();
    }

    #[test]
    fn a_service_serves_until_it_is_dropped() {
        let log = log("service");
        let service = shell("echo starting; echo ready 1; cat >/dev/null; echo ended >&2");
        let service = service.start(&log, |line| line.starts_with("ready")).unwrap();
        assert_eq!(service.lines(), ["starting", "ready 1"]);
        drop(service);
        assert_eq!(fs::read_to_string(&log).unwrap(), "ended\n");
    }

    #[test]
    fn a_service_that_ends_before_it_is_ready_shows_why() {
        let error = shell("echo no such port >&2").start(&log("unready"), |_| true).unwrap_err();
        let error = error.to_string();
        assert!(error.contains("ended before it was ready") && error.contains("no such port"), "{error}");
    }
}
