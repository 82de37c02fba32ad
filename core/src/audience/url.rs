//! The audience that a Google Cloud receiver expects, from its URL (Cloud Run documentation, "Custom audiences").

use crate::error::{Error, ErrorCode};
use crate::url::Url;

/// The audience to ask for when calling `url`.
///
/// Cloud Run wants the service's own URL: scheme and host, without the traffic tag, path or port. A first
/// generation Cloud Function wants its path too. Any other host gets its origin, which is right only if the
/// receiver is configured to expect it; else give the audience explicitly.
///
/// # Errors
/// [`ErrorCode::InvalidAudience`] when `url` is not `https` (`http` on a loopback host is let through, for local
/// development) or has no host.
pub fn audience_for_url(url: &str) -> Result<String, Error> {
    let invalid = |found: &str| {
        Error::new(ErrorCode::InvalidAudience, format!("cannot derive an audience from the URL: it {found}"))
    };
    let (origin, path) = origin(url).map_err(invalid)?;
    if !origin.is_https() && !origin.is_loopback() {
        return Err(invalid("begins with http://, expected https:// (a token would travel unprotected)"));
    }
    Ok(audience_for_origin(&origin, path))
}

/// Scheme, host and port of a URL that is called, and its path without the slash in front; or why it is none.
pub(crate) fn origin(url: &str) -> Result<(Url, &str), &'static str> {
    // HTTP clients read such URLs in more than one way, and a token must not go to another host than the one that its
    // audience was taken from.
    if url.contains('\\') || url.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err("holds white space, a control character or a backslash");
    }
    let (scheme, rest) = url.split_once("://").ok_or("has no scheme, expected https://host")?;
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let origin = Url::parse(&format!("{}://{authority}", scheme.to_ascii_lowercase()))?;
    Ok((origin, path))
}

/// The audience to ask for when calling this path of this origin.
pub(crate) fn audience_for_origin(origin: &Url, path: &str) -> String {
    let host = origin.host();
    if host.ends_with(".run.app") {
        // A tag is the first part of the first label; what comes after it may have three hyphens of its own.
        let tagged = host
            .split_once("---")
            .filter(|(tag, service)| !tag.is_empty() && !tag.contains('.') && !service.starts_with('.'));
        let service = tagged.map_or(host, |(_tag, service)| service);
        return format!("https://{service}");
    }
    let function = path.split('/').next().unwrap_or_default();
    let is_name = |name: &str| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    };
    if host.ends_with(".cloudfunctions.net") && is_name(function) {
        return format!("https://{host}/{function}");
    }
    let scheme = if origin.is_https() { "https" } else { "http" };
    let port = origin.explicit_port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{scheme}://{host}{port}")
}

/// Both spellings of a URL that is its own audience, without and with a slash at the end: receivers compare
/// exactly, and senders that are given a URL by hand are given either. Anything else comes back alone.
pub fn same_audience_spellings(audience: &str) -> Vec<String> {
    let bare = audience.strip_suffix('/').unwrap_or(audience);
    let is_origin = bare.split_once("://").is_some_and(|(_, host)| !host.is_empty() && !host.contains('/'));
    if is_origin { vec![bare.to_owned(), format!("{bare}/")] } else { vec![audience.to_owned()] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn audiences_follow_the_receivers_rules() {
        let cases = [
            ("https://svc-abc-uc.a.run.app/path?x=1#y", "https://svc-abc-uc.a.run.app"),
            ("HTTPS://Svc-abc-uc.a.run.app:443", "https://svc-abc-uc.a.run.app"),
            ("https://tag---svc-abc-uc.a.run.app/", "https://svc-abc-uc.a.run.app"),
            ("https://tag---a---b.a.run.app", "https://a---b.a.run.app"),
            ("https://a.tag---b.run.app", "https://a.tag---b.run.app"),
            ("https://tag---.a.run.app", "https://tag---.a.run.app"),
            ("https://api.example.com:443", "https://api.example.com"),
            ("https://p.cloudfunctions.net//f", "https://p.cloudfunctions.net"),
            ("https://svc-123.europe-west1.run.app/a/b", "https://svc-123.europe-west1.run.app"),
            ("https://europe-west1-p.cloudfunctions.net/f/x", "https://europe-west1-p.cloudfunctions.net/f"),
            ("https://api.example.com:8443/v1/é", "https://api.example.com:8443"),
            ("http://127.0.0.1:8080/x", "http://127.0.0.1:8080"),
        ];
        for (url, audience) in cases {
            assert_eq!(audience_for_url(url).as_deref(), Ok(audience), "{url}");
        }
        for url in [
            "",
            "svc.run.app",
            "http://svc.run.app",
            "https://",
            "ftp://a",
            "https://a b",
            "https://user@a",
            r"https://a\@b",
            "https://a\t.b",
            "https://gооgle.com",
            "https://a:443:443",
        ] {
            assert!(audience_for_url(url).is_err(), "{url}");
        }
    }

    #[test]
    fn only_a_url_of_a_host_has_two_spellings() {
        for audience in ["https://a.run.app", "https://a.run.app/"] {
            assert_eq!(same_audience_spellings(audience), ["https://a.run.app", "https://a.run.app/"]);
        }
        for alone in ["https://a/f", "https://a/f/", "custom", "/projects/1/apps/p", "https:///", ""] {
            assert_eq!(same_audience_spellings(alone), [alone]);
        }
    }

    #[test]
    fn a_url_that_clients_read_in_more_than_one_way_has_no_audience() {
        assert!(audience_for_url("https://a.example/b").is_ok());
        for bad in [
            "https://a.example/\\b",
            "https://a.example/ b",
            "https://a.example/\u{a0}b",
            "https://a.example/\u{7f}b",
            "https://a.example/b\n",
        ] {
            assert!(audience_for_url(bad).is_err(), "{bad:?}");
        }
    }
}
