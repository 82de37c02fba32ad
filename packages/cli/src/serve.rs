//! Serves the emulator over HTTP/1.1, with or without TLS: the clock, the sockets and the waiting that the library
//! leaves out.

use std::future::Future;
use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gatepass_emulator::Emulator;
use gatepass_emulator::http::{Request, Response};
use gatepass_emulator::time::UnixSeconds;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::runtime;
use tokio::sync::oneshot;
use tokio::task;
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;

/// The largest request: far above any assertion, far below what hurts.
const MAX_REQUEST_BODY: usize = 1 << 20;

/// How long to wait after a connection could not be accepted; the usual reason, too many open files, passes.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Where the emulator is served.
pub(crate) struct Listeners {
    pub(crate) plain: TcpListener,
    /// With TLS, for clients that present certificates.
    pub(crate) mtls: Option<(TcpListener, Arc<ServerConfig>)>,
}

/// Serves `emulator` until SIGINT or SIGTERM, or, with `exit_with_stdin`, until standard input closes.
pub(crate) fn run(listeners: Listeners, emulator: Arc<Emulator>, exit_with_stdin: bool) -> io::Result<()> {
    // Several threads: deriving a key takes up to a second, and the other clients should not notice.
    let runtime = runtime::Builder::new_multi_thread().enable_all().build()?;
    let served = runtime.block_on(async {
        if let Some((listener, config)) = listeners.mtls {
            let (listener, emulator) = (asynchronous(listener)?, Arc::clone(&emulator));
            task::spawn(accept(listener, Some(TlsAcceptor::from(config)), emulator));
        }
        let listener = asynchronous(listeners.plain)?;
        tokio::select! {
            () = accept(listener, None, emulator) => Ok(()),
            stopped = stop(exit_with_stdin) => stopped,
        }
    });
    // Without waiting for answers that a fault delays.
    runtime.shutdown_background();
    served
}

fn asynchronous(listener: TcpListener) -> io::Result<tokio::net::TcpListener> {
    listener.set_nonblocking(true)?;
    tokio::net::TcpListener::from_std(listener)
}

/// Accepts connections for ever.
async fn accept(listener: tokio::net::TcpListener, tls: Option<TlsAcceptor>, emulator: Arc<Emulator>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                task::spawn(serve_connection(stream, tls.clone(), Arc::clone(&emulator)));
            }
            Err(error) => {
                eprintln!("gatepass: cannot accept a connection: {error}");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn serve_connection(stream: TcpStream, tls: Option<TlsAcceptor>, emulator: Arc<Emulator>) {
    // Answers are small; waiting to fill a packet would only slow them down. Without it they still arrive.
    let _ = stream.set_nodelay(true);
    let Some(tls) = tls else { return serve_requests(stream, None, &emulator).await };
    // A client that breaks the handshake off has seen why.
    if let Ok(stream) = tls.accept(stream).await {
        let presented = stream.get_ref().1.peer_certificates().and_then(<[CertificateDer<'_>]>::first);
        let certificate = presented.map(|certificate| certificate.to_vec());
        serve_requests(stream, certificate, &emulator).await;
    }
}

async fn serve_requests(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    client_certificate: Option<Vec<u8>>,
    emulator: &Emulator,
) {
    let service = service_fn(|request| answer(emulator, request, client_certificate.clone()));
    // A connection that ends badly is the client's affair, or what a fault wanted.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// Answers one request. An error makes hyper close the connection without an answer.
async fn answer(
    emulator: &Emulator,
    request: hyper::Request<Incoming>,
    client_certificate: Option<Vec<u8>>,
) -> io::Result<hyper::Response<Full<Bytes>>> {
    let Some(request) = read(request, client_certificate).await else {
        return write(Response::new(413, "text/plain; charset=utf-8", "the request is too large\n"));
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(io::Error::other)?;
    let response = task::block_in_place(|| emulator.handle(&request, UnixSeconds(now.as_secs())));
    if !response.delay.is_zero() {
        sleep(response.delay).await;
    }
    if response.hang_up {
        return Err(io::ErrorKind::ConnectionAborted.into());
    }
    write(response)
}

/// Reads a request whole; nothing if it is too large, or breaks off.
async fn read(request: hyper::Request<Incoming>, client_certificate: Option<Vec<u8>>) -> Option<Request> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, MAX_REQUEST_BODY).collect().await.ok()?.to_bytes();
    let headers = head
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    Some(Request {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers,
        body: body.into(),
        client_certificate,
    })
}

fn write(response: Response) -> io::Result<hyper::Response<Full<Bytes>>> {
    let mut builder = hyper::Response::builder().status(response.status);
    for (name, value) in response.headers {
        builder = builder.header(name, value);
    }
    builder.body(Full::new(response.body.into())).map_err(io::Error::other)
}

/// Waits for the first reason to stop.
pub(crate) async fn stop(exit_with_stdin: bool) -> io::Result<()> {
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
