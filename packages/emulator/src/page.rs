//! The page on which a developer watches and steers the emulator: static files, which ask the control API. With it goes the
//! page that explains tokens, where the program has it.

use crate::Config;
use crate::http::{Request, Response};

/// Nothing is loaded from, or sent to, anywhere but the emulator.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";

/// The page that explains tokens loads a WebAssembly module, and sends nothing anywhere.
const INSPECTOR_POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
                                connect-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Where that page is.
const INSPECTOR: &str = "/emulator/inspector/";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

/// Whether a browser asks for the root: the metadata server's clients want no HTML.
pub(crate) fn is_wanted(request: &Request) -> bool {
    let wants_html = || request.header("Accept").is_some_and(|accept| accept.contains("text/html"));
    request.path == "/" && request.is_read() && request.header("Metadata-Flavor").is_none() && wants_html()
}

pub(crate) fn index(config: &Config) -> Response {
    let inspector = match config.inspector.is_empty() {
        false => format!(r#"<a href="{INSPECTOR}">Explain a token</a>"#),
        true => "The page that explains tokens is not with this program: start it with --inspector FOLDER."
            .to_owned(),
    };
    let page = include_str!("page/index.html").replace("<!-- inspector -->", &inspector);
    file(HTML, POLICY, page)
}

/// A file of either page, below the control API's root.
pub(crate) fn asset(config: &Config, path: &str) -> Option<Response> {
    match path {
        "/emulator/base.css" => Some(file(CSS, POLICY, include_str!("page/base.css"))),
        "/emulator/page.css" => Some(file(CSS, POLICY, include_str!("page/page.css"))),
        "/emulator/page.js" => Some(file(JAVASCRIPT, POLICY, include_str!("page/page.js"))),
        _ => {
            let name = match path.strip_prefix(INSPECTOR)? {
                "" => "index.html",
                name => name,
            };
            let content_type = match name.rsplit_once('.')?.1 {
                "html" => HTML,
                "css" => CSS,
                "js" => JAVASCRIPT,
                _ => return None,
            };
            Some(file(content_type, INSPECTOR_POLICY, config.inspector.get(name)?.clone()))
        }
    }
}

fn file(content_type: &str, policy: &str, content: impl Into<Vec<u8>>) -> Response {
    Response::new(200, content_type, content)
        .with_header("Content-Security-Policy", policy)
        .with_header("X-Content-Type-Options", "nosniff")
        .with_header("Referrer-Policy", "no-referrer")
        .with_header("Cache-Control", "no-store")
}
