//! JWTs, as they are received from an endpoint that issues them, of whatever kind.

use crate::encoding::base64url_decode;
use crate::error::{Error, ErrorCode};
use crate::jose::claims::Claims;
use crate::step::Millis;
use crate::token::Issued;

/// How far ahead the clock of an endpoint may be, or this machine's behind: beyond that one of them is of no use.
const FURTHEST_FUTURE_MS: u64 = 12 * 3_600_000;

/// Reads an issued JWT: its end is its own `exp`, never a guess, and it must be for the asked audience. `noun` is what
/// it is, such as `ID token`.
///
/// The signature is the receiver's affair. A token that has ended already is an error worth another attempt.
pub(crate) fn read(token: &str, audience: &str, now: Millis, who: &str, noun: &str) -> Result<Issued, Error> {
    let invalid =
        |found: &str| Error::new(ErrorCode::TokenResponseInvalid, format!("{who} answered with {found}"));
    let mut parts = token.split('.');
    let (Some(header), Some(payload), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(invalid("something other than a JWT of three parts"));
    };
    if [header, payload, signature].iter().any(|part| part.is_empty() || base64url_decode(part).is_none()) {
        return Err(invalid(&format!("{noun} that is not base64url in all its parts")));
    }
    let claims = base64url_decode(payload).and_then(|payload| Claims::parse(&payload).ok());
    let claims = claims.ok_or_else(|| invalid(&format!("{noun} whose payload is not one JSON object")))?;
    if claims.audience() != Some(audience) {
        return Err(invalid(&format!("{noun} for another audience than the one asked for")));
    }
    let expires_at = claims.expires_at().map_err(|error| error_in_response(&error, who, noun))?;
    if expires_at <= now {
        return Err(
            invalid(&format!("{noun} that has expired already; check this machine's clock")).retryable()
        );
    }
    let issued_at = claims.issued_at();
    if issued_at.is_some_and(|issued_at| issued_at > now.plus(FURTHEST_FUTURE_MS) || issued_at > expires_at) {
        return Err(invalid(&format!("{noun} that is issued in the future; check this machine's clock")));
    }
    Ok(Issued { value: token.into(), expires_at, issued_at })
}

fn error_in_response(error: &Error, who: &str, noun: &str) -> Error {
    let claim = error.claim().unwrap_or("payload");
    Error::new(
        ErrorCode::TokenResponseInvalid,
        format!("{who} answered with {noun} whose {claim} is no time"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jwt_is_not_issued_after_its_end_or_far_in_the_future() {
        use crate::encoding::base64url_encode;
        const NOW: Millis = Millis::from_secs(1_800_000_000);
        let issued = |iat: u64, exp: u64| {
            let (iat, exp) = (NOW.as_secs() + iat, NOW.as_secs() + exp);
            let payload = base64url_encode(format!(r#"{{"aud":"a","iat":{iat},"exp":{exp}}}"#).as_bytes());
            read(&format!("e30.{payload}.c2ln"), "a", NOW, "it", "a JWT").is_ok()
        };
        for (iat, exp, good) in [
            (0, 3600, true),
            (3600, 3600, true),
            (3601, 3600, false),
            (7200, 3600, false),
            (43_200, 50_000, true),
            (43_201, 50_000, false),
            (0, 0, false),
        ] {
            assert_eq!(issued(iat, exp), good, "{iat} {exp}");
        }
    }
}
