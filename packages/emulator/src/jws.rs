//! JSON Web Signatures in the compact form, RFC 7515 section 7.1.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use crate::keys::{KeyError, KeySet, RsaKey, SigningKey};

/// A JSON object: the header, or the claims.
pub(crate) type Object = Map<String, Value>;

/// Signs `claims`. Members of `header` are added to `alg`, `kid` and `typ`, or replace them.
pub(crate) fn sign<K: SigningKey>(key: &K, header: &Object, claims: &Object) -> Result<String, KeyError> {
    let mut full_header = Object::new();
    full_header.insert("alg".to_owned(), json!(K::ALGORITHM));
    full_header.insert("kid".to_owned(), json!(key.kid()));
    full_header.insert("typ".to_owned(), json!("JWT"));
    full_header.extend(header.clone());

    let signing_input = format!("{}.{}", encode(full_header), encode(claims.clone()));
    let signature = BASE64_URL_SAFE_NO_PAD.encode(key.sign(signing_input.as_bytes())?);
    Ok(format!("{signing_input}.{signature}"))
}

/// A signed object taken apart, not yet verified.
pub(crate) struct Unverified<'a> {
    pub(crate) header: Object,
    pub(crate) claims: Object,
    pub(crate) signing_input: &'a str,
    pub(crate) signature: Vec<u8>,
}

impl<'a> Unverified<'a> {
    /// Takes a compact token apart; nothing if it does not consist of two base64url JSON objects and a signature.
    pub(crate) fn parse(compact: &'a str) -> Option<Self> {
        let (signing_input, signature) = compact.rsplit_once('.')?;
        let (header, claims) = signing_input.split_once('.')?;
        Some(Self {
            header: decode(header)?,
            claims: decode(claims)?,
            signing_input,
            signature: BASE64_URL_SAFE_NO_PAD.decode(signature).ok()?,
        })
    }

    /// Tells whether `key` has signed. A header may leave `kid` out, as that of Google's library for Node does.
    pub(crate) fn is_signed_by<K: SigningKey>(&self, key: &K) -> bool {
        let text = |name: &str| self.header.get(name).and_then(Value::as_str);
        text("alg") == Some(K::ALGORITHM)
            && text("kid").is_none_or(|kid| kid == key.kid())
            && key.verifies(self.signing_input.as_bytes(), &self.signature)
    }

    /// Tells whether one of the RSA keys has signed that are published after so many rotations.
    pub(crate) fn is_signed_by_google(&self, rotations: u64) -> Result<bool, KeyError> {
        for label in KeySet::Google.labels(rotations) {
            if self.is_signed_by(&*RsaKey::derive(&label)?) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn encode(object: Object) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(Value::Object(object).to_string())
}

fn decode(part: &str) -> Option<Object> {
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}
