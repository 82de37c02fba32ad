//! The built program: `gatepass emulator` over loopback, and the key file that goes with it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::Arc;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use gatepass_emulator::mint::AccessToken;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};
use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use support::emulator::{empty_folder, succeeded};
use support::{Answer, Running, answer, gatepass, read_head, text};

const SERVICE_ACCOUNT: &str = "sa@shop.iam.gserviceaccount.com";

/// What these tests ask of a running emulator.
trait Emulator {
    fn metadata(&self, path: &str) -> Answer;

    /// Writes a credential file that leads here, and gives its path.
    fn credential_file(&self, name: &str, options: &[&str]) -> String;

    /// Runs `gatepass` with nothing in its environment but what the emulator printed.
    fn run(&self, arguments: &[&str]) -> Output;

    /// Fetches a token with that credential file, and gives its claims, which are not verified.
    fn id_token_claims(&self, credentials: &str) -> Value;

    /// Fetches an access token with that credential file, and gives the e-mail or name for which it speaks.
    fn access_token_principal(&self, credentials: &str) -> String;

    fn order_fault(&self, order: &Value);
}

impl Emulator for Running {
    fn metadata(&self, path: &str) -> Answer {
        self.send("GET", &format!("/computeMetadata/v1/{path}"), "Metadata-Flavor: Google\r\n", "")
    }

    fn credential_file(&self, name: &str, options: &[&str]) -> String {
        let path = format!("{}/{name}.json", env!("CARGO_TARGET_TMPDIR"));
        let url = self.url();
        let output =
            gatepass(&["emulator", "key", "--emulator", &url, "--out", &path]).args(options).output();
        succeeded(&output.unwrap());
        path
    }

    fn run(&self, arguments: &[&str]) -> Output {
        gatepass(arguments).envs(self.exports()).output().unwrap()
    }

    fn id_token_claims(&self, credentials: &str) -> Value {
        let token = succeeded(&self.run(&[
            "token",
            "--audience",
            "https://orders.example",
            "--credentials",
            credentials,
        ]));
        claims(&token)
    }

    fn access_token_principal(&self, credentials: &str) -> String {
        let scope = "https://www.googleapis.com/auth/cloud-platform";
        let token = succeeded(&self.run(&["token", "--scope", scope, "--credentials", credentials]));
        AccessToken::decode(&token).unwrap().principal
    }

    fn order_fault(&self, order: &Value) {
        assert_eq!(self.send("POST", "/emulator/v1/fault", "", &order.to_string()).status, 200);
    }
}

/// The claims of an ID token, which is not verified.
fn claims(token: &str) -> Value {
    let claims = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    serde_json::from_slice(&claims).unwrap()
}

/// Checks the exit code, and that one line on standard error holds each of the words.
fn assert_fails(output: &Output, exit_code: i32, words: &[&str]) {
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(exit_code), "{stderr}");
    for word in words {
        assert!(stderr.contains(word), "`{word}` is missing in: {stderr}");
    }
}

#[test]
fn the_environment_is_printed_for_a_shell() {
    let emulator = Running::start(&[]);
    let address = &emulator.address;
    assert!(address.starts_with("127.0.0.1:"));
    assert_eq!(
        emulator.lines,
        [
            format!("export GCE_METADATA_HOST={address}"),
            format!("export GCE_METADATA_IP={address}"),
            "export METADATA_SERVER_DETECTION=assume-present".to_owned(),
            format!("export GATEPASS_TRUSTED_ENDPOINTS={address}"),
            format!("export CLOUDSDK_AUTH_TOKEN_HOST=http://{address}/token"),
            format!("export CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS=http://{address}/"),
            format!("export GATEPASS_DANGEROUSLY_TRUST_EMULATOR=http://{address}"),
            format!("export GATEPASS_EMULATOR=http://{address}"),
            format!("# listening on http://{address}"),
        ]
    );
}

#[test]
fn the_address_of_tls_is_printed_and_trusted() {
    let emulator = Running::start(&["--mtls-port", "0"]);
    let mtls = emulator.lines.iter().find_map(|line| line.strip_prefix("# mTLS on https://")).unwrap();
    let trusted = format!("{},{mtls}", emulator.address);
    assert!(emulator.exports().any(|export| export == ("GATEPASS_TRUSTED_ENDPOINTS", &trusted)));
}

/// A client without a certificate is served, one that does not know the authority breaks off.
#[test]
fn tls_is_for_those_who_trust_the_authority() {
    let emulator = Running::start(&["--mtls-port", "0"]);
    let url = emulator.lines.iter().find_map(|line| line.strip_prefix("# mTLS on ")).unwrap();
    let authority = succeeded(&emulator.run(&["emulator", "ca"]));
    let roots = RootCerts::from([Certificate::from_pem(authority.as_bytes()).unwrap()]);
    let status = |tls: TlsConfig| {
        let agent = Agent::config_builder().tls_config(tls).build().new_agent();
        agent.get(url).call().ok().map(|answer| answer.status().as_u16())
    };
    assert_eq!(status(TlsConfig::builder().root_certs(roots).build()), Some(200));
    assert_eq!(status(TlsConfig::default()), None);
}

#[test]
fn under_a_name_of_its_own_it_is_reached_and_certified() {
    let emulator = Running::start(&["--mtls-port", "0", "--san", "localhost", "--san", "emulator.internal"]);
    let port = emulator.address.strip_prefix("localhost:").unwrap();
    for line in &emulator.lines {
        assert!(!line.contains("127.0.0.1"), "{line}");
    }
    let host = |name: &str| emulator.send_to("GET", "/", &format!("Host: {name}:{port}\r\n"), "").status;
    assert_eq!((host("emulator.internal"), host("other.internal")), (200, 403));

    let authority = succeeded(&emulator.run(&["emulator", "ca"]));
    let roots = RootCerts::from([Certificate::from_pem(authority.as_bytes()).unwrap()]);
    let tls = TlsConfig::builder().root_certs(roots).build();
    let mtls =
        emulator.lines.iter().find_map(|line| line.strip_prefix("# mTLS on https://localhost:")).unwrap();
    // The name leads nowhere here, so the client looks it up in its own way.
    let agent = ureq::Agent::with_parts(
        Agent::config_builder().tls_config(tls).build(),
        ureq::unversioned::transport::DefaultConnector::default(),
        ToLoopback,
    );
    let status =
        |name: &str| agent.get(format!("https://{name}:{mtls}/")).call().map(|answer| answer.status());
    assert_eq!(status("emulator.internal").unwrap(), 200);
    assert!(status("other.internal").is_err());
}

#[test]
fn a_server_under_test_is_certified_by_the_authority() {
    let folder = empty_folder("certificate");
    let file = |name| folder.join(name).into_os_string().into_string().unwrap();
    let (cert, key) = (file("server.pem"), file("server-key.pem"));
    let arguments = ["emulator", "certificate", "--san", "orders.example", "--cert", &cert, "--key", &key];
    succeeded(&gatepass(&arguments).output().unwrap());

    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let server = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_file(&cert).unwrap()],
            PrivateKeyDer::from_pem_file(&key).unwrap(),
        );
    let server = ServerConnection::new(Arc::new(server.unwrap())).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = thread::spawn(move || {
        let mut stream = StreamOwned::new(server, listener.accept().unwrap().0);
        read_head(&mut stream);
        stream.write_all(answer(204, "").as_bytes()).unwrap();
    });

    let authority = succeeded(&gatepass(&["emulator", "ca"]).output().unwrap());
    let roots = RootCerts::from([Certificate::from_pem(authority.as_bytes()).unwrap()]);
    let tls = TlsConfig::builder().root_certs(roots).build();
    let agent = ureq::Agent::with_parts(
        Agent::config_builder().tls_config(tls).build(),
        ureq::unversioned::transport::DefaultConnector::default(),
        ToLoopback,
    );
    assert_eq!(agent.get(format!("https://orders.example:{port}/")).call().unwrap().status(), 204);
    serving.join().unwrap();
}

/// Takes every name for this machine's.
#[derive(Debug)]
struct ToLoopback;

impl ureq::unversioned::resolver::Resolver for ToLoopback {
    fn resolve(
        &self,
        uri: &ureq::http::Uri,
        _: &ureq::config::Config,
        _: ureq::unversioned::transport::NextTimeout,
    ) -> Result<ureq::unversioned::resolver::ResolvedSocketAddrs, ureq::Error> {
        let mut found = self.empty();
        found.push(([127, 0, 0, 1], uri.port_u16().unwrap()).into());
        Ok(found)
    }
}

/// What a page that a developer has open could do.
#[test]
fn web_pages_are_refused() {
    let emulator = Running::start(&[]);
    let fault = r#"{"path": "/token", "status": 503, "times": 1000}"#;
    for (method, target, headers) in [
        ("POST", "/emulator/v1/fault", "Origin: https://evil.example\r\nSec-Fetch-Site: cross-site\r\n"),
        ("POST", "/emulator/v1/fault", "Origin: https://evil.example\r\n"),
        ("POST", "/emulator/v1/mint", "Host: rebound.evil.example\r\n"),
        ("GET", "/oauth2/v3/certs", "Host: rebound.evil.example\r\n"),
    ] {
        let host = if headers.starts_with("Host:") { "" } else { "Host: 127.0.0.1\r\n" };
        let answer = emulator.send_to(method, target, &format!("{host}{headers}"), fault);
        assert_eq!(answer.status, 403, "{target} {headers}");
    }
    assert_eq!(emulator.send("GET", "/oauth2/v3/certs", "", "").status, 200);
}

#[test]
fn a_key_file_leads_to_the_emulator_that_printed_the_environment() {
    let emulator = Running::start(&[]);
    let key = succeeded(&emulator.run(&["emulator", "key", "--email", SERVICE_ACCOUNT]));
    let key: Value = serde_json::from_str(&key).unwrap();
    assert_eq!(key["token_uri"], format!("{}/token", emulator.url()));
    let token = succeeded(&emulator.run(&["emulator", "subject-token"]));
    assert_eq!(claims(&token)["iss"], emulator.url());
}

#[test]
fn an_issuer_of_its_own_is_found_by_discovery() {
    let emulator = Running::start(&["--own-issuer"]);
    let url = emulator.url();
    let file = empty_folder("own-issuer").join("key.json").into_os_string().into_string().unwrap();
    succeeded(&emulator.run(&["emulator", "key", "--email", "a@b", "--emulator", &url, "--out", &file]));
    for options in [&[][..], &["--credentials", &file], &["--credentials", &file, "--impersonate", "c@d"]] {
        let token = succeeded(&emulator.run(&[&["token", "--audience", "orders"], options].concat()));
        let options = ["--audience", "orders", "--issuer", &url];
        succeeded(&emulator.run(&[&["verify", &token, "--preset", "oidc"], &options[..]].concat()));
        succeeded(&emulator.run(&[&["explain", &token], &options[..]].concat()));
    }
}

#[test]
fn options_reach_the_emulator() {
    let emulator = Running::start(&[
        "--email",
        "sa@shop.iam.gserviceaccount.com",
        "--region",
        "europe-west1",
        "--lifetime",
        "60",
    ]);
    assert_eq!(
        emulator.metadata("instance/service-accounts/default/email").body,
        "sa@shop.iam.gserviceaccount.com"
    );
    assert_eq!(emulator.metadata("project/project-id").body, "shop");
    assert!(emulator.metadata("instance/region").body.ends_with("/europe-west1"));
    let token: Value =
        serde_json::from_str(&emulator.metadata("instance/service-accounts/default/token").body).unwrap();
    assert_eq!(token["expires_in"], 60);
}

#[test]
fn endpoints_answer_over_loopback() {
    let emulator = Running::start(&[]);
    let answer = emulator.send("GET", "/", "", "");
    assert_eq!((answer.status, answer.header("Metadata-Flavor")), (200, Some("Google")));

    let Answer { status, body: token, .. } =
        emulator.metadata("instance/service-accounts/default/identity?audience=https%3A%2F%2Fa.example");
    assert_eq!((status, token.split('.').count()), (200, 3));

    let Answer { status, body, .. } = emulator.send("POST", "/token", "", "grant_type=password");
    let error: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &error["error"]), (400, &json!("unsupported_grant_type")));

    let configuration = emulator.send("GET", "/.well-known/openid-configuration", "", "").body;
    let configuration: Value = serde_json::from_str(&configuration).unwrap();
    assert_eq!(configuration["jwks_uri"], format!("http://{}/oauth2/v3/certs", emulator.address));

    let too_large = emulator.send("POST", "/token", "", &"x".repeat((1 << 20) + 1));
    assert_eq!(too_large.status, 413);
}

#[test]
fn a_connection_is_kept_alive() {
    let emulator = Running::start(&[]);
    let mut connection = BufReader::new(TcpStream::connect(&emulator.address).unwrap());
    for _ in 0..2 {
        connection.get_mut().write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let mut line = String::new();
        connection.read_line(&mut line).unwrap();
        assert_eq!(line, "HTTP/1.1 200 OK\r\n");
        while line != "\r\n" {
            line.clear();
            connection.read_line(&mut line).unwrap();
        }
        let mut body = [0; "computeMetadata/\n".len()];
        connection.read_exact(&mut body).unwrap();
    }
}

#[test]
fn faults_reach_the_wire() {
    let emulator = Running::start(&[]);
    let order =
        json!({ "path": "/", "status": 302, "headers": { "Location": "http://a.example/" }, "delay_ms": 1 });
    emulator.order_fault(&order);
    let answer = emulator.send("GET", "/", "", "");
    assert_eq!((answer.status, answer.body.as_str()), (302, ""));
    assert_eq!(answer.header("Location"), Some("http://a.example/"));

    emulator.order_fault(&json!({ "path": "/", "status": 200, "body_bytes": 10_000_000 }));
    assert_eq!(emulator.send("GET", "/", "", "").body.len(), 10_000_000);

    emulator.order_fault(&json!({ "path": "/", "drop": true }));
    let mut stream = TcpStream::connect(&emulator.address).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert_eq!(text(&answer), "");
}

#[test]
fn faults_and_the_clock_can_be_set_at_the_start() {
    let emulator = Running::start(&[
        "--fault",
        r#"{"path": "/", "status": 503}"#,
        "--fault",
        r#"{"path": "/token", "status": 429}"#,
        "--clock-offset",
        "-3600",
    ]);
    let statuses = [("GET", "/"), ("POST", "/token"), ("GET", "/")];
    assert_eq!(statuses.map(|(method, path)| emulator.send(method, path, "", "").status), [503, 429, 200]);

    let claims = claims(&emulator.metadata("instance/service-accounts/default/identity?audience=a").body);
    // An hour's token that was issued an hour ago is over.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    assert!(claims["exp"].as_u64().unwrap() <= now);
}

#[test]
fn a_delayed_answer_does_not_keep_the_program_running() {
    let emulator = Running::start(&[]);
    emulator.order_fault(&json!({ "path": "/", "delay_ms": 600_000 }));
    let mut stream = TcpStream::connect(&emulator.address).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    drop(emulator);
}

#[test]
fn an_address_that_others_can_reach_takes_a_dangerous_word() {
    let output = gatepass(&["emulator", "--port", "0", "--address", "0.0.0.0"]).output().unwrap();
    assert_fails(&output, 2, &["0.0.0.0", "loopback", "--danger-expose-to-network"]);
}

#[test]
fn a_port_in_use_is_reported() {
    let emulator = Running::start(&[]);
    let (_, port) = emulator.address.split_once(':').unwrap();
    let output = gatepass(&["emulator", "--port", port]).output().unwrap();
    assert_fails(&output, 1, &[&emulator.address, "--port"]);
}

#[test]
fn wrong_options_are_usage_errors() {
    for (arguments, word) in [
        (&["emulator", "--email", "nobody"][..], "name@project.iam.gserviceaccount.com"),
        (&["emulator", "--lifetime", "0"], "1..=43200"),
        (&["emulator", "--port", "0", "--fault", "{}"], "--fault {}: missing field `path`"),
        (&["emulator", "--port", "0", "--clock-offset", "soon"], "--clock-offset"),
        (&["emulator", "--port", "0", "--inspector", "src"], "--inspector src: it has no index.html"),
        (&["emulator", "key"], "--email"),
        (&["emulator", "key", "--email", "a@b", "--emulator", "127.0.0.1:8085"], "http://127.0.0.1:8085"),
        (&["emulator", "key", "--email", "a@b", "--emulator", "http://a.example/token"], "without a path"),
    ] {
        assert_fails(&gatepass(arguments).output().unwrap(), 2, &[word]);
    }
}

#[test]
fn an_option_of_another_type_is_a_usage_error() {
    for (arguments, words) in [
        (&["--email", "a@b", "--person", "c@d"][..], &["--person", "impersonated_service_account"][..]),
        (&["--email", "a@b", "--source", "aws"], &["--source", "--type external_account"]),
        (&["--no-impersonation"], &["--no-impersonation", "--type external_account"]),
        (
            &["--type", "external_account", "--email", "a@b", "--source", "aws", "--command", "x"],
            &["--command", "--source executable"],
        ),
        (&["--type", "external_account", "--email", "a@b"], &["--source"]),
        (&["--type", "external_account", "--email", "a@b", "--source", "file"], &["--file", "--out"]),
        (&["--type", "gdch_service_account", "--project", "p"], &["--name"]),
        (&["--type", "gdch_service_account", "--name", "n"], &["--out"]),
        (&["--name", "n"], &["--name", "--type gdch_service_account"]),
        (&["--type", "external_account", "--source", "url"], &["--email"]),
        (&["--type", "authorized_user", "--email", "jane"], &["--email", "name@example.com"]),
        (&["--email", "jane"], &["--email", "name@project.iam.gserviceaccount.com"]),
    ] {
        let output = gatepass(&["emulator", "key"]).args(arguments).output().unwrap();
        assert_fails(&output, 2, words);
    }
}

#[test]
fn people_get_access_tokens_and_impersonate_for_id_tokens() {
    let emulator = Running::start(&[]);
    let person = ["--email", "jane@example.com"];
    let file =
        emulator.credential_file("authorized_user", &[&["--type", "authorized_user"][..], &person].concat());
    assert_eq!(emulator.access_token_principal(&file), "jane@example.com");

    let workforce = ["--type", "external_account_authorized_user"];
    let file =
        emulator.credential_file("external_account_authorized_user", &[&workforce[..], &person].concat());
    assert!(emulator.access_token_principal(&file).ends_with("/subject/jane@example.com"));

    let impersonated = ["--type", "impersonated_service_account", "--email", SERVICE_ACCOUNT];
    let through = ["--person", "jane@example.com", "--delegate", "middle@shop.iam.gserviceaccount.com"];
    let file = emulator.credential_file("impersonated_service_account", &[impersonated, through].concat());
    assert_eq!(emulator.id_token_claims(&file)["email"], SERVICE_ACCOUNT);
    assert_eq!(emulator.access_token_principal(&file), SERVICE_ACCOUNT);
}

#[test]
fn federation_works_with_subject_tokens_that_are_verified() {
    let emulator = Running::start(&["--verify-subject-tokens"]);
    let url = format!("http://{}", emulator.address);
    let subject_token = gatepass(&["emulator", "subject-token", "--emulator", &url]).output().unwrap();
    assert!(!text(&subject_token.stdout).contains(char::is_whitespace));
    let token_file = format!("{}/subject-token", env!("CARGO_TARGET_TMPDIR"));
    fs::write(&token_file, subject_token.stdout).unwrap();

    let external = ["--type", "external_account", "--email", SERVICE_ACCOUNT, "--source"];
    for (source, options) in [("file", &["--file", &token_file][..]), ("url", &[]), ("aws", &[])] {
        let file = emulator.credential_file(source, &[&external[..], &[source], options].concat());
        assert_eq!(emulator.id_token_claims(&file)["email"], SERVICE_ACCOUNT, "{source}");
        assert_eq!(emulator.access_token_principal(&file), SERVICE_ACCOUNT, "{source}");
    }

    let alone = ["--type", "external_account", "--no-impersonation", "--source", "url"];
    let file = emulator.credential_file("alone", &alone);
    assert!(emulator.access_token_principal(&file).ends_with("/subject/workload"));
}

/// `gatepass token` runs no programs, so the file's own command line stands in for a client that does.
#[test]
fn the_executable_of_a_credential_file_prints_a_subject_token() {
    let output = gatepass(&[
        "emulator",
        "key",
        "--type",
        "external_account",
        "--no-impersonation",
        "--source",
        "executable",
    ])
    .output()
    .unwrap();
    let file: Value = serde_json::from_slice(&output.stdout).unwrap();
    let command = file["credential_source"]["executable"]["command"].as_str().unwrap();
    let mut words = command.split_ascii_whitespace();
    let output = Command::new(words.next().unwrap()).args(words).output().unwrap();
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&answer["version"], &answer["success"]), (&json!(1), &json!(true)));
    assert_eq!(answer["token_type"], file["subject_token_type"]);
    assert_eq!(answer["id_token"].as_str().unwrap().split('.').count(), 3);
    assert!(answer["expiration_time"].as_u64().is_some());
}

#[test]
fn a_certificate_is_found_by_its_configuration() {
    let external =
        ["emulator", "key", "--type", "external_account", "--no-impersonation", "--source", "certificate"];
    assert_fails(&gatepass(&external).output().unwrap(), 2, &["--mtls"]);
    for (options, expected) in [
        (&[][..], json!({ "use_default_certificate_config": true })),
        (&["--certificate-config", "/c.json"], json!({ "certificate_config_location": "/c.json" })),
    ] {
        let output = gatepass(&external).args(["--mtls", "https://[::1]:1"]).args(options).output().unwrap();
        let file: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(file["credential_source"], json!({ "certificate": expected }));
        assert_eq!(file["subject_token_type"], "urn:ietf:params:oauth:token-type:mtls");
        assert_eq!(file["token_url"], "https://[::1]:1/v1/token");
    }
}

#[test]
fn a_key_file_is_printed() {
    let output =
        gatepass(&["emulator", "key", "--email", "sa@shop.iam.gserviceaccount.com"]).output().unwrap();
    assert!(output.status.success());
    let file: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(file["gatepass_emulator"], "TEST KEY, NOT A SECRET");
    assert_eq!(file["client_email"], "sa@shop.iam.gserviceaccount.com");
    assert_eq!(file["token_uri"], "http://127.0.0.1:8085/token");
}

#[test]
fn a_key_file_is_written_for_its_owner_and_over_nothing_but_its_like() {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("key.json");
    let write = || {
        gatepass(&[
            "emulator",
            "key",
            "--email",
            "sa@shop.iam.gserviceaccount.com",
            "--emulator",
            "http://[::1]:1/",
        ])
        .arg("--out")
        .arg(&path)
        .output()
        .unwrap()
    };
    fs::write(&path, r#"{"gatepass_emulator": "an older one"}"#).unwrap();
    let replaced = write();
    assert!(replaced.status.success());
    assert!(text(&replaced.stderr).contains("held other credentials of the emulator, which are replaced"));
    assert_eq!(text(&write().stderr), "", "the same once more replaces nothing");
    let file: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    assert_eq!(file["token_uri"], "http://[::1]:1/token");
    #[cfg(unix)]
    {
        let permissions = fs::metadata(&path).unwrap().permissions();
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&permissions) & 0o777, 0o600);
    }

    fs::write(&path, r#"{"type": "service_account"}"#).unwrap();
    assert_fails(&write(), 1, &["is not a file of the emulator", "--out"]);
    assert_eq!(fs::read(&path).unwrap(), br#"{"type": "service_account"}"#);
}

#[test]
fn files_beside_a_credential_file_are_not_overwritten_either() {
    let folder = empty_folder("beside");
    let out = folder.join("federated.json");
    let write = || {
        let options =
            ["emulator", "key", "--type", "external_account", "--no-impersonation", "--source", "file"];
        gatepass(&options).arg("--out").arg(&out).output().unwrap()
    };
    let beside = folder.join("federated.subject-token");
    fs::write(&beside, "mine").unwrap();
    assert_fails(&write(), 1, &["federated.subject-token exists", "--out"]);
    assert_eq!((fs::read(&beside).unwrap(), out.exists()), (b"mine".to_vec(), false));
    fs::remove_file(&beside).unwrap();
    assert!(write().status.success());
    assert!(write().status.success(), "what it has written itself is renewed");
}
