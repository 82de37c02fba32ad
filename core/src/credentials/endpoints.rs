//! The endpoints of Google that a credential file may name: host and path, as Google's documents write them.
//!
//! Hosts of Google that are not in this table store, show or run what strangers send to them.

use crate::credentials::email::is_email;
use crate::url::Url;

/// What an endpoint does; each has hosts and paths of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Service {
    /// A token for an assertion or a refresh token (RFC 6749).
    Token,
    /// A federated token for a subject token (RFC 8693).
    Sts,
    /// A token for the refresh token of a person of a workforce pool.
    StsLogin,
    /// A method of one service account.
    Impersonation,
    /// The API itself, below which all service accounts are.
    IamCredentials,
}

/// Older names of the token endpoint, which keys of many years ago have.
const OLD_TOKEN_ENDPOINTS: [&str; 3] = [
    "https://accounts.google.com/o/oauth2/token",
    "https://www.googleapis.com/oauth2/v3/token",
    "https://www.googleapis.com/oauth2/v4/token",
];

/// Whether `url` is this service in this universe.
pub(super) fn is_endpoint(url: &Url, service: Service, universe: &str) -> bool {
    let is_plain = url.is_https() && url.explicit_port().is_none() && !url.has_query();
    is_plain && (is_old(url, service) || (has_host(url.host(), service, universe) && has_path(url, service)))
}

fn is_old(url: &Url, service: Service) -> bool {
    service == Service::Token && OLD_TOKEN_ENDPOINTS.iter().any(|old| *old == url.as_str())
}

fn has_host(host: &str, service: Service, universe: &str) -> bool {
    let name = match service {
        Service::Token => "oauth2",
        Service::Sts | Service::StsLogin => "sts",
        Service::Impersonation | Service::IamCredentials => "iamcredentials",
    };
    let Some(labels) = host.strip_suffix(universe).and_then(|rest| rest.strip_suffix('.')) else {
        return false;
    };
    let labels: Vec<_> = labels.split('.').collect();
    let is_regional = service != Service::Token;
    match labels.as_slice() {
        [only] if *only == name => true,
        // Over mTLS (AIP-4114).
        [first, "mtls"] => *first == name,
        // One region's, in its new form and its old one.
        [first, region, "rep"] => is_regional && *first == name && is_region(region),
        [only] => {
            let region = only.strip_suffix(name).and_then(|rest| rest.strip_suffix('-'));
            is_regional && region.is_some_and(is_region)
        }
        // A private endpoint within the caller's own network (Private Service Connect).
        [first, "p"] => {
            first.strip_prefix(name).and_then(|rest| rest.strip_prefix('-')).is_some_and(is_label)
        }
        _ => false,
    }
}

fn has_path(url: &Url, service: Service) -> bool {
    let path = url.path();
    match service {
        Service::Token => path == "/token",
        Service::Sts => path == "/v1/token",
        Service::StsLogin => path == "/v1/oauthtoken",
        Service::IamCredentials => path.is_empty() || path == "/",
        Service::Impersonation => is_account_method(path),
    }
}

/// `/v1/projects/-/serviceAccounts/EMAIL:METHOD`
fn is_account_method(path: &str) -> bool {
    let mut segments = path.split('/');
    let fixed =
        [segments.next(), segments.next(), segments.next()] == [Some(""), Some("v1"), Some("projects")];
    let project = segments.next().unwrap_or_default();
    let is_project = project == "-" || is_label(project);
    let accounts = segments.next() == Some("serviceAccounts");
    let (email, method) = segments.next().unwrap_or_default().split_once(':').unwrap_or_default();
    let is_method = matches!(method, "generateAccessToken" | "generateIdToken");
    fixed && is_project && accounts && is_email(email) && is_method && segments.next().is_none()
}

/// Such as `us-central1`, and the regions that are more than one: `us`, `eu`.
fn is_region(text: &str) -> bool {
    let is_place = text.contains('-') && text.ends_with(|c: char| c.is_ascii_digit());
    is_label(text) && (is_place || matches!(text, "us" | "eu"))
}

fn is_label(text: &str) -> bool {
    let is_allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    !text.is_empty() && text.bytes().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn services(url: &str, universe: &str) -> Vec<Service> {
        let all = [
            Service::Token,
            Service::Sts,
            Service::StsLogin,
            Service::Impersonation,
            Service::IamCredentials,
        ];
        let Ok(url) = Url::parse(url) else { return Vec::new() };
        all.into_iter().filter(|service| is_endpoint(&url, *service, universe)).collect()
    }

    #[test]
    fn every_documented_endpoint_is_one_of_one_service() {
        const ACCOUNT: &str = "v1/projects/-/serviceAccounts/a@b.iam.gserviceaccount.com:generateAccessToken";
        for universe in ["googleapis.com", "apis.example"] {
            for (host, path, service) in [
                ("oauth2", "token", Service::Token),
                ("oauth2.mtls", "token", Service::Token),
                ("oauth2-mine.p", "token", Service::Token),
                ("sts", "v1/token", Service::Sts),
                ("sts.mtls", "v1/token", Service::Sts),
                ("sts.us-central1.rep", "v1/token", Service::Sts),
                ("us-central1-sts", "v1/token", Service::Sts),
                ("sts-mine.p", "v1/token", Service::Sts),
                ("sts.eu.rep", "v1/oauthtoken", Service::StsLogin),
                ("sts", "v1/oauthtoken", Service::StsLogin),
                ("iamcredentials", ACCOUNT, Service::Impersonation),
                ("iamcredentials.mtls", ACCOUNT, Service::Impersonation),
                ("iamcredentials.europe-west1.rep", ACCOUNT, Service::Impersonation),
                ("europe-west1-iamcredentials", ACCOUNT, Service::Impersonation),
                ("iamcredentials-mine.p", ACCOUNT, Service::Impersonation),
                ("iamcredentials", "", Service::IamCredentials),
            ] {
                let url = format!("https://{host}.{universe}/{path}");
                assert_eq!(services(&url, universe), [service], "{url}");
                assert_eq!(services(&format!("{url}?x"), universe), [], "{url}");
                assert_eq!(services(&format!("{url}//"), universe), [], "{url}");
                assert_eq!(services(&url.replacen("https", "http", 1), universe), [], "{url}");
                assert_eq!(
                    services(&format!("https://{host}.{universe}:8443/{path}"), universe),
                    [],
                    "{url}"
                );
                assert_eq!(services(&format!("https://x.{host}.{universe}/{path}"), universe), [], "{url}");
                assert_eq!(services(&format!("https://{host}.{universe}.evil.example/{path}"), universe), []);
                assert_eq!(services(&format!("https://{host}x{universe}/{path}"), universe), []);
            }
        }
        for old in OLD_TOKEN_ENDPOINTS {
            assert_eq!(services(old, "googleapis.com"), [Service::Token], "{old}");
            assert_eq!(services(&format!("{old}/x"), "googleapis.com"), [], "{old}");
        }
    }

    #[test]
    fn googles_other_hosts_and_other_paths_are_strangers() {
        for url in [
            "https://storage.googleapis.com/upload/storage/v1/b/bucket/o",
            "https://storage.googleapis.com/token",
            "https://bucket.storage.googleapis.com/token",
            "https://firebasestorage.googleapis.com/v1/token",
            "https://www.googleapis.com/upload/storage/v1/b/bucket/o",
            "https://script.googleapis.com/v1/scripts/x:run",
            "https://oauth2.googleapis.com/revoke",
            "https://oauth2.googleapis.com/token/",
            "https://oauth2.googleapis.com/%74oken",
            "https://oauth2.googleapis.com/x/../token",
            "https://oauth2.googleapis.com//token",
            "https://sts.googleapis.com/v1/token/../../x",
            "https://sts.evil.rep.googleapis.com/v1/token",
            "https://evil-sts.googleapis.com/v1/token",
            "https://sts.p.googleapis.com/v1/token",
            "https://us-central1-oauth2.googleapis.com/token",
            "https://storage.googleapis.com/v1/projects/-/serviceAccounts/a@b.example:generateAccessToken",
            "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/a@b.example:signBlob",
            "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/a@b/x@y.example:generateIdToken",
            "https://iamcredentials.googleapis.com/v1/projects/../serviceAccounts/a@b.example:generateIdToken",
            "https://iamcredentials.googleapis.com/x/v1/projects/-/serviceAccounts/a@b.example:generateIdToken",
            "https://accounts.google.com/token",
            "https://accounts.google.com/o/oauth2/token?x",
        ] {
            assert_eq!(services(url, "googleapis.com"), [], "{url}");
        }
    }

    #[test]
    fn a_region_and_a_project_have_the_forms_of_google() {
        const GOOGLE: &str = "googleapis.com";
        for (host, service, known) in [
            ("sts.us-central1.rep.googleapis.com", Service::Sts, true),
            ("sts.eu.rep.googleapis.com", Service::Sts, true),
            ("us-central1-sts.googleapis.com", Service::Sts, true),
            ("storage.us-central1.rep.googleapis.com", Service::Sts, false),
            ("sts.us-central.rep.googleapis.com", Service::Sts, false),
            ("sts.central1.rep.googleapis.com", Service::Sts, false),
            ("oauth2.us-central1.rep.googleapis.com", Service::Token, false),
            ("us-central1-oauth2.googleapis.com", Service::Token, false),
        ] {
            assert_eq!(has_host(host, service, GOOGLE), known, "{host}");
        }
        for (project, known) in [("-", true), ("shop-1", true), ("Shop", false), ("", false)] {
            let path = format!("/v1/projects/{project}/serviceAccounts/a@b.example:generateIdToken");
            assert_eq!(is_account_method(&path), known, "{project}");
        }
    }
}
