//! What a text is that somebody sent as a token, as far as the text itself says: nothing here is believed.

use crate::calendar;
use crate::jose::jws::Compact;
use crate::json::{self, Value};
use crate::quote::{harmless, quoted};

/// The values of `iss` in Google's ID tokens.
pub(crate) const GOOGLE_ISSUERS: [&str; 2] = ["https://accounts.google.com", "accounts.google.com"];
/// The value of `iss` in Identity-Aware Proxy's assertions.
pub(crate) const IAP_ISSUER: &str = "https://cloud.google.com/iap";
/// What `iss` in Firebase's ID tokens begins with; the project's id follows.
pub(crate) const FIREBASE_ISSUER: &str = "https://securetoken.google.com/";

/// Where assertions are exchanged for tokens.
const TOKEN_ENDPOINTS: [&str; 2] =
    ["https://oauth2.googleapis.com/token", "https://www.googleapis.com/oauth2/v4/token"];

/// What a text is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// An ID token of Google's.
    GoogleIdToken,
    /// The signed header of Identity-Aware Proxy.
    IapAssertion,
    /// An ID token of Firebase Authentication or Identity Platform.
    Firebase,
    /// An ID token of another OpenID Connect issuer.
    Oidc,
    /// An access token of Google's: opaque, and for Google's own APIs.
    AccessToken,
    /// An assertion that a service account signed itself, and that was never exchanged for a token.
    SelfSignedAssertion,
    /// A token that a service account signed itself, for one of Google's own APIs.
    SelfSignedAccessToken,
    /// A JWT of any other kind.
    OtherJwt,
    /// None of these.
    NotAToken,
}

impl Kind {
    /// The name that programs read.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::GoogleIdToken => "google_id_token",
            Self::IapAssertion => "iap_assertion",
            Self::Firebase => "firebase",
            Self::Oidc => "oidc",
            Self::AccessToken => "access_token",
            Self::SelfSignedAssertion => "self_signed_assertion",
            Self::SelfSignedAccessToken => "self_signed_access_token",
            Self::OtherJwt => "other_jwt",
            Self::NotAToken => "not_a_token",
        }
    }

    /// The kind in words that people read.
    pub const fn title(self) -> &'static str {
        match self {
            Self::GoogleIdToken => "a Google ID token",
            Self::IapAssertion => "an assertion of Identity-Aware Proxy",
            Self::Firebase => "a Firebase ID token",
            Self::Oidc => "an ID token of another issuer than Google",
            Self::AccessToken => "a Google access token",
            Self::SelfSignedAssertion => "a service account's own assertion",
            Self::SelfSignedAccessToken => "a service account's own token for a Google API",
            Self::OtherJwt => "a JWT of an unknown kind",
            Self::NotAToken => "no token",
        }
    }

    /// Whether the text has at least the form of a token.
    pub(crate) const fn is_jwt(self) -> bool {
        !matches!(self, Self::AccessToken | Self::NotAToken)
    }

    /// The kind of this text, with what it claims.
    pub(crate) fn of(token: &str, claims: &Claimed) -> Self {
        if token.starts_with("ya29.") {
            return Self::AccessToken;
        }
        let Some(iss) = &claims.iss else {
            return if token.starts_with("eyJ") { Self::OtherJwt } else { Self::NotAToken };
        };
        let is_for_exchange =
            claims.target_audience || claims.aud.iter().any(|aud| TOKEN_ENDPOINTS.contains(&aud.as_str()));
        match iss.as_str() {
            iss if GOOGLE_ISSUERS.contains(&iss) => Self::GoogleIdToken,
            IAP_ISSUER => Self::IapAssertion,
            iss if iss.starts_with(FIREBASE_ISSUER) => Self::Firebase,
            iss if iss.ends_with(".gserviceaccount.com") && is_for_exchange => Self::SelfSignedAssertion,
            iss if iss.ends_with(".gserviceaccount.com") => Self::SelfSignedAccessToken,
            iss if iss.starts_with("https://") && !claims.aud.is_empty() => Self::Oidc,
            _ => Self::OtherJwt,
        }
    }
}

/// The claims of a token that an explanation shows, or tells its kind by: short, and without what looks like a
/// credential.
#[derive(Clone, Default, PartialEq, Debug)]
pub struct Claimed {
    /// `iss`
    pub iss: Option<String>,
    /// `aud`, as a list.
    pub aud: Vec<String>,
    /// `email`
    pub email: Option<String>,
    /// `iat`, in Unix seconds.
    pub iat: Option<u64>,
    /// `exp`, in Unix seconds.
    pub exp: Option<u64>,
    target_audience: bool,
}

impl Claimed {
    /// Reads what can be read; a text that is no JWT claims nothing.
    pub(crate) fn read(token: &str) -> Self {
        let payload = Compact::split(token).and_then(|compact| compact.payload()).unwrap_or_default();
        let names = ["iss", "aud", "email", "iat", "exp", "target_audience"];
        let [iss, aud, email, iat, exp, target_audience] = json::members(&payload, names).unwrap_or_default();
        let text = |value: Option<Value>| value.as_ref().and_then(Value::as_str).map(harmless);
        let seconds = |value: Option<Value>| match value {
            Some(Value::Number(number)) if (0.0..1e11).contains(&number) => Some(number as u64),
            _ => None,
        };
        let aud = match aud {
            Some(Value::Array(ref list)) => list.clone(),
            other => other.into_iter().collect(),
        };
        Self {
            iss: text(iss),
            aud: aud.into_iter().filter_map(|value| text(Some(value))).collect(),
            email: text(email),
            iat: seconds(iat),
            exp: seconds(exp),
            target_audience: target_audience.is_some(),
        }
    }
}

/// What a text is that is no token, if it is something else that is known.
pub(crate) fn not_a_token(text: &str) -> Option<&'static str> {
    Some(match text {
        "" => "the text is empty",
        text if text.starts_with("1//") => {
            "it looks like a refresh token, which is a secret: whoever has it is you"
        }
        text if text.starts_with("AIza") => "it looks like an API key, which names a project and no caller",
        text if text.starts_with("GOCSPX-") => "it looks like an OAuth client's secret",
        text if text.starts_with("-----BEGIN") => "it looks like a key or a certificate in PEM",
        text if text.starts_with('{') => "it is JSON, perhaps a credential file or a whole answer",
        text if text.starts_with('<') => "it is HTML or XML, perhaps a proxy's or a portal's page",
        _ => return None,
    })
}

/// Several of them.
pub(crate) fn all_shown(texts: &[String]) -> String {
    match texts {
        [] => "nothing".into(),
        texts => texts.iter().take(10).map(|text| quoted(text)).collect::<Vec<_>>().join(" and "),
    }
}

/// A moment in UTC.
pub(crate) fn moment(seconds: u64) -> String {
    let ([year, month, day], [hour, minute, second]) = calendar::date_and_time(seconds);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}

/// A length of time, in its two largest units.
pub(crate) fn span(seconds: u64) -> String {
    let units = [
        (seconds / 86_400, "d"),
        (seconds / 3600 % 24, "h"),
        (seconds / 60 % 60, "min"),
        (seconds % 60, "s"),
    ];
    let first = units.iter().position(|(count, _)| *count > 0).unwrap_or(3);
    let parts = units.iter().skip(first).take(2).filter(|(count, _)| *count > 0);
    let text = parts.map(|(count, unit)| format!("{count} {unit}")).collect::<Vec<_>>().join(" ");
    if text.is_empty() { "0 s".into() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_well() {
        assert_eq!(moment(1_800_000_000), "2027-01-15 08:00:00 UTC");
        for (seconds, text) in
            [(0, "0 s"), (59, "59 s"), (3600, "1 h"), (3661, "1 h 1 min"), (90_000, "1 d 1 h")]
        {
            assert_eq!(span(seconds), text);
        }
    }

    #[test]
    fn claims_are_shown_without_credentials() {
        let nested = Claimed { aud: vec![harmless("Bearer ya29.secret")], ..Claimed::default() };
        assert_eq!(all_shown(&nested.aud), r#""[redacted]""#);
    }

    #[test]
    fn the_issuer_and_the_audience_tell_the_kind() {
        for (claims, kind) in [
            (r#"{"iss":"https://accounts.google.com"}"#, Kind::GoogleIdToken),
            (r#"{"iss":"https://cloud.google.com/iap"}"#, Kind::IapAssertion),
            (r#"{"iss":"https://securetoken.google.com/p"}"#, Kind::Firebase),
            (
                r#"{"iss":"a@p.iam.gserviceaccount.com","aud":"https://oauth2.googleapis.com/token"}"#,
                Kind::SelfSignedAssertion,
            ),
            (r#"{"iss":"a@p.iam.gserviceaccount.com","target_audience":"b"}"#, Kind::SelfSignedAssertion),
            (
                r#"{"iss":"a@p.iam.gserviceaccount.com","aud":"https://pubsub.googleapis.com/"}"#,
                Kind::SelfSignedAccessToken,
            ),
            (r#"{"iss":"https://issuer.example","aud":"b"}"#, Kind::Oidc),
            (r#"{"iss":"https://issuer.example"}"#, Kind::OtherJwt),
            (r#"{"iss":"issuer.example","aud":"b"}"#, Kind::OtherJwt),
            (r#"{"iss":"issuer.example"}"#, Kind::OtherJwt),
            (r#"{"aud":"b"}"#, Kind::OtherJwt),
        ] {
            let payload = crate::encoding::base64url_encode(claims.as_bytes());
            let token = format!("eyJhbGciOiJSUzI1NiJ9.{payload}.c2ln");
            assert_eq!(Kind::of(&token, &Claimed::read(&token)), kind, "{claims}");
        }
    }

    #[test]
    fn only_times_that_a_calendar_has_are_shown() {
        let payload = crate::encoding::base64url_encode(br#"{"iat":-1,"exp":100000000000}"#);
        let claimed = Claimed::read(&format!("eyJhbGciOiJSUzI1NiJ9.{payload}.c2ln"));
        assert_eq!((claimed.iat, claimed.exp), (None, None));
    }

    #[test]
    fn what_is_no_token_is_named() {
        for (text, named) in [
            ("", "empty"),
            ("1//0a", "refresh token"),
            ("AIzaSy", "API key"),
            ("GOCSPX-a", "client's secret"),
            ("-----BEGIN PRIVATE KEY-----", "PEM"),
            ("{}", "JSON"),
            ("<html>", "HTML"),
        ] {
            assert!(not_a_token(text).is_some_and(|found| found.contains(named)), "{text}");
        }
        assert_eq!(not_a_token("hello"), None);
    }
}
