//! The audience that a Google Cloud receiver expects, from its URL (Cloud Run documentation, "Custom audiences").

use crate::error::{Error, ErrorCode};

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
        Error::new(ErrorCode::InvalidAudience, format!("no audience can be told from the URL: {found}"))
    };
    // HTTP clients read such URLs in more than one way, and a token must not go to another host than the one that its
    // audience was taken from.
    if url.contains('\\') || url.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(invalid("it holds white space, a control character or a backslash"));
    }
    let (scheme, rest) =
        url.split_once("://").ok_or_else(|| invalid("it has no scheme, expected https://host"))?;
    let scheme = scheme.to_ascii_lowercase();
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let default_port = if scheme == "https" { ":443" } else { ":80" };
    let authority = authority.strip_suffix(default_port).unwrap_or(authority).to_ascii_lowercase();
    let origin = crate::url::Url::parse(&format!("{scheme}://{authority}")).map_err(invalid)?;
    if !origin.is_https() && !origin.is_loopback() {
        return Err(invalid("it begins with http://, expected https:// (a token would travel unprotected)"));
    }
    let host = origin.host();
    if host.ends_with(".run.app") {
        let service = host.split_once("---").map_or(host, |(_tag, service)| service);
        return Ok(format!("https://{service}"));
    }
    let path = path.trim_end_matches('/');
    if host.ends_with(".cloudfunctions.net") && !path.is_empty() {
        let function = path.split('/').next().unwrap_or_default();
        return Ok(format!("https://{host}/{function}"));
    }
    Ok(origin.as_str().to_owned())
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
        ] {
            assert!(audience_for_url(url).is_err(), "{url}");
        }
    }
}
