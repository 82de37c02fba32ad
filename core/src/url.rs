//! Endpoint URLs, read strictly: what a credential file names must mean the same to everyone who reads it.

use core::net::{Ipv4Addr, Ipv6Addr};

use crate::quote;

/// An absolute `http` or `https` URL without user information, fragment, white space or backslash.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Url {
    text: String,
    https: bool,
    host: String,
    port: Option<u16>,
}

impl Url {
    /// Longest URL that is read; Google's longest endpoint has 180 characters.
    const MAX_LENGTH: usize = 2048;

    /// Reads `text`, or says in a few words why it is no endpoint.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        if text.len() > Self::MAX_LENGTH {
            return Err("longer than 2048 characters");
        }
        if !text.bytes().all(|b| b.is_ascii_graphic() && !b"\\\"<>^`{|}".contains(&b)) {
            return Err("holds white space, control characters, a backslash or characters beyond ASCII");
        }
        let (https, rest) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
            (Some(rest), _) => (true, rest),
            (_, Some(rest)) => (false, rest),
            _ => return Err("does not begin with https://"),
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if text.contains('#') {
            return Err("has a fragment");
        }
        if authority.contains('@') {
            return Err("has user information before the host");
        }
        let (host, port) = split_port(authority)?;
        if !is_host(host) {
            return Err("has no plain host name");
        }
        Ok(Self { text: text.to_owned(), https, host: host.to_ascii_lowercase(), port })
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn is_https(&self) -> bool {
        self.https
    }

    /// The host in lower case, an IPv6 address in brackets.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Everything between the host and the query, as it is written: `/token`, or nothing.
    pub(crate) fn path(&self) -> &str {
        let after_scheme = self.text.split_once("://").map_or("", |(_, rest)| rest);
        let path =
            after_scheme.find(['/', '?']).and_then(|start| after_scheme.get(start..)).unwrap_or_default();
        path.split('?').next().unwrap_or_default()
    }

    pub(crate) fn has_query(&self) -> bool {
        self.text.contains('?')
    }

    /// The port, if it is not the scheme's own.
    pub(crate) fn explicit_port(&self) -> Option<u16> {
        self.port.filter(|port| *port != if self.https { 443 } else { 80 })
    }

    /// `host:port`, the port always given.
    pub(crate) fn host_and_port(&self) -> String {
        format!("{}:{}", self.host, self.port.unwrap_or(if self.https { 443 } else { 80 }))
    }

    /// Host and port as a message may show them.
    pub(crate) fn place(&self) -> String {
        // As it is written: in lower case, much that looks random does no longer.
        let port = self.host_and_port().rsplit(':').next().unwrap_or_default().to_owned();
        let after_scheme = self.text.split_once("://").map_or("", |(_, rest)| rest);
        let host = after_scheme.get(..self.host.len()).unwrap_or_default();
        if quote::harmless(host) == host {
            self.host_and_port()
        } else {
            format!("{}:{port}", quote::harmless(host))
        }
    }

    /// Whether the host is this machine's own loopback address.
    pub(crate) fn is_loopback(&self) -> bool {
        self.host == "localhost"
            || self.host == "[::1]"
            || self.host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
    }
}

fn split_port(authority: &str) -> Result<(&str, Option<u16>), &'static str> {
    let (host, port) = match authority.rfind(']') {
        Some(end) => {
            let (host, rest) = authority.split_at_checked(end + 1).unwrap_or((authority, ""));
            (
                host,
                if rest.is_empty() {
                    None
                } else {
                    Some(rest.strip_prefix(':').ok_or("has a malformed port")?)
                },
            )
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    match port {
        None => Ok((host, None)),
        Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => {
            digits.parse().map(|port| (host, Some(port))).map_err(|_| "has a malformed port")
        }
        Some(_) => Err("has a malformed port"),
    }
}

fn is_host(host: &str) -> bool {
    // What ends with a number is an address to some readers (2130706433, 0x7f.1): only its usual form is one to all.
    let last = host.rsplit('.').next().unwrap_or_default();
    let is_number =
        last.bytes().all(|b| b.is_ascii_digit()) || last.starts_with("0x") || last.starts_with("0X");
    if is_number && !last.is_empty() && host.parse::<Ipv4Addr>().is_err() {
        return false;
    }
    match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => {
            host.len() <= 253
                && host.split('.').all(|label| {
                    !label.is_empty()
                        && label.len() <= 63
                        && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
                })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_endpoints() {
        let url = Url::parse("https://OAuth2.googleapis.com:443/token").unwrap();
        assert_eq!((url.host(), url.explicit_port(), url.is_https()), ("oauth2.googleapis.com", None, true));
        let url = Url::parse("http://[::1]:8080/token").unwrap();
        assert_eq!((url.host_and_port().as_str(), url.is_loopback()), ("[::1]:8080", true));
        for (text, path, query) in [
            ("https://a", "", false),
            ("https://a?b/c", "", true),
            ("https://a/?b", "/", true),
            ("https://a:1/b//c/../d?e?f", "/b//c/../d", true),
            ("https://1.2.3.4/b", "/b", false),
        ] {
            let url = Url::parse(text).unwrap();
            assert_eq!((url.path(), url.has_query()), (path, query), "{text}");
        }
    }

    #[test]
    fn refuses_what_two_readers_could_read_differently() {
        for text in [
            "",
            "/token",
            "file:///etc/passwd",
            "https:///token",
            "https://a@b/",
            "https://a\\@b/",
            "https://a#b",
            "https://a b/",
            " https://a/",
            "https://a/\r\nHost: b",
            "https://a.com./x",
            "https://gооgle.com/",
            "https://a:b/",
            "https://[::1/x",
            "https://a..b/",
            "https://a:99999/",
            "HTTPS://a/",
            "https://2130706433/",
            "https://127.1/",
            "https://0x7f.0.0.1/",
            "https://0177.0.0.1/",
            "https://a.0x7f/",
            "https://a:+80/",
            "https://a*b/",
            "https://a/\u{7f}",
        ] {
            assert!(Url::parse(text).is_err(), "{text:?}");
        }
        assert!(Url::parse("https://a_b-c/").is_ok());
        let long = |length: usize| format!("https://a/{}", "x".repeat(length - 10));
        assert!(Url::parse(&long(2048)).is_ok() && Url::parse(&long(2049)).is_err());
    }
}
