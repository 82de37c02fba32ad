//! HTTP/1.0 over loopback: just enough to steer the emulator and to knock at a receiver. In this version of the
//! protocol the server frames nothing and closes the connection at the end.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

use crate::failure::{Failure, Result};

/// Neither the emulator nor a receiver says more.
const ANSWER_LIMIT: u64 = 1024 * 1024;
const TIMEOUT: Duration = Duration::from_secs(120);

/// A status and a JSON document, null if the body was none.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

/// Gets `url`, with an `Authorization` header if there is one.
pub(crate) fn get(url: &str, authorization: Option<&str>) -> Result<Answer> {
    let header = authorization.map(|value| format!("Authorization: {value}\r\n")).unwrap_or_default();
    exchange("GET", url, &header, "")
}

/// Posts a JSON document.
pub(crate) fn post(url: &str, body: &Value) -> Result<Answer> {
    let body = body.to_string();
    let headers = format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len());
    exchange("POST", url, &headers, &body)
}

fn exchange(method: &str, url: &str, headers: &str, body: &str) -> Result<Answer> {
    let fail = |what: &str| Failure::new(format!("{method} {url}: {what}"));
    let (host, path) = split(url).ok_or_else(|| fail("not a URL with http"))?;
    let request = format!("{method} {path} HTTP/1.0\r\nHost: {host}\r\n{headers}\r\n{body}");
    let mut answer = Vec::new();
    let mut talk = || {
        let mut stream = TcpStream::connect(host)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        stream.write_all(request.as_bytes())?;
        stream.take(ANSWER_LIMIT).read_to_end(&mut answer)
    };
    talk().map_err(|error| fail(&error.to_string()))?;
    parse(&String::from_utf8_lossy(&answer)).ok_or_else(|| fail("the answer is not HTTP"))
}

fn split(url: &str) -> Option<(&str, &str)> {
    let rest = url.strip_prefix("http://")?;
    Some(rest.find('/').map_or((rest, "/"), |at| rest.split_at(at)))
}

fn parse(answer: &str) -> Option<Answer> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()?;
    Some(Answer { status, body: serde_json::from_str(body).unwrap_or_default() })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use std::net::TcpListener;
    use std::thread;

    use serde_json::json;

    use super::*;

    #[test]
    fn a_document_goes_out_and_comes_back() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/a", listener.local_addr().unwrap());
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 1024];
            let mut length = 0;
            while !request[..length].ends_with(b"{\"b\":1}") {
                length += stream.read(&mut request[length..]).unwrap();
            }
            stream.write_all(b"HTTP/1.1 401 Unauthorized\r\nServer: x\r\n\r\n{\"error\": \"C\"}").unwrap();
            String::from_utf8_lossy(&request[..length]).into_owned()
        });
        let answer = post(&url, &json!({"b": 1})).unwrap();
        assert_eq!(answer, Answer { status: 401, body: json!({"error": "C"}) });
        assert!(server.join().unwrap().starts_with("POST /a HTTP/1.0\r\nHost: 127.0.0.1:"));
    }

    #[test]
    fn what_is_not_http_is_an_error() {
        assert_eq!(parse("SSH-2.0-x\r\n\r\n"), None);
        assert_eq!(split("http://127.0.0.1:1"), Some(("127.0.0.1:1", "/")));
        assert!(get("https://a/", None).unwrap_err().to_string().contains("not a URL with http"));
    }
}
