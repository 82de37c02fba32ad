//! What is asked for, and what comes back.

pub(crate) mod access_token;
pub(crate) mod id_token;
mod jwt;
mod response;
pub(crate) mod self_signed_jwt;

use std::fmt;
use std::sync::Arc;

use crate::error::{Error, ErrorCode};
use crate::header;
use crate::quote::is_invisible;
use crate::secret::Secret;
use crate::step::{Deadline, Millis, Now};

pub(crate) use response::response_members;

/// Longest audience, in bytes. Cloud Run's own limit for all custom audiences of a service is of this order.
const MAX_AUDIENCE_BYTES: usize = 8 * 1024;

/// What a token is fetched for; also its key in the cache.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum TokenKey {
    /// An ID token: it says who the caller is, to one receiver.
    IdToken {
        /// The receiver: its URL, a custom audience, or the OAuth client id of IAP.
        audience: String,
    },
    /// An access token: it gives access to Google's APIs.
    AccessToken {
        /// OAuth 2.0 scopes, sorted and each once; empty for the account's own (metadata server only).
        scopes: Vec<String>,
    },
    /// A JWT that the service account signs itself: some of Google's APIs take it in place of an access token
    /// (AIP-4111), and so does IAP.
    SelfSignedJwt {
        /// The API, as `https://service.googleapis.com/`, or the URL that IAP protects.
        audience: String,
    },
}

/// What an endpoint is asked to issue.
#[derive(Clone)]
pub(crate) enum Want {
    IdToken { audience: String },
    AccessToken { scopes: Vec<String> },
}

impl TokenKey {
    /// An ID token for this audience.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidAudience`] when it is empty, longer than 8 KiB, begins or ends with white space, or
    /// holds control or invisible formatting characters.
    pub fn id_token(audience: &str) -> Result<Self, Error> {
        Ok(Self::IdToken { audience: checked_audience(audience)? })
    }

    /// A JWT for this audience that the service account signs itself.
    ///
    /// # Errors
    /// As [`id_token`](Self::id_token).
    pub fn self_signed_jwt(audience: &str) -> Result<Self, Error> {
        Ok(Self::SelfSignedJwt { audience: checked_audience(audience)? })
    }

    /// An access token with these scopes, separated by spaces; order and repetition do not matter.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidOption`] when a scope holds a character that RFC 6749, section 3.3 does not allow.
    pub fn access_token(scopes: &str) -> Result<Self, Error> {
        let allowed = |b: u8| b == b' ' || (b.is_ascii_graphic() && b != b'"' && b != b'\\');
        if !scopes.bytes().all(allowed) {
            return Err(Error::new(
                ErrorCode::InvalidOption,
                "a scope holds a character other than printable ASCII, expected scopes separated by spaces",
            ));
        }
        let mut scopes: Vec<String> =
            scopes.split(' ').filter(|s| !s.is_empty()).map(str::to_owned).collect();
        scopes.sort();
        scopes.dedup();
        Ok(Self::AccessToken { scopes })
    }
}

/// An audience that means one thing to everyone who reads it, and looks like no other: to ask for, and to expect.
///
/// # Errors
/// As of [`TokenKey::id_token`].
pub(crate) fn checked_audience(audience: &str) -> Result<String, Error> {
    let invalid = |found: String| Error::new(ErrorCode::InvalidAudience, format!("the audience {found}"));
    if audience.is_empty() {
        return Err(invalid("is empty".into()));
    }
    if audience.len() > MAX_AUDIENCE_BYTES {
        return Err(invalid(format!("has {} bytes, expected at most {MAX_AUDIENCE_BYTES}", audience.len())));
    }
    if audience.trim() != audience {
        return Err(invalid("begins or ends with white space".into()));
    }
    if let Some(bad) = audience.chars().find(|c| c.is_control() || is_invisible(*c)) {
        return Err(invalid(format!("holds the control or invisible character U+{:04X}", u32::from(bad))));
    }
    Ok(audience.to_owned())
}

/// A fetched token, ready to be attached. Cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    header: Arc<Secret<String>>,
    expires_at: Millis,
    fresh_until: Deadline,
    usable_until: Deadline,
}

impl Token {
    pub(crate) fn new(issued: &Issued, fresh_until: Deadline, usable_until: Deadline) -> Self {
        Self {
            header: Arc::new(Secret::new(header::authorization(&issued.value))),
            expires_at: issued.expires_at,
            fresh_until,
            usable_until,
        }
    }

    /// The value of the `Authorization` header: `Bearer` and the token.
    pub fn header(&self) -> &str {
        self.header.expose()
    }

    /// The token itself.
    pub fn value(&self) -> &str {
        header::bearer_value(self.header())
    }

    /// When the token ends: its own `exp`, or the moment of receipt and `expires_in`.
    pub fn expires_at(&self) -> Millis {
        self.expires_at
    }

    /// Until when the host may hand the token out from its own memory, without a look-up.
    pub fn fresh_until(&self) -> Deadline {
        self.fresh_until
    }

    /// Until when the token is handed out while it cannot be refreshed: a little before its end, for the way there.
    pub(crate) fn is_usable(&self, now: Now) -> bool {
        !self.usable_until.has_come(now)
    }

    /// Whether this token ends later than that one. A wall clock that was set back in between makes a later end look
    /// earlier, so either clock may say so; the monotonic one has to be plain, as two readings of it never agree.
    pub(crate) fn is_newer_than(&self, held: &Self) -> bool {
        const PLAIN_MS: u64 = 2_000;
        self.expires_at > held.expires_at
            || self.usable_until.monotonic.0 > held.usable_until.monotonic.0.saturating_add(PLAIN_MS)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token {{ expires_at: {:?}, … }}", self.expires_at)
    }
}

/// A token as an endpoint issued it.
pub(crate) struct Issued {
    pub(crate) value: Secret<String>,
    pub(crate) expires_at: Millis,
    /// When it was issued by the endpoint's clock, if it says so.
    pub(crate) issued_at: Option<Millis>,
}

impl Issued {
    /// Milliseconds that the token lives from now on. By a clock that is slow it would outlive itself: its whole life is
    /// the most of it.
    pub(crate) fn lifetime_ms(&self, now: Millis) -> u64 {
        let left = self.expires_at.since(now);
        self.issued_at.map_or(left, |issued_at| left.min(self.expires_at.since(issued_at)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::step::Monotonic;

    #[test]
    fn debug_shows_no_token() {
        let issued = Issued { value: "hush".into(), expires_at: Millis(9), issued_at: None };
        let token = Token::new(&issued, Deadline::default(), Deadline::default());
        assert_eq!((token.header(), token.value()), ("Bearer hush", "hush"));
        assert_eq!(format!("{token:?}"), "Token { expires_at: Millis(9), … }");
    }

    #[test]
    fn a_token_that_was_fetched_after_the_clock_was_set_back_is_newer() {
        let token = |expires_at: u64, monotonic: u64| {
            let usable_until = Deadline { unix: Millis(expires_at), monotonic: Monotonic(monotonic) };
            let issued = Issued { value: "t".into(), expires_at: Millis(expires_at), issued_at: None };
            Token::new(&issued, Deadline::default(), usable_until)
        };
        let held = token(36_000_000, 3_600_000);
        assert!(token(36_000_001, 3_600_000).is_newer_than(&held));
        assert!(token(3_600_000, 5_400_000).is_newer_than(&held), "the wall clock was set back");
        assert!(!token(36_000_000, 3_600_900).is_newer_than(&held), "the same token, asked for again");
    }

    #[test]
    fn audiences_that_could_mislead_are_refused() {
        for bad in ["", " a", "a ", "a\r\nX-Evil: 1", "a\tb", "a\u{85}b", "https://x.example/\u{202e}gnp.exe"]
        {
            assert_eq!(TokenKey::id_token(bad).unwrap_err().code(), ErrorCode::InvalidAudience, "{bad:?}");
        }
        for good in ["https://a.run.app", "a b", "😀", "/projects/1/global/backendServices/2"] {
            assert!(TokenKey::id_token(good).is_ok(), "{good:?}");
        }
    }

    #[test]
    fn scopes_are_a_set() {
        assert_eq!(TokenKey::access_token("b a  b").unwrap(), TokenKey::access_token("a b").unwrap());
    }

    #[test]
    fn scopes_hold_what_rfc_6749_allows() {
        assert_eq!(
            TokenKey::access_token(" b a  b!~# "),
            Ok(TokenKey::AccessToken { scopes: vec!["a".into(), "b".into(), "b!~#".into()] })
        );
        for bad in ["a\"b", "a\\b", "a\tb", "é"] {
            assert_eq!(
                TokenKey::access_token(bad).map_err(|error| error.code()),
                Err(ErrorCode::InvalidOption),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn an_audience_is_bounded() {
        assert!(TokenKey::id_token(&"a".repeat(MAX_AUDIENCE_BYTES)).is_ok());
        assert!(TokenKey::id_token(&"a".repeat(MAX_AUDIENCE_BYTES + 1)).is_err());
    }

    #[test]
    fn a_token_that_ends_when_another_does_is_no_newer() {
        let now = Now::steady(Millis(1_000_000));
        let ending = |expires_at: u64, monotonic: u64| {
            let issued = Issued { value: Secret::from("a"), expires_at: Millis(expires_at), issued_at: None };
            Token::new(&issued, now.after(0), now.after(monotonic))
        };
        let held = ending(5_000_000, 4_000_000);
        for (expires_at, monotonic, newer) in [
            (5_000_000, 4_000_000, false),
            (5_000_001, 4_000_000, true),
            (4_000_000, 4_002_000, false),
            (4_000_000, 4_002_001, true),
        ] {
            assert_eq!(ending(expires_at, monotonic).is_newer_than(&held), newer, "{expires_at} {monotonic}");
        }
    }
}
