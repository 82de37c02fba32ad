//! The public keys, in the forms of `www.googleapis.com` and `www.gstatic.com`.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::json;

use crate::Config;
use crate::http::Response;
use crate::keys::{EcKey, KeyError, KeySet, RsaKey, SigningKey};

/// What Google's key sets say of themselves: they are good for six hours.
const CACHE_CONTROL: &str = "public, max-age=21600, must-revalidate, no-transform";

/// The keys of ID tokens as certificates, `{"kid": "-----BEGIN CERTIFICATE-----…"}`.
pub(crate) fn google_pem(config: &Config) -> Result<Response, KeyError> {
    pem_map(config, KeySet::Google, |label| {
        let key = RsaKey::derive(label)?;
        Ok((key.kid().to_owned(), key.certificate_pem()?))
    })
}

/// The keys of ID tokens as a JWK set, RFC 7517 section 5.
pub(crate) fn google_jwk(config: &Config) -> Result<Response, KeyError> {
    jwk_set(config, KeySet::Google, |label| Ok(RsaKey::derive(label)?.jwk()))
}

/// The keys of Identity-Aware Proxy, `{"kid": "-----BEGIN PUBLIC KEY-----…"}`.
pub(crate) fn iap_pem(config: &Config) -> Result<Response, KeyError> {
    pem_map(config, KeySet::Iap, |label| {
        let key = EcKey::derive(label)?;
        Ok((key.kid().to_owned(), key.public_key_pem()?))
    })
}

/// The keys of Identity-Aware Proxy as a JWK set.
pub(crate) fn iap_jwk(config: &Config) -> Result<Response, KeyError> {
    jwk_set(config, KeySet::Iap, |label| Ok(EcKey::derive(label)?.jwk()))
}

/// OpenID Connect Discovery 1.0 section 4. The issuer is whom the tokens name; the key set is the emulator's own.
pub(crate) fn openid_configuration(config: &Config) -> Response {
    let base_url = &config.base_url;
    cacheable(&json!({
        "issuer": config.issuer,
        "authorization_endpoint": format!("{base_url}/o/oauth2/v2/auth"),
        "token_endpoint": config.token_endpoint(),
        "jwks_uri": format!("{base_url}/oauth2/v3/certs"),
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }))
}

fn pem_map(
    config: &Config,
    key_set: KeySet,
    entry: impl Fn(&str) -> Result<(String, String), KeyError>,
) -> Result<Response, KeyError> {
    let entries: BTreeMap<_, _> =
        key_set.labels(config.key_rotations).iter().map(|label| entry(label)).collect::<Result<_, _>>()?;
    Ok(cacheable(&entries))
}

fn jwk_set(
    config: &Config,
    key_set: KeySet,
    jwk: impl Fn(&str) -> Result<serde_json::Value, KeyError>,
) -> Result<Response, KeyError> {
    let keys: Vec<_> =
        key_set.labels(config.key_rotations).iter().map(|label| jwk(label)).collect::<Result<_, _>>()?;
    Ok(cacheable(&json!({ "keys": keys })))
}

/// Always fresh: there is no cache between the emulator and its clients.
fn cacheable(body: &impl Serialize) -> Response {
    Response::json(200, body).with_header("Cache-Control", CACHE_CONTROL).with_header("Age", "0")
}
