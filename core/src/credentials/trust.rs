//! Where a credential file may send a secret.
//!
//! A file of unknown origin can name any host as its token endpoint. Only Google's own hosts are trusted; any
//! other, a local emulator included, must be named by the user.

use crate::credentials::fields::{Fields, invalid};
use crate::environment::{IAM_CREDENTIALS, TOKEN_HOST};
use crate::error::{Error, ErrorCode};
use crate::url::Url;

/// The universe whose endpoints are trusted: Google's own cloud (AIP-4118 calls the domain `universe_domain`).
pub(crate) const DEFAULT_UNIVERSE: &str = "googleapis.com";

/// Where clouds put the metadata service of a machine: 169.254.169.254, and AWS's address of IPv6.
const LINK_LOCAL: [&str; 2] = ["169.254.169.254", "[fd00:ec2::254]"];
/// Google's own metadata server hands out tokens of Google, never subject tokens for Google.
const GOOGLE_METADATA: &str = "metadata.google.internal";

/// Google's endpoints, and those that the user has named.
#[derive(Clone, Debug, Default)]
pub(crate) struct TrustedEndpoints {
    /// `host:port`, in lower case.
    named: Vec<String>,
    /// Another universe, whose endpoints the user trusts as well.
    universe: Option<String>,
    /// The token endpoint of whoever does not name one, in place of Google's.
    token_uri: Option<String>,
    /// The IAM Credentials API of whoever does not name one, in place of Google's.
    iam_credentials: Option<String>,
}

impl TrustedEndpoints {
    /// Reads `host` or `host:port`, separated by commas; a host alone stands for its port 443.
    pub(crate) fn parse(list: &str) -> Self {
        let entries = list.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        let with_port = |entry: &str| {
            let after_brackets = entry.rsplit(']').next().unwrap_or(entry);
            if after_brackets.contains(':') {
                entry.to_ascii_lowercase()
            } else {
                format!("{entry}:443").to_ascii_lowercase()
            }
        };
        Self { named: entries.map(with_port).collect(), ..Self::default() }
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
    pub(crate) fn field(&self, fields: Fields<'_>, name: &str, default: Option<&str>) -> Result<Url, Error> {
        let text = if fields.has(name) { fields.optional(name).ok().flatten() } else { default };
        self.endpoint(name, text.unwrap_or_default())
    }

    /// Google's token endpoint, unless the user has named another.
    pub(crate) fn token_uri(&self) -> Result<Url, Error> {
        self.endpoint(TOKEN_HOST, self.token_uri.as_deref().unwrap_or("https://oauth2.googleapis.com/token"))
    }

    /// The IAM Credentials API of this universe, unless the user has named another endpoint.
    pub(crate) fn iam_credentials(&self, universe: &str) -> Result<Url, Error> {
        let google = format!("https://iamcredentials.{universe}");
        self.endpoint(IAM_CREDENTIALS, self.iam_credentials.as_deref().unwrap_or(&google))
    }

    /// Reads the URL of a service that hands out subject tokens. It sees no secret of ours, so any `https` host will
    /// do; without TLS only a neighbour: a link-local metadata service, or an endpoint that the user has named.
    pub(crate) fn subject_token_source(&self, field: &str, text: &str) -> Result<Url, Error> {
        let url = Url::parse(text).map_err(|why| refused_source(field, why))?;
        if LINK_LOCAL.contains(&url.host())
            || self.names(&url)
            || (url.is_https() && url.host() != GOOGLE_METADATA)
        {
            return Ok(url);
        }
        Err(refused_source(field, "leads to a place that hands out no subject tokens"))
    }

    /// Reads a URL of the AWS instance metadata service, which is always at the same addresses.
    pub(crate) fn aws_metadata(&self, field: &str, text: &str) -> Result<Url, Error> {
        let url = Url::parse(text).map_err(|why| refused_source(field, why))?;
        if LINK_LOCAL.contains(&url.host()) || self.names(&url) {
            return Ok(url);
        }
        Err(refused_source(field, "leads to another host than the AWS metadata service"))
    }

    fn names(&self, url: &Url) -> bool {
        self.named.contains(&url.host_and_port()) && (url.is_https() || url.is_loopback())
    }

    /// Reads an endpoint of a credential file and refuses it unless it is trusted.
    pub(crate) fn endpoint(&self, field: &str, text: &str) -> Result<Url, Error> {
        let refused = |found: &str| {
            Error::new(
                ErrorCode::EndpointNotAllowed,
                format!("its field {field:?} {found}, expected an https URL of Google"),
            )
        };
        let url = Url::parse(text).map_err(refused)?;
        if self.names(&url) {
            return Ok(url);
        }
        if !url.is_https() {
            return Err(refused("begins with http://"));
        }
        if url.explicit_port().is_some() {
            return Err(refused("names a port"));
        }
        let within =
            |universe: &str| url.host().strip_suffix(universe).is_some_and(|host| host.ends_with('.'));
        let is_google =
            url.host() == "accounts.google.com" || within(DEFAULT_UNIVERSE) || within(self.universe());
        if is_google { Ok(url) } else { Err(refused("names a host that is not Google's")) }
    }
}

fn refused_source(field: &str, found: &str) -> Error {
    invalid(field, found, "an https URL, or a metadata service of this machine")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_googles_hosts_are_trusted_by_themselves() {
        let nobody = TrustedEndpoints::default();
        for good in [
            "https://oauth2.googleapis.com/token",
            "https://accounts.google.com/o/oauth2/token",
            "https://sts.us-central1.rep.googleapis.com/v1/token",
        ] {
            assert!(nobody.endpoint("token_uri", good).is_ok(), "{good}");
        }
        for bad in [
            "http://oauth2.googleapis.com/token",
            "https://evil.example/token",
            "https://oauth2.googleapis.com.evil.example/token",
            "https://evilgoogleapis.com/token",
            "https://googleapis.com/token",
            "https://oauth2.googleapis.com:8443/token",
            "http://127.0.0.1:8080/token",
            "http://2130706433/token",
            "",
        ] {
            assert_eq!(
                nobody.endpoint("token_uri", bad).unwrap_err().code(),
                ErrorCode::EndpointNotAllowed,
                "{bad}"
            );
        }
    }

    #[test]
    fn the_user_may_name_others() {
        let some = TrustedEndpoints::parse(" 127.0.0.1:8080, sts.example ,[::1]:9");
        for good in ["http://127.0.0.1:8080/token", "https://sts.example/x", "http://[::1]:9/t"] {
            assert!(some.endpoint("token_uri", good).is_ok(), "{good}");
        }
        for bad in ["http://127.0.0.1:8081/token", "http://sts.example:443/x"] {
            assert!(some.endpoint("token_uri", bad).is_err(), "{bad}");
        }
    }
}
