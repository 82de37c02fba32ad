//! The HTTP of the front end: heads go through [`Service::decide`], bodies pass as they come, and so do trailers.

use std::error::Error;
use std::io;
use std::net::{IpAddr, TcpListener};
use std::sync::{Arc, LazyLock};
use std::time::{SystemTime, UNIX_EPOCH};

use gatepass_emulator::cloud_run::{Decision, PublishedKeys, Service, end_to_end};
use gatepass_emulator::http::{Request, Response};
use gatepass_emulator::time::UnixSeconds;
use http_body_util::{Either, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client;
use hyper::header::{CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, TE};
use hyper::http::request::Parts;
use hyper::service::service_fn;
use hyper::{Uri, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpStream;
use tokio::task;

use super::published_keys;
use crate::serve;

/// What the service sends, as it comes, or what the front end answers itself.
type Body = Either<Incoming, Full<Bytes>>;

/// The front end of one service.
pub(super) struct FrontEnd {
    pub(super) service: Service,
    /// Host and port where the service listens.
    pub(super) upstream: String,
    pub(super) keys: Keys,
}

/// The keys with which tokens are verified.
pub(super) enum Keys {
    /// Those of an emulator that has not changed them, derived when a token is first verified.
    Initial(LazyLock<Result<PublishedKeys, String>>),
    /// Those of the emulator at this address, which may change.
    Of(String),
}

/// Serves until SIGINT or SIGTERM, or, with `exit_with_stdin`, until standard input closes.
pub(super) fn serve(listener: TcpListener, front_end: FrontEnd, exit_with_stdin: bool) -> io::Result<()> {
    let front_end = Arc::new(front_end);
    let accept = serve::accept(listener, |stream, client| {
        serve_connection(stream, client.ip(), Arc::clone(&front_end))
    });
    serve::run(accept, exit_with_stdin)
}

async fn serve_connection(stream: TcpStream, client: IpAddr, front_end: Arc<FrontEnd>) {
    let service = service_fn(move |request| {
        let front_end = Arc::clone(&front_end);
        async move { front_end.answer(request, client).await }
    });
    // A connection that ends badly is the client's affair, or shows that the service broke its answer off.
    let _ = auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
}

impl FrontEnd {
    /// Answers one request. An error makes hyper close the connection without an answer.
    async fn answer(
        &self,
        request: hyper::Request<Incoming>,
        client: IpAddr,
    ) -> io::Result<hyper::Response<Body>> {
        let (head, body) = request.into_parts();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(io::Error::other)?;
        let request_line = format!("{} {}", head.method, head.uri.path());
        let decided =
            task::block_in_place(|| self.decide(without_body(&head), client, UnixSeconds(now.as_secs())));
        let decision = match decided {
            Ok(decision) => decision,
            Err(error) => {
                eprintln!("gatepass: {request_line}: 503: {error}");
                return write(Response::new(
                    503,
                    "text/plain; charset=utf-8",
                    "the emulator does not answer\n",
                ));
            }
        };
        match decision {
            Decision::Respond { response, reason } => {
                eprintln!("gatepass: {request_line}: {}: {reason}", response.status);
                write(response)
            }
            Decision::Forward(request) => match self.forward(head, request.headers, body).await {
                Ok(response) => Ok(response),
                Err(error) => {
                    eprintln!("gatepass: {request_line}: 503: no answer from {}: {error}", self.upstream);
                    write(Response::new(503, "text/plain; charset=utf-8", "the service does not answer\n"))
                }
            },
        }
    }

    /// Decides on a request, with keys that the emulator may have to be asked for.
    fn decide(&self, request: Request, client: IpAddr, now: UnixSeconds) -> Result<Decision, String> {
        let keys = match &self.keys {
            // No token is verified.
            _ if self.service.is_public() => &PublishedKeys::default(),
            Keys::Initial(keys) => keys.as_ref().map_err(String::clone)?,
            Keys::Of(emulator) => &published_keys(emulator)?,
        };
        Ok(self.service.decide(request, client, keys, now))
    }

    /// Sends a request on a connection of its own, which ends with the answer: gRPC over HTTP/2, as Cloud Run does, and
    /// all else over HTTP/1.1.
    async fn forward(
        &self,
        head: Parts,
        headers: Vec<(String, String)>,
        body: Incoming,
    ) -> Result<hyper::Response<Body>, Box<dyn Error + Send + Sync>> {
        let stream = TcpStream::connect(&self.upstream).await?;
        stream.set_nodelay(true)?;
        let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
        let mut headers = header_map(headers)?;
        let request = hyper::Request::builder().method(&head.method);
        let response = if is_grpc(&head) {
            let (mut sender, connection) =
                client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await?;
            task::spawn(connection);
            // In HTTP/2 the host is part of the URI. What a client says by TE it says to its neighbour; gRPC wants it
            // to be said by everybody.
            let host = headers.remove(HOST).ok_or("a request without a host")?;
            headers.insert(TE, HeaderValue::from_static("trailers"));
            let uri = Uri::builder().scheme("http").authority(host.as_bytes()).path_and_query(target);
            let mut request = request.uri(uri.build()?).body(body)?;
            *request.headers_mut() = headers;
            sender.send_request(request).await?
        } else {
            let (mut sender, connection) = client::conn::http1::handshake(TokioIo::new(stream)).await?;
            // If it ends badly, so does the answer, and that is where it shows.
            task::spawn(connection);
            let mut request = request.uri(target).body(body)?;
            *request.headers_mut() = headers;
            sender.send_request(request).await?
        };
        let (mut head, body) = response.into_parts();
        head.headers = header_map(end_to_end(header_list(&head.headers)))?;
        Ok(hyper::Response::from_parts(head, Either::Left(body)))
    }
}

/// Tells whether a request is one of gRPC (gRPC over HTTP2, "Requests").
fn is_grpc(head: &Parts) -> bool {
    let is_grpc = |value: &HeaderValue| value.as_bytes().starts_with(b"application/grpc");
    head.version == Version::HTTP_2 && head.headers.get(CONTENT_TYPE).is_some_and(is_grpc)
}

/// The head of a request in the emulator's form.
fn without_body(head: &Parts) -> Request {
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
    let mut request = Request::get(target);
    request.method = head.method.to_string();
    request.headers = header_list(&head.headers);
    // HTTP/2 has the host in the URI.
    if let Some(host) = head.uri.authority().filter(|_| !head.headers.contains_key(HOST)) {
        request.headers.push((HOST.to_string(), host.to_string()));
    }
    request
}

/// Takes each byte of a value for one character, so that [`header_map`] gives back what came in.
fn header_list(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.as_bytes().iter().copied().map(char::from).collect()))
        .collect()
}

fn header_map(headers: Vec<(String, String)>) -> Result<HeaderMap, Box<dyn Error + Send + Sync>> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let bytes: Vec<u8> = value.chars().map(u8::try_from).collect::<Result<_, _>>()?;
        map.append(HeaderName::try_from(name)?, HeaderValue::try_from(bytes)?);
    }
    Ok(map)
}

fn write(response: Response) -> io::Result<hyper::Response<Body>> {
    let mut builder = hyper::Response::builder().status(response.status);
    for (name, value) in response.headers {
        builder = builder.header(name, value);
    }
    builder.body(Either::Right(Full::new(response.body.into()))).map_err(io::Error::other)
}
