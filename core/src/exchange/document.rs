//! A document that an issuer publishes: how it is asked for, how large it may be, and how long it lives (RFC 9111).

use crate::calendar;
use crate::error::{Error, ErrorCode};
use crate::exchange::Response;
use crate::jose::jwks::MAX_KEY_SET_BYTES;
use crate::step::{HttpRequest, Route};

/// Longest wait for it.
const TIMEOUT_MS: u64 = 5_000;
/// The shortest and the longest life of a document, in seconds, whatever the issuer says.
const LIFETIME: (u64, u64) = (60, 86_400);
/// The life of a document of an issuer that says nothing, in seconds.
const DEFAULT_LIFETIME: u64 = 300;

/// The request for the document at `url`.
pub(crate) fn get(url: String) -> HttpRequest {
    HttpRequest::get(url, Route::Default, TIMEOUT_MS).with_header("accept", "application/json")
}

/// The document's bytes.
///
/// # Errors
/// A retryable one for a status that may pass; `code` for every other and for a document that is too large: what the
/// URL serves will be the same a moment later. `who` names the document.
pub(crate) fn body<'a>(response: &'a Response, who: &str, code: ErrorCode) -> Result<&'a [u8], Error> {
    let refused = |found: String| Error::new(code, format!("{who} {found}")).permanent();
    if let Some(error) = response.status_error(who) {
        let status = response.status;
        return Err(if error.is_retryable() {
            error
        } else {
            refused(format!("answered {status}, expected 200"))
        });
    }
    let body = response.body.expose();
    if body.len() > MAX_KEY_SET_BYTES {
        return Err(refused(format!("answered {} bytes, expected at most {MAX_KEY_SET_BYTES}", body.len())));
    }
    Ok(body)
}

/// How long the response is fresh (RFC 9111, section 4.2), clamped, in milliseconds.
pub(crate) fn lifetime_ms(response: &Response) -> u64 {
    lifetime_seconds(response) * 1000
}

fn lifetime_seconds(response: &Response) -> u64 {
    let (shortest, longest) = LIFETIME;
    let age = response.header("age").and_then(|age| age.parse().ok()).unwrap_or(0);
    let asked = match response.header("cache-control") {
        Some(cache_control) => max_age(&cache_control),
        None => expires_after(response),
    };
    asked.map_or(DEFAULT_LIFETIME, |seconds| seconds.saturating_sub(age)).clamp(shortest, longest)
}

/// The first `max-age` of a Cache-Control header, `None` if it is no number; 0 for `no-store` and `no-cache`.
fn max_age(cache_control: &str) -> Option<u64> {
    let directives = || cache_control.split(',').map(|d| d.trim().to_ascii_lowercase());
    if directives().any(|directive| directive == "no-store" || directive == "no-cache") {
        return Some(0);
    }
    let value = directives().find_map(|directive| directive.strip_prefix("max-age=").map(str::to_owned))?;
    let digits = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(&value);
    let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    // RFC 9111, section 1.2.2: a number too large to hold counts as the largest.
    is_number.then(|| digits.parse().unwrap_or(u64::MAX))
}

/// `Expires` less `Date`, in seconds.
fn expires_after(response: &Response) -> Option<u64> {
    let moment = |name: &str| response.header(name).as_deref().and_then(calendar::read_http_date);
    Some(moment("expires")?.saturating_sub(moment("date")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lifetime(headers: &[(&str, &str)]) -> u64 {
        let headers = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        lifetime_seconds(&Response { status: 200, headers, body: crate::Secret::default() })
    }

    #[test]
    fn lifetimes_follow_rfc_9111_within_bounds() {
        let cases: &[(&[(&str, &str)], u64)] = &[
            (&[("Cache-Control", "public, max-age=21613, must-revalidate, no-transform")], 21_613),
            (&[("cache-control", "max-age=0")], 60),
            (&[("cache-control", "max-age=99999999999999999999")], 86_400),
            (&[("cache-control", "max-age=100, max-age=3600")], 100),
            (&[("cache-control", "max-age=\"100\"")], 100),
            (&[("cache-control", "max-age=abc, max-age=3600")], 300),
            (&[("cache-control", "max-age=-1")], 300),
            (&[("cache-control", "max-age=\"100")], 300),
            (&[("cache-control", "max-age=1e9"), ("expires", "Fri, 15 Jan 2027 09:00:00 GMT")], 300),
            (&[("cache-control", "no-store")], 60),
            (&[("cache-control", "xmax-age=5, public")], 300),
            (&[("cache-control", ";;;")], 300),
            (&[("cache-control", "max-age=3600"), ("age", "600")], 3000),
            (
                &[("expires", "Fri, 15 Jan 2027 09:00:00 GMT"), ("date", "Fri, 15 Jan 2027 08:00:00 GMT")],
                3600,
            ),
            (&[], 300),
        ];
        for (headers, expected) in cases {
            assert_eq!(lifetime(headers), *expected, "{headers:?}");
        }
    }

    #[test]
    fn a_document_is_bounded() {
        let response = |length| Response {
            status: 200,
            headers: Vec::new(),
            body: crate::Secret::new(vec![b' '; length]),
        };
        let read = |length| {
            body(&response(length), "it", ErrorCode::KeysUnavailable)
                .map(<[u8]>::len)
                .map_err(|error| error.code())
        };
        assert_eq!(read(MAX_KEY_SET_BYTES), Ok(MAX_KEY_SET_BYTES));
        assert_eq!(read(MAX_KEY_SET_BYTES + 1), Err(ErrorCode::KeysUnavailable));
    }
}
