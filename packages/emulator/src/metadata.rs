//! The metadata server, `http://metadata.google.internal/`.
//!
//! What it knows is a tree of directories and values. A directory is listed one entry per line, or, with
//! `recursive=true`, given as JSON. Identity and token are computed; they are in a listing, never in the JSON.

use std::fmt::Write;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::Config;
use crate::http::{Request, Response};
use crate::keys::KeyError;
use crate::mint::AccessToken;
use crate::time::UnixSeconds;
use crate::token_cache::{TokenCache, Wanted};

/// The scopes that Cloud Run and Compute Engine give a service by default.
const SCOPES: [&str; 2] =
    ["https://www.googleapis.com/auth/cloud-platform", "https://www.googleapis.com/auth/userinfo.email"];

/// The one directory that answers without its trailing slash: Node's library takes this path for its probe.
const PROBE_PATH: &str = "/computeMetadata/v1/instance";

/// Tells whether the path belongs to the metadata server.
pub(crate) fn owns(path: &str) -> bool {
    matches!(path, "/" | "/computeMetadata") || path.starts_with("/computeMetadata/")
}

/// Answers for a path that [`owns`] accepts.
pub(crate) fn answer(
    config: &Config,
    tokens: &TokenCache,
    request: &Request,
    now: UnixSeconds,
) -> Result<Response, KeyError> {
    let answered = match refusal(request) {
        Some(refused) => refused,
        None => match find(config, &request.path) {
            Some(Entry::Directory(entries)) => directory(&entries, request),
            Some(Entry::Text(text)) => value(request, "application/text", text),
            Some(Entry::Number(number)) => value(request, "application/text", number.to_string()),
            Some(Entry::Lines(lines)) => value(request, "application/text", lines.join("\n") + "\n"),
            Some(Entry::Identity) => identity(config, tokens, request, now)?,
            Some(Entry::AccessToken) => access_token(config, tokens, request, now)?,
            None => not_found(),
        },
    };
    Ok(answered
        .with_header("Metadata-Flavor", "Google")
        .with_header("Server", "Metadata Server for VM")
        .with_header("X-XSS-Protection", "0")
        .with_header("X-Frame-Options", "SAMEORIGIN"))
}

/// Turns away what may come from a browser or through a proxy. The root answers anyone, for that is how a program
/// finds out whether there is a metadata server.
fn refusal(request: &Request) -> Option<Response> {
    if request.path == "/" {
        return None;
    }
    let forwarded = request.header("X-Forwarded-For").is_some();
    match request.header("Metadata-Flavor") {
        Some("Google") if !forwarded => None,
        Some(flavor) if flavor != "Google" => Some(not_found()),
        _ => Some(Response::new(403, "text/html", r#"Missing required header "Metadata-Flavor": "Google""#)),
    }
}

/// A node of the tree.
enum Entry {
    Directory(Vec<(String, Entry)>),
    Text(String),
    Number(u64),
    Lines(Vec<String>),
    Identity,
    AccessToken,
}

fn tree(config: &Config) -> Entry {
    let text = |text: &str| Entry::Text(text.to_owned());
    let (number, region) = (config.project_number, &config.region);
    let account = || {
        directory_of([
            ("aliases", Entry::Lines(vec!["default".to_owned()])),
            ("email", text(config.service_account.email())),
            ("identity", Entry::Identity),
            ("scopes", Entry::Lines(SCOPES.map(str::to_owned).to_vec())),
            ("token", Entry::AccessToken),
        ])
    };
    let instance = directory_of([
        ("region", Entry::Text(format!("projects/{number}/regions/{region}"))),
        (
            "service-accounts",
            directory_of([("default", account()), (config.service_account.email(), account())]),
        ),
        ("zone", Entry::Text(format!("projects/{number}/zones/{region}-1"))),
    ]);
    let project = directory_of([
        ("numeric-project-id", Entry::Number(number)),
        ("project-id", text(&config.project_id)),
    ]);
    let universe = directory_of([("universe-domain", text("googleapis.com"))]);
    let version_1 = directory_of([("instance", instance), ("project", project), ("universe", universe)]);
    directory_of([("computeMetadata", directory_of([("v1", version_1)]))])
}

fn directory_of<const N: usize>(entries: [(&str, Entry); N]) -> Entry {
    Entry::Directory(entries.map(|(name, entry)| (name.to_owned(), entry)).into())
}

/// Walks down the path. A slash at the end makes no difference to a directory and rules a value out.
fn find(config: &Config, path: &str) -> Option<Entry> {
    let path = path.strip_prefix('/')?;
    let (path, wants_directory) = match path.strip_suffix('/') {
        Some(path) => (path, true),
        None => (path, path.is_empty()),
    };
    let mut entry = tree(config);
    for segment in path.split('/').filter(|_| !path.is_empty()) {
        let Entry::Directory(entries) = entry else { return None };
        let name = percent_decode_str(segment).decode_utf8().ok()?;
        entry = entries.into_iter().find(|(key, _)| *key == name)?.1;
    }
    let is_directory = matches!(entry, Entry::Directory(_));
    (is_directory || !wants_directory).then_some(entry)
}

fn directory(entries: &[(String, Entry)], request: &Request) -> Response {
    if !request.path.ends_with('/') && request.path != PROBE_PATH {
        return redirect_to_directory(request);
    }
    if request.query_parameter("recursive").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return value(request, "application/json", recursive(entries).to_string());
    }
    let mut listing = String::new();
    for (name, entry) in entries {
        let slash = if matches!(entry, Entry::Directory(_)) { "/" } else { "" };
        // Writing to a string cannot fail.
        let _ = writeln!(listing, "{name}{slash}");
    }
    value(request, "application/text", listing)
}

fn redirect_to_directory(request: &Request) -> Response {
    let query = if request.query.is_empty() { String::new() } else { format!("?{}", request.query) };
    Response::bare(301, Vec::new()).with_header("Location", &format!("{}/{query}", request.path))
}

fn recursive(entries: &[(String, Entry)]) -> Value {
    let members = entries.iter().filter_map(|(name, entry)| {
        let value = match entry {
            Entry::Directory(entries) => recursive(entries),
            Entry::Text(text) => json!(text),
            Entry::Number(number) => json!(number),
            Entry::Lines(lines) => json!(lines),
            Entry::Identity | Entry::AccessToken => return None,
        };
        Some((json_name(name), value))
    });
    Value::Object(Map::from_iter(members))
}

/// `service-accounts` is `serviceAccounts` in JSON. An e-mail keeps its hyphens.
fn json_name(name: &str) -> String {
    if name.contains('@') {
        return name.to_owned();
    }
    let mut words = name.split('-');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut camel, word| {
        let mut letters = word.chars();
        camel.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        camel.push_str(letters.as_str());
        camel
    })
}

fn value(request: &Request, content_type: &str, body: String) -> Response {
    if !request.is_read() {
        return Response::method_not_allowed("GET, HEAD");
    }
    let etag: String = Sha256::digest(&body).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    Response::new(200, content_type, body).with_header("ETag", &etag)
}

/// An ID token, as bare text. POST is for agents' bound tokens, whose certificate chain is not looked at.
///
/// `format=standard` leaves the e-mail out, as on Compute Engine. A request without `format` gets it, as on Cloud
/// Run. `licenses` is ignored.
fn identity(
    config: &Config,
    tokens: &TokenCache,
    request: &Request,
    now: UnixSeconds,
) -> Result<Response, KeyError> {
    if !is_read_or_post(request) {
        return Ok(Response::method_not_allowed("GET, HEAD, POST"));
    }
    let Some(audience) = request.query_parameter("audience").filter(|audience| !audience.is_empty()) else {
        return Ok(Response::new(400, "text/html", "non-empty audience parameter required"));
    };
    let with_email = request.query_parameter("format").as_deref() != Some("standard");
    let wanted = Wanted::Identity { audience: audience.clone(), with_email };
    let identity = tokens.get_or_mint(wanted, now, config.token_lifetime, |_| {
        let token = config.id_token(&config.service_account, &audience, now, config.token_lifetime);
        config.sign(if with_email { token } else { token.without("email").without("email_verified") })
    })?;
    Ok(Response::new(200, "text/html", identity.token))
}

/// An access token for the scopes asked for, as on Cloud Run, or for the service's own.
fn access_token(
    config: &Config,
    tokens: &TokenCache,
    request: &Request,
    now: UnixSeconds,
) -> Result<Response, KeyError> {
    if !is_read_or_post(request) {
        return Ok(Response::method_not_allowed("GET, HEAD, POST"));
    }
    let scope = match request.query_parameter("scopes") {
        Some(scopes) if !scopes.is_empty() => scopes.replace(',', " "),
        _ => SCOPES.join(" "),
    };
    let wanted = Wanted::AccessToken { scope: scope.clone() };
    let cached = tokens.get_or_mint(wanted, now, config.token_lifetime, |expires_at| {
        Ok(AccessToken::new(config.service_account.email(), scope, expires_at).encode())
    })?;
    let body = json!({
        "access_token": cached.token,
        "expires_in": cached.expires_at.since(now),
        "token_type": "Bearer",
    });
    Ok(Response::new(200, "application/json", body.to_string()))
}

fn is_read_or_post(request: &Request) -> bool {
    request.is_read() || request.method == "POST"
}

fn not_found() -> Response {
    let body = "<!DOCTYPE html>\n<html lang=en>\n<title>Error 404 (Not Found)!!1</title>\n<p>404. That’s an error.\n";
    Response::new(404, "text/html; charset=UTF-8", body)
}
