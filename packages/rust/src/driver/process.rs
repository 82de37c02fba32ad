//! Runs a program that prints a subject token: without a shell, for so long, and no more than it may print.

use std::io::{self, ErrorKind, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use gatepass_core::step::BODY_LIMIT;
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
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
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
    match read_output(child, deadline) {
        None => timed_out(),
        Some(Err(error)) => failed(HostFailure::Other, &error.kind().to_string()),
        Some(Ok(stdout)) if stdout.len() > BODY_LIMIT => {
            failed(HostFailure::TooLarge, "the program printed more than 1 MiB")
        }
        Some(Ok(stdout)) => match wait(child, deadline) {
            None => timed_out(),
            Some(Err(error)) => failed(HostFailure::Other, &error.kind().to_string()),
            Some(Ok(status)) => Reply::Exited {
                status: number(status),
                stdout: Secret::new(stdout),
                stderr: Secret::default(),
            },
        },
    }
}

/// Reads all that the program prints, or one byte more than it may; nothing if that takes too long. A thread of its
/// own reads, for reading cannot be interrupted.
fn read_output(child: &mut Child, deadline: Instant) -> Option<io::Result<Vec<u8>>> {
    let stdout = child.stdout.take()?;
    let (read, wait) = mpsc::channel();
    thread::spawn(move || {
        let mut output = Vec::new();
        let outcome = stdout.take(BODY_LIMIT as u64 + 1).read_to_end(&mut output).map(|_| output);
        // Nobody waits any more once it has taken too long.
        let _ = read.send(outcome);
    });
    wait.recv_timeout(deadline.saturating_duration_since(Instant::now())).ok()
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
        for (script, expected, printed) in
            [("printf $GREETING", 0, "hello"), ("exit 3", 3, ""), ("kill -TERM $$", 128 + 15, "")]
        {
            let Reply::Exited { status, stdout, .. } = shell(script, MINUTE) else { panic!("{script}") };
            assert_eq!((status, stdout.expose().as_slice()), (expected, printed.as_bytes()), "{script}");
        }
    }

    #[test]
    fn standard_input_is_empty_and_standard_error_thrown_away() {
        let Reply::Exited { status, stdout, .. } = shell("cat; echo loud >&2", MINUTE) else { panic!() };
        assert_eq!((status, stdout.expose().len()), (0, 0));
    }

    #[test]
    fn a_program_out_of_bounds_is_ended_with_all_it_started() {
        let short = Duration::from_millis(50);
        assert_eq!(failure(&shell("sleep 600 & wait", short)), HostFailure::Timeout);
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
