//! What a refusal says about mistakes that can be recognised: text around the token, another kind of token, an audience
//! that nearly fits.

use crate::error::{Error, ErrorCode, Texts};
use crate::recognise::{Claimed, Kind, audience, wrapping};
use crate::verify::issuers::Preset;
use crate::verify::policy::Policy;

/// The error with what is recognised about the token that it refuses, and with the e-mail that the token claims.
pub(crate) fn hinted(error: Error, token: &str, policy: &Policy) -> Error {
    let claimed = Claimed::read(token);
    let kind = Kind::of(token, &claimed);
    let hint = match error.code() {
        ErrorCode::TokenMalformed => return malformed(error, token, kind),
        ErrorCode::BadAudience => of_audience(&error),
        ErrorCode::BadIssuer | ErrorCode::UnknownKey | ErrorCode::AlgNotAllowed => {
            of_kind(kind, policy.preset)
        }
        _ => None,
    };
    let error = match hint {
        Some(hint) => {
            let detail = format!("{}: {hint}", error.detail());
            error.with_detail(detail)
        }
        None => error,
    };
    error.claiming(claimed.email)
}

/// A text that is no token, or has something around it that does not belong to it.
fn malformed(error: Error, text: &str, kind: Kind) -> Error {
    let (inner, wrappings) = wrapping::peel(text);
    if !wrappings.is_empty() && Kind::of(&inner, &Claimed::read(&inner)).is_jwt() {
        let found: Vec<_> = wrappings.iter().map(|wrapping| wrapping.words().0).collect();
        return error.with_detail(format!("{}, expected the token alone", found.join(", and ")));
    }
    match kind {
        Kind::AccessToken => error.with_detail("this is a Google access token, expected an ID token".into()),
        Kind::NotAToken => match crate::recognise::not_a_token(&inner) {
            Some(found) => error.with_detail(format!("this is no token: {found}")),
            None => error,
        },
        _ => error,
    }
}

fn of_audience(error: &Error) -> Option<String> {
    let texts = |texts: Option<&Texts>| texts.map(Texts::as_slice).unwrap_or_default().to_vec();
    let (found, expected) = (texts(error.found()), texts(error.expected()));
    let pairs = found.iter().flat_map(|found| expected.iter().map(move |expected| (found, expected)));
    // A token may have any number of audiences.
    let known = pairs.take(100).find_map(|(found, expected)| audience::difference(found, expected));
    known.map(|known| known.found.to_owned())
}

/// A token of another kind than the verifier is for. Nothing of it is believed: it claims to be of this kind.
fn of_kind(kind: Kind, preset: Option<Preset>) -> Option<String> {
    let own = Preset::of(kind);
    let is_meant = match (own, preset) {
        (Some(Preset::Google), Some(preset)) => preset.is_google(),
        (own, preset) => own == preset,
    };
    match kind {
        Kind::SelfSignedAssertion | Kind::SelfSignedAccessToken => {
            Some(format!("this is {}, expected an ID token", kind.title()))
        }
        _ if is_meant => None,
        _ => {
            own.map(|own| format!("it claims to be {}, which preset {} verifies", kind.title(), own.as_str()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_are_no_token_are_not_said_to_surround_one() {
        let error = || Error::new(ErrorCode::TokenMalformed, "it");
        let said = |text| {
            let kind = Kind::of(text, &Claimed::read(text));
            malformed(error(), text, kind).detail().to_owned()
        };
        assert_eq!(said("Bearer hello"), "it");
        assert!(said("Bearer eyJhbGciOiJSUzI1NiJ9.e30.c2ln").ends_with("expected the token alone"));
    }

    #[test]
    fn a_token_of_the_kind_that_is_wanted_is_not_said_to_be_of_another() {
        use crate::encoding::base64url_encode;
        for (iss, preset, hint) in [
            ("https://accounts.google.com", Preset::Google, None),
            (
                "https://accounts.google.com",
                Preset::Iap,
                Some("it claims to be a Google ID token, which preset google verifies"),
            ),
            ("https://cloud.google.com/iap", Preset::Iap, None),
            (
                "https://cloud.google.com/iap",
                Preset::Google,
                Some("it claims to be an assertion of Identity-Aware Proxy, which preset iap verifies"),
            ),
        ] {
            let payload = base64url_encode(format!(r#"{{"iss":"{iss}"}}"#).as_bytes());
            let token = format!("eyJhbGciOiJSUzI1NiJ9.{payload}.c2ln");
            let claimed = Claimed::read(&token);
            assert_eq!(of_kind(Kind::of(&token, &claimed), Some(preset)).as_deref(), hint, "{iss}");
        }
    }
}
