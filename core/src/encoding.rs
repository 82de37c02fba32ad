//! Text encodings of the protocols: base64url (RFC 4648, section 5), percent-encoding (RFC 3986), forms.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::secret::Secret;

/// base64url without padding, many characters at once where the processor can.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
static BASE64URL: std::sync::LazyLock<base64::engine::Simd> =
    std::sync::LazyLock::new(|| base64::engine::Simd::url_safe(base64::engine::general_purpose::NO_PAD));
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;

/// Decodes base64url without padding. White space, padding and stray trailing bits are refused: two texts never
/// represent the same bytes.
pub(crate) fn base64url_decode(text: impl AsRef<[u8]>) -> Option<Vec<u8>> {
    BASE64URL.decode(text).ok()
}

/// Encodes as base64url without padding.
pub(crate) fn base64url_encode(bytes: &[u8]) -> String {
    BASE64URL.encode(bytes)
}

/// Encodes in the standard alphabet, with padding.
pub(crate) fn base64_encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Decodes the standard alphabet, with padding.
pub(crate) fn base64_decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// Small hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

/// Decodes the first PEM block of this label (RFC 7468): the standard alphabet with padding, broken into lines.
pub(crate) fn pem_decode(text: &str, label: &str) -> Option<Vec<u8>> {
    pem_block(text, label).map(|(bytes, _)| bytes)
}

/// Decodes every PEM block of this label; `None` when there is none, or a damaged one.
pub(crate) fn pem_decode_all(text: &str, label: &str) -> Option<Vec<Vec<u8>>> {
    let (mut blocks, mut rest) = (Vec::new(), text);
    while rest.contains("-----BEGIN ") {
        let (bytes, after) = pem_block(rest, label)?;
        blocks.push(bytes);
        rest = after;
    }
    (!blocks.is_empty()).then_some(blocks)
}

fn pem_block<'a>(text: &'a str, label: &str) -> Option<(Vec<u8>, &'a str)> {
    let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    let (_, rest) = text.split_once(&begin)?;
    let (body, after) = rest.split_once(&end)?;
    let mut bare = Zeroizing::new(String::with_capacity(body.len()));
    bare.extend(body.chars().filter(|c| !c.is_ascii_whitespace()));
    Some((STANDARD.decode(bare.as_bytes()).ok()?, after))
}

/// Percent-encodes everything but the unreserved characters of RFC 3986, section 2.3.
pub(crate) fn percent_encode(text: &str) -> Secret<String> {
    let mut out = String::with_capacity(text.len() * 3);
    percent_encode_to(text, &mut out);
    Secret::new(out)
}

fn percent_encode_to(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            for digit in [byte >> 4, byte & 15] {
                out.extend(char::from_digit(digit.into(), 16).map(|c| c.to_ascii_uppercase()));
            }
        }
    }
}

/// A query or an `application/x-www-form-urlencoded` body, in one allocation that is never moved: no copy of it is left.
pub(crate) fn form(fields: &[(&str, &str)]) -> Secret<String> {
    let longest: usize = fields.iter().map(|(name, value)| name.len() + value.len() * 3 + 2).sum();
    let mut out = String::with_capacity(longest);
    for (name, value) in fields {
        if !out.is_empty() {
            out.push('&');
        }
        out.push_str(name);
        out.push('=');
        percent_encode_to(value, &mut out);
    }
    Secret::new(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64url_has_one_text_for_each_octet_string() {
        assert_eq!(base64url_decode("AA"), Some(vec![0]));
        for other in ["AB", "AA==", "AA=", "A", "A A", "AA\n", "+/+/"] {
            assert_eq!(base64url_decode(other), None, "{other:?}");
        }
    }

    /// However many characters are read at once, each is one of the alphabet.
    #[test]
    fn base64url_is_as_strict_in_long_texts() {
        use base64::engine::general_purpose::URL_SAFE_NO_PAD;
        for length in 0..200 {
            let bytes: Vec<u8> = (0..length).map(|i| (i * 167 + length) as u8).collect();
            let text = base64url_encode(&bytes);
            assert_eq!(text, URL_SAFE_NO_PAD.encode(&bytes));
            assert_eq!(base64url_decode(&text), Some(bytes));
        }
        let text = base64url_encode(&(0..150).collect::<Vec<u8>>());
        for place in 0..text.len() {
            for byte in 0..=u8::MAX {
                let mut other = text.clone().into_bytes();
                other[place] = byte;
                assert_eq!(base64url_decode(&other), URL_SAFE_NO_PAD.decode(&other).ok(), "{place} {byte}");
            }
        }
    }

    #[test]
    fn forms_escape_reserved_characters_and_utf8() {
        assert_eq!(form(&[("a", "b c&d=é~"), ("x", "/")]).expose(), "a=b%20c%26d%3D%C3%A9~&x=%2F");
    }
}
