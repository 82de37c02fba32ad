//! What keeps web pages out: a page that a developer has open can send requests to any address of this machine, and
//! under a name of its own that leads here (DNS rebinding) read the answers.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::Config;
use crate::http::{Request, Response};

/// Names under which the emulator is reached. No other machine can make them lead here.
const OUR_NAMES: [&str; 2] = ["localhost", "metadata.google.internal"];

/// Refuses a request that a foreign web page may have sent; nothing if it is none.
pub(crate) fn refuse(config: &Config, request: &Request) -> Option<Response> {
    let is_ours = |authority: &str| {
        let host = host_of(authority);
        is_address(host)
            || OUR_NAMES.iter().any(|name| host.eq_ignore_ascii_case(name))
            || config.host_names.iter().any(|name| host.eq_ignore_ascii_case(name))
    };
    // Browsers always send a Host, and say where a request comes from. What is missing was not sent by one.
    let hosts = request.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("host"));
    if let Some((_, host)) = hosts.into_iter().find(|(_, host)| !is_ours(host)) {
        return Some(forbidden(&format!(
            "the request names the host {host:?}; expected an IP address, localhost, or a name that the emulator was \
             started with: gatepass emulator --san NAME"
        )));
    }
    if request.header("Sec-Fetch-Site").is_some_and(|site| site.trim().eq_ignore_ascii_case("cross-site")) {
        return Some(forbidden(
            "the request comes from a web page of another site (Sec-Fetch-Site: cross-site)",
        ));
    }
    let origin = request.header("Origin")?;
    let authority = origin.split_once("://").map(|(_, authority)| authority);
    if authority.is_some_and(is_ours) {
        None
    } else {
        Some(forbidden(&format!("the request comes from a web page of another site (Origin: {origin:?})")))
    }
}

fn forbidden(why: &str) -> Response {
    Response::new(403, "text/plain; charset=utf-8", format!("{why}\n"))
}

/// Gives the host of `host` or `host:port`.
fn host_of(authority: &str) -> &str {
    let authority = authority.trim();
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}

/// No name leads a browser to an address.
fn is_address(host: &str) -> bool {
    let v6 = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    host.parse::<Ipv4Addr>().is_ok() || v6.is_some_and(|host| host.parse::<Ipv6Addr>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_refused(headers: &[(&str, &str)]) -> bool {
        let mut config = Config::new("http://127.0.0.1:8085");
        config.host_names = vec!["emulator".to_owned()];
        let request =
            headers.iter().fold(Request::get("/"), |request, (name, value)| request.with_header(name, value));
        refuse(&config, &request).is_some_and(|response| response.status == 403)
    }

    #[test]
    fn programs_on_this_machine_and_named_ones_are_served() {
        for host in [
            "127.0.0.1:8085",
            "127.0.0.1",
            "[::1]:8085",
            "[::1]",
            "localhost:1",
            "LOCALHOST",
            "emulator:8085",
        ] {
            assert!(!is_refused(&[("Host", host)]), "{host}");
        }
        for host in ["metadata.google.internal", "169.254.169.254", "172.17.0.2:8085"] {
            assert!(!is_refused(&[("host", host)]), "{host}");
        }
        assert!(!is_refused(&[]));
        for site in ["same-origin", "same-site", "none"] {
            assert!(!is_refused(&[("Host", "localhost"), ("Sec-Fetch-Site", site)]), "{site}");
        }
        for origin in ["http://localhost:3000", "https://127.0.0.1", "http://emulator:8085"] {
            assert!(!is_refused(&[("Host", "localhost"), ("Origin", origin)]), "{origin}");
        }
    }

    #[test]
    fn foreign_names_and_pages_are_refused() {
        for host in [
            "rebound.evil.example",
            "rebound.evil.example:8085",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "127.0.0.1@evil.example",
            "::1",
            "[::1].evil.example",
            "0x7f.1",
            "",
        ] {
            assert!(is_refused(&[("Host", host)]), "{host}");
        }
        assert!(is_refused(&[("Host", "127.0.0.1"), ("host", "evil.example")]));
        assert!(is_refused(&[("Host", "127.0.0.1"), ("Sec-Fetch-Site", "Cross-Site")]));
        for origin in ["https://evil.example", "null", "", "http://localhost.evil.example"] {
            assert!(is_refused(&[("Host", "127.0.0.1"), ("Origin", origin)]), "{origin}");
        }
    }
}
