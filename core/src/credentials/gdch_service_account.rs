//! `"type": "gdch_service_account"`: a service account of Google Distributed Cloud, which has no Google to ask.
//!
//! Its endpoints are wherever the cloud is, so they must be named in `GATEPASS_TRUSTED_ENDPOINTS`.

use std::sync::Arc;

use crate::credentials::fields::{Fields, invalid, printable};
use crate::credentials::pem::pem_mistake;
use crate::credentials::principal::{Known, Principal};
use crate::credentials::{AskPrincipal, Context, Credential, Fetch, Reader, SignBytes, no_key};
use crate::crypto::{EcdsaSigningKey, KeyRejected};
use crate::der::{INTEGER, OCTET_STRING, SEQUENCE, bit_string, take};
use crate::encoding::pem_decode;
use crate::error::{Error, ErrorCode};
use crate::exchange::Exchange;
use crate::exchange::gdch::GdchToken;
use crate::quote;
use crate::secret::Secret;
use crate::token::TokenKey;
use crate::token::self_signed_jwt::Signer;
use crate::url::Url;

/// The version of the file format that is known.
const FORMAT_VERSION: &str = "1";

/// A service account and its private key.
struct GdchServiceAccount {
    project: String,
    signer: Arc<Signer>,
    token_uri: Url,
    /// A PEM file of the authorities that vouch for the endpoint; `None`: the system's.
    ca_cert_path: Option<String>,
}

/// Reads a file of this type.
pub(super) fn read(fields: Fields<'_>, reader: &Reader<'_>) -> Result<Arc<dyn Credential>, Error> {
    if fields.required("format_version")? != FORMAT_VERSION {
        return Err(invalid("format_version", "another version", "\"1\", or a newer gatepass"));
    }
    let (project, name) =
        (printable("project", fields.required("project")?)?, printable("name", fields.required("name")?)?);
    let private_key = private_key(fields.required("private_key")?)?;
    let key_id = printable("private_key_id", fields.required("private_key_id")?)?.to_owned();
    let principal = format!("system:serviceaccount:{project}:{name}");
    Ok(Arc::new(GdchServiceAccount {
        project: project.to_owned(),
        signer: Arc::new(Signer::new(principal, private_key, Some(key_id))),
        token_uri: reader.trusted.own_endpoint(fields, "token_uri")?,
        ca_cert_path: fields.optional_path("ca_cert_path")?.map(str::to_owned),
    }))
}

impl Credential for GdchServiceAccount {
    fn describe(&self) -> String {
        format!("the key of {}", quote::harmless(self.signer.principal()))
    }

    fn principal(self: Arc<Self>, _context: Context<'_>) -> AskPrincipal {
        Box::new(Known::new(Principal { email: None, project_id: Some(self.project.clone()) }))
    }

    fn sign_bytes(self: Arc<Self>, _bytes: Vec<u8>, _context: Context<'_>) -> Result<SignBytes, Error> {
        Err(no_key("a gdch_service_account is not known to Google's APIs"))
    }

    fn fetch(self: Arc<Self>, key: &TokenKey, context: Context<'_>) -> Result<Fetch, Error> {
        context.refuse_subject("Google Distributed Cloud has no domain-wide delegation")?;
        match key {
            TokenKey::AccessToken { .. } => {
                let audience = context.preferences.gdch_audience.clone().ok_or_else(|| {
                    Error::new(
                        ErrorCode::InvalidOption,
                        "`gdch_audience` is missing, expected the audience of the API, as a gdch_service_account needs",
                    )
                })?;
                let endpoint = GdchToken {
                    token_uri: self.token_uri.clone(),
                    ca_cert_path: self.ca_cert_path.clone(),
                    signer: Arc::clone(&self.signer),
                    audience,
                };
                Ok(Box::new(Exchange::new(endpoint, context.jitter)))
            }
            TokenKey::IdToken { .. } => Err(Error::new(
                ErrorCode::IdTokenUnsupported,
                "a gdch_service_account has no ID tokens, only access tokens",
            )),
            TokenKey::SelfSignedJwt { .. } => {
                Err(no_key("a gdch_service_account is not known to Google's APIs"))
            }
        }
    }
}

/// Reads PEM in PKCS#8, or as OpenSSL writes an EC key (RFC 5915).
fn private_key(pem: &str) -> Result<EcdsaSigningKey, Error> {
    const EXPECTED: &str = "a PEM private key of the curve P-256, with its public key";
    let rejected = |KeyRejected(why)| invalid("private_key", why, EXPECTED);
    if let Some(der) = pem_decode(pem, "PRIVATE KEY").map(Secret::new) {
        return EcdsaSigningKey::from_pkcs8(der.expose()).map_err(rejected);
    }
    let der = pem_decode(pem, "EC PRIVATE KEY").map(Secret::new);
    match der.as_ref().and_then(|der| ec_private_key(der.expose())) {
        Some((private, point)) => EcdsaSigningKey::from_parts(private, point).map_err(rejected),
        None => Err(invalid("private_key", pem_mistake(pem), EXPECTED)),
    }
}

/// The private number and the public point of an `ECPrivateKey` (RFC 5915, section 3).
fn ec_private_key(der: &[u8]) -> Option<(&[u8], &[u8])> {
    const PARAMETERS: u8 = 0xa0;
    const PUBLIC_KEY: u8 = 0xa1;
    let (key, _) = take(der, SEQUENCE)?;
    let (_version, key) = take(key, INTEGER)?;
    let (private, key) = take(key, OCTET_STRING)?;
    let key = take(key, PARAMETERS).map_or(key, |(_, after)| after);
    let (public, _) = take(key, PUBLIC_KEY)?;
    Some((private, bit_string(public)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Preferences;
    use crate::credentials::TrustedEndpoints;
    use crate::encoding::base64url_decode;
    use crate::json;
    use crate::retry::Jitter;
    use crate::signing::signed_by_ring;
    use crate::step::{Millis, Now, Reply, Step};

    /// TEST KEY, NOT A SECRET: the scalar is the SHA-256 of "a test key of gatepass" (tests/vectors/generate.py).
    const KEY: &str = "-----BEGIN EC PRIVATE KEY-----\n\
        MHcCAQEEIAliGuMbLZkvGQAJsI0wsZ0cyzRioBTDdNwCoCC/+OCyoAoGCCqGSM49\n\
        AwEHoUQDQgAEQddx5UDsNmXFni9WQwsA3lKl6iI/vF+AwrmVnB1h1ROD+6b/yUW8\n\
        xnVttFMRWqNMze6HN8/5EgDBf1kvUowb4Q==\n\
        -----END EC PRIVATE KEY-----";
    const POINT: &str =
        "BEHXceVA7DZlxZ4vVkMLAN5SpeoiP7xfgMK5lZwdYdUTg_um_8lFvMZ1bbRTEVqjTM3uhzfP-RIAwX9ZL1KMG-E";
    const NOW: Millis = Millis(1_800_000_000_000);

    fn account(key: &str) -> Result<Arc<dyn Credential>, Error> {
        let file = serde_json::json!({
            "format_version": "1", "project": "shop", "name": "orders", "private_key_id": "k", "private_key": key,
            "token_uri": "https://gdc.example/token", "ca_cert_path": "/ca.pem",
        });
        let document = json::value(file.to_string().as_bytes()).unwrap();
        let trusted = TrustedEndpoints::parse("gdc.example");
        read(Fields::new(&document), &Reader { trusted: &trusted, sources: 0 })
    }

    #[test]
    fn the_jwt_is_signed_by_the_account_and_the_authorities_are_named() {
        let preferences =
            Preferences { gdch_audience: Some("https://api.example".into()), ..Preferences::default() };
        let key = TokenKey::access_token("").unwrap();
        let context = Context { preferences: &preferences, jitter: Jitter::new(1) };
        let mut fetch = account(KEY).unwrap().fetch(&key, context).unwrap();
        let mut step = fetch.resume(Now::steady(NOW), Reply::Start);
        if let Step::Sign(question) = step {
            step = fetch.resume(Now::steady(NOW), signed_by_ring(&question));
        }
        let Step::Send(request) = step else { panic!("no request") };
        assert_eq!(
            (request.url.as_str(), request.ca_certificate_path.as_deref()),
            ("https://gdc.example/token", Some("/ca.pem"))
        );
        let body = request.body.unwrap();
        let fields: Vec<(&str, &str)> =
            body.expose().split('&').map(|field| field.split_once('=').unwrap()).collect();
        assert_eq!(fields[0], ("grant_type", "urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Atoken-exchange"));
        assert_eq!(fields[1], ("audience", "https%3A%2F%2Fapi.example"));
        assert_eq!(
            fields[4],
            ("subject_token_type", "urn%3Ak8s%3Aparams%3Aoauth%3Atoken-type%3Aserviceaccount")
        );
        let (signing_input, signature) = fields[3].1.rsplit_once('.').unwrap();
        let (header, claims) = signing_input.split_once('.').unwrap();
        let decoded = |part: &str| String::from_utf8(base64url_decode(part).unwrap()).unwrap();
        assert_eq!(decoded(header), r#"{"alg":"ES256","kid":"k","typ":"JWT"}"#);
        let principal = "system:serviceaccount:shop:orders";
        assert_eq!(
            decoded(claims),
            format!(
                r#"{{"aud":"https://gdc.example/token","exp":1800003600,"iat":1800000000,"iss":"{principal}","sub":"{principal}"}}"#
            )
        );
        let point = base64url_decode(POINT).unwrap();
        let verified =
            ring::signature::UnparsedPublicKey::new(&ring::signature::ECDSA_P256_SHA256_FIXED, point)
                .verify(signing_input.as_bytes(), &base64url_decode(signature).unwrap());
        assert!(verified.is_ok());
    }

    #[test]
    fn a_key_of_another_kind_is_refused() {
        for (key, found) in
            [("", "empty"), ("-----BEGIN EC PRIVATE KEY-----\nMAA=\n-----END EC PRIVATE KEY-----", "damaged")]
        {
            let error = account(key).err().unwrap();
            assert!(error.to_string().contains(found), "{error}");
        }
    }

    #[test]
    fn it_is_described_by_its_principal() {
        assert_eq!(account(KEY).unwrap().describe(), "the key of system:serviceaccount:shop:orders");
    }
}
