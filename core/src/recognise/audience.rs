//! How the audience of a token differs from the one that a receiver expects.

use crate::audience::{audience_for_url, same_audience_spellings};
use crate::quote::quoted;

/// The OAuth client of the gcloud command: what `gcloud auth print-identity-token` asks for when it is told nothing.
const GCLOUD_CLIENT_ID: &str = "32555940559.apps.googleusercontent.com";

/// A known way to get an audience wrong: its name for programs, what was found, and what to do about it.
pub(crate) struct Difference {
    pub(crate) cause: &'static str,
    pub(crate) found: &'static str,
    pub(crate) todo: String,
}

/// The difference between an audience that a token has and one that a receiver expects, if it is a known one.
pub(crate) fn difference(found: &str, expected: &str) -> Option<Difference> {
    let is = |audience: String| audience == expected;
    let differs = |cause, text, todo: &str| Some(Difference { cause, found: text, todo: todo.into() });
    let ask = format!("Ask for {}.", quoted(expected));
    let (host, expected_host) = (host(found), host(expected));
    if same_audience_spellings(found).iter().any(|spelling| spelling == expected) {
        let todo = format!("{ask} A receiver may also list both spellings.");
        return differs("trailing_slash", "the two differ by the slash at the end", &todo);
    }
    if found.strip_suffix('/').unwrap_or(found) == expected.strip_suffix('/').unwrap_or(expected) {
        return differs("trailing_slash", "the two differ by the slash at the end", &ask);
    }
    if is(format!("https://{found}")) {
        return differs("scheme_missing", "the token's audience has no https:// before the host", &ask);
    }
    if let Some(rest) = found.strip_prefix("http://")
        && is(format!("https://{rest}"))
    {
        return differs("http", "the token's audience begins with http:// in place of https://", &ask);
    }
    if found.eq_ignore_ascii_case(expected) {
        return differs("letter_case", "the two differ by capital letters", &ask);
    }
    if found.replacen(":443", "", 1) == expected {
        return differs("default_port", "the token's audience names the default port, :443", &ask);
    }
    if audience_for_url(found).is_ok_and(is) {
        return if host.contains("---") {
            let todo =
                format!("{ask} A traffic tag belongs into the URL that is called, not into the audience.");
            differs("traffic_tag", "the token's audience has a traffic tag (TAG---) before the host", &todo)
        } else {
            differs("path", "the token's audience has a path, a port or a query after the host", &ask)
        };
    }
    if host == expected_host && !host.is_empty() && path(found).is_empty() {
        let todo = format!("{ask} Functions of the first generation want their path in the audience.");
        return differs("path_missing", "the token's audience lacks the path", &todo);
    }
    if found == GCLOUD_CLIENT_ID {
        let todo =
            format!("{ask} With gcloud: --audiences={expected} (for service accounts and impersonation).");
        return differs("gcloud_default", "the token's audience is the gcloud command itself", &todo);
    }
    if found.ends_with(".apps.googleusercontent.com") {
        let todo = format!("{ask} An OAuth client's id is what Identity-Aware Proxy wants from its callers.");
        return differs("client_id", "the token's audience is an OAuth client's id", &todo);
    }
    if host.ends_with(".run.app") && expected_host.ends_with(".run.app") {
        let todo = "If both are URLs of this service, list both in the receiver's audiences: Cloud Run gives each \
                    service two. Else the token is for another service.";
        return differs("other_run_app_url", "both are URLs of Cloud Run services", todo);
    }
    None
}

fn host(audience: &str) -> &str {
    audience.split_once("://").and_then(|(_, rest)| rest.split(['/', '?', '#']).next()).unwrap_or_default()
}

fn path(audience: &str) -> &str {
    audience.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map_or("", |(_, path)| path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_mistakes_are_recognised() {
        const SERVICE: &str = "https://svc-abc-uc.a.run.app";
        const FUNCTION: &str = "https://us-central1-p.cloudfunctions.net/f";
        for (found, expected, cause) in [
            ("https://svc-abc-uc.a.run.app/", SERVICE, "trailing_slash"),
            (SERVICE, "https://svc-abc-uc.a.run.app/", "trailing_slash"),
            ("https://us-central1-p.cloudfunctions.net/f/", FUNCTION, "trailing_slash"),
            ("svc-abc-uc.a.run.app", SERVICE, "scheme_missing"),
            ("http://svc-abc-uc.a.run.app", SERVICE, "http"),
            ("https://Svc-abc-uc.a.run.app", SERVICE, "letter_case"),
            ("https://svc-abc-uc.a.run.app:443", SERVICE, "default_port"),
            ("https://tag---svc-abc-uc.a.run.app", SERVICE, "traffic_tag"),
            ("https://tag---svc-abc-uc.a.run.app/x", SERVICE, "traffic_tag"),
            ("https://svc-abc-uc.a.run.app/x?y", SERVICE, "path"),
            ("https://us-central1-p.cloudfunctions.net", FUNCTION, "path_missing"),
            ("32555940559.apps.googleusercontent.com", SERVICE, "gcloud_default"),
            ("1-a.apps.googleusercontent.com", SERVICE, "client_id"),
            ("https://svc-123.us-central1.run.app", SERVICE, "other_run_app_url"),
        ] {
            assert_eq!(difference(found, expected).map(|known| known.cause), Some(cause), "{found}");
        }
        assert!(
            difference("https://us-central1-p.cloudfunctions.net/g", FUNCTION).is_none(),
            "another function"
        );
        for unknown in ["", "https://other.example", "custom"] {
            assert!(difference(unknown, SERVICE).is_none(), "{unknown}");
        }
    }
}
