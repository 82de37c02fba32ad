//! Serves the emulator over HTTP/1.1, with or without TLS: the clock, the sockets and the waiting that the library
//! leaves out.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

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
use tokio::task;
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;

use crate::serve;

/// The largest request: far above any assertion, far below what hurts.
const MAX_REQUEST_BODY: usize = 1 << 20;

/// Where the emulator is served.
pub(super) struct Listeners {
    pub(super) plain: TcpListener,
    /// With TLS, for clients that present certificates.
    pub(super) mtls: Option<(TcpListener, Arc<ServerConfig>)>,
}

/// Serves `emulator` until SIGINT or SIGTERM, or, with `exit_with_stdin`, until standard input closes.
pub(super) fn serve(listeners: Listeners, emulator: Arc<Emulator>, exit_with_stdin: bool) -> io::Result<()> {
    let plain = serve::accept(listeners.plain, |stream, _| serve_plain(stream, Arc::clone(&emulator)));
    let served = async {
        match listeners.mtls {
            None => plain.await,
            Some((listener, config)) => {
                let tls = TlsAcceptor::from(config);
                let mtls = serve::accept(listener, |stream, _| {
                    serve_tls(stream, tls.clone(), Arc::clone(&emulator))
                });
                tokio::try_join!(plain, mtls).map(|_| ())
            }
        }
    };
    serve::run(served, exit_with_stdin)
}

async fn serve_plain(stream: TcpStream, emulator: Arc<Emulator>) {
    serve_requests(stream, None, &emulator).await;
}

async fn serve_tls(stream: TcpStream, tls: TlsAcceptor, emulator: Arc<Emulator>) {
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

/// Reads a request whole; nothing if it is too large or truncated.
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
