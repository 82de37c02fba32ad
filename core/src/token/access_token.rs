//! Access tokens, as they are received from an endpoint that issues them (RFC 6749, section 5.1).

use crate::error::{Error, ErrorCode};
use crate::header;
use crate::json::Value;
use crate::step::Millis;
use crate::token::Issued;
use crate::token::response_members;

/// The life of a token whose endpoint does not say, in seconds: long enough to use, short enough to find out.
const UNKNOWN_LIFETIME: f64 = 60.0;
/// The longest life that Google gives, in seconds; an answer of more is taken as this.
const LONGEST_LIFETIME: f64 = 43_200.0;

/// Reads the JSON that `who` answered with: `access_token`, `expires_in` and `token_type`, which is `Bearer` in any case
/// where it is given.
pub(crate) fn read_response(body: &[u8], now: Millis, who: &str) -> Result<Issued, Error> {
    let names = ["access_token", "expires_in", "token_type"];
    let [token, expires_in, token_type] = response_members(body, names, who)?;
    match &token_type {
        None | Some(Value::Null) => {}
        Some(Value::String(name)) if name.eq_ignore_ascii_case("bearer") => {}
        Some(_) => {
            let found = format!("{who} answered with a token_type other than Bearer");
            return Err(Error::new(ErrorCode::TokenResponseInvalid, found));
        }
    }
    read(token.as_ref(), expires_in.as_ref(), now, who)
}

/// Reads an access token and the seconds that it lives, a number or a string of digits.
pub(crate) fn read(
    token: Option<&Value>,
    expires_in: Option<&Value>,
    now: Millis,
    who: &str,
) -> Result<Issued, Error> {
    let invalid =
        |found: &str| Error::new(ErrorCode::TokenResponseInvalid, format!("{who} answered {found}"));
    let token = token.and_then(Value::as_str).ok_or_else(|| invalid("without an access_token"))?;
    header::check_token_text(token).map_err(|_| invalid("with an access_token that fits in no header"))?;
    let seconds = match expires_in {
        None | Some(Value::Null) => UNKNOWN_LIFETIME,
        Some(Value::Number(seconds)) => *seconds,
        Some(Value::String(digits)) if digits.len() <= 9 && digits.bytes().all(|b| b.is_ascii_digit()) => {
            digits.parse::<u32>().map_err(|_| invalid("with an expires_in that is no number"))?.into()
        }
        Some(_) => return Err(invalid("with an expires_in that is no number")),
    };
    if seconds <= 0.0 {
        return Err(invalid("with an access token that has expired already").retryable());
    }
    let lifetime_ms = (seconds.min(LONGEST_LIFETIME) * 1000.0) as u64;
    Ok(Issued { value: token.into(), expires_at: now.plus(lifetime_ms), issued_at: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_life_is_a_number_or_a_text_of_digits() {
        let life = |expires_in: &str| {
            let body = format!(r#"{{"access_token":"a","expires_in":{expires_in}}}"#);
            read_response(body.as_bytes(), Millis(0), "it")
                .map(|issued| issued.expires_at.0)
                .map_err(|error| error.code())
        };
        for (expires_in, millis) in [
            ("3600", 3_600_000),
            ("\"3600\"", 3_600_000),
            ("1.5", 1_500),
            ("\"999999999\"", 43_200_000),
            ("null", 60_000),
        ] {
            assert_eq!(life(expires_in), Ok(millis), "{expires_in}");
        }
        for bad in ["\"\"", "\"1e3\"", "\"-1\"", "\"inf\"", "\"1234567890\"", "\"3600s\"", "[]", "0", "-1"] {
            assert_eq!(life(bad), Err(ErrorCode::TokenResponseInvalid), "{bad}");
        }
    }
}
