//! The key sets.

use gatepass_emulator::http::Request;
use gatepass_emulator::keys::{KeySet, RsaKey, SigningKey};
use gatepass_emulator::{Config, Emulator};
use serde_json::{Value, json};
use x509_parser::pem::parse_x509_pem;

use super::iam_credentials::bearer;
use super::{BASE_URL, NOW, Token, base64url, emulator, get, parsed, post, text};

#[test]
fn the_certificates_hold_the_keys_of_the_jwk_set() {
    let emulator = emulator();
    let jwks = parsed(&get(&emulator, "/oauth2/v3/certs"));
    let certificates = parsed(&get(&emulator, "/oauth2/v1/certs"));
    let keys = jwks["keys"].as_array().unwrap();
    assert_eq!((keys.len(), certificates.as_object().unwrap().len()), (2, 2));
    for key in keys {
        let pem = certificates[key["kid"].as_str().unwrap()].as_str().unwrap();
        let (_, pem) = parse_x509_pem(pem.as_bytes()).unwrap();
        let certificate = pem.parse_x509().unwrap();
        certificate.verify_signature(None).expect("self-signed");
        assert!(certificate.subject().to_string().contains("TEST KEY NOT A SECRET"));
        let x509_parser::public_key::PublicKey::RSA(public) = certificate.public_key().parsed().unwrap()
        else {
            panic!("not an RSA key")
        };
        assert_eq!(public.modulus.trim_ascii_start().iter().skip_while(|byte| **byte == 0).count(), 256);
        assert!(public.modulus.ends_with(&base64url(key["n"].as_str().unwrap())));
        assert_eq!(key["alg"], "RS256");
        assert_eq!(key["gatepass_emulator"], "TEST KEY, NOT A SECRET");
    }
}

#[test]
fn the_pem_keys_of_iap_are_those_of_its_jwk_set() {
    let emulator = emulator();
    let jwks = parsed(&get(&emulator, "/iap/verify/public_key-jwk"));
    let pems = parsed(&get(&emulator, "/iap/verify/public_key"));
    let keys = jwks["keys"].as_array().unwrap();
    assert_eq!((keys.len(), pems.as_object().unwrap().len()), (2, 2));
    for key in keys {
        let pem = pem::parse(pems[key["kid"].as_str().unwrap()].as_str().unwrap()).unwrap();
        assert_eq!(pem.tag(), "PUBLIC KEY");
        let coordinate = |name: &str| base64url(key[name].as_str().unwrap());
        assert!(pem.contents().ends_with(&[coordinate("x"), coordinate("y")].concat()));
        assert_eq!((&key["kty"], &key["crv"], &key["alg"]), (&"EC".into(), &"P-256".into(), &"ES256".into()));
    }
}

#[test]
fn a_key_set_says_how_long_it_is_good() {
    for path in
        ["/oauth2/v1/certs", "/oauth2/v3/certs", "/iap/verify/public_key", "/iap/verify/public_key-jwk"]
    {
        let response = get(&emulator(), path);
        let cache_control = "public, max-age=21600, must-revalidate, no-transform";
        assert_eq!(response.header("Cache-Control"), Some(cache_control), "{path}");
        assert_eq!(response.header("Age"), Some("0"), "{path}");
    }
}

#[test]
fn discovery_names_google_and_the_emulators_keys() {
    let configuration = parsed(&get(&emulator(), "/.well-known/openid-configuration"));
    assert_eq!(configuration["issuer"], "https://accounts.google.com");
    assert_eq!(configuration["jwks_uri"], "http://127.0.0.1:8085/oauth2/v3/certs");
}

#[test]
fn an_issuer_of_its_own_is_named_by_discovery_and_by_id_tokens() {
    let mut config = Config::new(BASE_URL);
    config.issuer = BASE_URL.to_owned();
    let emulator = Emulator::new(config);
    assert_eq!(parsed(&get(&emulator, "/.well-known/openid-configuration"))["issuer"], BASE_URL);

    let path = "/computeMetadata/v1/instance/service-accounts/default/identity?audience=a";
    let identity = emulator.handle(&Request::get(path).with_header("Metadata-Flavor", "Google"), NOW);
    let path = "/v1/projects/-/serviceAccounts/a@b:generateIdToken";
    let order = Request::post(path, json!({ "audience": "a" }).to_string());
    let impersonated = parsed(&emulator.handle(&order.with_header("Authorization", &bearer()), NOW));
    let minted = parsed(&post(&emulator, "/emulator/v1/mint", &json!({ "claims": { "aud": "a" } })));
    let tokens =
        [text(&identity), impersonated["token"].as_str().unwrap(), minted["token"].as_str().unwrap()];
    for token in tokens {
        assert_eq!(Token::google(token, &emulator).claims["iss"], BASE_URL);
    }
}

#[test]
fn the_published_keys_can_be_derived_ahead() {
    let emulator = emulator();
    emulator.derive_published_keys().unwrap();
    let signing_key = RsaKey::derive(&KeySet::Google.signing_label(0)).unwrap();
    let jwks = parsed(&get(&emulator, "/oauth2/v3/certs"));
    assert_eq!(jwks["keys"][0]["kid"], Value::from(signing_key.kid()));
}
