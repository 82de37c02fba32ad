//! One step after the other.

use std::io::{ErrorKind, Read};
use std::sync::mpsc;
use std::time::Duration;
use std::{env, fs, thread};

use gatepass_core::BODY_LIMIT;
use gatepass_core::{Error, HostFailure, HttpRequest, Method, Operation, Reply, Secret, Step};
use ureq::{Agent, Proxy, RequestBuilder};

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
        let mut text = String::new();
        // One byte more than is allowed shows that a file is too large.
        file.take(BODY_LIMIT as u64 + 1).read_to_string(&mut text).map(|_| Secret::new(text))
    });
    match read {
        Ok(text) if text.expose().len() > BODY_LIMIT => failed(HostFailure::TooLarge, "larger than 1 MiB"),
        Ok(text) => Reply::Text(text),
        Err(error) => match error.kind() {
            ErrorKind::NotFound => failed(HostFailure::NotFound, "no such file"),
            ErrorKind::PermissionDenied => failed(HostFailure::PermissionDenied, "permission denied"),
            kind => failed(HostFailure::Other, &kind.to_string()),
        },
    }
}

fn send(request: &HttpRequest) -> Reply {
    let agent = match agent(request) {
        Ok(agent) => agent,
        Err(message) => return failed(HostFailure::Other, &message),
    };
    match exchange(&agent, request) {
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

fn agent(request: &HttpRequest) -> Result<Agent, String> {
    let mut config = Agent::config_builder()
        .max_redirects(0)
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_millis(request.timeout_ms)));
    // The core has read the environment: this proxy and no other.
    let proxy = request.proxy.as_ref().map(|url| Proxy::new(url.expose()));
    config = config.proxy(proxy.transpose().map_err(|_| "the proxy's URL cannot be used".to_owned())?);
    if request.url.starts_with("https:") {
        config = config.tls_config(tls::config(request)?);
    }
    Ok(config.build().new_agent())
}

fn exchange(agent: &Agent, request: &HttpRequest) -> Result<Reply, ureq::Error> {
    let body = request.body.as_ref().map_or("", |body| body.expose());
    let mut response = match request.method {
        Method::Get => with_headers(agent.get(&request.url), request).call(),
        Method::Post => with_headers(agent.post(&request.url), request).send(body),
        Method::Put => with_headers(agent.put(&request.url), request).send(body),
    }?;
    let headers = response.headers().iter();
    let headers =
        headers.map(|(n, v)| (n.to_string(), String::from_utf8_lossy(v.as_bytes()).into_owned())).collect();
    let status = response.status().as_u16();
    let body = response.body_mut().with_config().limit(BODY_LIMIT as u64).read_to_vec()?;
    Ok(Reply::Response { status, headers, body: Secret::new(body) })
}

fn with_headers<B>(builder: RequestBuilder<B>, request: &HttpRequest) -> RequestBuilder<B> {
    request
        .headers
        .iter()
        .fold(builder, |builder, (name, value)| builder.header(name.as_ref(), value.expose()))
}

/// Scheme and host of a URL: what an error may show of it.
fn authority(url: &str) -> &str {
    let end = url.match_indices('/').nth(2).map_or(url.len(), |(slash, _)| slash);
    url.get(..end).unwrap_or(url)
}
