//! Where a request goes: to its own URL, perhaps through a tunnel (RFC 9110, section 9.3.6), or, if it is a plain one, to a
//! proxy, which is taken for the server and asked for the absolute URL.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use gatepass_core::HttpRequest;
use ureq::http::Uri;
use ureq::http::uri::Scheme;
use ureq::{Proxy, ProxyProtocol};

/// Where a request goes.
pub(super) struct Route {
    pub(super) uri: Uri,
    /// The proxy that a tunnel leads through.
    pub(super) tunnel: Option<Proxy>,
    /// What a proxy has to find before the path.
    pub(super) origin: Option<String>,
    /// What the proxy is told.
    pub(super) headers: Vec<(&'static str, String)>,
}

impl Route {
    /// The core has read the environment: through this proxy and no other.
    ///
    /// # Errors
    /// Without the proxy's URL, which may hold a password.
    pub(super) fn of(request: &HttpRequest) -> Result<Self, String> {
        let uri: Uri = request.url.parse().map_err(|_| "the request's URL cannot be used".to_owned())?;
        let proxy = request.proxy.as_ref().map(|url| Proxy::new(url.expose())).transpose();
        match proxy.map_err(|_| "the proxy's URL cannot be used".to_owned())? {
            Some(proxy) if uri.scheme() == Some(&Scheme::HTTP) => Self::plainly(&proxy, &uri),
            tunnel => Ok(Self { uri, tunnel, origin: None, headers: Vec::new() }),
        }
    }

    fn plainly(proxy: &Proxy, uri: &Uri) -> Result<Self, String> {
        let scheme = if proxy.protocol() == ProxyProtocol::Https { Scheme::HTTPS } else { Scheme::HTTP };
        let authority = format!("{}:{}", proxy.host(), proxy.port());
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let sent = Uri::builder().scheme(scheme).authority(authority).path_and_query(path).build();
        let sent = sent.map_err(|_| "the request cannot be sent to a proxy".to_owned())?;
        let host = uri.authority().map(ToString::to_string).unwrap_or_default();
        let origin = Some(format!("http://{host}"));
        let mut headers = vec![("host", host)];
        if let Some(user) = proxy.username() {
            let login = format!("{user}:{}", proxy.password().unwrap_or_default());
            headers.push(("proxy-authorization", format!("Basic {}", BASE64_STANDARD.encode(login))));
        }
        Ok(Self { uri: sent, tunnel: None, origin, headers })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use gatepass_core::{Method, Route as By};

    use super::*;

    fn route(url: &str, proxy: Option<&str>) -> Result<Route, String> {
        Route::of(&HttpRequest {
            method: Method::Get,
            url: url.to_owned(),
            headers: Vec::new(),
            body: None,
            timeout_ms: 1,
            route: By::Default,
            proxy: proxy.map(Into::into),
            client_certificate: None,
            ca_certificate_path: None,
        })
    }

    #[test]
    fn a_plain_request_asks_the_proxy_for_the_absolute_url() {
        let found = route("http://a.example:8080/b?c", Some("http://us%40r:hush%3A@p.example:3128")).unwrap();
        assert_eq!(found.uri, "http://p.example:3128/b?c");
        assert_eq!(found.origin.as_deref(), Some("http://a.example:8080"));
        let login = BASE64_STANDARD.encode("us@r:hush:");
        let told = [("host", "a.example:8080".to_owned()), ("proxy-authorization", format!("Basic {login}"))];
        assert_eq!(found.headers, told);
        assert!(found.tunnel.is_none());
    }

    #[test]
    fn a_request_by_tls_goes_through_a_tunnel_and_others_straight() {
        let found = route("https://a.example/b", Some("http://p.example:3128")).unwrap();
        assert_eq!((found.uri.to_string().as_str(), found.headers.len()), ("https://a.example/b", 0));
        assert_eq!(found.tunnel.unwrap().host(), "p.example");
        let found = route("http://a.example/b", None).unwrap();
        assert!(found.uri == "http://a.example/b" && found.tunnel.is_none() && found.headers.is_empty());
    }

    #[test]
    fn a_proxy_that_cannot_be_used_is_refused_without_its_password() {
        let refused = route("http://a.example/b", Some("http://u:hush@p q")).err().unwrap();
        assert!(!refused.contains("hush"), "{refused}");
    }
}
