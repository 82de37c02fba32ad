//! The emulator, served to the tests of this crate.

#![allow(dead_code, reason = "each of the test programs uses a part")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use gatepass_emulator::http::{Request, Response};
use gatepass_emulator::time::UnixSeconds;
use gatepass_emulator::{Config, Emulator};

/// An emulator on a port of its own. It lives as long as the test process.
pub(crate) struct Served {
    pub(crate) emulator: Arc<Emulator>,
    pub(crate) address: SocketAddr,
}

impl Served {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let emulator = Arc::new(Emulator::new(Config::new(&format!("http://{address}"))));
        emulator.derive_published_keys().unwrap();
        let served = Arc::clone(&emulator);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let emulator = Arc::clone(&served);
                thread::spawn(move || answer(stream.unwrap(), &emulator));
            }
        });
        Self { emulator, address }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What a program needs in its environment to find it.
    pub(crate) fn environment(&self) -> [(&'static str, String); 5] {
        [
            ("GCE_METADATA_HOST", self.address.to_string()),
            ("METADATA_SERVER_DETECTION", "assume-present".to_owned()),
            ("GATEPASS_TRUSTED_ENDPOINTS", self.address.to_string()),
            ("GATEPASS_DANGEROUSLY_TRUST_EMULATOR", self.url()),
            ("CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS", format!("{}/", self.url())),
        ]
    }

    /// How often a path was asked for.
    pub(crate) fn requests(&self, path: &str) -> u64 {
        let answer = self.emulator.handle(&Request::get("/emulator/v1/requests"), UnixSeconds(0));
        let answer: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        answer["counts"][path].as_u64().unwrap_or(0)
    }

    pub(crate) fn order_fault(&self, order: &str) {
        self.emulator.order_fault(order.as_bytes()).unwrap();
    }
}

/// Answers one request on a connection of its own.
fn answer(stream: TcpStream, emulator: &Emulator) {
    let mut reader = BufReader::new(&stream);
    let line = |reader: &mut BufReader<&TcpStream>| {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    };
    let first = line(&mut reader);
    let mut words = first.split(' ');
    let (method, target) = (words.next().unwrap(), words.next().unwrap());
    let mut request = Request::get(target);
    request.method = method.to_owned();
    loop {
        let header = line(&mut reader);
        let Some((name, value)) = header.split_once(':') else { break };
        request = request.with_header(name, value.trim());
    }
    let length = request.header("content-length").map_or(0, |length| length.parse().unwrap());
    request.body = vec![0; length];
    reader.read_exact(&mut request.body).unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    write(&stream, &emulator.handle(&request, UnixSeconds(now)));
}

fn write(mut stream: &TcpStream, response: &Response) {
    thread::sleep(response.delay);
    if response.hang_up {
        return;
    }
    let mut head = format!("HTTP/1.1 {} X\r\nconnection: close\r\n", response.status);
    head += &format!("content-length: {}\r\n", response.body.len());
    for (name, value) in &response.headers {
        head += &format!("{name}: {value}\r\n");
    }
    // A client that has gone away is no fault of the server's.
    let _ = stream.write_all(&[head.as_bytes(), b"\r\n", &response.body].concat());
}
