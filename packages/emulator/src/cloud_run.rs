//! Cloud Run's front end, which asks IAM before a service hears of a request: who may call, and what the service gets
//! to see of the caller's token.
//!
//! [`Service::decide`] takes the head of a request and gives what to do about it. Bodies do not concern it: whoever
//! serves the front end passes them on as they come. The keys are an argument, for they change while a service runs.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use rsa::pkcs1v15::{Signature, VerifyingKey};
use rsa::signature::Verifier;
use rsa::{BigUint, RsaPublicKey};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::ServiceAccount;
use crate::http::{Request, Response};
use crate::jws::{Object, Unverified};
use crate::mint::{AccessToken, GOOGLE_ISSUER, REMOVED_SIGNATURE};
use crate::time::UnixSeconds;

/// The header that Cloud Run looks at first. When it is there, `Authorization` is the service's own affair:
/// <https://cloud.google.com/run/docs/authenticating/service-to-service>.
const SERVERLESS_AUTHORIZATION: &str = "X-Serverless-Authorization";

/// The header that Cloud Run looks at otherwise.
const AUTHORIZATION: &str = "Authorization";

/// What an answer to a token says that Cloud Run cannot verify.
const INVALID_TOKEN: &str =
    r#"Bearer error="invalid_token" error_description="The access token could not be verified""#;

/// Both spellings of Google's issuer.
const ISSUERS: [&str; 2] = [GOOGLE_ISSUER, "accounts.google.com"];

/// The headers that belong to one connection, RFC 9110 section 7.6.1 and those that came before it.
const HOP_BY_HOP: [&str; 8] = [
    "Connection",
    "Keep-Alive",
    "Proxy-Authenticate",
    "Proxy-Authorization",
    "Proxy-Connection",
    "TE",
    "Transfer-Encoding",
    "Upgrade",
];

/// A service on Cloud Run, as far as its front end is concerned.
#[derive(Clone, Debug)]
pub struct Service {
    urls: [String; 2],
    /// Custom audiences, which are compared as they are.
    pub custom_audiences: Vec<String>,
    /// Who may call. With nobody in it, every call is refused, as with a new service on Cloud Run.
    pub invokers: Vec<Invoker>,
}

/// Whom IAM lets call a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Invoker {
    /// Everybody, with a token or without: the service is public.
    AllUsers,
    /// One account.
    Account(ServiceAccount),
}

/// What to do about a request.
#[derive(Clone, Debug)]
pub enum Decision {
    /// Send this head to the service, and the body after it. The framing is the sender's affair.
    Forward(Request),
    /// Answer instead of the service.
    Respond {
        /// The answer, which tells a caller as little as Cloud Run does.
        response: Response,
        /// What was wrong, for the log. Never holds a token.
        reason: String,
    },
}

impl Service {
    /// Sets up a service that nobody may call, with no custom audience.
    pub fn new(name: &HostLabel, project_number: u64, region: &HostLabel) -> Self {
        Self {
            urls: [
                format!("https://{name}-{project_number}.{region}.run.app"),
                format!(
                    "https://{name}-{}-{}.a.run.app",
                    url_hash(project_number, region),
                    region_code(region)
                ),
            ],
            custom_audiences: Vec::new(),
            invokers: Vec::new(),
        }
    }

    /// Gives the URLs of the service, of which callers may take either for the audience: the one made of project
    /// number and region, and the one with a hash. The hash is the emulator's own.
    pub fn urls(&self) -> &[String] {
        &self.urls
    }

    /// Tells whether everybody may call.
    pub fn is_public(&self) -> bool {
        self.invokers.contains(&Invoker::AllUsers)
    }

    /// Decides on a request that came from `client`. Its body is not looked at, and comes back with it.
    pub fn decide(
        &self,
        request: Request,
        client: IpAddr,
        keys: &PublishedKeys,
        now: UnixSeconds,
    ) -> Decision {
        if self.is_public() {
            // A public service gets all headers as they came: what is in them is its own affair.
            return Decision::Forward(self.passed_on(request, client));
        }
        match self.authorize(&request, keys, now) {
            Ok(checked) => {
                let request = without_signature(request, checked);
                Decision::Forward(self.passed_on(request, client))
            }
            Err(refusal) => {
                Decision::Respond { response: refusal.response(&request), reason: refusal.to_string() }
            }
        }
    }

    /// Gives the name of the header that holds the caller's token, which is found to be good.
    fn authorize(
        &self,
        request: &Request,
        keys: &PublishedKeys,
        now: UnixSeconds,
    ) -> Result<&'static str, Refusal> {
        let checked = if request.header(SERVERLESS_AUTHORIZATION).is_some() {
            SERVERLESS_AUTHORIZATION
        } else {
            AUTHORIZATION
        };
        let claims = self.verify(bearer_token(request, checked)?, keys, now)?;
        if self.invokers.iter().any(|invoker| invoker.is(&claims)) {
            Ok(checked)
        } else {
            Err(Refusal::NotAnInvoker { caller: caller(&claims) })
        }
    }

    fn verify(&self, token: &str, keys: &PublishedKeys, now: UnixSeconds) -> Result<Object, Refusal> {
        if AccessToken::decode(token).is_some() {
            return Err(Refusal::AccessToken);
        }
        let jws = Unverified::parse(token).ok_or(Refusal::Malformed)?;
        if !keys.have_signed(&jws) {
            return Err(Refusal::WrongSignature);
        }
        let text = |claim| jws.claims.get(claim).and_then(Value::as_str);
        if !text("iss").is_some_and(|issuer| ISSUERS.contains(&issuer)) {
            return Err(Refusal::WrongIssuer);
        }
        if !text("aud").is_some_and(|audience| self.is_audience(audience)) {
            let expected = self.urls.iter().chain(&self.custom_audiences).cloned().collect();
            return Err(Refusal::WrongAudience { expected });
        }
        let expires_at = jws.claims.get("exp").and_then(Value::as_u64).map(UnixSeconds);
        if expires_at.is_none_or(|expires_at| expires_at <= now) {
            return Err(Refusal::Expired);
        }
        Ok(jws.claims)
    }

    /// A slash after a URL does no harm; the URL of a traffic tag is another URL.
    fn is_audience(&self, audience: &str) -> bool {
        let url = audience.strip_suffix('/').unwrap_or(audience);
        self.urls.iter().any(|own| own == url)
            || self.custom_audiences.iter().any(|custom| custom == audience)
    }

    /// Takes out what concerns the connection alone, and says from where the request came. On Cloud Run that is
    /// always over TLS, so a service that insists on HTTPS is content.
    fn passed_on(&self, mut request: Request, client: IpAddr) -> Request {
        request.headers = end_to_end(request.headers);
        if request.header("Host").is_none() {
            let [url, _] = &self.urls;
            set(&mut request, "Host", url.trim_start_matches("https://"));
        }
        append(&mut request, "X-Forwarded-For", &client.to_string());
        set(&mut request, "X-Forwarded-Proto", "https");
        let node = if client.is_ipv6() { format!("[{client}]") } else { client.to_string() };
        append(&mut request, "Forwarded", &format!("for=\"{node}\";proto=https"));
        request
    }
}

/// The public keys with which ID tokens are verified; by default none.
#[derive(Clone, Debug, Default)]
pub struct PublishedKeys {
    /// By key ID.
    keys: Vec<(String, VerifyingKey<Sha256>)>,
}

impl PublishedKeys {
    /// Reads a JWK set of RSA keys, RFC 7517 section 5: what an emulator has at `/oauth2/v3/certs`.
    pub fn from_jwk_set(json: &[u8]) -> Result<Self, InvalidKeySet> {
        let set: JwkSet = serde_json::from_slice(json).map_err(|_| InvalidKeySet)?;
        let keys: Option<Vec<_>> = set.keys.into_iter().map(JwkSetMember::read).collect();
        keys.map(|keys| Self { keys }).ok_or(InvalidKeySet)
    }

    /// Tells whether the key has signed that the header names.
    fn have_signed(&self, jws: &Unverified<'_>) -> bool {
        let text = |name| jws.header.get(name).and_then(Value::as_str);
        let Ok(signature) = Signature::try_from(jws.signature.as_slice()) else { return false };
        text("alg") == Some("RS256")
            && self.keys.iter().any(|(kid, key)| {
                text("kid") == Some(kid) && key.verify(jws.signing_input.as_bytes(), &signature).is_ok()
            })
    }
}

#[derive(Deserialize)]
struct JwkSet {
    keys: Vec<JwkSetMember>,
}

#[derive(Deserialize)]
struct JwkSetMember {
    kid: String,
    n: String,
    e: String,
}

impl JwkSetMember {
    fn read(self) -> Option<(String, VerifyingKey<Sha256>)> {
        let number = |text: &str| Some(BigUint::from_bytes_be(&BASE64_URL_SAFE_NO_PAD.decode(text).ok()?));
        let key = RsaPublicKey::new(number(&self.n)?, number(&self.e)?).ok()?;
        Some((self.kid, VerifyingKey::new(key)))
    }
}

/// The text is not a JWK set of RSA keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidKeySet;

impl fmt::Display for InvalidKeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected a JWK set of RSA keys, such as an emulator has at /oauth2/v3/certs")
    }
}

impl std::error::Error for InvalidKeySet {}

/// Leaves out the headers that concern one connection alone, and those that `Connection` names.
pub fn end_to_end(headers: Vec<(String, String)>) -> Vec<(String, String)> {
    let named: Vec<String> = headers
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("Connection"))
        .flat_map(|(_, value)| value.split(','))
        .map(|name| name.trim().to_owned())
        .collect();
    let concerns_connection = |name: &str| {
        HOP_BY_HOP.iter().any(|hop| hop.eq_ignore_ascii_case(name))
            || named.iter().any(|hop| hop.eq_ignore_ascii_case(name))
    };
    headers.into_iter().filter(|(name, _)| !concerns_connection(name)).collect()
}

impl Invoker {
    /// A token of a service account may lack the e-mail; the number in `sub` follows from it.
    fn is(&self, claims: &Object) -> bool {
        let Self::Account(account) = self else { return true };
        match claims.get("email") {
            Some(email) => {
                email.as_str() == Some(account.email())
                    && claims.get("email_verified").and_then(Value::as_bool) == Some(true)
            }
            None => claims.get("sub").and_then(Value::as_str) == Some(&account.unique_id()),
        }
    }
}

impl FromStr for Invoker {
    type Err = InvalidInvoker;

    fn from_str(text: &str) -> Result<Self, InvalidInvoker> {
        if text == "allUsers" {
            return Ok(Self::AllUsers);
        }
        text.parse().map(Self::Account).map_err(|_| InvalidInvoker)
    }
}

/// The text names nobody who could call a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidInvoker;

impl fmt::Display for InvalidInvoker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected an e-mail, such as name@project.iam.gserviceaccount.com, or allUsers")
    }
}

impl std::error::Error for InvalidInvoker {}

/// The name of a service or a region: lower-case letters, digits and hyphens, with a letter first and no hyphen last,
/// at most 49 of them. Such a name needs no escaping anywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostLabel(String);

impl fmt::Display for HostLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for HostLabel {
    type Err = InvalidHostLabel;

    fn from_str(text: &str) -> Result<Self, InvalidHostLabel> {
        let is_label = text.len() < 50
            && text.starts_with(|first: char| first.is_ascii_lowercase())
            && !text.ends_with('-')
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if is_label { Ok(Self(text.to_owned())) } else { Err(InvalidHostLabel) }
    }
}

/// The text cannot be the name of a service or a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidHostLabel;

impl fmt::Display for InvalidHostLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected lower-case letters, digits and hyphens, with a letter first, such as orders-2")
    }
}

impl std::error::Error for InvalidHostLabel {}

/// Why a request does not reach the service.
#[derive(Debug)]
enum Refusal {
    NoToken,
    Repeated { header: &'static str },
    AccessToken,
    Malformed,
    WrongSignature,
    WrongIssuer,
    WrongAudience { expected: Vec<String> },
    Expired,
    NotAnInvoker { caller: Option<ServiceAccount> },
}

impl Refusal {
    /// Without a token, the answer is that nobody may; a token that is no good gets another one. Both are known from
    /// what `curl` shows of private services.
    fn response(&self, request: &Request) -> Response {
        match self {
            Self::NoToken | Self::NotAnInvoker { .. } => {
                let sentence =
                    format!("to get URL <code>{}</code> from this server", escaped_target(request));
                error_page(403, "Forbidden", &sentence)
            }
            _ => {
                let sentence = format!("to the requested URL <code>{}</code>", escaped_target(request));
                error_page(401, "Unauthorized", &sentence).with_header("WWW-Authenticate", INVALID_TOKEN)
            }
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoToken => f.write_str("no bearer token in X-Serverless-Authorization or Authorization"),
            Self::Repeated { header } => write!(f, "{header} is there more than once"),
            Self::AccessToken => {
                f.write_str("the token is an access token; expected an ID token for the service")
            }
            Self::Malformed => f.write_str("the token is not a signed JWT; expected an ID token"),
            Self::WrongSignature => {
                f.write_str("the token is not signed by a key of the emulator's ID tokens")
            }
            Self::WrongIssuer => f.write_str("the token's issuer is not Google"),
            Self::WrongAudience { expected } => {
                write!(f, "the token is for another audience; expected {}", expected.join(" or "))
            }
            Self::Expired => f.write_str("the token has expired, or does not say when it does"),
            Self::NotAnInvoker { caller: Some(caller) } => {
                write!(f, "{} is not an invoker of the service", caller.email())
            }
            Self::NotAnInvoker { caller: None } => f.write_str("the caller is not an invoker of the service"),
        }
    }
}

/// Finds the token in the one header that is looked at. The scheme may be in any case.
fn bearer_token<'a>(request: &'a Request, header: &'static str) -> Result<&'a str, Refusal> {
    let mut values = request
        .headers
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case(header))
        .map(|(_, value)| value.as_str());
    let value = values.next().ok_or(Refusal::NoToken)?;
    if values.next().is_some() {
        return Err(Refusal::Repeated { header });
    }
    match value.trim().split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("Bearer") => Ok(token.trim_start()),
        _ => Err(Refusal::NoToken),
    }
}

/// The caller's e-mail, if the token tells it.
fn caller(claims: &Object) -> Option<ServiceAccount> {
    claims.get("email")?.as_str()?.parse().ok()
}

/// Takes the signature off the token that was checked, so that the service cannot use the token elsewhere.
fn without_signature(mut request: Request, checked: &str) -> Request {
    for (name, value) in &mut request.headers {
        if name.eq_ignore_ascii_case(checked)
            && let Some((before, _)) = value.rsplit_once('.')
        {
            *value = format!("{before}.{REMOVED_SIGNATURE}");
        }
    }
    request
}

/// Puts one header in the place of all of that name: their values, and `element` as the last.
fn append(request: &mut Request, name: &str, element: &str) {
    let values = request.headers.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name));
    let elements: Vec<&str> = values.map(|(_, value)| value.as_str()).chain([element]).collect();
    let list = elements.join(",");
    set(request, name, &list);
}

/// Puts one header in the place of all of that name.
fn set(request: &mut Request, name: &str, value: &str) {
    request.headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
    request.headers.push((name.to_owned(), value.to_owned()));
}

fn error_page(status: u16, title: &str, sentence: &str) -> Response {
    let page = format!(
        "<html><head>\n\
         <meta http-equiv=\"content-type\" content=\"text/html;charset=utf-8\">\n\
         <title>{status} {title}</title>\n\
         </head>\n\
         <body text=#000000 bgcolor=#ffffff>\n\
         <h1>Error: {title}</h1>\n\
         <h2>Your client does not have permission {sentence}.</h2>\n\
         <h2></h2>\n\
         </body></html>\n"
    );
    Response::new(status, "text/html; charset=UTF-8", page)
}

fn escaped_target(request: &Request) -> String {
    let mut target = request.path.clone();
    if !request.query.is_empty() {
        target = format!("{target}?{}", request.query);
    }
    target.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Ten characters, as on Cloud Run, where all services of a project in a region share them.
fn url_hash(project_number: u64, region: &HostLabel) -> String {
    let digest = Sha256::digest(format!("{project_number}/{region}"));
    digest.iter().take(10).map(|byte| char::from(b'a' + byte % 26)).collect()
}

/// The initials: `uc` for us-central1. Google has codes of its own for regions that would share theirs.
fn region_code(region: &HostLabel) -> String {
    region.0.split('-').filter_map(|word| word.chars().next()).take(2).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_service_can_stand_in_a_host_name() {
        for wrong in ["", "Orders", "1orders", "orders-", "or ders", "orders.x", "órders", &"o".repeat(50)] {
            assert_eq!(wrong.parse::<HostLabel>(), Err(InvalidHostLabel), "{wrong:?}");
        }
        assert!("o".repeat(49).parse::<HostLabel>().is_ok());
    }

    #[test]
    fn a_page_shows_the_target_without_its_markup() {
        assert_eq!(escaped_target(&Request::get("/a?<b>&\"c\"")), "/a?&lt;b&gt;&amp;&quot;c&quot;");
    }

    #[test]
    fn a_key_set_without_rsa_keys_is_refused() {
        for wrong in [
            "",
            "[]",
            "{}",
            r#"{"keys": [{"kid": "1", "x": "", "y": ""}]}"#,
            r#"{"keys": [{"kid": "1", "n": "AQAB", "e": "!"}]}"#,
        ] {
            assert_eq!(PublishedKeys::from_jwk_set(wrong.as_bytes()).err(), Some(InvalidKeySet), "{wrong}");
        }
    }

    #[test]
    fn an_invoker_is_an_email_or_everybody() {
        assert_eq!("allUsers".parse(), Ok(Invoker::AllUsers));
        assert_eq!("nobody".parse::<Invoker>(), Err(InvalidInvoker));
    }
}
