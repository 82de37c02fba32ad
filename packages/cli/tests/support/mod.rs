//! What the tests of the built program share: programs that run during a test, and a service for them to call.

#![allow(dead_code, reason = "each of the test programs uses a part")]

pub(crate) mod emulator;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// No answer takes as long; a test that waits for one that never comes fails then.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(600);

/// The program with these arguments, with nothing of the test's environment.
pub(crate) fn gatepass(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gatepass"));
    command.args(arguments).env_clear();
    command
}

pub(crate) fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// A program that listens. It stops when this is dropped, or when the test process dies: its standard input closes.
pub(crate) struct Running {
    process: Child,
    /// What it printed.
    pub(crate) lines: Vec<String>,
    /// Host and port.
    pub(crate) address: String,
}

impl Running {
    /// Starts `gatepass emulator` with more arguments, and waits until it listens.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut process = gatepass(&["emulator"])
            .args(arguments)
            .args(["--port", "0", "--exit-with-stdin"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(process.stdout.take().unwrap());
        let mut lines = Vec::new();
        let address = stdout.lines().map(Result::unwrap).find_map(|line| {
            lines.push(line);
            lines.last()?.strip_prefix("# listening on http://").map(str::to_owned)
        });
        Self { process, lines, address: address.expect("a program that listens") }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The environment that it printed.
    pub(crate) fn exports(&self) -> impl Iterator<Item = (&str, &str)> {
        self.lines.iter().filter_map(|line| line.strip_prefix("export ")?.split_once('='))
    }

    /// Sends one request on a connection of its own. `headers` end with a line end each.
    pub(crate) fn send(&self, method: &str, target: &str, headers: &str, body: &str) -> Answer {
        self.send_to(method, target, &format!("Host: {}\r\n{headers}", self.address), body)
    }

    /// As [`send`](Self::send), with the `Host` among the headers.
    pub(crate) fn send_to(&self, method: &str, target: &str, headers: &str, body: &str) -> Answer {
        let mut stream = self.connect();
        write!(
            stream,
            "{method} {target} HTTP/1.1\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
        Answer {
            status: head.split(' ').nth(1).unwrap().parse().unwrap(),
            head: head.to_owned(),
            body: body.to_owned(),
        }
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        stream
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        // The program ends by itself; were it not to, the test would hang here and show it.
        assert!(self.process.wait().unwrap().success());
    }
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }
}

/// A service that takes one request a connection. It lives as long as the test process.
pub(crate) struct Service {
    pub(crate) url: String,
    received: Arc<Mutex<Vec<Received>>>,
}

/// A request that a [`Service`] got.
#[derive(Clone)]
pub(crate) struct Received {
    /// The request line and the headers.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }
}

impl Service {
    /// Starts a service that answers its n-th request, counted from 0, with all that `answer` gives.
    pub(crate) fn start(answer: impl Fn(usize, &Received) -> String + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let received = Arc::new(Mutex::new(Vec::new()));
        let service = Self { url, received: Arc::clone(&received) };
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let request = read(&mut stream);
                let answer = {
                    let mut received = received.lock().unwrap();
                    received.push(request.clone());
                    answer(received.len() - 1, &request)
                };
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        service
    }

    /// What it got so far.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }
}

/// An answer with that status and body, after which the connection closes.
pub(crate) fn answer(status: u16, body: &str) -> String {
    format!("HTTP/1.1 {status} Status\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

/// Reads a head, up to its empty line, which it leaves out.
pub(crate) fn read_head(stream: &mut impl Read) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    head.truncate(head.len() - 4);
    // Values are bytes, not UTF-8: each is one character here.
    head.into_iter().map(char::from).collect()
}

fn read(stream: &mut TcpStream) -> Received {
    stream.set_read_timeout(Some(TIMEOUT)).unwrap();
    let head = read_head(stream);
    let length = header(&head, "content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    Received { head, body }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().skip(1).find_map(|line| {
        let (other, value) = line.split_once(':')?;
        other.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}
