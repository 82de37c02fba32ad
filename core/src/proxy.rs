//! Which proxy a request goes through: `HTTPS_PROXY` and its kin, as curl reads them, one rule for every host language.

use core::net::IpAddr;

use crate::environment::Environment;
use crate::error::{Error, ErrorCode};
use crate::secret::Secret;
use crate::step::{Route, Step};
use crate::url::Url;

/// The metadata servers' names and addresses: a proxy would answer for its own machine.
const METADATA_HOSTS: [&str; 3] = ["metadata", "metadata.google.internal", "[fd00:ec2::254]"];

/// What the environment says about proxies.
#[derive(Default)]
pub(crate) struct Proxies {
    http: Option<Proxy>,
    https: Option<Proxy>,
    no_proxy: String,
}

/// A proxy, and the variable that names it.
#[derive(Clone)]
struct Proxy {
    named_by: &'static str,
    url: Secret<String>,
}

impl Proxies {
    /// Reads the variables, those in lower case first.
    pub(crate) fn of(environment: &Environment) -> Self {
        let proxy = |names: [&'static str; 2]| {
            names.into_iter().find_map(|named_by| {
                let url = environment.secret(named_by)?.clone();
                Some(Proxy { named_by, url })
            })
        };
        let all = proxy(["all_proxy", "ALL_PROXY"]);
        // A CGI script's HTTP_PROXY is what the caller has put into the header Proxy.
        let is_cgi = environment.var("REQUEST_METHOD").is_some();
        let http =
            if is_cgi { proxy(["http_proxy", "http_proxy"]) } else { proxy(["http_proxy", "HTTP_PROXY"]) };
        let no_proxy = environment.var("no_proxy").or_else(|| environment.var("NO_PROXY"));
        Self {
            http: http.or_else(|| all.clone()),
            https: proxy(["https_proxy", "HTTPS_PROXY"]).or(all),
            no_proxy: no_proxy.unwrap_or_default().to_owned(),
        }
    }

    /// The step with the proxy that its request goes through, if it is one that sends a request.
    pub(crate) fn apply<T>(&self, step: Step<T>) -> Step<T> {
        let Step::Send(mut request) = step else { return step };
        if request.route == Route::Direct {
            return Step::Send(request);
        }
        match Url::parse(&request.url).ok().map(|url| self.proxy_of(&url)) {
            None => Step::Send(request),
            Some(Err(error)) => Step::Fail(error),
            Some(Ok(proxy)) => {
                request.proxy = proxy;
                Step::Send(request)
            }
        }
    }

    fn proxy_of(&self, url: &Url) -> Result<Option<Secret<String>>, Error> {
        let proxy = if url.is_https() { &self.https } else { &self.http };
        match proxy {
            Some(proxy) if !is_answered_by_neighbour(url) && !self.is_excepted(url) => proxy.url().map(Some),
            _ => Ok(None),
        }
    }

    /// Whether `NO_PROXY` names this host: names with all below them, addresses, ranges of them, `*` for all; each with a
    /// port, if only that port is meant.
    fn is_excepted(&self, url: &Url) -> bool {
        let is_separator = |c: char| c == ',' || c.is_ascii_whitespace();
        let entries = self.no_proxy.split(is_separator).filter(|entry| !entry.is_empty());
        let (host, host_and_port) = (unbracketed(url.host()), url.host_and_port());
        let port = host_and_port.rsplit(':').next().unwrap_or_default();
        entries.into_iter().any(|entry| {
            let (name, wanted) = split_port(entry);
            wanted.is_none_or(|wanted| wanted == port) && is_named(host, name)
        })
    }
}

impl Proxy {
    fn url(&self) -> Result<Secret<String>, Error> {
        let text = self.url.expose().trim();
        let (scheme, _) = text.split_once("://").unwrap_or(("http", text));
        let refused = |found: &str| {
            let named_by = self.named_by;
            Error::new(
                ErrorCode::InvalidOption,
                format!("{named_by} {found}, expected the URL of a proxy such as http://proxy.example:3128"),
            )
        };
        match scheme.to_ascii_lowercase().as_str() {
            "http" | "https" => {
                let with_scheme =
                    if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
                let authority = with_scheme.split_once("://").map_or("", |(_, rest)| rest);
                // User and password are the proxy's affair.
                let place = authority.rsplit_once('@').map_or(authority, |(_, place)| place);
                Url::parse(&format!("http://{place}")).map_err(refused)?;
                Ok(Secret::new(with_scheme))
            }
            "socks4" | "socks4a" | "socks5" | "socks5h" => Err(refused("names a SOCKS proxy")),
            _ => Err(refused("names something else")),
        }
    }
}

/// Whether a neighbour answers, in whose place a proxy could answer for its own machine. By `https` it could not.
fn is_answered_by_neighbour(url: &Url) -> bool {
    !url.is_https() && is_near(url.host())
}

/// This machine itself, and the services next to it.
fn is_near(host: &str) -> bool {
    let is_name = METADATA_HOSTS.contains(&host) || host == "localhost" || host.ends_with(".localhost");
    is_name
        || match unbracketed(host).parse() {
            Ok(IpAddr::V4(address)) => address.is_loopback() || address.is_link_local(),
            Ok(IpAddr::V6(address)) => {
                let inner = address.to_ipv4_mapped();
                address.is_loopback()
                    || address.is_unicast_link_local()
                    || inner.is_some_and(|inner| inner.is_loopback() || inner.is_link_local())
            }
            Err(_) => false,
        }
}

fn unbracketed(host: &str) -> &str {
    host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host)
}

/// A name or an address, and the port behind it.
fn split_port(entry: &str) -> (&str, Option<&str>) {
    if entry.matches(':').count() > 1 && !entry.starts_with('[') {
        return (entry, None);
    }
    match entry.rsplit_once(':') {
        Some((name, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => {
            (name, Some(port))
        }
        _ => (entry, None),
    }
}

fn is_named(host: &str, name: &str) -> bool {
    if name == "*" {
        return true;
    }
    let name = unbracketed(name);
    if let Ok(address) = host.parse::<IpAddr>() {
        return match name.split_once('/') {
            Some((network, bits)) => is_within(address, network, bits),
            None => name.parse() == Ok(address),
        };
    }
    let name = name.strip_prefix("*.").or_else(|| name.strip_prefix('.')).unwrap_or(name);
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    let before = host.strip_suffix(name.as_str());
    !name.is_empty() && before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

fn is_within(address: IpAddr, network: &str, bits: &str) -> bool {
    let (Ok(network), Ok(bits)) = (network.parse(), bits.parse::<u32>()) else { return false };
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) if bits <= 32 => {
            let differing = address.to_bits() ^ network.to_bits();
            differing.checked_shr(32 - bits).unwrap_or(0) == 0
        }
        (IpAddr::V6(address), IpAddr::V6(network)) if bits <= 128 => {
            let differing = address.to_bits() ^ network.to_bits();
            differing.checked_shr(128 - bits).unwrap_or(0) == 0
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxy(env: &[(&str, &str)], url: &str) -> Result<Option<String>, ErrorCode> {
        let env = env.iter().map(|(name, value)| ((*name).to_owned(), Secret::from(*value))).collect();
        let proxies = Proxies::of(&Environment::new(env));
        let proxy = proxies.proxy_of(&Url::parse(url).unwrap());
        proxy.map(|proxy| proxy.map(|url| url.expose().clone())).map_err(|error| error.code())
    }

    #[test]
    fn the_schemes_own_variable_comes_before_the_one_for_all() {
        const HTTPS: &str = "https://a.example/x";
        for (env, url, expected) in [
            (&[][..], HTTPS, None),
            (&[("https_proxy", "http://p:1"), ("HTTPS_PROXY", "http://q:1")], HTTPS, Some("http://p:1")),
            (&[("https_proxy", ""), ("HTTPS_PROXY", "q:1")], HTTPS, Some("http://q:1")),
            (&[("ALL_PROXY", "https://u:w@p:1/")], HTTPS, Some("https://u:w@p:1/")),
            (&[("HTTP_PROXY", "p:1")], HTTPS, None),
            (&[("HTTP_PROXY", "p:1")], "http://a.example", Some("http://p:1")),
            (&[("HTTP_PROXY", "p:1"), ("REQUEST_METHOD", "GET")], "http://a.example", None),
            (&[("http_proxy", "p:1"), ("REQUEST_METHOD", "GET")], "http://a.example", Some("http://p:1")),
        ] {
            assert_eq!(proxy(env, url), Ok(expected.map(str::to_owned)), "{env:?} {url}");
        }
    }

    #[test]
    fn no_proxy_is_read_as_curl_reads_it() {
        for (no_proxy, url, direct) in [
            ("*", "https://a.example", true),
            ("example", "https://a.example", true),
            ("a.example", "https://a.example", true),
            (".example", "https://a.example", true),
            ("*.example", "https://a.example", true),
            ("x.example, A.Example.", "https://a.example:8443", true),
            ("b.example a.example", "https://a.example", true),
            ("ple", "https://a.example", false),
            ("b.a.example", "https://a.example", false),
            ("a.example:443", "https://a.example", true),
            ("a.example:8443", "https://a.example", false),
            ("10.0.0.0/8", "https://10.1.2.3", true),
            ("10.0.0.0/8", "https://11.1.2.3", false),
            ("0.0.0.0/0", "https://11.1.2.3", true),
            ("10.1.2.3", "https://10.1.2.3", true),
            ("10.1.2.3:443", "https://10.1.2.3:444", false),
            ("10.1.2.3/33", "https://10.1.2.3", false),
            ("2001:db8::/32", "https://[2001:db8::1]", true),
            ("2001:db8::/32", "https://[2001:db9::1]", false),
            ("2001:db8::/129", "https://[2001:db8::1]", false),
            ("::/0", "https://[2001:db8::1]", true),
            ("2001:db8::1", "https://[2001:db8::1]", true),
            ("[2001:db8::1]", "https://[2001:db8::1]", true),
            ("[2001:db8::1]:443", "https://[2001:db8::1]", true),
            ("2001:db8::2", "https://[2001:db8::1]", false),
            ("", "https://a.example", false),
            (",", "https://a.example", false),
        ] {
            for name in ["no_proxy", "NO_PROXY"] {
                let found = proxy(&[("https_proxy", "http://p:1"), (name, no_proxy)], url);
                assert_eq!(found, Ok((!direct).then(|| "http://p:1".to_owned())), "{no_proxy:?} {url}");
            }
        }
    }

    #[test]
    fn this_machine_and_metadata_servers_are_never_asked_by_proxy() {
        let env = [("all_proxy", "http://p:1")];
        for near in [
            "http://169.254.169.254/x",
            "http://169.254.170.2/x",
            "http://169.254.170.23/x",
            "http://metadata.google.internal/x",
            "http://metadata/x",
            "http://127.0.0.1:8085",
            "http://127.9.9.9",
            "http://localhost:8085",
            "http://x.localhost",
            "http://[::1]:8085",
            "http://[fe80::1]",
            "http://[fd00:ec2::254]",
            "http://[::ffff:169.254.169.254]",
        ] {
            assert_eq!(proxy(&env, near), Ok(None), "{near}");
        }
        assert_eq!(proxy(&env, "http://169.253.0.1/x"), Ok(Some("http://p:1".to_owned())));
    }

    #[test]
    fn a_proxy_that_cannot_be_used_is_an_error_without_its_password() {
        for bad in
            ["socks5://u:hush@p:1", "socks4a://p:1", "ftp://u:hush@p", "http://u:hush@", "http://a b", "p:x"]
        {
            assert_eq!(
                proxy(&[("https_proxy", bad)], "https://a.example"),
                Err(ErrorCode::InvalidOption),
                "{bad}"
            );
            let named = Proxy { named_by: "https_proxy", url: bad.into() };
            let error = named.url().unwrap_err().to_string();
            assert!(error.contains("https_proxy") && !error.contains("hush"), "{error}");
            assert_eq!(error.contains("a SOCKS proxy"), bad.starts_with("socks"), "{error}");
        }
    }
}
