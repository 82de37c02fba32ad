//! `gatepass emulator run` before a real service, with callers that fetch their tokens with `gatepass token`.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]

mod support;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc;
use std::thread;

use serde_json::Value;
use support::{Answer, Running, Service, TIMEOUT, answer, gatepass, read_head, text};

const CALLER: &str = "default@emulator.iam.gserviceaccount.com";
const URL: &str = "https://orders-123456789012.us-central1.run.app";

fn front_end(service: &str, options: &[&str]) -> Running {
    Running::start(&[&["run", "--service", "orders", "--to", service][..], options].concat())
}

/// Fetches an ID token from the metadata server of `emulator`, in the form of a header.
fn authorization(emulator: &Running, audience: &str) -> String {
    fetch(emulator, &["--audience", audience])
}

fn fetch(emulator: &Running, what: &[&str]) -> String {
    let output = gatepass(&["token", "--header"]).args(what).envs(emulator.exports()).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout).trim().to_owned()
}

fn get(front_end: &Running, header: &str, value: &str) -> Answer {
    front_end.send("GET", "/list?page=2", &format!("{header}: {value}\r\n"), "")
}

fn stripped(authorization: &str) -> String {
    let (signed, _) = authorization.rsplit_once('.').unwrap();
    format!("{signed}.SIGNATURE_REMOVED_BY_GOOGLE")
}

#[test]
fn what_service_and_callers_need_is_printed() {
    let front_end = front_end("http://127.0.0.1:1", &["--audience", "custom"]);
    assert_eq!(
        front_end.lines[..4],
        [
            "export K_SERVICE=orders",
            "export K_CONFIGURATION=orders",
            "export K_REVISION=orders-00001-aaa",
            "# audience https://orders-123456789012.us-central1.run.app",
        ]
    );
    assert!(front_end.lines[4].starts_with("# audience https://orders-"));
    assert!(front_end.lines[4].ends_with("-uc.a.run.app"));
    assert_eq!(
        front_end.lines[5..],
        [
            "# audience custom".to_owned(),
            "# nobody may call, for there is no --invoker".to_owned(),
            format!("# listening on http://{}", front_end.address),
        ]
    );
}

#[test]
fn a_caller_reaches_the_service_by_any_of_the_audiences() {
    let emulator = Running::start(&[]);
    let service = Service::start(|_, _| answer(201, "made"));
    let front_end = front_end(&service.url, &["--invoker", CALLER, "--audience", "orders"]);
    let audiences = front_end.lines.iter().filter_map(|line| line.strip_prefix("# audience "));
    let tokens: Vec<String> = audiences.map(|audience| authorization(&emulator, audience)).collect();
    assert_eq!(tokens.len(), 3);
    for token in &tokens {
        let answer = get(&front_end, "Authorization", token);
        assert_eq!((answer.status, answer.body.as_str()), (201, "made"));
    }
    let received = service.received();
    assert_eq!(received.len(), 3);
    for (request, token) in received.iter().zip(&tokens) {
        assert!(request.head.starts_with("GET /list?page=2 HTTP/1.1\r\n"), "{}", request.head);
        assert_eq!(request.header("Authorization"), Some(&*stripped(token)));
        assert_eq!(request.header("Host"), Some(&*front_end.address));
        assert_eq!(request.header("X-Forwarded-For"), Some("127.0.0.1"));
        assert_eq!(request.header("X-Forwarded-Proto"), Some("https"));
        assert_eq!(request.header("Forwarded"), Some("for=\"127.0.0.1\";proto=https"));
        assert_eq!(request.header("Connection"), None);
    }
}

#[test]
fn the_serverless_header_leaves_authorization_to_the_service() {
    let emulator = Running::start(&[]);
    let service = Service::start(|_, _| answer(200, ""));
    let front_end = front_end(&service.url, &["--invoker", CALLER]);
    let token = authorization(&emulator, URL);
    let headers = format!("Authorization: {token}\r\nx-serverless-authorization: {token}\r\n");
    assert_eq!(front_end.send("GET", "/", &headers, "").status, 200);
    let received = service.received();
    assert_eq!(received[0].header("Authorization"), Some(&*token));
    assert_eq!(received[0].header("X-Serverless-Authorization"), Some(&*stripped(&token)));
}

#[test]
fn what_cloud_run_refuses_does_not_reach_the_service() {
    let emulator = Running::start(&[]);
    let stranger = Running::start(&["--email", "stranger@shop.iam.gserviceaccount.com"]);
    let service = Service::start(|_, _| answer(200, ""));
    let front_end = front_end(&service.url, &["--invoker", CALLER]);

    let good = authorization(&emulator, URL);
    let order =
        format!(r#"{{"claims": {{"aud": "{URL}", "email": "{CALLER}"}}, "issued_at": 1, "lifetime": 1}}"#);
    let minted: Value =
        serde_json::from_str(&emulator.send("POST", "/emulator/v1/mint", "", &order).body).unwrap();
    let expired = format!("Bearer {}", minted["token"].as_str().unwrap());
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let other = if signature.starts_with('A') { 'B' } else { 'A' };
    let tampered = format!("{signed}.{other}{}", &signature[1..]);
    for (authorization, status) in [
        (authorization(&emulator, "https://receiver.example"), 401),
        (authorization(&emulator, &URL.replace("orders", "canary---orders")), 401),
        (fetch(&emulator, &["--scope", "https://www.googleapis.com/auth/cloud-platform"]), 401),
        (expired, 401),
        (tampered, 401),
        (stripped(&good), 401),
        (authorization(&stranger, URL), 403),
        ("Basic YTpi".to_owned(), 403),
    ] {
        assert_refused(&get(&front_end, "Authorization", &authorization), status);
    }
    assert_refused(&front_end.send("GET", "/list?page=2", "", ""), 403);
    assert_eq!(service.received().len(), 0);

    assert_eq!(get(&front_end, "Authorization", &good).status, 200);
}

fn assert_refused(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status);
    let (title, challenge) = match status {
        401 => (
            "401 Unauthorized",
            Some(
                r#"Bearer error="invalid_token" error_description="The access token could not be verified""#,
            ),
        ),
        _ => ("403 Forbidden", None),
    };
    assert_eq!(answer.header("WWW-Authenticate"), challenge);
    assert_eq!(answer.header("Content-Type"), Some("text/html; charset=UTF-8"));
    assert!(answer.body.contains(&format!("<title>{title}</title>")), "{}", answer.body);
    assert!(answer.body.contains("<code>/list?page=2</code>"), "{}", answer.body);
}

#[test]
fn a_public_service_is_called_without_a_token() {
    let service = Service::start(|_, _| answer(200, ""));
    let front_end = front_end(&service.url, &["--invoker", "allUsers"]);
    assert_eq!(get(&front_end, "Authorization", "Bearer its.own.token").status, 200);
    assert_eq!(service.received()[0].header("Authorization"), Some("Bearer its.own.token"));
}

#[test]
fn project_number_and_region_are_those_of_the_emulator() {
    let emulator = Running::start(&["--region", "europe-west1"]);
    let options = ["--emulator", &emulator.url()];
    let lines = front_end("http://127.0.0.1:1", &options).lines.clone();
    assert_eq!(lines[3], "# audience https://orders-123456789012.europe-west1.run.app");

    let lines =
        front_end("http://127.0.0.1:1", &[&options[..], &["--region", "asia-east1"]].concat()).lines.clone();
    assert_eq!(lines[3], "# audience https://orders-123456789012.asia-east1.run.app");
}

#[test]
fn the_keys_are_those_of_the_emulator() {
    let service = Service::start(|_, _| answer(200, ""));
    let emulator = Running::start(&[]);
    let options = ["--invoker", CALLER, "--audience", "own", "--emulator", &emulator.url()];
    let front_end = front_end(&service.url, &options);
    let token = authorization(&emulator, URL);
    assert_eq!(get(&front_end, "Authorization", &token).status, 200);

    assert_eq!(emulator.send("POST", "/emulator/v1/keys:rotate", "", "").status, 200);
    // For an audience that the metadata server has no token in store for, so that the new key signs.
    let token = authorization(&emulator, "own");
    assert_eq!(get(&front_end, "Authorization", &token).status, 200);

    drop(emulator);
    assert_eq!(get(&front_end, "Authorization", &token).status, 503);
    assert_eq!(service.received().len(), 2);
}

#[test]
fn large_bodies_pass_both_ways() {
    let service = Service::start(|_, request| answer(200, text(&request.body)));
    let front_end = front_end(&service.url, &["--invoker", "allUsers"]);
    let body = "0123456789abcdef".repeat(1 << 18);
    let answer = front_end.send("POST", "/", "", &body);
    assert_eq!(answer.status, 200);
    assert!(answer.body == body, "{} bytes came back of {}", answer.body.len(), body.len());
}

/// The service answers the first part of a body before the second is sent, and the caller sends the second after it
/// has read the answer to the first: neither would happen if the front end waited for the whole of anything.
#[test]
fn bodies_pass_as_they_come() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let service = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let head = read_head(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").unwrap();
        for part in ["1\r\na\r\n", "1\r\nb\r\n", "0\r\n\r\n"] {
            let mut read = vec![0; part.len()];
            stream.read_exact(&mut read).unwrap();
            assert_eq!(text(&read), part);
            stream.write_all(part.as_bytes()).unwrap();
        }
        head
    });

    let front_end = front_end(&url, &["--invoker", "allUsers"]);
    let mut stream = front_end.connect();
    stream.write_all(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n").unwrap();
    for (number, part) in ["1\r\na\r\n", "1\r\nb\r\n", "0\r\n\r\n"].into_iter().enumerate() {
        stream.write_all(part.as_bytes()).unwrap();
        if number == 0 {
            assert!(read_head(&mut stream).starts_with("HTTP/1.1 200 OK\r\n"));
        }
        let mut read = vec![0; part.len()];
        stream.read_exact(&mut read).unwrap();
        assert_eq!(text(&read), part);
    }
    assert!(service.join().unwrap().starts_with("POST / HTTP/1.1\r\n"));
}

#[test]
fn headers_pass_byte_by_byte_but_those_of_the_connection() {
    let service = Service::start(|_, _| {
        "HTTP/1.1 200 OK\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nContent-Length: 0\r\n\r\n"
            .to_owned()
    });
    let front_end = front_end(&service.url, &["--invoker", "allUsers"]);
    let headers = "X-Name: Zoë\r\nUpgrade: websocket\r\nTE: trailers\r\nX-Twice: 1\r\nX-Twice: 2\r\n";
    let answer = front_end.send("GET", "/", headers, "");
    assert_eq!(answer.header("X-Hop"), None);
    assert_eq!(answer.head.to_ascii_lowercase().matches("set-cookie:").count(), 2);

    let request = &service.received()[0];
    // The two bytes of one letter in UTF-8.
    assert_eq!(request.header("X-Name"), Some("Zo\u{c3}\u{ab}"));
    assert_eq!((request.header("Upgrade"), request.header("TE")), (None, None));
    assert_eq!(request.head.to_ascii_lowercase().matches("x-twice:").count(), 2);
}

#[test]
fn an_answer_to_head_keeps_its_length() {
    let service =
        Service::start(|_, _| "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\n".to_owned());
    let front_end = front_end(&service.url, &["--invoker", "allUsers"]);
    let answer = front_end.send("HEAD", "/", "", "");
    assert_eq!((answer.header("Content-Length"), answer.body.as_str()), (Some("5"), ""));
}

#[test]
fn a_service_that_is_away_is_unavailable() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let front_end = front_end(&format!("http://{gone}"), &["--invoker", "allUsers"]);
    assert_eq!(front_end.send("GET", "/", "", "").status, 503);
}

#[test]
fn a_request_that_hangs_does_not_keep_the_program_running() {
    let (arrived, wait) = mpsc::channel();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        read_head(&mut stream);
        arrived.send(()).unwrap();
        // Until the front end is gone.
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let front_end = front_end(&url, &["--invoker", "allUsers"]);
    let mut stream = front_end.connect();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    wait.recv_timeout(TIMEOUT).unwrap();
    drop(front_end);
}

#[test]
fn wrong_options_are_usage_errors() {
    let to = ["--to", "http://127.0.0.1:1"];
    let service = ["--service", "orders"];
    for (options, word) in [
        (&["--service", "Orders", to[0], to[1]][..], "lower-case"),
        (&["--service", "orders"], "--to"),
        (&[service[0], service[1], "--to", "https://127.0.0.1:1"], "plain HTTP"),
        (&[service[0], service[1], "--to", "http://127.0.0.1:1/path"], "without a path"),
        (&[service[0], service[1], to[0], to[1], "--invoker", "everybody"], "allUsers"),
        (&[service[0], service[1], to[0], to[1], "--audience", "a\nb"], "printable"),
        (&[service[0], service[1], to[0], to[1], "--region", "us central"], "lower-case"),
    ] {
        let output = gatepass(&["emulator", "run"]).args(options).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{options:?}");
        assert!(text(&output.stderr).contains(word), "{options:?}: {}", text(&output.stderr));
    }
}

#[test]
fn an_emulator_that_is_away_is_reported() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let emulator = format!("http://{gone}");
    let arguments =
        ["emulator", "run", "--service", "orders", "--to", "http://127.0.0.1:1", "--emulator", &emulator];
    let output = gatepass(&arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains(&emulator), "{}", text(&output.stderr));
}
