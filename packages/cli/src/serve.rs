//! What every server of this program does: accept connections until it is told to stop.

use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::runtime;
use tokio::sync::oneshot;
use tokio::task;
use tokio::time::sleep;

/// How long to wait after a connection could not be accepted; the usual reason, too many open files, passes.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Runs `server` until SIGINT or SIGTERM, or, with `exit_with_stdin`, until standard input closes.
pub(crate) fn run(server: impl Future<Output = io::Result<()>>, exit_with_stdin: bool) -> io::Result<()> {
    // Several threads: deriving a key takes up to a second, and the other clients should not notice.
    let runtime = runtime::Builder::new_multi_thread().enable_all().build()?;
    let served = runtime.block_on(async {
        tokio::select! {
            ended = server => ended,
            stopped = stop(exit_with_stdin) => stopped,
        }
    });
    // Without waiting for answers that a fault delays, or that a service is still busy with.
    runtime.shutdown_background();
    served
}

/// Accepts connections for ever, and serves each in a task of its own. Ends only if nothing can be accepted at all.
pub(crate) async fn accept<S>(
    listener: TcpListener,
    serve: impl Fn(TcpStream, SocketAddr) -> S,
) -> io::Result<()>
where
    S: Future<Output = ()> + Send + 'static,
{
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    loop {
        match listener.accept().await {
            Ok((stream, client)) => {
                // Small answers, and parts of large ones, go out as they come; without it they still arrive.
                let _ = stream.set_nodelay(true);
                task::spawn(serve(stream, client));
            }
            Err(error) => {
                eprintln!("gatepass: cannot accept a connection: {error}");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Waits for the first reason to stop.
async fn stop(exit_with_stdin: bool) -> io::Result<()> {
    let terminated = terminate_signal()?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        () = terminated => Ok(()),
        () = stdin_closed(), if exit_with_stdin => Ok(()),
    }
}

#[cfg(unix)]
fn terminate_signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        terminate.recv().await;
    })
}

#[cfg(not(unix))]
fn terminate_signal() -> io::Result<impl Future<Output = ()>> {
    Ok(std::future::pending())
}

/// Waits until standard input ends. A thread of its own does the reading: it may hang for good, and tokio would wait
/// for its own threads.
async fn stdin_closed() {
    let (closed, wait) = oneshot::channel();
    std::thread::spawn(move || {
        // Whether it ends well or with an error, nobody is at the other end any more.
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        let _ = closed.send(());
    });
    let _ = wait.await;
}
