//! The audiences of Identity-Aware Proxy.

use crate::error::{Error, ErrorCode};

/// What `aud` is in the assertions of Identity-Aware Proxy (IAP documentation, "Securing your app with signed
/// headers"); a word in capitals is a placeholder.
pub const IAP_AUDIENCE_FORMS: [&str; 4] = [
    "/projects/NUMBER/global/backendServices/ID",
    "/projects/NUMBER/regions/REGION/backendServices/ID",
    "/projects/NUMBER/apps/PROJECT",
    "/projects/NUMBER/locations/REGION/services/NAME",
];

/// Refuses what can be no audience of an assertion of Identity-Aware Proxy.
///
/// # Errors
/// [`ErrorCode::InvalidOption`], with the forms that there are.
pub fn check_iap_audience(audience: &str) -> Result<(), Error> {
    if IAP_AUDIENCE_FORMS.iter().any(|form| has_form(audience, form)) {
        return Ok(());
    }
    Err(Error::new(
        ErrorCode::InvalidOption,
        format!("the audience is none of Identity-Aware Proxy, expected {}", IAP_AUDIENCE_FORMS.join(" or ")),
    ))
}

fn has_form(text: &str, form: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:".contains(&b))
    };
    let fits = |(found, expected): (&str, &str)| match expected {
        "NUMBER" | "ID" => !found.is_empty() && found.bytes().all(|b| b.is_ascii_digit()),
        "REGION" | "PROJECT" | "NAME" => is_word(found),
        literal => found == literal,
    };
    text.split('/').count() == form.split('/').count() && text.split('/').zip(form.split('/')).all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iap_audiences_have_the_forms_of_the_documentation() {
        for good in [
            "/projects/418702934/global/backendServices/7730911834",
            "/projects/1/regions/europe-west1/backendServices/2",
            "/projects/1/apps/example.com:my-project",
            "/projects/1/locations/us-central1/services/orders",
        ] {
            assert_eq!(check_iap_audience(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "https://orders.example",
            "projects/1/apps/p",
            "/projects/1/apps/p/",
            "/projects/my-project/apps/p",
            "/projects//apps/p",
            "/projects/1/apps/",
            "/projects/1/apps/a b",
            "/projects/1/global/backendServices/name",
            "/projects/1/global/backendservices/2",
            "/projects/1/regions/r/backendServices",
            "1-abc.apps.googleusercontent.com",
        ] {
            assert!(check_iap_audience(bad).is_err(), "{bad}");
        }
    }
}
