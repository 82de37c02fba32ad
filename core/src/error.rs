//! The closed list of error codes, equal in every language, and the error that carries one.

use std::fmt;

use crate::quote::{harmless, quoted};
use crate::secret::Secret;

macro_rules! error_codes {
    (@words) => {
        None
    };
    (@words $title:literal, $explained:literal) => {
        Some(($title, $explained))
    };
    ($($number:literal $variant:ident $code:literal $kind:ident $status:literal $retryable:literal, $advice:literal
        $(, $title:literal, $explained:literal)?;)*) => {
        /// What went wrong, as a stable code. Codes and numbers are an interface: never reused, never renamed.
        #[non_exhaustive]
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[repr(i32)]
        pub enum ErrorCode {
            $(#[doc = concat!("`", $code, "`: ", $advice)] $variant = $number,)*
        }

        impl ErrorCode {
            /// Every code, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            const fn row(self) -> &'static Row {
                match self {
                    $(Self::$variant => &Row {
                        code: $code,
                        kind: ErrorKind::$kind,
                        http_status: $status,
                        is_retryable: $retryable,
                        advice: $advice,
                    },)*
                }
            }

            /// A title, and the advice at length, of the codes that [`Error::explain`] has more to say about. Not of the row:
            /// who only verifies has no use for them.
            const fn words(self) -> Option<(&'static str, &'static str)> {
                match self { $(Self::$variant => error_codes!(@words $($title, $explained)?),)* }
            }
        }
    };
}

// number, variant, code, family, status a receiver answers with, retryable, advice; where there is more to say, a title and
// the advice at length
error_codes! {
    1 ApiMisuse "API_MISUSE" Usage 500 false, "a bug in this language's gatepass package; report it";
    2 InvalidOption "INVALID_OPTION" Usage 500 false, "correct the option that the message names";
    3 InvalidAudience "INVALID_AUDIENCE" Usage 500 false, "give the receiver's audience: its URL, or the custom audience it expects";
    4 Unsupported "UNSUPPORTED" Usage 500 false, "use a runtime or a package that can do this, or another kind of credentials";
    5 Internal "INTERNAL" Usage 500 false, "a fault in gatepass; report it with the message";

    100 CredentialsNotFound "CREDENTIALS_NOT_FOUND" Credentials 500 false, "set GOOGLE_APPLICATION_CREDENTIALS, log in with gcloud auth application-default login, or run where a metadata server answers";
    101 CredentialsFileUnreadable "CREDENTIALS_FILE_UNREADABLE" Credentials 500 false, "check that the file exists and that this process may read it";
    102 CredentialsFileInvalid "CREDENTIALS_FILE_INVALID" Credentials 500 false, "download the credential file again, or correct the field that the message names";
    103 CredentialsTypeUnknown "CREDENTIALS_TYPE_UNKNOWN" Credentials 500 false, "use a credential file of a known type";
    105 EndpointNotAllowed "ENDPOINT_NOT_ALLOWED" Credentials 500 false, "use a credential file from Google, or name the host in GATEPASS_TRUSTED_ENDPOINTS if you trust it";
    106 TokenRefused "TOKEN_REFUSED" Credentials 500 false, "check the account's key, its permissions and this machine's clock";
    107 TokenResponseInvalid "TOKEN_RESPONSE_INVALID" Credentials 500 false, "check that no proxy or portal answers in place of the endpoint";
    108 IdTokenUnsupported "ID_TOKEN_UNSUPPORTED" Credentials 500 false, "impersonate a service account: by the option `impersonate`, or with gcloud auth application-default login --impersonate-service-account";
    109 ExecutableNotAllowed "EXECUTABLE_NOT_ALLOWED" Credentials 500 false, "set GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=1 if you trust the credential file";
    110 SubjectTokenFailed "SUBJECT_TOKEN_FAILED" Credentials 500 false, "check the source of the subject token that the credential file names";
    111 SelfSignedJwtUnsupported "SELF_SIGNED_JWT_UNSUPPORTED" Credentials 500 false, "use a service-account key, or impersonate a service account by the option `impersonate`: IAM signs for it";
    112 SubjectUnsupported "SUBJECT_UNSUPPORTED" Credentials 500 false, "use a service-account key with domain-wide delegation, or impersonate such an account by the option `impersonate`";
    113 CredentialsTypeUnexpected "CREDENTIALS_TYPE_UNEXPECTED" Credentials 500 false, "give credentials of the type that the option `expect_type` names, or change the option";
    114 ClientCertificateUnusable "CLIENT_CERTIFICATE_UNUSABLE" Credentials 500 true, "check the certificate and its private key, which the certificate configuration names";

    200 ConnectionFailed "CONNECTION_FAILED" Transport 503 true, "check the network, then try again";
    201 Timeout "TIMEOUT" Transport 503 true, "try again, with more time";
    202 EndpointUnavailable "ENDPOINT_UNAVAILABLE" Transport 503 true, "try again later";
    203 ResponseTooLarge "RESPONSE_TOO_LARGE" Transport 503 false, "check that no proxy or portal answers in place of the endpoint";
    204 RedirectRefused "REDIRECT_REFUSED" Transport 503 false, "check the endpoint's URL; a credential is never sent on to another place";

    300 TokenMissing "TOKEN_MISSING" Verify 401 false, "send the header Authorization: Bearer with an ID token",
        "The request carries no token",
        "Send the token in Authorization: Bearer TOKEN. A receiver behind Identity-Aware Proxy reads \
         X-Goog-IAP-JWT-Assertion instead, which only IAP itself may set.";
    301 TokenMalformed "TOKEN_MALFORMED" Verify 401 false, "send an ID token as it was issued: a JWT of three parts",
        "The text is not a token as it was issued",
        "Send the token as it was issued: three parts of base64url with two dots between them. Look for an end \
         that was cut off, for line breaks, quotes, and a duplicated `Bearer`.";
    302 TokenTooLarge "TOKEN_TOO_LARGE" Verify 401 false, "send an ID token: at most 16 KiB, 64 levels deep",
        "The text is larger or deeper than any ID token",
        "Send an ID token: Google's have about 900 characters, and 16,384 are accepted.";
    303 AlgNotAllowed "ALG_NOT_ALLOWED" Verify 401 false, "send a token signed with an algorithm that this verifier allows",
        "The token is signed in a way that this receiver does not allow",
        "Send a token of the issuer that the receiver expects: Google signs ID tokens with RS256, Identity-Aware \
         Proxy with ES256. For another issuer name its algorithms in the verifier's options.";
    304 TypMismatch "TYP_MISMATCH" Verify 401 false, "send an ID token, not another kind of token",
        "The token's header says that it is another kind of token",
        "Send an ID token: its typ is JWT or missing. An access token (at+jwt) is for another receiver.";
    305 CritUnsupported "CRIT_UNSUPPORTED" Verify 401 false, "send a token without critical header extensions",
        "The token's header demands extensions",
        "Send a token without crit and b64 in its header; no ID token has them.";
    306 UnknownKey "UNKNOWN_KEY" Verify 401 false, "check that the token comes from the issuer whose keys this verifier uses",
        "The issuer publishes no key of the token's id",
        "Check that the token comes from the issuer whose keys the receiver uses (its preset or keys_url). A token \
         of an emulator is verified by the emulator's keys only.";
    307 KeyUnusable "KEY_UNUSABLE" Verify 401 false, "check the issuer's key set",
        "The issuer's key cannot be used for this token",
        "Check the issuer's key set: the key's type, curve, alg, use and size, and that its id occurs once.";
    308 BadSignature "BAD_SIGNATURE" Verify 401 false, "send the token exactly as it was issued",
        "The signature is not the issuer's",
        "Send the token exactly as it was issued: one changed character is enough. Where it is unchanged, somebody \
         else made it, or the receiver uses other keys of the same ids.";
    309 SignatureStripped "SIGNATURE_STRIPPED" Verify 401 false, "have the caller send the token in X-Serverless-Authorization for Cloud Run and in Authorization for this service",
        "Cloud Run has removed the signature",
        "Cloud Run does that after it has checked the token itself, so the service behind it cannot check it \
         again. Have the caller send one token in X-Serverless-Authorization, for Cloud Run, and the same or \
         another one in Authorization, for the service. If nobody but authenticated callers gets in, the service \
         may rely on Cloud Run by trust_cloud_run_and_skip_signature.";
    310 MissingClaim "MISSING_CLAIM" Verify 401 false, "send an ID token that has the claim",
        "A claim is missing that every ID token has",
        "Send an ID token: it has iss, aud, sub, iat and exp.";
    311 BadClaimType "BAD_CLAIM_TYPE" Verify 401 false, "send an ID token whose claims have the types of RFC 7519",
        "A claim has another type than the standards give it",
        "Send an ID token whose times are numbers, and whose iss, aud and sub are texts (RFC 7519, section 4.1).";
    312 BadClaim "BAD_CLAIM" Verify 401 false, "send an ID token whose times make sense",
        "The token's times make no sense",
        "Send an ID token with iat before exp, both in Unix seconds, not in milliseconds.";
    313 BadIssuer "BAD_ISSUER" Verify 401 false, "send a token of the issuer that this verifier trusts",
        "The token is of another issuer",
        "Send a token of the issuer that the receiver trusts, or give the receiver that issuer: iss is compared \
         exactly, a slash at the end included.";
    314 BadAudience "BAD_AUDIENCE" Verify 401 false, "have the caller ask for a token with this receiver's audience",
        "The token is for another audience",
        "Have the caller ask for a token with this receiver's audience, or add the audience to the receiver's \
         list: they are compared exactly. For Cloud Run the audience is the service's URL without path and \
         without the slash at the end.";
    315 TokenExpired "TOKEN_EXPIRED" Verify 401 false, "fetch a new token; check both clocks",
        "The token has expired",
        "Fetch a new token for each call, or let the client do it: they live for an hour. If the token was new, \
         the receiver's clock is ahead.";
    316 TokenNotYetValid "TOKEN_NOT_YET_VALID" Verify 401 false, "check both clocks",
        "The token is not valid yet",
        "Wait until nbf, or set the clocks: the issuer's is ahead of the receiver's by more than the leeway.";
    317 TokenIssuedInFuture "TOKEN_ISSUED_IN_FUTURE" Verify 401 false, "check both clocks",
        "The token was issued in the future",
        "Set the clocks (NTP): the issuer's is ahead of the receiver's by more than the leeway.";
    318 EmailNotAllowed "EMAIL_NOT_ALLOWED" Verify 403 false, "add the caller's e-mail to the allowed ones, or call as an account that is",
        "The caller is not on the list",
        "Add the e-mail to `allowed_emails`, or call as an account that is on it. They are compared exactly.";
    319 EmailNotVerified "EMAIL_NOT_VERIFIED" Verify 403 false, "send a token whose e-mail the issuer has verified",
        "The issuer has not verified the caller's e-mail",
        "Call as an account whose e-mail is verified: email_verified must be true, not the text \"true\".";
    320 KeysUnavailable "KEYS_UNAVAILABLE" Verify 503 true, "try again; check that this service reaches the issuer's key URL",
        "The issuer's keys cannot be had",
        "Let the receiver reach the issuer's key URL (egress rules, proxies, DNS), then try again.";
    321 SubjectNotAllowed "SUBJECT_NOT_ALLOWED" Verify 403 false, "add the caller's sub to the allowed ones, or call as an account that is",
        "The caller is not on the list",
        "Add the token's sub to allowed_subjects: for a Google account it is its unique id, a number in quotes.";
    322 DiscoveryInvalid "DISCOVERY_INVALID" Verify 503 true, "check the issuer's URL, and what it serves at /.well-known/openid-configuration",
        "The issuer's discovery document cannot be used",
        "Check the issuer's URL exactly: what it serves at /.well-known/openid-configuration must name the \
         same issuer, an https jwks_uri, and an asymmetric algorithm.";
}

/// What there is to say about a code.
struct Row {
    code: &'static str,
    kind: ErrorKind,
    http_status: u16,
    is_retryable: bool,
    advice: &'static str,
}

impl ErrorCode {
    /// The stable text of the code, in SCREAMING_SNAKE_CASE.
    pub const fn as_str(self) -> &'static str {
        self.row().code
    }

    /// The family that the code belongs to.
    pub const fn kind(self) -> ErrorKind {
        self.row().kind
    }

    /// What the user should do about it.
    pub const fn advice(self) -> &'static str {
        self.row().advice
    }

    /// The HTTP status that a receiving service answers with.
    pub const fn http_status(self) -> u16 {
        self.row().http_status
    }

    /// Whether the same call may succeed later without a change.
    pub const fn is_retryable(self) -> bool {
        self.row().is_retryable
    }

    /// What an error of this code means, in a few words.
    pub(crate) fn title(self) -> &'static str {
        self.words().map_or(self.kind().title(), |(title, _)| title)
    }

    /// What the user should do about it, at length.
    pub(crate) fn explained(self) -> &'static str {
        self.words().map_or(self.advice(), |(_, explained)| explained)
    }
}

/// The family of an [`ErrorCode`]; packages have one error class for each.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ErrorKind {
    /// The program calls gatepass in a wrong way.
    Usage,
    /// The credentials cannot be found, read or used.
    Credentials,
    /// An endpoint cannot be reached, or answers nothing useful.
    Transport,
    /// A received token is refused.
    Verify,
}

impl ErrorKind {
    /// The family's name in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::Credentials => "credentials",
            Self::Transport => "transport",
            Self::Verify => "verify",
        }
    }
}

/// In which way a token fails a check.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    /// What the check needs is not there.
    Missing,
    /// It is there, well formed, and another one than the verifier expects.
    Mismatch,
    /// It is not what the standards say it is, or not valid at this moment.
    Invalid,
    /// It is genuine, and not on the verifier's list.
    NotAllowed,
}

impl Reason {
    /// The name in snake_case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Mismatch => "mismatch",
            Self::Invalid => "invalid",
            Self::NotAllowed => "not_allowed",
        }
    }

    /// The reason for refusals with this code, unless the refusal itself says another.
    const fn of(code: ErrorCode) -> Option<Self> {
        use ErrorCode::*;
        Some(match code {
            TokenMissing | MissingClaim => Self::Missing,
            TypMismatch | UnknownKey | BadIssuer | BadAudience => Self::Mismatch,
            AlgNotAllowed | CritUnsupported | EmailNotAllowed | SubjectNotAllowed => Self::NotAllowed,
            TokenMalformed | TokenTooLarge | KeyUnusable | BadSignature | SignatureStripped
            | BadClaimType | BadClaim | TokenExpired | TokenNotYetValid | TokenIssuedInFuture
            | EmailNotVerified => Self::Invalid,
            _ => return None,
        })
    }
}

/// What was found or expected: one text, or a list of which one counts. Never a secret.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Texts {
    /// One text.
    One(String),
    /// A list, as the token or the verifier's options have one.
    Many(Vec<String>),
}

impl Texts {
    /// The texts as one list.
    pub fn as_slice(&self) -> &[String] {
        match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::Many(texts) => texts,
        }
    }
}

impl From<&str> for Texts {
    fn from(text: &str) -> Self {
        Self::One(text.into())
    }
}

impl From<String> for Texts {
    fn from(text: String) -> Self {
        Self::One(text)
    }
}

impl From<&[String]> for Texts {
    fn from(texts: &[String]) -> Self {
        Self::Many(texts.to_vec())
    }
}

impl Texts {
    /// The same without what looks like a credential.
    fn harmless(self) -> Self {
        match self {
            Self::One(text) => Self::One(harmless(&text)),
            Self::Many(texts) => Self::Many(texts.iter().map(|text| harmless(text)).collect()),
        }
    }

    /// The texts in quotes with `word` between them, the first ten.
    pub(crate) fn joined(&self, word: &str) -> String {
        const MOST_SHOWN: usize = 10;
        let texts = self.as_slice();
        let mut shown: Vec<_> = texts.iter().take(MOST_SHOWN).map(|text| quoted(text)).collect();
        if texts.len() > shown.len() {
            shown.push(format!("{} more", texts.len() - shown.len()));
        }
        if shown.is_empty() { "an empty list".into() } else { shown.join(word) }
    }
}

impl ErrorKind {
    const fn title(self) -> &'static str {
        match self {
            Self::Usage => "gatepass was called in a way that makes no sense",
            Self::Credentials => "The credentials cannot be used",
            Self::Transport => "An endpoint cannot be reached",
            Self::Verify => "The token is refused",
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What went wrong, for a program ([`code`](Self::code)) and for a person (`Display`).
///
/// The message says what was found, what was expected and what to do. It never holds a token, a key or a claim's
/// secret, so it may be logged and sent to the caller of a program's operator.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Error(
    /// One pointer: a result that is handed on through many functions is moved in each of them.
    Box<Fields>,
);

#[derive(Clone, PartialEq, Eq, Debug)]
struct Fields {
    code: ErrorCode,
    detail: String,
    claim: Option<&'static str>,
    retryable: bool,
    retry_after_ms: Option<u64>,
    evidence: Evidence,
}

/// What a refusal rests on, as data.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Evidence {
    reason: Option<Reason>,
    found: Option<Texts>,
    expected: Option<Texts>,
    claimed_email: Option<String>,
}

impl Error {
    /// An error of this code; `detail` says what was found and what was expected.
    pub fn new(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self(Box::new(Fields {
            code,
            detail: detail.into(),
            claim: None,
            retryable: code.is_retryable(),
            retry_after_ms: None,
            evidence: Evidence::default(),
        }))
    }

    /// The stable code.
    pub fn code(&self) -> ErrorCode {
        self.0.code
    }

    /// The claim or header parameter of the token that the error is about, if it is about one.
    pub fn claim(&self) -> Option<&'static str> {
        self.0.claim
    }

    /// In which way the token fails; `None` where the error is about no token.
    pub fn reason(&self) -> Option<Reason> {
        self.0.evidence.reason.or(Reason::of(self.0.code))
    }

    /// What was found in the token, if that can be said in a text or a list of them.
    pub fn found(&self) -> Option<&Texts> {
        self.0.evidence.found.as_ref()
    }

    /// What was expected in its place: a text, or a list of which one is enough.
    pub fn expected(&self) -> Option<&Texts> {
        self.0.evidence.expected.as_ref()
    }

    /// Whether the same call may succeed later without a change.
    pub fn is_retryable(&self) -> bool {
        self.0.retryable
    }

    /// How long the endpoint asked to be left alone, in milliseconds.
    pub fn retry_after_ms(&self) -> Option<u64> {
        self.0.retry_after_ms
    }

    /// The e-mail that a refused token claims, for the log: nothing proves it.
    pub fn claimed_email(&self) -> Option<&str> {
        self.0.evidence.claimed_email.as_deref()
    }

    /// Whether another key could mend it.
    pub(crate) fn is_about_keys(&self) -> bool {
        matches!(self.0.code, ErrorCode::UnknownKey | ErrorCode::KeyUnusable | ErrorCode::BadSignature)
    }

    /// The same error, with these words for what was found and expected.
    pub(crate) fn with_detail(mut self, detail: String) -> Self {
        self.0.detail = detail;
        self
    }

    /// Adds the e-mail that the refused token claims.
    pub(crate) fn claiming(mut self, email: Option<String>) -> Self {
        if email.is_some() {
            self.0.evidence.claimed_email = email;
        }
        self
    }

    /// The error in plain words: what it means, what was found, and what to change.
    pub fn explain(&self) -> String {
        let Fields { code, detail, .. } = &*self.0;
        format!("{} ({code}).\nFound: {detail}.\nWhat to do: {}", code.title(), code.explained())
    }

    /// What was found and what was expected, without the advice.
    pub(crate) fn detail(&self) -> &str {
        &self.0.detail
    }

    pub(crate) fn about(mut self, claim: &'static str) -> Self {
        self.0.claim = Some(claim);
        self
    }

    /// Adds the reason, where it is another than the code's own.
    pub(crate) fn because(mut self, reason: Reason) -> Self {
        self.0.evidence.reason = Some(reason);
        self
    }

    /// Adds what was found, as data. It goes through [`harmless`](crate::quote::harmless): tokens are full of
    /// strangers' texts.
    pub(crate) fn finding(mut self, found: impl Into<Texts>) -> Self {
        self.0.evidence.found = Some(found.into().harmless());
        self
    }

    /// Adds what was expected, as data. It is made as harmless as what was found: an option may hold anything.
    pub(crate) fn expecting(mut self, expected: impl Into<Texts>) -> Self {
        self.0.evidence.expected = Some(expected.into().harmless());
        self
    }

    pub(crate) fn retryable(mut self) -> Self {
        self.0.retryable = true;
        self
    }

    /// Not worth another attempt in the same operation.
    pub(crate) fn permanent(mut self) -> Self {
        self.0.retryable = false;
        self
    }

    pub(crate) fn retry_after(mut self, millis: Option<u64>) -> Self {
        self.0.retry_after_ms = millis;
        self
    }

    /// The same error, in which these secrets are not shown: an endpoint may repeat what it was sent. A short one is
    /// left alone, for it could be a part of any word.
    pub(crate) fn without(mut self, secrets: &[Secret<String>]) -> Self {
        const SHORTEST: usize = 6;
        for secret in secrets.iter().filter(|secret| secret.expose().len() >= SHORTEST) {
            let secret = secret.expose().as_str();
            self.0.detail = self.0.detail.replace(secret, "[redacted]");
            // A stranger's words are cut where they grow too long, perhaps in the middle of a secret.
            let beginnings = (SHORTEST..secret.len()).rev().filter_map(|length| secret.get(..length));
            if let Some(rest) = beginnings.into_iter().find_map(|begin| self.0.detail.strip_suffix(begin)) {
                self.0.detail = format!("{rest}[redacted]");
            }
        }
        self
    }

    /// The same error, with what it probably means after what was found.
    pub(crate) fn hinting(mut self, hint: &str) -> Self {
        self.0.detail = format!("{} ({hint})", self.0.detail);
        self
    }

    /// The same error, with `context` before what was found.
    pub(crate) fn within(mut self, context: &str) -> Self {
        self.0.detail = format!("{context}: {}", self.0.detail);
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let advice = self.0.code.advice();
        // Trying again is no advice where it is in vain.
        let advice = match self.0.retryable {
            true => advice,
            false => advice.trim_start_matches("try again; ").trim_end_matches(", then try again"),
        };
        write!(f, "{} ({advice})", self.0.detail)
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn codes_and_numbers_are_unique() {
        let codes: HashSet<_> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
        let numbers: HashSet<_> = ErrorCode::ALL.iter().map(|code| *code as i32).collect();
        assert_eq!((codes.len(), numbers.len()), (ErrorCode::ALL.len(), ErrorCode::ALL.len()));
    }

    #[test]
    fn a_secret_that_is_repeated_is_not_shown_even_where_it_is_cut() {
        let secrets = [Secret::from("s3cret-of-a-client"), Secret::from("short")];
        for (detail, shown) in [
            ("no s3cret-of-a-client here", "no [redacted] here"),
            ("it ends with s3cret-of-a-c", "it ends with [redacted]"),
            ("a short word", "a short word"),
        ] {
            assert_eq!(Error::new(ErrorCode::TokenRefused, detail).without(&secrets).detail(), shown);
        }
    }

    #[test]
    fn every_refusal_of_a_token_has_words_of_its_own() {
        for code in ErrorCode::ALL.iter().filter(|code| code.kind() == ErrorKind::Verify) {
            assert_ne!(code.explained(), code.advice(), "{code}");
        }
    }

    #[test]
    fn an_error_explains_itself() {
        for (code, begin) in [
            (
                ErrorCode::TokenExpired,
                "The token has expired (TOKEN_EXPIRED).\nFound: it.\nWhat to do: Fetch a new token for each call",
            ),
            (
                ErrorCode::InvalidOption,
                "gatepass was called in a way that makes no sense (INVALID_OPTION).\nFound: it.\nWhat to do: ",
            ),
            (
                ErrorCode::TokenRefused,
                "The credentials cannot be used (TOKEN_REFUSED).\nFound: it.\nWhat to do: ",
            ),
            (ErrorCode::Timeout, "An endpoint cannot be reached (TIMEOUT).\nFound: it.\nWhat to do: "),
        ] {
            let text = Error::new(code, "it").explain();
            assert!(text.starts_with(begin) && text.ends_with(code.explained()), "{text}");
        }
    }

    #[test]
    fn families_and_reasons_have_the_names_that_the_interface_gives_them() {
        let kinds = [ErrorKind::Usage, ErrorKind::Credentials, ErrorKind::Transport, ErrorKind::Verify];
        assert_eq!(kinds.map(ErrorKind::as_str), ["usage", "credentials", "transport", "verify"]);
        for (code, reason) in [
            (ErrorCode::TokenMissing, Some("missing")),
            (ErrorCode::BadAudience, Some("mismatch")),
            (ErrorCode::AlgNotAllowed, Some("not_allowed")),
            (ErrorCode::EmailNotAllowed, Some("not_allowed")),
            (ErrorCode::TokenExpired, Some("invalid")),
            (ErrorCode::KeysUnavailable, None),
        ] {
            assert_eq!(Error::new(code, "").reason().map(Reason::as_str), reason, "{code}");
        }
    }

    #[test]
    fn display_says_what_to_do() {
        let error = Error::new(ErrorCode::TokenExpired, "exp is 10 s ago");
        assert_eq!(error.to_string(), "exp is 10 s ago (fetch a new token; check both clocks)");
        let keys = Error::new(ErrorCode::KeysUnavailable, "it answered 404");
        let advice = "check that this service reaches the issuer's key URL";
        assert_eq!(keys.to_string(), format!("it answered 404 (try again; {advice})"));
        assert_eq!(keys.permanent().to_string(), format!("it answered 404 ({advice})"));
        let refused = Error::new(ErrorCode::ConnectionFailed, "no").permanent();
        assert_eq!(refused.to_string(), "no (check the network)");
    }

    #[test]
    fn only_another_key_mends_what_is_about_keys() {
        for (code, is_about_keys) in [
            (ErrorCode::UnknownKey, true),
            (ErrorCode::KeyUnusable, true),
            (ErrorCode::BadSignature, true),
            (ErrorCode::BadAudience, false),
            (ErrorCode::TokenExpired, false),
            (ErrorCode::AlgNotAllowed, false),
        ] {
            assert_eq!(Error::new(code, "").is_about_keys(), is_about_keys, "{code}");
        }
    }

    #[test]
    fn a_long_list_is_cut_and_says_how_many_more_there_are() {
        let list =
            |count: usize| Texts::from((0..count).map(|n| n.to_string()).collect::<Vec<_>>().as_slice());
        assert_eq!(list(0).joined(" or "), "an empty list");
        assert_eq!(list(2).joined(" or "), r#""0" or "1""#);
        let ten = list(10).joined(" or ");
        assert!(ten.ends_with(r#" or "9""#), "{ten}");
        assert_eq!(list(13).joined(" or "), format!("{ten} or 3 more"));
    }
}
