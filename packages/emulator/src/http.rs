//! The request and the response, as far as the emulator looks at them.

use std::time::Duration;

use serde::Serialize;

/// An HTTP request that arrived.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method, in capitals.
    pub method: String,
    /// The path as it was in the request line, percent-encoding and all.
    pub path: String,
    /// The query without its question mark, empty when there is none.
    pub query: String,
    /// Names in any case, and values.
    pub headers: Vec<(String, String)>,
    /// The content, empty when there is none.
    pub body: Vec<u8>,
    /// The certificate in DER that the client has presented in the TLS handshake, and whose key it has; nothing if it
    /// has presented none, or the connection is not TLS.
    pub client_certificate: Option<Vec<u8>>,
}

impl Request {
    /// Builds a GET for `target`: a path, with or without a query.
    pub fn get(target: &str) -> Self {
        Self::new("GET", target, Vec::new())
    }

    /// Builds a POST of `body` to `target`: a path, with or without a query.
    pub fn post(target: &str, body: impl Into<Vec<u8>>) -> Self {
        Self::new("POST", target, body.into())
    }

    /// Builds a PUT without a body to `target`: a path, with or without a query.
    pub fn put(target: &str) -> Self {
        Self::new("PUT", target, Vec::new())
    }

    /// Adds a header.
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Says which certificate in DER the client has presented.
    pub fn with_client_certificate(mut self, certificate: &[u8]) -> Self {
        self.client_certificate = Some(certificate.to_vec());
        self
    }

    /// Finds the first header of that name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Finds the first parameter of that name in the query.
    pub fn query_parameter(&self, name: &str) -> Option<String> {
        parameter(self.query.as_bytes(), name)
    }

    /// Finds the first parameter of that name in an `application/x-www-form-urlencoded` body.
    pub fn form_parameter(&self, name: &str) -> Option<String> {
        parameter(&self.body, name)
    }

    /// Tells whether the request only reads. The server leaves the body of an answer to HEAD out.
    pub(crate) fn is_read(&self) -> bool {
        matches!(self.method.as_str(), "GET" | "HEAD")
    }

    fn new(method: &str, target: &str, body: Vec<u8>) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: Vec::new(),
            body,
            client_certificate: None,
        }
    }
}

fn parameter(encoded: &[u8], name: &str) -> Option<String> {
    form_urlencoded::parse(encoded).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// What to do about a request. The server waits for [`delay`](Self::delay) first, then answers or hangs up.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status code, 200 to 599.
    pub status: u16,
    /// Names and values; the server adds the framing, such as `Content-Length`.
    pub headers: Vec<(String, String)>,
    /// The content.
    pub body: Vec<u8>,
    /// How long the server keeps the client waiting; zero unless a fault asks for it.
    pub delay: Duration,
    /// Whether the server closes the connection without a byte of an answer. The rest does not count then.
    pub hang_up: bool,
}

impl Response {
    /// Builds an answer with a body of that media type.
    pub fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { headers: vec![header("Content-Type", content_type)], ..Self::bare(status, body) }
    }

    /// Builds an answer without any header.
    pub fn bare(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into(), delay: Duration::ZERO, hang_up: false }
    }

    /// Finds the first header of that name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub(crate) fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push(header(name, value));
        self
    }

    pub(crate) fn json(status: u16, body: &impl Serialize) -> Self {
        match serde_json::to_vec_pretty(body) {
            Ok(bytes) => Self::new(status, "application/json; charset=utf-8", bytes),
            Err(error) => Self::new(500, "text/plain; charset=utf-8", error.to_string()),
        }
    }

    pub(crate) fn method_not_allowed(allow: &str) -> Self {
        let body = format!("this endpoint answers {allow} only\n");
        Self::new(405, "text/plain; charset=utf-8", body).with_header("Allow", allow)
    }
}

fn header(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}
