//! Where a credential file may send a secret, and whom it may ask for one.
//!
//! A file of unknown origin can name any URL as its token endpoint. Only Google's own endpoints are trusted, those of
//! [`endpoints`](super::endpoints); any other, a local emulator included, must be named by the user.

use crate::credentials::endpoints::{Service, is_endpoint};
use crate::credentials::fields::{Fields, invalid};
use crate::environment::{IAM_CREDENTIALS, TOKEN_HOST, TRUSTED_ENDPOINTS};
use crate::error::{Error, ErrorCode};
use crate::named_places::NamedPlaces;
use crate::url::Url;

/// The universe whose endpoints are trusted: Google's own cloud (AIP-4118 calls the domain `universe_domain`).
pub(crate) const DEFAULT_UNIVERSE: &str = "googleapis.com";

/// Where clouds put the metadata service of a machine: 169.254.169.254, and AWS's address of IPv6.
const LINK_LOCAL: [&str; 2] = ["169.254.169.254", "[fd00:ec2::254]"];
/// Google's own metadata server hands out tokens of Google, never subject tokens for Google: its names, its paths, and
/// the headers without which it does not answer.
const GOOGLE_METADATA_HOSTS: [&str; 2] = ["metadata.google.internal", "metadata"];
const GOOGLE_METADATA_PATH: &str = "computemetadata";
const GOOGLE_METADATA_HEADERS: [&str; 2] = ["metadata-flavor", "x-google-metadata-request"];
/// Headers by which one request could become another, or reach another host (RFC 9110, section 7.6.1; RFC 9112).
const CONNECTION_HEADERS: [&str; 13] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];
/// What these hold is this process's or the machine's own.
const SYSTEM_FOLDERS: [&str; 3] = ["proc", "sys", "dev"];

/// Google's endpoints, and those that the user has named.
#[derive(Clone, Debug, Default)]
pub(crate) struct TrustedEndpoints {
    named: NamedPlaces,
    /// Another universe, whose endpoints the user trusts as well.
    universe: Option<String>,
    /// The token endpoint of whoever does not name one, in place of Google's.
    token_uri: Option<String>,
    /// The IAM Credentials API of whoever does not name one, in place of Google's.
    iam_credentials: Option<String>,
}

impl TrustedEndpoints {
    /// Reads a list of [`NamedPlaces`].
    pub(crate) fn parse(list: &str) -> Self {
        Self { named: NamedPlaces::parse(list), ..Self::default() }
    }

    /// The same endpoints, with these in place of Google's own where a file names none.
    pub(crate) fn with_overrides(mut self, token_uri: Option<&str>, iam_credentials: Option<&str>) -> Self {
        self.token_uri = token_uri.map(str::to_owned);
        self.iam_credentials = iam_credentials.map(str::to_owned);
        self
    }

    /// The same endpoints, and those of this universe.
    pub(crate) fn in_universe(mut self, domain: Option<&str>) -> Result<Self, Error> {
        let is_domain =
            |domain: &str| Url::parse(&format!("https://{domain}/")).is_ok_and(|url| url.host() == domain);
        match domain {
            Some(domain) if !is_domain(domain) => Err(Error::new(
                ErrorCode::InvalidOption,
                "the universe domain is no plain host name in lower case, expected one such as googleapis.com",
            )),
            domain => {
                self.universe = domain.filter(|domain| *domain != DEFAULT_UNIVERSE).map(str::to_owned);
                Ok(self)
            }
        }
    }

    /// The universe that the user has named, or the default one.
    pub(crate) fn universe(&self) -> &str {
        self.universe.as_deref().unwrap_or(DEFAULT_UNIVERSE)
    }

    /// Reads `universe_domain` of a credential file. A file may not choose a universe by itself: that would be to
    /// choose every endpoint.
    pub(crate) fn universe_of<'a>(&'a self, fields: Fields<'a>) -> Result<&'a str, Error> {
        match fields.optional("universe_domain")? {
            None => Ok(DEFAULT_UNIVERSE),
            Some(domain) if domain == DEFAULT_UNIVERSE || domain == self.universe() => Ok(domain),
            Some(_) => Err(invalid(
                "universe_domain",
                "another universe",
                &format!(
                    "{} (if you trust another one, name it by GOOGLE_CLOUD_UNIVERSE_DOMAIN)",
                    self.universe()
                ),
            )),
        }
    }

    /// Reads the endpoint in a field of a credential file; one that is there but no string is refused like one that
    /// leads elsewhere.
    pub(super) fn field(
        &self,
        fields: Fields<'_>,
        name: &str,
        service: Service,
        default: Option<&str>,
    ) -> Result<Url, Error> {
        let text = if fields.is_written(name) { fields.optional(name).ok().flatten() } else { default };
        self.endpoint(name, service, text.unwrap_or_default())
    }

    /// Google's token endpoint, unless the user has named another.
    pub(super) fn token_uri(&self) -> Result<Url, Error> {
        let google = "https://oauth2.googleapis.com/token";
        self.endpoint(TOKEN_HOST, Service::Token, self.token_uri.as_deref().unwrap_or(google))
    }

    /// The IAM Credentials API of this universe, unless the user has named another endpoint.
    pub(super) fn iam_credentials(&self, universe: &str) -> Result<Url, Error> {
        let google = format!("https://iamcredentials.{universe}");
        self.endpoint(
            IAM_CREDENTIALS,
            Service::IamCredentials,
            self.iam_credentials.as_deref().unwrap_or(&google),
        )
    }

    /// Reads an endpoint that is nobody's but the user's.
    pub(super) fn own_endpoint(&self, fields: Fields<'_>, name: &str) -> Result<Url, Error> {
        let refused = |found: &str| not_allowed(name, found, "a URL whose host and port the user has named");
        let text = fields.optional(name).ok().flatten().unwrap_or_default();
        let url = Url::parse(text).map_err(refused)?;
        if self.names(&url) { Ok(url) } else { Err(refused(&format!("leads to {}", url.place()))) }
    }

    /// Reads the URL of a service that hands out subject tokens. It sees no secret of ours, so any `https` host will
    /// do; without TLS only a neighbour: a link-local metadata service, or an endpoint that the user has named. Google's
    /// own metadata server is none, however it is reached: its tokens are this machine's.
    pub(super) fn subject_token_source(&self, field: &str, text: &str) -> Result<Url, Error> {
        let url = Url::parse(text).map_err(|why| refused_source(field, why))?;
        let is_named = self.names(&url);
        let path = percent_decoded(url.as_str()).to_ascii_lowercase();
        if GOOGLE_METADATA_HOSTS.contains(&url.host()) || path.contains(GOOGLE_METADATA_PATH) {
            return Err(refused_source(
                field,
                "leads to Google's metadata server, which hands out no subject tokens",
            ));
        }
        if LINK_LOCAL.contains(&url.host()) || is_named || url.is_https() {
            return Ok(url);
        }
        let place = url.place();
        Err(refused_source(
            field,
            &format!(
                "begins with http:// and leads to {place} (if you trust it, name http://{place} in {TRUSTED_ENDPOINTS})"
            ),
        ))
    }

    /// Whether a subject token may be asked for with this header: not by one that makes another request of it, nor as
    /// Google's own metadata server is asked.
    pub(super) fn allows_header(name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        !CONNECTION_HEADERS.contains(&name.as_str()) && !GOOGLE_METADATA_HEADERS.contains(&name.as_str())
    }

    /// Whether a file may be read for a subject token, as far as its path says. A link is not seen: whoever can make one
    /// on this machine needs no credential file to read what is here.
    pub(super) fn allows_file(path: &str) -> bool {
        let path = path.replace('\\', "/");
        let mut parts: Vec<&str> = Vec::new();
        for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
            if part == ".." {
                parts.pop();
            } else {
                parts.push(part);
            }
        }
        // A path that climbs may climb to the root from wherever this process is.
        let is_rooted = path.starts_with('/') || path.split('/').any(|part| part == "..");
        let is_device = path.starts_with("//./") || path.starts_with("//?/");
        let is_system = parts.first().is_some_and(|first| SYSTEM_FOLDERS.contains(first));
        !(is_device || is_rooted && is_system)
    }

    /// Reads a URL of the AWS instance metadata service, which is always at the same addresses.
    pub(crate) fn aws_metadata(&self, field: &str, text: &str) -> Result<Url, Error> {
        let url = Url::parse(text).map_err(|why| refused_source(field, why))?;
        let is_google = percent_decoded(url.as_str()).to_ascii_lowercase().contains(GOOGLE_METADATA_PATH);
        if !is_google && (LINK_LOCAL.contains(&url.host()) || self.names(&url)) {
            return Ok(url);
        }
        Err(refused_source(field, "leads to another place than the AWS metadata service"))
    }

    fn names(&self, url: &Url) -> bool {
        self.named.include(url)
    }

    /// Reads an endpoint and refuses it unless it is Google's for this service, or named by the user.
    pub(super) fn endpoint(&self, field: &str, service: Service, text: &str) -> Result<Url, Error> {
        const EXPECTED: &str = "an endpoint of Google";
        let url = Url::parse(text).map_err(|why| not_allowed(field, why, EXPECTED))?;
        let is_google =
            is_endpoint(&url, service, DEFAULT_UNIVERSE) || is_endpoint(&url, service, self.universe());
        if is_google || self.names(&url) {
            return Ok(url);
        }
        let place = url.place();
        let found = match (url.is_https(), self.named.include_host_of(&url)) {
            (true, _) => format!("leads to {place}, and is none of the endpoints of Google that do this"),
            (false, true) => format!("begins with http:// (to trust that, name http://{place})"),
            (false, false) => format!("begins with http:// and leads to {place}"),
        };
        Err(not_allowed(field, &found, EXPECTED))
    }
}

/// What `%xx` means, read as often as it takes: a server may do the same.
fn percent_decoded(text: &str) -> String {
    let mut text = text.to_owned();
    while let Some((before, after)) = text.split_once('%') {
        let code = after.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        text = match (code, after.get(2..)) {
            (Some(code), Some(rest)) => format!("{before}{}{rest}", char::from(code)),
            _ => format!("{before}{after}"),
        };
    }
    text
}

fn not_allowed(field: &str, found: &str, expected: &str) -> Error {
    Error::new(ErrorCode::EndpointNotAllowed, format!("its field {field:?} {found}, expected {expected}"))
}

fn refused_source(field: &str, found: &str) -> Error {
    let expected = "an https URL, or a metadata service of this machine";
    Error::new(ErrorCode::CredentialsFileInvalid, format!("its field {field:?} {found}, expected {expected}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leads(trusted: &TrustedEndpoints, url: &str) -> bool {
        trusted.endpoint("token_uri", Service::Token, url).is_ok()
    }

    #[test]
    fn only_googles_endpoints_are_trusted_by_themselves() {
        let nobody = TrustedEndpoints::default();
        assert!(leads(&nobody, "https://oauth2.googleapis.com/token"));
        for bad in [
            "http://oauth2.googleapis.com/token",
            "https://evil.example/token",
            "https://sts.googleapis.com/v1/token",
            "https://oauth2.other.example/token",
            "http://127.0.0.1:8080/token",
            "",
        ] {
            let error = nobody.endpoint("token_uri", Service::Token, bad).unwrap_err();
            assert_eq!(error.code(), ErrorCode::EndpointNotAllowed, "{bad}");
        }
        let elsewhere = nobody.in_universe(Some("other.example")).unwrap();
        assert!(leads(&elsewhere, "https://oauth2.other.example/token"));
        assert!(leads(&elsewhere, "https://oauth2.googleapis.com/token"));
    }

    #[test]
    fn the_user_may_name_others() {
        let some = TrustedEndpoints::parse(
            " 127.0.0.1:8080, sts.example ,[::1]:9,emulator:8085,http://plain.example:81,https://Tls:1/,http://p",
        );
        for good in [
            "http://127.0.0.1:8080/token",
            "https://sts.example/x",
            "http://[::1]:9/t",
            "http://emulator:8085/x?y",
            "https://emulator:8085/x",
            "http://plain.example:81/x",
            "https://tls:1/",
            "http://p/x",
        ] {
            assert!(leads(&some, good), "{good}");
        }
        for bad in [
            "http://127.0.0.1:8081/token",
            "http://sts.example:443/x",
            "https://plain.example:81/x",
            "http://tls:1/",
            "http://emulator/x",
            "https://emulator.evil.example:8085/x",
        ] {
            assert!(!leads(&some, bad), "{bad}");
        }
        for listed in ["10.0.0.1:8080", "sts.example:8080"] {
            let error = TrustedEndpoints::parse(listed)
                .endpoint("token_uri", Service::Token, &format!("http://{listed}/x"))
                .unwrap_err();
            assert!(error.to_string().contains(&format!("name http://{listed}")), "{error}");
        }
    }

    #[test]
    fn googles_metadata_server_gives_no_subject_token() {
        let nobody = TrustedEndpoints::parse("127.0.0.1:8085");
        for bad in [
            "http://169.254.169.254/computeMetadata/v1/instance/service-accounts/default/token",
            "http://169.254.169.254/computemetadata/v1/",
            "http://169.254.169.254/%63omputeMetadata/v1/",
            "http://169.254.169.254/%2563omputeMetadata/v1/",
            "http://169.254.169.254/x/../computeMetadata/v1/",
            "https://metadata.google.internal/x",
            "https://METADATA/x",
            "http://127.0.0.1:8085/computeMetadata/v1/",
            "http://2852039166/x",
            "http://other.example/token",
            "http://127.0.0.1:8086/token",
        ] {
            assert!(nobody.subject_token_source("url", bad).is_err(), "{bad}");
        }
        for good in [
            "http://169.254.169.254/metadata/identity?x=%zz",
            "http://127.0.0.1:8085/t",
            "https://a.example/t",
        ] {
            assert!(nobody.subject_token_source("url", good).is_ok(), "{good}");
        }
        let error = nobody.subject_token_source("url", "http://localhost:4141/token").unwrap_err();
        assert!(
            error.to_string().contains("name http://localhost:4141 in GATEPASS_TRUSTED_ENDPOINTS"),
            "{error}"
        );
        for bad in ["Metadata-Flavor", "HOST", "transfer-encoding", "Connection", "content-length", "TE"] {
            assert!(!TrustedEndpoints::allows_header(bad), "{bad}");
        }
        assert!(
            TrustedEndpoints::allows_header("Metadata") && TrustedEndpoints::allows_header("authorization")
        );
    }

    #[test]
    fn files_of_the_operating_system_are_known_however_they_are_written() {
        for bad in [
            "/proc/self/environ",
            "//proc/self/environ",
            "/./proc/self/environ",
            "/run/../proc/self/environ",
            "/../../proc/x",
            "../../../../proc/self/environ",
            "x/../../proc/x",
            "/run/x/../../sys/x",
            "/dev//stdin",
            r"\\.\pipe\x",
        ] {
            assert!(!TrustedEndpoints::allows_file(bad), "{bad}");
        }
        for good in [
            "/var/run/token",
            "token",
            "proc/token",
            "/home/proc/token",
            "../token",
            "/process/x",
            r"C:\token",
        ] {
            assert!(TrustedEndpoints::allows_file(good), "{good}");
        }
    }
}
