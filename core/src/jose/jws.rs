//! JWS in compact form (RFC 7515, section 7.1): its parts, its header, its signature.

use crate::crypto;
use crate::encoding::{base64url_decode, base64url_encode};
use crate::error::{Error, ErrorCode};
use crate::jose::alg::Algorithm;
use crate::json::{self, JsonError, Value};
use crate::secret::Secret;

/// Largest token that is read, in bytes; a Google ID token has about 900.
pub(crate) const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// What Cloud Run puts in place of the signature of a token that it has verified itself.
pub(crate) const SIGNATURE_REMOVED: &str = "SIGNATURE_REMOVED_BY_GOOGLE";

/// The three parts of a token, still encoded.
#[derive(Clone, Copy)]
pub(crate) struct Compact<'a> {
    signing_input: &'a str,
    header: &'a str,
    payload: &'a str,
    signature: &'a str,
}

/// Where the dots of a token are.
#[derive(Clone, Copy)]
pub(crate) struct Dots(usize, usize);

impl<'a> Compact<'a> {
    /// Cuts a token into its parts; looks at its size and shape only.
    pub(crate) fn split(token: &'a str) -> Result<Self, Error> {
        check_token_length(token.len())?;
        let mut parts = token.split('.');
        let (header, payload, signature) = (parts.next(), parts.next(), parts.next());
        let (Some(header), Some(payload), Some(signature), None) = (header, payload, signature, parts.next())
        else {
            let found = token.split('.').count();
            return Err(malformed(format!(
                "the token has {found} part(s), expected 3 with dots between them"
            )));
        };
        if header.is_empty() || payload.is_empty() || signature.is_empty() {
            return Err(malformed("a part of the token is empty"));
        }
        Ok(Self::cut(token, Dots(header.len(), header.len() + 1 + payload.len())))
    }

    /// Cuts a token once more, at the same places.
    pub(crate) fn cut(token: &'a str, Dots(first, second): Dots) -> Self {
        Self {
            signing_input: token.get(..second).unwrap_or_default(),
            header: token.get(..first).unwrap_or_default(),
            payload: token.get(first + 1..second).unwrap_or_default(),
            signature: token.get(second + 1..).unwrap_or_default(),
        }
    }

    /// Where it is cut.
    pub(crate) fn dots(&self) -> Dots {
        Dots(self.header.len(), self.signing_input.len())
    }

    /// The header as it stands in the token.
    pub(crate) fn encoded_header(&self) -> &'a str {
        self.header
    }

    /// The header, refused unless it is one that an ID token has.
    pub(crate) fn header(&self, allowed: &[Algorithm]) -> Result<Header, Error> {
        let bytes = base64url_decode(self.header).ok_or_else(|| not_base64url("header"))?;
        Header::parse(&bytes, allowed)
    }

    /// The payload's own bytes.
    pub(crate) fn payload(&self) -> Result<Vec<u8>, Error> {
        base64url_decode(self.payload).ok_or_else(|| not_base64url("payload"))
    }

    /// What is signed (RFC 7515, section 5.1, step 5).
    pub(crate) fn signing_input(&self) -> &'a str {
        self.signing_input
    }

    /// The signature's own bytes.
    pub(crate) fn signature(&self) -> Result<Vec<u8>, Error> {
        base64url_decode(self.signature).ok_or_else(|| not_base64url("signature"))
    }
}

/// The refusal of a token that its key has not signed.
pub(crate) fn bad_signature() -> Error {
    Error::new(ErrorCode::BadSignature, "the token's signature is not the one of the key that it names")
}

/// Refuses a token of more than 16 KiB by its length alone, before a byte of it is read.
///
/// # Errors
/// [`ErrorCode::TokenTooLarge`].
pub fn check_token_length(length: usize) -> Result<(), Error> {
    if length <= MAX_TOKEN_BYTES { Ok(()) } else { Err(too_large(length)) }
}

/// The refusal of a token of this many bytes.
pub(crate) fn too_large(length: usize) -> Error {
    let found = format!("the token has {length} bytes, expected at most {MAX_TOKEN_BYTES}");
    Error::new(ErrorCode::TokenTooLarge, found)
}

/// Whether `token` ends as one does whose signature Cloud Run has removed.
pub(crate) fn is_stripped(token: &str) -> bool {
    token.strip_suffix(SIGNATURE_REMOVED).is_some_and(|rest| rest.ends_with('.'))
}

/// The refusal of a token whose signature Cloud Run has removed.
pub(crate) fn signature_stripped() -> Error {
    Error::new(
        ErrorCode::SignatureStripped,
        "the token's signature was removed: Cloud Run does that after it has verified the token itself",
    )
}

/// The JOSE header of an ID token, as far as it counts.
#[derive(Clone, Debug)]
pub(crate) struct Header {
    pub(crate) alg: Algorithm,
    /// A token without one is for an issuer with one key.
    pub(crate) kid: Option<String>,
}

impl Header {
    pub(crate) fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    fn parse(bytes: &[u8], allowed: &[Algorithm]) -> Result<Self, Error> {
        let [alg, kid, typ, crit, b64, cty, zip, enc] =
            json::members(bytes, ["alg", "kid", "typ", "crit", "b64", "cty", "zip", "enc"])
                .map_err(|error| json_error(error, "header"))?;
        let alg = alg.as_ref().and_then(Value::as_str).and_then(Algorithm::from_name);
        let Some(alg) = alg.filter(|alg| allowed.contains(alg)) else {
            let expected: Vec<_> = allowed.iter().map(|alg| alg.as_str()).collect();
            let found = alg.map_or("another alg", Algorithm::as_str);
            return Err(Error::new(
                ErrorCode::AlgNotAllowed,
                format!("the token's header names {found}, expected {}", expected.join(" or ")),
            )
            .about("alg"));
        };
        if crit.is_some() || b64.is_some() {
            return Err(Error::new(
                ErrorCode::CritUnsupported,
                "the token's header has crit or b64, expected neither",
            )
            .about("crit"));
        }
        if cty.is_some() || zip.is_some() || enc.is_some() || !typ.is_none_or(|typ| is_jwt(&typ)) {
            return Err(Error::new(
                ErrorCode::TypMismatch,
                "the token's header says that it is not a plain JWT (typ, cty, zip or enc), expected typ JWT or none",
            )
            .about("typ"));
        }
        match kid {
            None => Ok(Self { alg, kid: None }),
            Some(Value::String(ref kid)) if !kid.is_empty() => Ok(Self { alg, kid: Some(kid.clone()) }),
            Some(Value::String(_)) => {
                Err(Error::new(ErrorCode::UnknownKey, "the token's kid is an empty string").about("kid"))
            }
            Some(other) => {
                Err(malformed(format!("the token's kid is {}, expected a string", other.kind())).about("kid"))
            }
        }
    }
}

fn is_jwt(typ: &Value) -> bool {
    typ.as_str().is_some_and(|typ| ["jwt", "application/jwt"].iter().any(|jwt| typ.eq_ignore_ascii_case(jwt)))
}

/// What is signed (RFC 7515, section 5.1, step 5) of a token with these claims; `kid` is left out when there is none.
pub(crate) fn signing_input(algorithm: Algorithm, kid: Option<&str>, claims: &str) -> Secret<String> {
    let header = json::object(|header| {
        header.text("alg", algorithm.as_str());
        if let Some(kid) = kid {
            header.text("kid", kid);
        }
        header.text("typ", "JWT");
    });
    let header = base64url_encode(header.as_bytes());
    Secret::new([header.as_str(), ".", &base64url_encode(claims.as_bytes())].concat())
}

/// The compact form of a token that is signed.
pub(crate) fn compact(signing_input: &Secret<String>, signature: &[u8]) -> Secret<String> {
    let signature = Secret::new(base64url_encode(signature));
    Secret::new([signing_input.expose(), ".", signature.expose()].concat())
}

/// A private key and the algorithm that it signs with.
pub(crate) trait SigningKey {
    fn algorithm(&self) -> Algorithm;

    /// The key, where signing is for the host.
    fn for_host(&self) -> Option<&crypto::HostKey>;

    /// The signature of `message` in the form of RFC 7518; `None` when the system has no randomness.
    fn sign(&self, message: &[u8]) -> Option<Vec<u8>>;
}

impl SigningKey for crypto::RsaSigningKey {
    fn algorithm(&self) -> Algorithm {
        Algorithm::Rs256
    }

    fn for_host(&self) -> Option<&crypto::HostKey> {
        self.for_host()
    }

    fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        self.sign(message)
    }
}

impl SigningKey for crypto::EcdsaSigningKey {
    fn algorithm(&self) -> Algorithm {
        Algorithm::Es256
    }

    fn for_host(&self) -> Option<&crypto::HostKey> {
        self.for_host()
    }

    fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        self.sign(message)
    }
}

pub(crate) fn json_error(error: JsonError, part: &str) -> Error {
    match error {
        JsonError::TooDeep => Error::new(
            ErrorCode::TokenTooLarge,
            format!("the token's {part} is {error}, expected at most 64"),
        ),
        JsonError::NumberRange => Error::new(ErrorCode::BadClaim, format!("the token's {part} is {error}")),
        _ => malformed(format!("the token's {part} is {error}, expected one JSON object")),
    }
}

fn not_base64url(part: &str) -> Error {
    malformed(format!("the token's {part} is not base64url without padding"))
}

fn malformed(found: impl Into<String>) -> Error {
    Error::new(ErrorCode::TokenMalformed, found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_id_is_a_text_that_is_not_empty() {
        for (kid, detail) in [
            (r#""""#, "the token's kid is an empty string"),
            ("1", "the token's kid is a number, expected a string"),
            ("null", "the token's kid is null, expected a string"),
        ] {
            let header = format!(r#"{{"alg":"RS256","kid":{kid}}}"#);
            let refused = Header::parse(header.as_bytes(), Algorithm::ALL).err();
            assert_eq!(refused.as_ref().map(Error::detail), Some(detail));
        }
    }
}
