//! The page on which a developer watches and steers the emulator: static files, which ask the control API.

use crate::http::{Request, Response};

/// Nothing is loaded from, or sent to, anywhere but the emulator.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";

/// Whether a browser asks for the root: the metadata server's clients want no HTML.
pub(crate) fn is_wanted(request: &Request) -> bool {
    let wants_html = || request.header("Accept").is_some_and(|accept| accept.contains("text/html"));
    request.path == "/" && request.is_read() && request.header("Metadata-Flavor").is_none() && wants_html()
}

pub(crate) fn index() -> Response {
    file("text/html; charset=utf-8", include_str!("page/index.html"))
}

/// A file of the page, below the control API's root.
pub(crate) fn asset(path: &str) -> Option<Response> {
    match path {
        "/emulator/base.css" => Some(file("text/css; charset=utf-8", include_str!("page/base.css"))),
        "/emulator/page.css" => Some(file("text/css; charset=utf-8", include_str!("page/page.css"))),
        "/emulator/page.js" => Some(file("text/javascript; charset=utf-8", include_str!("page/page.js"))),
        _ => None,
    }
}

fn file(content_type: &str, text: &str) -> Response {
    Response::new(200, content_type, text)
        .with_header("Content-Security-Policy", POLICY)
        .with_header("X-Content-Type-Options", "nosniff")
        .with_header("Referrer-Policy", "no-referrer")
        .with_header("Cache-Control", "no-store")
}
