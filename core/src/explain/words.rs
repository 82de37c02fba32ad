//! The long form of every refusal: what it means, and what to change.

use crate::error::{Error, ErrorCode, ErrorKind};

/// A refusal's title, and what to do about it.
pub(crate) const fn words(code: ErrorCode) -> (&'static str, &'static str) {
    match code {
        ErrorCode::TokenMissing => (
            "The request carries no token",
            "Send the token in Authorization: Bearer TOKEN. A receiver behind Identity-Aware Proxy reads \
             X-Goog-IAP-JWT-Assertion instead, which only IAP itself may set.",
        ),
        ErrorCode::TokenMalformed => (
            "The text is not a token as it was issued",
            "Send the token as it was issued: three parts of base64url with two dots between them. Look for an end \
             that was cut off, for line breaks, quotes, and a duplicated `Bearer`.",
        ),
        ErrorCode::TokenTooLarge => (
            "The text is larger or deeper than any ID token",
            "Send an ID token: Google's have about 900 characters, and 16,384 are accepted.",
        ),
        ErrorCode::AlgNotAllowed => (
            "The token is signed in a way that this receiver does not allow",
            "Send a token of the issuer that the receiver expects: Google signs ID tokens with RS256, Identity-Aware \
             Proxy with ES256. For another issuer name its algorithms in the verifier's options.",
        ),
        ErrorCode::TypMismatch => (
            "The token's header says that it is another kind of token",
            "Send an ID token: its typ is JWT or missing. An access token (at+jwt) is for another receiver.",
        ),
        ErrorCode::CritUnsupported => (
            "The token's header demands extensions",
            "Send a token without crit and b64 in its header; no ID token has them.",
        ),
        ErrorCode::UnknownKey => (
            "The issuer publishes no key of the token's id",
            "Check that the token comes from the issuer whose keys the receiver uses (its preset or keys_url). A token \
             of an emulator is verified by the emulator's keys only.",
        ),
        ErrorCode::KeyUnusable => (
            "The issuer's key cannot be used for this token",
            "Check the issuer's key set: the key's type, curve, alg, use and size, and that its id occurs once.",
        ),
        ErrorCode::BadSignature => (
            "The signature is not the issuer's",
            "Send the token exactly as it was issued: one changed character is enough. Where it is unchanged, somebody \
             else made it, or the receiver uses other keys of the same ids.",
        ),
        ErrorCode::SignatureStripped => (
            "Cloud Run has removed the signature",
            "Cloud Run does that after it has checked the token itself, so the service behind it cannot check it \
             again. Have the caller send one token in X-Serverless-Authorization, for Cloud Run, and the same or \
             another one in Authorization, for the service. If nobody but authenticated callers gets in, the service \
             may rely on Cloud Run by trust_cloud_run_and_skip_signature.",
        ),
        ErrorCode::MissingClaim => (
            "A claim is missing that every ID token has",
            "Send an ID token: it has iss, aud, sub, iat and exp.",
        ),
        ErrorCode::BadClaimType => (
            "A claim has another type than the standards give it",
            "Send an ID token whose times are numbers, and whose iss, aud and sub are texts (RFC 7519, section 4.1).",
        ),
        ErrorCode::BadClaim => (
            "The token's times make no sense",
            "Send an ID token with iat before exp, both in Unix seconds, not in milliseconds.",
        ),
        ErrorCode::BadIssuer => (
            "The token is of another issuer",
            "Send a token of the issuer that the receiver trusts, or give the receiver that issuer: iss is compared \
             exactly, a slash at the end included.",
        ),
        ErrorCode::BadAudience => (
            "The token is for another audience",
            "Have the caller ask for a token with this receiver's audience, or add the audience to the receiver's \
             list: they are compared exactly. For Cloud Run the audience is the service's URL without path and \
             without the slash at the end.",
        ),
        ErrorCode::TokenExpired => (
            "The token has expired",
            "Fetch a new token for each call, or let the client do it: they live for an hour. If the token was new, \
             the receiver's clock is ahead.",
        ),
        ErrorCode::TokenNotYetValid => (
            "The token is not valid yet",
            "Wait until nbf, or set the clocks: the issuer's is ahead of the receiver's by more than the leeway.",
        ),
        ErrorCode::TokenIssuedInFuture => (
            "The token was issued in the future",
            "Set the clocks (NTP): the issuer's is ahead of the receiver's by more than the leeway.",
        ),
        ErrorCode::EmailNotAllowed => (
            "The caller is not on the list",
            "Add the e-mail to allowed_emails, or call as an account that is on it. They are compared exactly.",
        ),
        ErrorCode::EmailNotVerified => (
            "The issuer has not verified the caller's e-mail",
            "Call as an account whose e-mail is verified: email_verified must be true, not the text \"true\".",
        ),
        ErrorCode::SubjectNotAllowed => (
            "The caller is not on the list",
            "Add the token's sub to allowed_subjects: for a Google account it is its unique id, a number in quotes.",
        ),
        ErrorCode::KeysUnavailable => (
            "The issuer's keys cannot be had",
            "Let the receiver reach the issuer's key URL (egress rules, proxies, DNS), then try again.",
        ),
        ErrorCode::DiscoveryInvalid => (
            "The issuer's discovery document cannot be used",
            "Check the issuer's URL exactly: what it serves at /.well-known/openid-configuration must name the \
             same issuer, an https jwks_uri, and an asymmetric algorithm.",
        ),
        other => {
            let title = match other.kind() {
                ErrorKind::Usage => "gatepass was called in a way that makes no sense",
                ErrorKind::Credentials => "The credentials cannot be used",
                ErrorKind::Transport => "An endpoint cannot be reached",
                ErrorKind::Verify => "The token is refused",
            };
            (title, other.advice())
        }
    }
}

impl Error {
    /// The error in plain words: what it means, what was found, and what to change.
    pub fn explain(&self) -> String {
        let (title, todo) = words(self.code());
        format!("{title} ({}).\nFound: {}.\nWhat to do: {todo}", self.code(), self.detail())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_of_a_token_has_words_of_its_own() {
        for code in ErrorCode::ALL.iter().filter(|code| code.kind() == ErrorKind::Verify) {
            assert_ne!(words(*code).1, code.advice(), "{code}");
        }
    }

    #[test]
    fn an_error_explains_itself() {
        let text = Error::new(ErrorCode::TokenExpired, "the token expired 7 s ago").explain();
        assert!(
            text.starts_with("The token has expired (TOKEN_EXPIRED).\nFound: the token expired 7 s ago.\n"),
            "{text}"
        );
    }
}
