//! The claims of an ID token (RFC 7519, section 4.1; OpenID Connect Core, section 2).

use std::ops::Range;

use crate::calendar;
use crate::error::{Error, ErrorCode, Reason, Texts};
use crate::jose::jws::json_error;
use crate::json::{self, Value};
use crate::step::Millis;

/// 9999-12-31T23:59:59Z; a time beyond it is a mistake or an attack.
const LAST_SECOND: f64 = 253_402_300_799.0;

/// The claims that a verifier looks at. The others stay in the payload, unread.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Claims {
    iss: Option<Value>,
    aud: Option<Value>,
    sub: Option<Value>,
    email: Option<Value>,
    email_verified: Option<Value>,
    exp: Option<Value>,
    iat: Option<Value>,
    nbf: Option<Value>,
}

/// The times of a token that is well formed. They are compared anew each time the token is seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Times {
    exp: i64,
    iat: i64,
    nbf: Option<i64>,
}

impl Claims {
    /// Reads a payload.
    pub(crate) fn parse(payload: &[u8]) -> Result<Self, Error> {
        let [iss, aud, sub, email, email_verified, exp, iat, nbf] =
            json::members(payload, ["iss", "aud", "sub", "email", "email_verified", "exp", "iat", "nbf"])
                .map_err(|error| json_error(error, "payload"))?;
        Ok(Self { iss, aud, sub, email, email_verified, exp, iat, nbf })
    }

    /// Refuses an issuer that is not exactly one of `issuers`.
    pub(crate) fn check_issuer(&self, issuers: &[String]) -> Result<(), Error> {
        match required(&self.iss, "iss")? {
            Value::String(iss) if issuers.contains(iss) => Ok(()),
            Value::String(iss) => Err(mismatch(ErrorCode::BadIssuer, "iss", iss.as_str(), issuers)),
            other => Err(wrong_kind(ErrorCode::BadIssuer, "iss", other, issuers)),
        }
    }

    /// Refuses a token that is for exactly none of `audiences`; `None` checks the claim's form only.
    pub(crate) fn check_audience(&self, audiences: Option<&[String]>) -> Result<(), Error> {
        const EXPECTED: &str = "a string or an array of strings";
        let is_ours = |aud: &String| audiences.is_none_or(|list| list.contains(aud));
        let expected = || audiences.map_or(Texts::from(EXPECTED), Texts::from);
        match required(&self.aud, "aud")? {
            Value::String(aud) if is_ours(aud) => Ok(()),
            Value::String(aud) => Err(mismatch(ErrorCode::BadAudience, "aud", aud.as_str(), expected())),
            Value::Array(list) => {
                let strings: Option<Vec<String>> =
                    list.iter().map(|v| v.as_str().map(str::to_owned)).collect();
                match strings {
                    None => Err(refused(
                        ErrorCode::BadAudience,
                        "aud",
                        "an array that does not hold strings only".into(),
                        EXPECTED.into(),
                    )
                    .because(Reason::Invalid)),
                    Some(strings) if strings.iter().any(is_ours) => Ok(()),
                    Some(strings) => {
                        Err(mismatch(ErrorCode::BadAudience, "aud", strings.as_slice(), expected()))
                    }
                }
            }
            other => Err(wrong_kind(ErrorCode::BadAudience, "aud", other, expected())),
        }
    }

    /// Refuses a missing or empty subject.
    pub(crate) fn check_subject(&self) -> Result<(), Error> {
        match required(&self.sub, "sub")? {
            Value::String(sub) if !sub.is_empty() => Ok(()),
            other => Err(bad_type("sub", other, "a string that is not empty")),
        }
    }

    /// Refuses a caller whose subject is not exactly one of `allowed`.
    pub(crate) fn check_subject_in(&self, allowed: &[String]) -> Result<(), Error> {
        listed(&self.sub, allowed, ErrorCode::SubjectNotAllowed, "sub")
    }

    /// Refuses a caller whose e-mail is not exactly one of `allowed`.
    pub(crate) fn check_email(&self, allowed: &[String]) -> Result<(), Error> {
        listed(&self.email, allowed, ErrorCode::EmailNotAllowed, "email")
    }

    /// Refuses an e-mail that the issuer has not verified.
    pub(crate) fn check_email_verified(&self) -> Result<(), Error> {
        match &self.email_verified {
            Some(Value::Bool(true)) => Ok(()),
            None => {
                Err(refused(ErrorCode::EmailNotVerified, "email_verified", "missing".into(), "true".into())
                    .because(Reason::Missing))
            }
            Some(Value::Bool(_)) => {
                Err(refused(ErrorCode::EmailNotVerified, "email_verified", "false".into(), "true".into())
                    .finding("false"))
            }
            Some(other) => Err(wrong_kind(ErrorCode::EmailNotVerified, "email_verified", other, "true")),
        }
    }

    /// The audience, if it is a single string.
    pub(crate) fn audience(&self) -> Option<&str> {
        self.aud.as_ref().and_then(Value::as_str)
    }

    /// The times, refused unless they are numbers in a sane range.
    pub(crate) fn times(&self) -> Result<Times, Error> {
        let exp = seconds("exp", required(&self.exp, "exp")?)?;
        let iat = seconds("iat", required(&self.iat, "iat")?)?;
        let nbf = self.nbf.as_ref().map(|nbf| seconds("nbf", nbf)).transpose()?;
        Ok(Times { exp, iat, nbf })
    }

    /// The moment of `iat`, if it says one.
    pub(crate) fn issued_at(&self) -> Option<Millis> {
        self.iat.as_ref().and_then(|iat| seconds("iat", iat).ok()).map(unsigned)
    }

    /// The moment of `exp`.
    pub(crate) fn expires_at(&self) -> Result<Millis, Error> {
        seconds("exp", required(&self.exp, "exp")?).map(unsigned)
    }
}

impl Times {
    /// The moments at which a token with these times is accepted: now < exp + leeway, iat − leeway ≤ now, nbf − leeway ≤
    /// now; none if iat > exp. `leeway` is in milliseconds.
    pub(crate) fn accepted(self, leeway: u64) -> Range<Millis> {
        let leeway = signed(leeway);
        let from = self.iat.max(self.nbf.unwrap_or(self.iat)).saturating_sub(leeway);
        let until = if self.iat > self.exp { i64::MIN } else { self.exp.saturating_add(leeway) };
        unsigned(from)..unsigned(until)
    }

    /// Refuses a token at a moment at which it is not [`accepted`](Self::accepted), and says why.
    pub(crate) fn check(self, now: Millis, leeway: u64) -> Result<(), Error> {
        if self.accepted(leeway).contains(&now) {
            return Ok(());
        }
        let now_ms = signed(now.0);
        let moment = |millis: i64| calendar::rfc3339(unsigned(millis).as_secs());
        let refused = |code, claim, time, relation: &str, detail: String| {
            let expected = format!("{relation} {}", moment(now_ms));
            Err(Error::new(code, detail).about(claim).finding(moment(time)).expecting(expected))
        };
        if self.is_over(now, leeway) {
            let ago = now_ms.saturating_sub(self.exp) / 1000;
            let found = format!("the token expired {ago} s ago, at {}", moment(self.exp));
            return refused(ErrorCode::TokenExpired, "exp", self.exp, "after", found);
        }
        if self.iat > self.exp {
            let found =
                format!("the token's iat is {}, after its exp, {}", moment(self.iat), moment(self.exp));
            return Err(Error::new(ErrorCode::BadClaim, found).about("iat"));
        }
        let ahead = |moment: i64| moment.saturating_sub(now_ms) / 1000;
        if self.iat.saturating_sub(signed(leeway)) > now_ms {
            let found =
                format!("the token was issued {} s in the future, at {}", ahead(self.iat), moment(self.iat));
            return refused(ErrorCode::TokenIssuedInFuture, "iat", self.iat, "not after", found);
        }
        let nbf = self.nbf.unwrap_or(self.iat);
        let found = format!("the token is valid only in {} s, from {}", ahead(nbf), moment(nbf));
        refused(ErrorCode::TokenNotYetValid, "nbf", nbf, "not after", found)
    }

    /// Whether `exp` and the leeway are over.
    pub(crate) fn is_over(self, now: Millis, leeway: u64) -> bool {
        signed(now.0) >= self.exp.saturating_add(signed(leeway))
    }

    /// The moment from which no leeway saves the token.
    pub(crate) fn expires_at(self) -> Millis {
        unsigned(self.exp)
    }
}

fn signed(milliseconds: u64) -> i64 {
    i64::try_from(milliseconds).unwrap_or(i64::MAX)
}

fn unsigned(milliseconds: i64) -> Millis {
    Millis(u64::try_from(milliseconds).unwrap_or(0))
}

fn required<'a>(claim: &'a Option<Value>, name: &'static str) -> Result<&'a Value, Error> {
    claim
        .as_ref()
        .ok_or_else(|| Error::new(ErrorCode::MissingClaim, format!("the token has no {name}")).about(name))
}

/// A NumericDate (RFC 7519, section 2), which may have a fraction, in milliseconds.
fn seconds(name: &'static str, value: &Value) -> Result<i64, Error> {
    match value {
        Value::Number(number) if number.abs() <= LAST_SECOND => Ok((number * 1000.0).floor() as i64),
        Value::Number(_) => {
            Err(Error::new(ErrorCode::BadClaim, format!("the token's {name} is beyond the year 9999"))
                .about(name))
        }
        other => Err(bad_type(name, other, "a number of seconds")),
    }
}

fn bad_type(name: &'static str, found: &Value, expected: &'static str) -> Error {
    wrong_kind(ErrorCode::BadClaimType, name, found, expected)
}

/// Refuses a caller whose claim is not exactly one of `allowed`.
fn listed(
    claim: &Option<Value>,
    allowed: &[String],
    code: ErrorCode,
    name: &'static str,
) -> Result<(), Error> {
    match claim {
        Some(Value::String(found)) if allowed.contains(found) => Ok(()),
        Some(Value::String(found)) => {
            Err(mismatch(code, name, found.as_str(), allowed).because(Reason::NotAllowed))
        }
        Some(other) => Err(wrong_kind(code, name, other, allowed)),
        None => Err(refused(code, name, "missing".into(), allowed.into()).because(Reason::Missing)),
    }
}

/// A claim that has another value than the one, or one of those, that the verifier expects.
fn mismatch(
    code: ErrorCode,
    name: &'static str,
    found: impl Into<Texts>,
    expected: impl Into<Texts>,
) -> Error {
    let found = found.into();
    let shown = found.joined(" and ");
    refused(code, name, shown, expected.into()).finding(found)
}

/// A claim that has not even the kind of value that is expected.
fn wrong_kind(code: ErrorCode, name: &'static str, found: &Value, expected: impl Into<Texts>) -> Error {
    let found = match found {
        Value::String(text) if text.is_empty() => "an empty string",
        other => other.kind(),
    };
    refused(code, name, found.into(), expected.into()).because(Reason::Invalid)
}

fn refused(code: ErrorCode, name: &'static str, found: String, expected: Texts) -> Error {
    let shown = match &expected {
        Texts::One(words) => words.clone(),
        list => list.joined(" or "),
    };
    Error::new(code, format!("the token's {name} is {found}, expected {shown}"))
        .about(name)
        .expecting(expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis::from_secs(1_800_000_000);

    /// Times in seconds from now.
    fn times(iat: i64, exp: i64, nbf: Option<i64>) -> Times {
        let at = |seconds: i64| signed(NOW.0) + seconds * 1000;
        Times { iat: at(iat), exp: at(exp), nbf: nbf.map(at) }
    }

    #[test]
    fn a_token_outside_its_time_is_refused_with_the_time_that_is_missing() {
        for (times, code, detail) in [
            (
                times(-7200, -3600, None),
                ErrorCode::TokenExpired,
                "the token expired 3600 s ago, at 2027-01-15T07:00:00Z",
            ),
            (
                times(7200, 10_800, None),
                ErrorCode::TokenIssuedInFuture,
                "the token was issued 7200 s in the future, at 2027-01-15T10:00:00Z",
            ),
            (
                times(3600, 3600, None),
                ErrorCode::TokenIssuedInFuture,
                "the token was issued 3600 s in the future, at 2027-01-15T09:00:00Z",
            ),
            (
                times(0, 7200, Some(3600)),
                ErrorCode::TokenNotYetValid,
                "the token is valid only in 3600 s, from 2027-01-15T09:00:00Z",
            ),
            (
                times(60, 7200, Some(3600)),
                ErrorCode::TokenNotYetValid,
                "the token is valid only in 3600 s, from 2027-01-15T09:00:00Z",
            ),
            (
                times(3600, 60, None),
                ErrorCode::BadClaim,
                "the token's iat is 2027-01-15T09:00:00Z, after its exp, 2027-01-15T08:01:00Z",
            ),
        ] {
            let error = times.check(NOW, 60_000).unwrap_err();
            assert_eq!((error.code(), error.detail()), (code, detail));
        }
    }

    #[test]
    fn a_token_without_a_life_is_accepted_within_the_leeway() {
        let moment = times(0, 0, None);
        assert_eq!(moment.accepted(60_000), NOW.minus(60_000)..NOW.plus(60_000));
        assert_eq!(moment.check(NOW, 60_000), Ok(()));
    }

    #[test]
    fn a_claim_of_another_kind_is_named_by_its_kind() {
        for (payload, check, detail) in [
            (
                r#"{"sub":""}"#,
                Claims::check_subject as fn(&Claims) -> Result<(), Error>,
                "the token's sub is an empty string, expected a string that is not empty",
            ),
            (
                r#"{"sub":[]}"#,
                Claims::check_subject,
                "the token's sub is an array, expected a string that is not empty",
            ),
            (
                r#"{"email_verified":"true"}"#,
                Claims::check_email_verified,
                "the token's email_verified is a string, expected true",
            ),
            (
                r#"{"email_verified":""}"#,
                Claims::check_email_verified,
                "the token's email_verified is an empty string, expected true",
            ),
            (
                r#"{"email_verified":null}"#,
                Claims::check_email_verified,
                "the token's email_verified is null, expected true",
            ),
            (
                r#"{"email_verified":1}"#,
                Claims::check_email_verified,
                "the token's email_verified is a number, expected true",
            ),
            (
                r#"{"email_verified":{}}"#,
                Claims::check_email_verified,
                "the token's email_verified is an object, expected true",
            ),
            (
                r#"{"sub":true}"#,
                Claims::check_subject,
                "the token's sub is a boolean, expected a string that is not empty",
            ),
        ] {
            let error = check(&Claims::parse(payload.as_bytes()).unwrap()).unwrap_err();
            assert_eq!(error.detail(), detail);
        }
    }
}
