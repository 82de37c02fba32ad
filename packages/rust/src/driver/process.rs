//! Runs a program that prints a subject token: without a shell, for so long, and no more than it may print.

use std::io::{self, ErrorKind, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use gatepass_core::{BODY_LIMIT, STDERR_LIMIT};
use gatepass_core::{HostFailure, Reply, Secret};

use super::failed;

/// How often to look whether a program has ended that has closed its standard output; most end at once.
const EXIT_POLL: Duration = Duration::from_millis(5);

/// Runs `argv` with `env` added to this program's environment. A program that is not done in time is ended, and so are
/// the programs that it has started.
pub(super) fn run(argv: &[String], env: &[(String, String)], timeout: Duration) -> Reply {
    let deadline = Instant::now() + timeout;
    let mut child = match start(argv, env) {
        Ok(child) => child,
        Err(error) => return not_started(&error),
    };
    let reply = finish(&mut child, deadline);
    if matches!(reply, Reply::Failed { .. }) {
        end(&mut child);
    }
    reply
}

fn start(argv: &[String], env: &[(String, String)]) -> io::Result<Child> {
    let (program, arguments) = argv.split_first().ok_or(ErrorKind::NotFound)?;
    let mut command = Command::new(program);
    command.args(arguments).envs(env.iter().map(|(name, value)| (name, value)));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command.spawn()
}

fn not_started(error: &io::Error) -> Reply {
    match error.kind() {
        ErrorKind::NotFound => failed(HostFailure::NotFound, "no such program"),
        ErrorKind::PermissionDenied => failed(HostFailure::PermissionDenied, "permission denied"),
        kind => failed(HostFailure::Other, &kind.to_string()),
    }
}

fn finish(child: &mut Child, deadline: Instant) -> Reply {
    let timed_out = || failed(HostFailure::Timeout, "the program did not end in time");
    let other = |error: io::Error| failed(HostFailure::Other, &error.kind().to_string());
    // Read side by side: a program that fills the one would otherwise wait for ever to be read.
    let stderr = child.stderr.take().map(|pipe| read(pipe, STDERR_LIMIT, Beyond::Discarded));
    let stdout = child.stdout.take().map(|pipe| read(pipe, BODY_LIMIT, Beyond::Refused));
    let left = || deadline.saturating_duration_since(Instant::now());
    let stdout = match stdout.map(|stdout| stdout.recv_timeout(left())) {
        Some(Ok(Ok(stdout))) => stdout,
        Some(Ok(Err(error))) => return other(error),
        Some(Err(_)) | None => return timed_out(),
    };
    if stdout.len() > BODY_LIMIT {
        return failed(HostFailure::TooLarge, "the program printed more than 1 MiB");
    }
    let status = match wait(child, deadline) {
        None => return timed_out(),
        Some(Err(error)) => return other(error),
        Some(Ok(status)) => number(status),
    };
    match stderr.map(|stderr| stderr.recv_timeout(left())) {
        Some(Ok(Ok(stderr))) => {
            Reply::Exited { status, stdout: Secret::new(stdout), stderr: Secret::new(stderr) }
        }
        Some(Ok(Err(error))) => other(error),
        Some(Err(_)) | None => timed_out(),
    }
}

/// What becomes of more than a program may print.
#[derive(Clone, Copy, PartialEq)]
enum Beyond {
    /// It is read, so that the program can go on, and thrown away.
    Discarded,
    /// Reading ends with one byte of it, which shows that there is more.
    Refused,
}

/// Reads a pipe on a thread of its own, for reading cannot be interrupted; it ends when the pipe closes, at the latest
/// when the program is ended with all that it has started.
fn read(
    pipe: impl Read + Send + 'static,
    limit: usize,
    beyond: Beyond,
) -> mpsc::Receiver<io::Result<Vec<u8>>> {
    let (read, wait) = mpsc::channel();
    thread::spawn(move || {
        let mut output = Vec::new();
        let kept = limit as u64 + u64::from(beyond == Beyond::Refused);
        let mut pipe = pipe.take(kept);
        let outcome = pipe.read_to_end(&mut output).and_then(|_| match beyond {
            Beyond::Discarded => io::copy(&mut pipe.into_inner(), &mut io::sink()).map(|_| output),
            Beyond::Refused => Ok(output),
        });
        // Nobody waits any more once it has taken too long.
        let _ = read.send(outcome);
    });
    wait
}

fn wait(child: &mut Child, deadline: Instant) -> Option<io::Result<ExitStatus>> {
    loop {
        match child.try_wait() {
            Ok(None) if Instant::now() < deadline => thread::sleep(EXIT_POLL),
            Ok(None) => return None,
            Ok(Some(status)) => return Some(Ok(status)),
            Err(error) => return Some(Err(error)),
        }
    }
}

/// Ends the program. That fails only if it has ended by itself.
fn end(child: &mut Child) {
    #[cfg(unix)]
    if let Some(group) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let _ = child.kill();
    let _ = child.wait();
}

/// The exit status; of a program that a signal has ended, 128 and the signal, as shells have it.
fn number(status: ExitStatus) -> i32 {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return 128 + signal;
    }
    status.code().unwrap_or(-1)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn shell(script: &str, timeout: Duration) -> Reply {
        let argv = ["/bin/sh", "-c", script].map(str::to_owned);
        run(&argv, &[("GREETING".to_owned(), "hello".to_owned())], timeout)
    }

    fn failure(reply: &Reply) -> HostFailure {
        match reply {
            Reply::Failed { kind, .. } => *kind,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn status_and_output_come_back() {
        for (script, expected, printed, complained) in [
            ("printf $GREETING", 0, "hello", ""),
            ("printf no >&2; exit 3", 3, "", "no"),
            ("kill -TERM $$", 128 + 15, "", ""),
        ] {
            let Reply::Exited { status, stdout, stderr } = shell(script, MINUTE) else { panic!("{script}") };
            assert_eq!((status, stdout.expose().as_slice()), (expected, printed.as_bytes()), "{script}");
            assert_eq!(stderr.expose().as_slice(), complained.as_bytes(), "{script}");
        }
    }

    #[test]
    fn standard_input_is_empty_and_standard_error_cut() {
        let Reply::Exited { status, stdout, .. } = shell("cat", MINUTE) else { panic!() };
        assert_eq!((status, stdout.expose().len()), (0, 0));
        let script = "head -c 1000000 /dev/zero >&2; printf done";
        let Reply::Exited { stdout, stderr, .. } = shell(script, MINUTE) else { panic!() };
        assert_eq!((stdout.expose().as_slice(), stderr.expose().len()), (&b"done"[..], STDERR_LIMIT));
    }

    #[test]
    fn a_program_out_of_bounds_is_ended_with_all_it_started() {
        let short = Duration::from_millis(50);
        assert_eq!(failure(&shell("sleep 600 & wait", short)), HostFailure::Timeout);
        // The parent has ended, what it has started keeps the pipe open.
        assert_eq!(failure(&shell("sleep 600 & exit 0", short)), HostFailure::Timeout);
        assert_eq!(failure(&shell("sleep 600 >/dev/null & exit 0", short)), HostFailure::Timeout);
        assert_eq!(failure(&shell("exec 1>&-; sleep 600", short)), HostFailure::Timeout);
        assert_eq!(failure(&shell("yes", MINUTE)), HostFailure::TooLarge);
    }

    #[test]
    fn a_program_that_cannot_be_started_is_told_apart() {
        let run = |program: &str| failure(&run(&[program.to_owned()], &[], MINUTE));
        assert_eq!(run("/no/such/program"), HostFailure::NotFound);
        assert_eq!(run("/"), HostFailure::PermissionDenied);
    }
}
