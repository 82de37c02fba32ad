//! The IAM Service Account Credentials API, `https://iamcredentials.googleapis.com/`: tokens and signatures of a
//! service account, for whoever may impersonate it.
//!
//! Here everybody may who shows an access token of the emulator, through any delegates.

use std::time::Duration;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::http::{Request, Response};
use crate::jws::{self, Object};
use crate::keys::{KeyError, SigningKey};
use crate::mint::AccessToken;
use crate::time::UnixSeconds;
use crate::{Config, ServiceAccount};

/// The account's project is always left open.
const ROOT: &str = "/v1/projects/-/serviceAccounts/";

/// One of these lets a token use the API.
const SUFFICIENT_SCOPES: [&str; 2] =
    ["https://www.googleapis.com/auth/cloud-platform", "https://www.googleapis.com/auth/iam"];

/// The longest life of an access token, in seconds: what the organisation policy can raise it to.
const MAX_LIFETIME_SECONDS: u64 = 43_200;

/// Tells whether the path belongs to the API.
pub(crate) fn owns(path: &str) -> bool {
    path.starts_with(ROOT)
}

/// Answers for a path that [`owns`] accepts.
pub(crate) fn answer(config: &Config, request: &Request, now: UnixSeconds) -> Result<Response, KeyError> {
    match call(config, request, now) {
        Ok(body) => Ok(Response::json(200, &body)),
        Err(Refusal::Api { status, name, message }) => {
            let error = json!({ "error": { "code": status, "message": message, "status": name } });
            Ok(Response::json(status, &error))
        }
        Err(Refusal::Key(error)) => Err(error),
    }
}

fn call(config: &Config, request: &Request, now: UnixSeconds) -> Result<Value, Refusal> {
    // Among the paths without a method is `…/allowedLocations`: the emulator has no regional access boundaries.
    let (email, method) = request
        .path
        .strip_prefix(ROOT)
        .and_then(|rest| rest.rsplit_once(':'))
        .filter(|_| request.method == "POST")
        .ok_or_else(|| not_found("Method not found."))?;
    let method: Method = match method {
        "generateIdToken" => generate_id_token,
        "generateAccessToken" => generate_access_token,
        "signBlob" => sign_blob,
        "signJwt" => sign_jwt,
        _ => return Err(not_found("Method not found.")),
    };
    authenticate(request, now)?;
    let email = percent_decode_str(email).decode_utf8_lossy();
    let account =
        email.parse().map_err(|_| not_found(&format!("Not found; Gaia id not found for email {email}")))?;
    let order = Order::read(request)?;
    order.check_delegates()?;
    method(config, &account, &order, now)
}

type Method = fn(&Config, &ServiceAccount, &Order, UnixSeconds) -> Result<Value, Refusal>;

fn generate_id_token(
    config: &Config,
    account: &ServiceAccount,
    order: &Order,
    now: UnixSeconds,
) -> Result<Value, Refusal> {
    let mut token = config.id_token(account, order.text("audience")?, now, config.token_lifetime);
    if !order.flag("includeEmail")? {
        token = token.without("email").without("email_verified");
    }
    if order.flag("useEmailAzp")? {
        token = token.claim("azp", account.email());
    }
    Ok(json!({ "token": config.sign(token)? }))
}

fn generate_access_token(
    config: &Config,
    account: &ServiceAccount,
    order: &Order,
    now: UnixSeconds,
) -> Result<Value, Refusal> {
    let scopes = order.texts("scope")?;
    if scopes.is_empty() {
        return Err(invalid_argument("The request has no scope."));
    }
    let asked = order.lifetime()?.filter(|_| config.changes.lifetime.is_none());
    let expires_at = now.after(asked.unwrap_or(config.token_lifetime));
    let token = AccessToken::new(account.email(), scopes.join(" "), expires_at);
    Ok(json!({ "accessToken": token.encode(), "expireTime": expires_at.rfc3339() }))
}

fn sign_blob(_: &Config, account: &ServiceAccount, order: &Order, _: UnixSeconds) -> Result<Value, Refusal> {
    let payload = order.text("payload")?;
    // JSON's bytes may be in either alphabet (Protocol Buffers, "ProtoJSON Format").
    let payload = BASE64_STANDARD
        .decode(payload)
        .or_else(|_| BASE64_URL_SAFE.decode(payload))
        .map_err(|_| invalid_argument("`payload` is not base64."))?;
    let key = account.key()?;
    Ok(json!({ "keyId": key.kid(), "signedBlob": BASE64_STANDARD.encode(key.sign(&payload)?) }))
}

fn sign_jwt(_: &Config, account: &ServiceAccount, order: &Order, _: UnixSeconds) -> Result<Value, Refusal> {
    let claims: Object = serde_json::from_str(order.text("payload")?)
        .map_err(|_| invalid_argument("`payload` is not a JSON object."))?;
    let key = account.key()?;
    Ok(json!({ "keyId": key.kid(), "signedJwt": jws::sign(&*key, &Object::new(), &claims)? }))
}

/// Wants an access token of the emulator that is still good and has a scope for this API, and the certificate that the
/// token is bound to, if any.
fn authenticate(request: &Request, now: UnixSeconds) -> Result<(), Refusal> {
    let token = request
        .header("Authorization")
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("Bearer"))
        .and_then(|(_, token)| AccessToken::decode(token))
        .filter(|token| now < token.expires_at && token.is_good_with(request.client_certificate.as_deref()))
        .ok_or_else(|| {
            let message = "Request had invalid authentication credentials. Expected OAuth 2 access token, login \
                           cookie or other valid authentication credential.";
            Refusal::new(401, "UNAUTHENTICATED", message)
        })?;
    if token.scope.split(' ').any(|scope| SUFFICIENT_SCOPES.contains(&scope)) {
        Ok(())
    } else {
        let message = "Request had insufficient authentication scopes.";
        Err(Refusal::new(403, "PERMISSION_DENIED", message))
    }
}

/// The members of a request, be it JSON or, as Google's library for Java sends it, a form.
struct Order(Object);

impl Order {
    fn read(request: &Request) -> Result<Self, Refusal> {
        let is_form = request
            .header("Content-Type")
            .is_some_and(|value| value.to_ascii_lowercase().starts_with("application/x-www-form-urlencoded"));
        if !is_form {
            return serde_json::from_slice(&request.body)
                .map(Self)
                .map_err(|_| invalid_argument("Invalid JSON payload received: not a JSON object."));
        }
        let mut members = Object::new();
        for (name, value) in form_urlencoded::parse(&request.body) {
            match members.entry(name).or_insert_with(|| json!([])) {
                Value::Array(values) => values.push(json!(value)),
                _ => return Err(invalid_argument("Invalid form.")),
            }
        }
        Ok(Self(members))
    }

    /// Reads a text that must be there. In a form it is a list of one.
    fn text(&self, name: &str) -> Result<&str, Refusal> {
        match self.texts(name)?.as_slice() {
            [text] if !text.is_empty() => Ok(text),
            _ => Err(invalid_argument(&format!("`{name}` is missing, or no string."))),
        }
    }

    /// Reads a list of texts; a text alone is a list of one, and null one of none.
    fn texts(&self, name: &str) -> Result<Vec<&str>, Refusal> {
        let wrong = || invalid_argument(&format!("`{name}` is no list of strings."));
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::String(text)) => Ok(vec![text]),
            Some(Value::Array(values)) => {
                values.iter().map(|value| value.as_str().ok_or_else(wrong)).collect()
            }
            Some(_) => Err(wrong()),
        }
    }

    /// Reads a flag, which Google's libraries for Python and Java send as text.
    fn flag(&self, name: &str) -> Result<bool, Refusal> {
        if let Some(Value::Bool(flag)) = self.0.get(name) {
            return Ok(*flag);
        }
        match self.texts(name)?.as_slice() {
            [] | ["false"] => Ok(false),
            ["true"] => Ok(true),
            _ => Err(invalid_argument(&format!("`{name}` is neither true nor false."))),
        }
    }

    /// Reads how long an access token is to live, a number of seconds such as `3600s`.
    fn lifetime(&self) -> Result<Option<Duration>, Refusal> {
        if self.texts("lifetime")?.is_empty() {
            return Ok(None);
        }
        let seconds = self.text("lifetime")?.strip_suffix('s').and_then(|number| number.parse().ok());
        match seconds {
            Some(seconds @ 1..=MAX_LIFETIME_SECONDS) => Ok(Some(Duration::from_secs(seconds))),
            _ => Err(invalid_argument("`lifetime` must be from 1s to 43200s.")),
        }
    }

    fn check_delegates(&self) -> Result<(), Refusal> {
        for delegate in self.texts("delegates")? {
            let email = delegate.strip_prefix("projects/-/serviceAccounts/").unwrap_or(delegate);
            if email.parse::<ServiceAccount>().is_err() {
                return Err(invalid_argument("`delegates` names something else than a service account."));
            }
        }
        Ok(())
    }
}

/// Why the call came to nothing.
enum Refusal {
    /// The client is at fault: google.rpc.Status in the JSON of Google's APIs (AIP-193).
    Api { status: u16, name: &'static str, message: String },
    /// The emulator is.
    Key(KeyError),
}

impl Refusal {
    fn new(status: u16, name: &'static str, message: &str) -> Self {
        Self::Api { status, name, message: message.to_owned() }
    }
}

impl From<KeyError> for Refusal {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}

fn invalid_argument(message: &str) -> Refusal {
    Refusal::new(400, "INVALID_ARGUMENT", message)
}

fn not_found(message: &str) -> Refusal {
    Refusal::new(404, "NOT_FOUND", message)
}
