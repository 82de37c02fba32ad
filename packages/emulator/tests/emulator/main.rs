//! The emulator through its one door, [`Emulator::handle`]. Tokens are verified with ring, which does not sign them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]

mod aws_metadata;
mod aws_sts;
mod certs;
mod cloud_run;
mod control;
mod faults;
mod gdch;
mod iam_credentials;
mod metadata;
mod push;
mod refresh;
mod sts;
mod subject_token_source;
mod tls;
mod token;
mod token_info;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use gatepass_emulator::http::{Request, Response};
use gatepass_emulator::time::UnixSeconds;
use gatepass_emulator::{Config, Emulator};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde_json::{Value, json};

const BASE_URL: &str = "http://127.0.0.1:8085";
const NOW: UnixSeconds = UnixSeconds(1_800_000_000);

fn emulator() -> Emulator {
    Emulator::new(Config::new(BASE_URL))
}

fn get(emulator: &Emulator, target: &str) -> Response {
    emulator.handle(&Request::get(target), NOW)
}

fn post(emulator: &Emulator, target: &str, body: &Value) -> Response {
    emulator.handle(&Request::post(target, body.to_string()), NOW)
}

/// Writes a form of the members of `fields`.
fn form(fields: &Value) -> String {
    let fields = fields.as_object().unwrap().iter();
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields.map(|(name, value)| (name, value.as_str().unwrap())))
        .finish()
}

fn text(response: &Response) -> &str {
    std::str::from_utf8(&response.body).unwrap()
}

fn parsed(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap_or_else(|_| panic!("not JSON: {}", text(response)))
}

fn base64url(text: &str) -> Vec<u8> {
    BASE64_URL_SAFE_NO_PAD.decode(text).unwrap()
}

/// A token taken apart.
struct Token<'a> {
    header: Value,
    claims: Value,
    signing_input: &'a str,
    signature: &'a str,
}

impl<'a> Token<'a> {
    fn read(compact: &'a str) -> Self {
        let (signing_input, signature) = compact.rsplit_once('.').unwrap();
        let (header, claims) = signing_input.split_once('.').unwrap();
        let object = |part| serde_json::from_slice(&base64url(part)).unwrap();
        Self { header: object(header), claims: object(claims), signing_input, signature }
    }

    /// Reads a token after verifying it against the JWK set at `path`.
    fn verify(compact: &'a str, emulator: &Emulator, path: &str) -> Self {
        let token = Self::read(compact);
        let keys = parsed(&get(emulator, path));
        let key =
            keys["keys"].as_array().unwrap().iter().find(|key| key["kid"] == token.header["kid"]).unwrap();
        assert_eq!(key["alg"], token.header["alg"]);
        let member = |name: &str| base64url(key[name].as_str().unwrap());
        let (message, signature) = (token.signing_input.as_bytes(), base64url(token.signature));
        match key["kty"].as_str().unwrap() {
            "RSA" => RsaPublicKeyComponents { n: member("n"), e: member("e") }.verify(
                &RSA_PKCS1_2048_8192_SHA256,
                message,
                &signature,
            ),
            _ => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, [vec![4], member("x"), member("y")].concat())
                    .verify(message, &signature)
            }
        }
        .expect("the signature is that of the published key");
        token
    }

    fn google(compact: &'a str, emulator: &Emulator) -> Self {
        Self::verify(compact, emulator, "/oauth2/v3/certs")
    }
}

#[test]
fn an_unknown_path_is_told_what_there_is() {
    let response = get(&emulator(), "/oauth2/v2/certs");
    assert_eq!(response.status, 404);
    assert!(text(&response).contains("/oauth2/v2/certs") && text(&response).contains("/oauth2/v3/certs"));
}

#[test]
fn a_known_path_is_told_the_method() {
    let response = get(&emulator(), "/token");
    assert_eq!((response.status, response.header("Allow")), (405, Some("POST")));
    let response = post(&emulator(), "/oauth2/v3/certs", &json!({}));
    assert_eq!((response.status, response.header("Allow")), (405, Some("GET, HEAD")));
}
