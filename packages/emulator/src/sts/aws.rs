//! A signed request that AWS would answer with the caller's identity (AIP-4117, "AWS"; AWS Signature Version 4).
//!
//! Nothing is sent to AWS. The signature by the one key whose secret is known, that of the emulator's own metadata
//! service, is verified all the same.

use percent_encoding::percent_decode_str;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::aws_metadata::{ACCESS_KEY_ID, SECRET_ACCESS_KEY};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const QUERY: &str = "Action=GetCallerIdentity&Version=2011-06-15";
const SCOPE_END: &str = "aws4_request";
const SERVICE: &str = "sts";

/// By this header the request is meant for one provider, and cannot be replayed at another.
const TARGET_RESOURCE: &str = "x-goog-cloud-target-resource";

/// Reads the request in a subject token and gives the ID of the key that signed it. With `known_keys_only`, a key whose
/// secret is not known is refused. An error says what is wrong, and nothing of the token.
pub(crate) fn access_key_id(token: &str, audience: &str, known_keys_only: bool) -> Result<String, String> {
    let request = Signed::parse(token)?;
    let region = request.region()?;
    if request.header(TARGET_RESOURCE)? != audience {
        return Err(format!("{TARGET_RESOURCE} is not the audience"));
    }
    let authorization = Authorization::parse(request.header("authorization")?)?;
    let date = request.header("x-amz-date")?;
    let day = date.split_once('T').map_or("", |(day, _)| day);
    if day != authorization.day || region != authorization.region {
        return Err("the credential scope has another day or region than the request".to_owned());
    }
    for name in ["host", "x-amz-date"] {
        if !authorization.signed_headers.contains(&name) {
            return Err(format!("{name} is not among the signed headers"));
        }
    }
    if authorization.key_id == ACCESS_KEY_ID {
        if request.signature(&authorization, date)? != authorization.signature {
            return Err("the signature does not match".to_owned());
        }
    } else if known_keys_only {
        return Err(format!("the key is not {ACCESS_KEY_ID}, the only one that can be verified"));
    }
    Ok(authorization.key_id.to_owned())
}

/// The request, as the subject token describes it.
#[derive(Deserialize)]
struct Signed {
    url: String,
    method: String,
    headers: Vec<Header>,
    #[serde(default)]
    body: String,
}

#[derive(Deserialize)]
struct Header {
    key: String,
    value: String,
}

impl Signed {
    /// Reads percent-encoded JSON. Google's library for Go writes a space as `+`.
    fn parse(token: &str) -> Result<Self, String> {
        if token.contains(['{', '"']) {
            return Err("it is not percent-encoded".to_owned());
        }
        let spaced = token.replace('+', " ");
        let json = percent_decode_str(&spaced).decode_utf8().map_err(|_| "it is not UTF-8".to_owned())?;
        let request: Self = serde_json::from_str(&json)
            .map_err(|_| "it is not JSON with url, method and headers of key and value".to_owned())?;
        if request.method != "POST" || !request.body.is_empty() {
            return Err("expected the method POST and no body".to_owned());
        }
        Ok(request)
    }

    /// Gives the region in the URL, which must be that of the `host` header.
    fn region(&self) -> Result<&str, String> {
        let wrong = || format!("expected the URL https://sts.REGION.amazonaws.com?{QUERY}");
        let (host, query) =
            self.url.strip_prefix("https://").and_then(|rest| rest.split_once('?')).ok_or_else(wrong)?;
        let host = host.trim_end_matches('/');
        let region = host.strip_prefix("sts.").and_then(|rest| rest.strip_suffix(".amazonaws.com"));
        let is_region = |region: &&str| {
            !region.is_empty()
                && region
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        };
        let region = region.filter(is_region).filter(|_| query == QUERY).ok_or_else(wrong)?;
        if self.header("host")? != host {
            return Err("the host header is not the URL's host".to_owned());
        }
        Ok(region)
    }

    /// Gives the one header of that name, in any case. Google's library for Java writes the target resource twice.
    fn header(&self, name: &str) -> Result<&str, String> {
        let mut found = self.headers.iter().filter(|header| header.key.eq_ignore_ascii_case(name));
        let first = found.next().ok_or_else(|| format!("the header {name} is missing"))?;
        if found.all(|other| name == TARGET_RESOURCE && other.value == first.value) {
            Ok(&first.value)
        } else {
            Err(format!("the header {name} is there twice"))
        }
    }

    /// Computes the signature that the emulator's key gives, in hexadecimal digits.
    fn signature(&self, authorization: &Authorization<'_>, date: &str) -> Result<String, String> {
        let mut canonical = format!("POST\n/\n{QUERY}\n");
        for name in &authorization.signed_headers {
            canonical += &format!("{name}:{}\n", self.header(name)?.trim());
        }
        let names = authorization.signed_headers.join(";");
        canonical += &format!("\n{names}\n{}", hex(&Sha256::digest(self.body.as_bytes())));

        let Authorization { day, region, .. } = authorization;
        let digest = hex(&Sha256::digest(canonical));
        let to_sign = format!("{ALGORITHM}\n{date}\n{day}/{region}/{SERVICE}/{SCOPE_END}\n{digest}");
        let key = format!("AWS4{SECRET_ACCESS_KEY}").into_bytes();
        let key = [*day, *region, SERVICE, SCOPE_END]
            .iter()
            .fold(key, |key, part| hmac_sha256(&key, part.as_bytes()).to_vec());
        Ok(hex(&hmac_sha256(&key, to_sign.as_bytes())))
    }
}

/// `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`.
struct Authorization<'a> {
    key_id: &'a str,
    day: &'a str,
    region: &'a str,
    signed_headers: Vec<&'a str>,
    signature: &'a str,
}

impl<'a> Authorization<'a> {
    fn parse(text: &'a str) -> Result<Self, String> {
        Self::read(text).ok_or_else(|| {
            format!(
                "expected authorization to be {ALGORITHM} Credential=ID/DAY/REGION/{SERVICE}/{SCOPE_END}, \
                 SignedHeaders=…, Signature=…"
            )
        })
    }

    fn read(text: &'a str) -> Option<Self> {
        let fields: Vec<&str> = text.strip_prefix(ALGORITHM)?.split(',').map(str::trim).collect();
        let [credential, signed_headers, signature] = fields.as_slice() else { return None };
        let credential: Vec<&str> = credential.strip_prefix("Credential=")?.split('/').collect();
        let [key_id, day, region, SERVICE, SCOPE_END] = *credential.as_slice() else { return None };
        let signature = signature.strip_prefix("Signature=")?;
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (!key_id.is_empty() && signature.len() == 64 && signature.bytes().all(is_hex)).then_some(Self {
            key_id,
            day,
            region,
            signed_headers: signed_headers.strip_prefix("SignedHeaders=")?.split(';').collect(),
            signature,
        })
    }
}

/// RFC 2104, for keys of at most a block, which these are.
fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    let padded = |pad: u8| -> [u8; 64] {
        std::array::from_fn(|position| key.get(position).copied().unwrap_or_default() ^ pad)
    };
    let inner = Sha256::new_with_prefix(padded(0x36)).chain_update(message).finalize();
    Sha256::new_with_prefix(padded(0x5c)).chain_update(inner).finalize().into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
