//! Places that the user has named as theirs: hosts and ports besides Google's own that are trusted.

use crate::url::Url;

/// What `GATEPASS_TRUSTED_ENDPOINTS` and the option `trusted_endpoints` name.
#[derive(Clone, Debug, Default)]
pub(crate) struct NamedPlaces(Vec<Named>);

impl NamedPlaces {
    /// Reads `host` or `host:port`, separated by commas; a host alone is its port 443. With a scheme in front an entry is
    /// for that scheme only; that is how a host elsewhere is trusted without TLS.
    pub(crate) fn parse(list: &str) -> Self {
        let entries = list.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        Self(entries.map(Named::parse).collect())
    }

    /// Whether the URL leads to one of them, by a scheme that it is trusted for.
    pub(crate) fn include(&self, url: &Url) -> bool {
        self.0.iter().any(|named| named.is(url))
    }

    /// Whether the URL leads to one of them, by whatever scheme.
    pub(crate) fn include_host_of(&self, url: &Url) -> bool {
        self.0.iter().any(|named| named.host_and_port == url.host_and_port())
    }
}

/// One of them.
#[derive(Clone, Debug)]
struct Named {
    /// In lower case.
    host_and_port: String,
    /// Whether it is for `https` only, or for `http` only; `None`: for `http` where nobody else listens.
    https: Option<bool>,
}

impl Named {
    fn parse(entry: &str) -> Self {
        let entry = entry.to_ascii_lowercase();
        let (https, place) = match (entry.strip_prefix("https://"), entry.strip_prefix("http://")) {
            (Some(place), _) => (Some(true), place),
            (_, Some(place)) => (Some(false), place),
            _ => (None, entry.as_str()),
        };
        let place = place.strip_suffix('/').unwrap_or(place);
        let after_brackets = place.rsplit(']').next().unwrap_or(place);
        let port = if https == Some(false) { 80 } else { 443 };
        let host_and_port =
            if after_brackets.contains(':') { place.to_owned() } else { format!("{place}:{port}") };
        Self { host_and_port, https }
    }

    fn is(&self, url: &Url) -> bool {
        let is_protected = url.is_https() || url.is_loopback() || is_neighbour(url.host());
        let is_scheme = self.https.map_or(is_protected, |https| https == url.is_https());
        is_scheme && self.host_and_port == url.host_and_port()
    }
}

/// A name that only this machine's own network gives: of a container next to this one, or of a host without a domain.
fn is_neighbour(host: &str) -> bool {
    let is_address = host.starts_with('[') || host.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    !is_address && (!host.contains('.') || host.ends_with(".internal") || host.ends_with(".localhost"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_neighbour_has_a_name_that_only_its_own_network_knows() {
        for near in ["emulator", "sts.internal", "a.localhost"] {
            assert!(is_neighbour(near), "{near}");
        }
        for far in ["sts.example", "10.0.0.1", "[::1]", "a.internal.example", "2130706433"] {
            assert!(!is_neighbour(far), "{far}");
        }
    }

    #[test]
    fn a_place_is_known_by_its_host_and_port_whatever_the_scheme() {
        let named = NamedPlaces::parse("http://emulator:8085, sts.example");
        for (url, known) in [
            ("https://emulator:8085/x", true),
            ("https://sts.example/x", true),
            ("https://emulator:8086/x", false),
            ("https://other.example/x", false),
        ] {
            assert_eq!(named.include_host_of(&Url::parse(url).unwrap()), known, "{url}");
        }
    }
}
