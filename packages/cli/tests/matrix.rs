//! Every kind of credentials that tests/vectors/credentials/matrix.json names, by `gatepass token`.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde::Deserialize;
use serde_json::{Map, Value};

use support::emulator::{Emulator, empty_folder, succeeded};

#[derive(Deserialize)]
struct Matrix {
    audience: String,
    scope: String,
    rows: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    name: String,
    key: Option<Vec<String>>,
    env: BTreeMap<String, String>,
    #[serde(default)]
    options: Options,
    supplier: Option<String>,
    id_token: Map<String, Value>,
    access_token: Map<String, Value>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Options {
    impersonate: Option<String>,
    delegates: Vec<String>,
    subject: Option<String>,
    gdch_audience: Option<String>,
}

#[test]
fn every_kind_of_credentials() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/credentials/matrix.json");
    let matrix: Matrix = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    let emulator = Emulator::start();
    let ca_file = empty_folder("matrix").join("ca.pem");
    fs::write(&ca_file, emulator.succeed(&["emulator", "ca"])).unwrap();

    for (number, row) in matrix.rows.iter().enumerate() {
        let run = Run::new(&emulator, row, &ca_file, number);
        let fetched = run.fetch(&["--audience", &matrix.audience]);
        if row.supplier.is_some() {
            run.assert_refused(&fetched, "no function is registered under this name");
            continue;
        }
        match row.id_token.get("error") {
            Some(code) => run.assert_refused(&fetched, code.as_str().unwrap()),
            None => run.assert_email(&succeeded(&fetched), &matrix.audience),
        }
        let fetched = run.fetch(&["--scope", &matrix.scope]);
        match row.access_token.get("error") {
            Some(code) => run.assert_refused(&fetched, code.as_str().unwrap()),
            None => run.assert_token_info(&succeeded(&fetched)),
        }
    }
}

/// One row, carried out.
struct Run<'a> {
    emulator: &'a Emulator,
    row: &'a Row,
    ca_file: &'a Path,
    credentials: Option<PathBuf>,
}

impl<'a> Run<'a> {
    fn new(emulator: &'a Emulator, row: &'a Row, ca_file: &'a Path, number: usize) -> Self {
        let credentials = row.key.as_ref().map(|key| {
            let file = empty_folder(&format!("matrix-{number}")).join("key.json");
            let mut command = emulator.command(&["emulator", "key"]);
            command.args(key).args(["--emulator", &emulator.url, "--mtls", &emulator.mtls_url]);
            succeeded(&command.arg("--out").arg(&file).output().unwrap());
            file
        });
        Self { emulator, row, ca_file, credentials }
    }

    fn fetch(&self, target: &[&str]) -> Output {
        let mut command = self.emulator.command(&["token"]);
        let env = self.row.env.iter();
        let stem = self.credentials.as_ref().map(|file| file.with_extension("")).unwrap_or_default();
        let stem = stem.to_string_lossy();
        command.envs(env.map(|(name, value)| {
            (name, value.replace("{emulator}", &self.emulator.url).replace("{stem}", &stem))
        }));
        command.args(target).env("SSL_CERT_FILE", self.ca_file);
        command.envs(self.credentials.iter().map(|file| ("GOOGLE_APPLICATION_CREDENTIALS", file)));
        let Options { impersonate, delegates, subject, gdch_audience } = &self.row.options;
        command.args(impersonate.iter().flat_map(|email| ["--impersonate", email]));
        command.args(delegates.iter().flat_map(|email| ["--delegate", email]));
        command.args(subject.iter().flat_map(|email| ["--subject", email]));
        command.args(gdch_audience.iter().flat_map(|url| ["--gdch-audience", url]));
        command.output().unwrap()
    }

    fn assert_refused(&self, output: &Output, words: &str) {
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{}: {message}", self.row.name);
        assert!(message.contains(words), "{}: {message}", self.row.name);
    }

    fn assert_email(&self, token: &str, audience: &str) {
        let answer: Value = serde_json::from_str(&self.emulator.verify(token, audience)).unwrap();
        assert_eq!(answer["claims"]["email"], self.row.id_token["email"], "{}", self.row.name);
    }

    fn assert_token_info(&self, token: &str) {
        let url = format!("{}/tokeninfo?access_token={token}", self.emulator.url);
        let info = ureq::get(&url).call().unwrap().into_body().read_to_string().unwrap();
        let info: Value = serde_json::from_str(&info).unwrap();
        for (name, value) in &self.row.access_token {
            assert_eq!(info[name], *value, "{}: {name}", self.row.name);
        }
    }
}
