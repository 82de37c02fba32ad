//! One step after the other.

use std::io::{ErrorKind, Read};
use std::sync::mpsc;
use std::time::Duration;
use std::{env, fs, thread};

use gatepass_core::BODY_LIMIT;
use gatepass_core::{Error, HostFailure, HttpRequest, Method, Operation, Reply, Secret, Step};
use ureq::http::uri::Scheme;
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{Connector as _, DefaultConnector};
use ureq::{Agent, RequestBuilder};

use super::absolute_form::AbsoluteForm;
use super::route::Route;
use super::{Host, SubjectTokenRequest, failed, process, tls};

/// Drives `operation` to its end.
pub(super) fn drive<T>(mut operation: impl Operation<Output = T>, host: &Host) -> Result<T, Error> {
    let mut reply = Reply::Start;
    loop {
        reply = match operation.resume(host.now(), reply) {
            Step::Done(output) => return Ok(output),
            Step::Fail(error) => return Err(error),
            Step::ReadEnv { names } => Reply::Env(read_env(names)),
            Step::ReadFile { path, timeout_ms } => within(timeout_ms, move || read_file(&path)),
            Step::Send(request) => send(&request),
            Step::Run { argv, env, timeout_ms } => {
                process::run(&argv, &env, Duration::from_millis(timeout_ms))
            }
            Step::Supply { supplier, audience, token_type, timeout_ms } => {
                supply(host, &supplier, audience, token_type, timeout_ms)
            }
            Step::Wait { delay_ms } => {
                thread::sleep(Duration::from_millis(delay_ms));
                Reply::Elapsed
            }
            _ => failed(HostFailure::Unsupported, "this driver does not know the step"),
        }
    }
}

/// Does work that nothing can interrupt, such as reading a file on a dead mount: its thread may be left behind, the
/// caller goes on in time.
fn within(timeout_ms: u64, work: impl FnOnce() -> Reply + Send + 'static) -> Reply {
    let (done, wait) = mpsc::sync_channel(1);
    let worker = thread::Builder::new().name("gatepass".to_owned()).spawn(move || {
        // Nobody waits any more once it has taken too long.
        let _ = done.send(work());
    });
    if let Err(error) = worker {
        return failed(HostFailure::Other, &format!("no thread can be started: {}", error.kind()));
    }
    match wait.recv_timeout(Duration::from_millis(timeout_ms)) {
        Ok(reply) => reply,
        Err(mpsc::RecvTimeoutError::Timeout) => failed(HostFailure::Timeout, "not done in time"),
        Err(mpsc::RecvTimeoutError::Disconnected) => failed(HostFailure::Other, "it panicked"),
    }
}

fn supply(host: &Host, name: &str, audience: String, token_type: String, timeout_ms: u64) -> Reply {
    let Some(supplier) = host.suppliers.get(name).cloned() else {
        return failed(
            HostFailure::NotFound,
            "no function is registered under this name; register one, or name another source than a supplier",
        );
    };
    within(timeout_ms, move || {
        match supplier(&SubjectTokenRequest { audience: &audience, token_type: &token_type }) {
            Ok(token) => Reply::Text(Secret::new(token)),
            Err(why) => failed(HostFailure::Other, &why),
        }
    })
}

fn read_env(names: &[&str]) -> Vec<(String, Secret<String>)> {
    names.iter().filter_map(|name| Some(((*name).to_owned(), Secret::new(env::var(name).ok()?)))).collect()
}

fn read_file(path: &str) -> Reply {
    let read = fs::File::open(path).and_then(|file| {
        let mut bytes = Vec::new();
        // One byte more than is allowed shows that a file is too large.
        file.take(BODY_LIMIT as u64 + 1).read_to_end(&mut bytes).map(|_| Secret::new(bytes))
    });
    match read {
        Ok(bytes) if bytes.expose().len() > BODY_LIMIT => failed(HostFailure::TooLarge, "larger than 1 MiB"),
        // What is no UTF-8 is the core's to name.
        Ok(bytes) => Reply::Text(Secret::new(String::from_utf8_lossy(bytes.expose()).into_owned())),
        Err(error) => match error.kind() {
            ErrorKind::NotFound => failed(HostFailure::NotFound, "no such file"),
            ErrorKind::PermissionDenied => failed(HostFailure::PermissionDenied, "permission denied"),
            kind => failed(HostFailure::Other, &kind.to_string()),
        },
    }
}

fn send(request: &HttpRequest) -> Reply {
    let (agent, route) = match Route::of(request).and_then(|route| Ok((agent(request, &route)?, route))) {
        Ok(found) => found,
        Err(message) => return failed(HostFailure::Other, &message),
    };
    match exchange(&agent, &route, request) {
        Ok(reply) => reply,
        Err(ureq::Error::Timeout(_)) => failed(HostFailure::Timeout, "no answer in time"),
        Err(ureq::Error::BodyExceedsLimit(_)) => failed(HostFailure::TooLarge, "a body of more than 1 MiB"),
        Err(error) => {
            let kind =
                if is_untrusted(&error) { HostFailure::UntrustedCertificate } else { HostFailure::Connect };
            failed(kind, &format!("{}: {error}", authority(&request.url)))
        }
    }
}

/// Whether the other side's certificate is what ended the connection.
fn is_untrusted(error: &ureq::Error) -> bool {
    let tls = match error {
        ureq::Error::Rustls(error) => Some(error),
        ureq::Error::Io(error) => error.get_ref().and_then(|inner| inner.downcast_ref()),
        _ => None,
    };
    matches!(tls, Some(rustls::Error::InvalidCertificate(_)))
}

fn agent(request: &HttpRequest, route: &Route) -> Result<Agent, String> {
    let mut config = Agent::config_builder()
        .max_redirects(0)
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_millis(request.timeout_ms)));
    config = config.proxy(route.tunnel.clone());
    if route.uri.scheme() == Some(&Scheme::HTTPS) {
        config = config.tls_config(tls::config(request)?);
    }
    let config = config.build();
    Ok(match &route.origin {
        None => config.new_agent(),
        Some(origin) => {
            let connector = DefaultConnector::new().chain(AbsoluteForm { origin: origin.clone() });
            Agent::with_parts(config, connector, DefaultResolver::default())
        }
    })
}

fn exchange(agent: &Agent, route: &Route, request: &HttpRequest) -> Result<Reply, ureq::Error> {
    let body = request.body.as_ref().map_or("", |body| body.expose());
    let mut response = match request.method {
        Method::Get => with_headers(agent.get(&route.uri), route, request).call(),
        Method::Post => with_headers(agent.post(&route.uri), route, request).send(body),
        Method::Put => with_headers(agent.put(&route.uri), route, request).send(body),
    }?;
    let headers = response.headers().iter();
    let headers =
        headers.map(|(n, v)| (n.to_string(), String::from_utf8_lossy(v.as_bytes()).into_owned())).collect();
    let status = response.status().as_u16();
    let body = response.body_mut().with_config().limit(BODY_LIMIT as u64).read_to_vec()?;
    Ok(Reply::Response { status, headers, body: Secret::new(body) })
}

fn with_headers<B>(builder: RequestBuilder<B>, route: &Route, request: &HttpRequest) -> RequestBuilder<B> {
    let own = route.headers.iter().map(|(name, value)| (*name, value));
    let headers = request.headers.iter().map(|(name, value)| (name.as_ref(), value.expose()));
    own.chain(headers).fold(builder, |builder, (name, value)| builder.header(name, value))
}

/// Scheme and host of a URL: what an error may show of it.
fn authority(url: &str) -> &str {
    let end = url.match_indices('/').nth(2).map_or(url.len(), |(slash, _)| slash);
    url.get(..end).unwrap_or(url)
}
