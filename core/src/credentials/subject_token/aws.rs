//! `{"environment_id": "aws1", …}`: an AWS role. The subject token is a signed request that STS replays to AWS, to
//! see whose it is (AIP-4117, "AWS"; AWS Signature Version 4).

use crate::calendar;
use crate::credentials::TrustedEndpoints;
use crate::credentials::fields::{Fields, invalid};
use crate::credentials::subject_token::{failed, supplier};
use crate::crypto::{hmac_sha256, sha256};
use crate::encoding::{form, hex, percent_encode};
use crate::environment::{self, Environment};
use crate::error::Error;
use crate::exchange::{Endpoint, Exchange, Response, printable, unreadable};
use crate::json;
use crate::quote;
use crate::retry::Jitter;
use crate::secret::Secret;
use crate::signing::Signing;
use crate::step::{HttpRequest, Method, Millis, Now, Operation, Reply, Route, Step};
use crate::url::Url;

const VERIFICATION_URL: &str =
    "https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15";
const QUERY: &str = "Action=GetCallerIdentity&Version=2011-06-15";
const SESSION_TTL: &str = "x-aws-ec2-metadata-token-ttl-seconds";
const SESSION_TOKEN: &str = "x-aws-ec2-metadata-token";
/// Seconds for which a session with the instance's metadata service is asked.
const SESSION_SECONDS: &str = "300";
/// Longest wait for an answer of a neighbour, and of AWS's STS.
const TIMEOUT_MS: u64 = 3_000;
const STS_TIMEOUT_MS: u64 = 10_000;
const WHO: &str = "the AWS metadata service";
/// Where the container agents of ECS, and of EKS Pod Identity, give keys (AWS SDKs and Tools documentation, "Container
/// credential provider").
const CONTAINER_HOST: &str = "169.254.170.2";
const CONTAINER_HOSTS: [&str; 3] = [CONTAINER_HOST, "169.254.170.23", "[fd00:ec2::23]"];
/// The name of a session that nobody has named.
const SESSION_NAME: &str = "gatepass";
/// What a function that gives keys is asked for.
const TOKEN_TYPE: &str = "urn:ietf:params:aws:token-type:aws4_request";

#[derive(Clone)]
pub(crate) struct Source {
    /// The user's own function, which gives keys.
    supplier: Option<String>,
    region_url: Option<Url>,
    security_credentials_url: Option<Url>,
    session_token_url: Option<Url>,
}

impl Source {
    pub(crate) fn from_fields(fields: Fields<'_>, trusted: &TrustedEndpoints) -> Result<Self, Error> {
        let id = fields.required("environment_id")?;
        if id != "aws1" {
            return Err(invalid(
                "environment_id",
                "of another version",
                "aws1; a newer one needs a newer gatepass",
            ));
        }
        let verification = fields.optional("regional_cred_verification_url")?;
        if verification.is_some_and(|url| url != VERIFICATION_URL) {
            return Err(invalid("regional_cred_verification_url", "another URL", VERIFICATION_URL));
        }
        let url = |name| fields.optional(name)?.map(|text| trusted.aws_metadata(name, text)).transpose();
        Ok(Self {
            supplier: fields.optional("supplier")?.map(str::to_owned),
            region_url: url("region_url")?,
            security_credentials_url: url("url")?,
            session_token_url: url("imdsv2_session_token_url")?,
        })
    }
}

/// Keys of a role, with its session.
#[derive(Clone)]
struct Keys {
    id: String,
    secret: Secret<String>,
    session: Option<Secret<String>>,
}

/// Where keys are asked for that the environment does not hold itself, in the order of AWS's own libraries.
enum KeysFrom {
    /// The user's own function.
    Supplier(String),
    /// A web identity, as on EKS: AWS's STS exchanges its token for keys. Without a URL it is the region's.
    WebIdentity { token_file: String, role: String, session_name: String, sts_url: Option<Url> },
    /// The agent next to a container, as on ECS, Fargate and EKS.
    Container { url: Url, token_file: Option<String> },
    /// The instance's metadata service.
    Instance,
}

pub(crate) struct Sign {
    source: Source,
    audience: String,
    jitter: Jitter,
    /// Known from the environment or asked for.
    region: Option<String>,
    keys: Option<Keys>,
    keys_from: KeysFrom,
    /// What a container's agent, or STS, wants to see: read from a file, or from the environment.
    token: Option<Secret<String>>,
    session: Option<Secret<String>>,
    role: Option<String>,
    state: State,
}

enum State {
    Created,
    ReadingEnv,
    ReadingToken(String),
    Supplying,
    Asking(Question, Exchange<Ask>),
}

#[derive(Clone, Copy)]
enum Question {
    Session,
    Region,
    Role,
    Keys,
    /// Keys, of a container's agent.
    ContainerKeys,
    /// Keys, for the token of a web identity.
    AssumedRole,
}

impl Sign {
    pub(crate) fn new(source: Source, audience: &str, jitter: Jitter) -> Self {
        let audience = audience.to_owned();
        Self {
            source,
            audience,
            jitter,
            region: None,
            keys: None,
            keys_from: KeysFrom::Instance,
            token: None,
            session: None,
            role: None,
            state: State::Created,
        }
    }

    /// Asks for what is still missing, and signs when nothing is.
    fn advance(&mut self, now: Now) -> Step<Secret<String>> {
        let (question, url) = match self.missing() {
            Missing::Nothing { region, keys } => {
                return subject_token(region, keys, &self.audience, now.unix).into();
            }
            Missing::Supplied(supplier) => return self.supply(supplier),
            Missing::TokenOf(path) => {
                self.state = State::ReadingToken(path.clone());
                return Step::read_file(path);
            }
            Missing::Answer(question, Some(url)) => (question, url),
            Missing::Answer(Question::Region, None) => {
                return Step::Fail(failed(
                    "the AWS region is unknown: AWS_REGION is not set and region_url is missing in the credential file",
                ));
            }
            Missing::Answer(_, None) => {
                return Step::Fail(failed(
                    "no AWS keys are found, expected AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY, \
                     AWS_WEB_IDENTITY_TOKEN_FILE with AWS_ROLE_ARN, AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI, \
                     or url in the credential file",
                ));
            }
        };
        let form = match (&self.keys_from, &self.token) {
            (KeysFrom::WebIdentity { role, session_name, .. }, Some(token)) => {
                Some(assume_role(role, session_name, token))
            }
            _ => None,
        };
        let token = self.token.clone();
        let ask = Ask { question, url, session: self.session.clone(), token, form };
        let mut exchange = Exchange::new(ask, self.jitter.fork());
        let step = exchange.resume(now, Reply::Start).and_then(|_| Step::misuse("Start", &Reply::Start));
        self.state = State::Asking(question, exchange);
        step
    }

    fn missing(&self) -> Missing<'_> {
        let Some(region) = &self.region else {
            if let KeysFrom::Supplier(supplier) = &self.keys_from
                && self.keys.is_none()
            {
                return Missing::Supplied(supplier.clone());
            }
            return self.of_instance(Question::Region, self.source.region_url.clone());
        };
        if let Some(keys) = &self.keys {
            return Missing::Nothing { region, keys };
        }
        match (&self.keys_from, &self.token) {
            (KeysFrom::Supplier(supplier), _) => Missing::Supplied(supplier.clone()),
            (KeysFrom::WebIdentity { token_file, .. }, None) => Missing::TokenOf(token_file.clone()),
            (KeysFrom::WebIdentity { sts_url, .. }, Some(_)) => {
                let of_region = || Url::parse(&format!("https://sts.{region}.amazonaws.com/")).ok();
                Missing::Answer(Question::AssumedRole, sts_url.clone().or_else(of_region))
            }
            (KeysFrom::Container { token_file: Some(path), .. }, None) => Missing::TokenOf(path.clone()),
            (KeysFrom::Container { url, .. }, _) => {
                Missing::Answer(Question::ContainerKeys, Some(url.clone()))
            }
            (KeysFrom::Instance, _) => match &self.role {
                None => self.of_instance(Question::Role, self.source.security_credentials_url.clone()),
                Some(role) => self.of_instance(Question::Keys, self.keys_url(role)),
            },
        }
    }

    /// A question to the instance's metadata service, or the one for a session that comes first.
    fn of_instance(&self, question: Question, url: Option<Url>) -> Missing<'_> {
        match self.source.session_token_url.clone().filter(|_| url.is_some() && self.session.is_none()) {
            Some(session_url) => Missing::Answer(Question::Session, Some(session_url)),
            None => Missing::Answer(question, url),
        }
    }

    fn supply(&mut self, supplier: String) -> Step<Secret<String>> {
        self.state = State::Supplying;
        Step::Supply {
            supplier,
            audience: self.audience.clone(),
            token_type: TOKEN_TYPE.to_owned(),
            timeout_ms: supplier::TIMEOUT_MS,
        }
    }

    fn keys_url(&self, role: &str) -> Option<Url> {
        let base = self.source.security_credentials_url.as_ref()?.as_str().trim_end_matches('/');
        Url::parse(&format!("{base}/{role}")).ok()
    }

    fn learn(&mut self, question: Question, answer: &Secret<String>) -> Result<(), Error> {
        let text = answer.expose().trim_ascii();
        match question {
            Question::Session => self.session = Some(Secret::from(text)),
            // A zone such as us-east-1b: the region without its last letter.
            Question::Region => {
                let mut zone = text.to_owned();
                zone.pop();
                self.region = Some(checked_region(zone)?);
            }
            Question::Role => {
                let plain = |b: u8| b.is_ascii_alphanumeric() || b"+=,.@_-".contains(&b);
                let role = text.lines().next().unwrap_or_default();
                if role.is_empty() || !role.bytes().all(plain) {
                    return Err(failed(format!("{WHO} named no role")));
                }
                self.role = Some(role.to_owned());
            }
            Question::Keys => self.learn_keys(text, WHO)?,
            Question::ContainerKeys => self.learn_keys(text, "the AWS container agent")?,
            Question::AssumedRole => {
                let [response] = json::members(text.as_bytes(), ["AssumeRoleWithWebIdentityResponse"])
                    .map_err(|error| failed(format!("AWS's STS answered with {error}")))?;
                let credentials = response
                    .as_ref()
                    .and_then(|response| response.member("AssumeRoleWithWebIdentityResult"))
                    .and_then(|result| result.member("Credentials"))
                    .ok_or_else(|| failed("AWS's STS answered without Credentials"))?;
                self.keys = Some(Keys::read(|name| credentials.member(name), "AWS's STS")?);
            }
        }
        Ok(())
    }

    fn learn_keys(&mut self, text: &str, who: &str) -> Result<(), Error> {
        const NAMES: [&str; 5] = ["AccessKeyId", "SecretAccessKey", "Token", "SessionToken", "Region"];
        let values = json::members(text.as_bytes(), NAMES)
            .map_err(|error| failed(format!("{who} answered with {error}")))?;
        let member = |wanted: &str| {
            let named = NAMES.iter().zip(&values).find(|(name, _)| **name == wanted);
            named.and_then(|(_, value)| value.as_ref())
        };
        self.keys = Some(Keys::read(member, who)?);
        if let (None, Some(region)) = (&self.region, member("Region").and_then(json::Value::as_str)) {
            self.region = Some(checked_region(region.to_owned())?);
        }
        Ok(())
    }
}

/// What has to be had before the request can be signed.
enum Missing<'a> {
    Nothing {
        region: &'a str,
        keys: &'a Keys,
    },
    /// Keys, from the user's own function.
    Supplied(String),
    /// The token in this file.
    TokenOf(String),
    /// An answer; `None` where nobody is there to be asked.
    Answer(Question, Option<Url>),
}

impl Keys {
    fn read<'v>(member: impl Fn(&str) -> Option<&'v json::Value>, who: &str) -> Result<Self, Error> {
        let text = |name| member(name).and_then(json::Value::as_str).filter(|text| !text.is_empty());
        let (Some(id), Some(secret)) = (text("AccessKeyId"), text("SecretAccessKey")) else {
            return Err(failed(format!("{who} answered without AccessKeyId and SecretAccessKey")));
        };
        let session = text("Token").or_else(|| text("SessionToken"));
        Ok(Self { id: id.to_owned(), secret: secret.into(), session: session.map(Secret::from) })
    }
}

impl KeysFrom {
    /// # Errors
    /// When a variable names a place that keys must not come from.
    fn new(source: &Source, env: &Environment) -> Result<Self, Error> {
        if let Some(supplier) = &source.supplier {
            return Ok(Self::Supplier(supplier.clone()));
        }
        let var = |name| env.var(name).map(str::to_owned);
        if let (Some(token_file), Some(role)) = (var("AWS_WEB_IDENTITY_TOKEN_FILE"), var("AWS_ROLE_ARN")) {
            let session_name = var("AWS_ROLE_SESSION_NAME").unwrap_or_else(|| SESSION_NAME.to_owned());
            let sts_url = env.var("AWS_ENDPOINT_URL_STS").map(sts_url).transpose()?;
            return Ok(Self::WebIdentity { token_file, role, session_name, sts_url });
        }
        let token_file = var("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
        let url = match (
            env.var("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
            env.var("AWS_CONTAINER_CREDENTIALS_FULL_URI"),
        ) {
            (Some(path), _) => container_url(
                "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
                &format!("http://{CONTAINER_HOST}/{}", path.trim_start_matches('/')),
            )?,
            (None, Some(url)) => container_url("AWS_CONTAINER_CREDENTIALS_FULL_URI", url)?,
            (None, None) => return Ok(Self::Instance),
        };
        Ok(Self::Container { url, token_file })
    }
}

/// A URL of a container's agent. By `http` it is a neighbour, as in AWS's own libraries.
fn container_url(variable: &str, url: &str) -> Result<Url, Error> {
    let refused = |found: &str| {
        failed(format!(
            "{variable} {found}, expected https, a loopback host or one of {}",
            CONTAINER_HOSTS.join(", ")
        ))
    };
    let url = Url::parse(url).map_err(refused)?;
    if url.is_https() || url.is_loopback() || CONTAINER_HOSTS.contains(&url.host()) {
        Ok(url)
    } else {
        Err(refused("names another host by http"))
    }
}

/// Where the user says that AWS's STS is (AWS SDKs and Tools documentation, "Service-specific endpoints"). It is shown the
/// web identity's token.
fn sts_url(url: &str) -> Result<Url, Error> {
    let refused = |found: &str| {
        failed(format!("AWS_ENDPOINT_URL_STS {found}, expected https, or a loopback host by http"))
    };
    let url = Url::parse(url).map_err(refused)?;
    if url.is_https() || url.is_loopback() { Ok(url) } else { Err(refused("names another host by http")) }
}

/// The question to AWS's STS for the keys of a role (AWS Security Token Service API Reference,
/// "AssumeRoleWithWebIdentity").
fn assume_role(role: &str, session_name: &str, token: &Secret<String>) -> Secret<String> {
    form(&[
        ("Action", "AssumeRoleWithWebIdentity"),
        ("Version", "2011-06-15"),
        ("RoleArn", role),
        ("RoleSessionName", session_name),
        ("WebIdentityToken", token.expose()),
    ])
}

impl Operation for Sign {
    type Output = Secret<String>;

    fn resume(&mut self, now: Now, reply: Reply) -> Step<Secret<String>> {
        match (&mut self.state, reply) {
            (State::Created, Reply::Start) => {
                self.state = State::ReadingEnv;
                Step::ReadEnv { names: environment::OF_AWS }
            }
            (State::ReadingEnv, Reply::Env(values)) => {
                let env = Environment::new(values);
                let region = env.var("AWS_REGION").or_else(|| env.var("AWS_DEFAULT_REGION"));
                let secret = |name| env.secret(name).cloned();
                if let (Some(id), Some(secret)) =
                    (env.var("AWS_ACCESS_KEY_ID"), secret("AWS_SECRET_ACCESS_KEY"))
                {
                    let session = env.secret("AWS_SESSION_TOKEN").cloned();
                    self.keys = Some(Keys { id: id.to_owned(), secret, session });
                }
                self.token = secret("AWS_CONTAINER_AUTHORIZATION_TOKEN");
                let region = region.map(|region| checked_region(region.to_owned())).transpose();
                match region.and_then(|region| Ok((region, KeysFrom::new(&self.source, &env)?))) {
                    Ok((region, keys_from)) => {
                        // A file's token is read anew for each answer, and wins.
                        if !matches!(keys_from, KeysFrom::Container { token_file: None, .. }) {
                            self.token = None;
                        }
                        (self.region, self.keys_from) = (region, keys_from);
                        self.advance(now)
                    }
                    Err(error) => Step::Fail(error),
                }
            }
            (State::ReadingToken(path), Reply::Text(text)) => {
                let token = text.expose().trim_ascii();
                if token.is_empty() || token.bytes().any(|b| b.is_ascii_control()) {
                    return Step::Fail(failed(format!(
                        "the AWS token file {} holds no token, expected one line",
                        quote::path(path)
                    )));
                }
                self.token = Some(Secret::from(token));
                self.advance(now)
            }
            (State::ReadingToken(path), Reply::Failed { kind, message }) => Step::Fail(failed(format!(
                "the AWS token file {} {}",
                quote::unread_path(path),
                unreadable(kind, &message, path)
            ))),
            (State::Supplying, Reply::Text(text)) => {
                match self.learn_keys(text.expose(), "the supplier of AWS keys") {
                    Ok(()) => self.advance(now),
                    Err(error) => Step::Fail(error),
                }
            }
            (State::Supplying, Reply::Failed { message, .. }) => {
                Step::Fail(failed(format!("the supplier of AWS keys failed: {}", printable(&message))))
            }
            (State::Asking(question, exchange), reply) => {
                let question = *question;
                exchange.resume(now, reply).and_then(|answer| match self.learn(question, &answer) {
                    Ok(()) => self.advance(now),
                    Err(error) => Step::Fail(error),
                })
            }
            (State::Created, other) => Step::misuse("Start", &other),
            (State::ReadingEnv, other) => Step::misuse("Env", &other),
            (State::ReadingToken(_) | State::Supplying, other) => Step::misuse("Text or Failed", &other),
        }
    }
}

/// One question to the instance's metadata service (IMDSv2 where the file names a session URL), to a container's agent,
/// or to AWS's STS.
struct Ask {
    question: Question,
    url: Url,
    session: Option<Secret<String>>,
    /// What a container's agent, or STS, wants to see.
    token: Option<Secret<String>>,
    form: Option<Secret<String>>,
}

impl Endpoint for Ask {
    const WHO: &str = WHO;
    type Output = Secret<String>;

    fn secrets(&self) -> Vec<Secret<String>> {
        [&self.session, &self.token].into_iter().flatten().cloned().collect()
    }

    fn request(&self, _now: Millis) -> Result<Signing<HttpRequest>, Error> {
        if let Some(form) = &self.form {
            return Ok(HttpRequest::post_form(self.url.as_str(), form.clone(), STS_TIMEOUT_MS).into());
        }
        let route = if self.url.is_https() { Route::Default } else { Route::Direct };
        let mut request = HttpRequest::get(self.url.as_str().to_owned(), route, TIMEOUT_MS);
        if let (Question::ContainerKeys, Some(token)) = (self.question, &self.token) {
            request = request.with_header("authorization", token.clone());
        }
        if let Question::Session = self.question {
            request.method = Method::Put;
            return Ok(request.with_header(SESSION_TTL, SESSION_SECONDS).into());
        }
        if let Some(session) = &self.session {
            request = request.with_header(SESSION_TOKEN, session.clone());
        }
        Ok(request.into())
    }

    fn read(&self, _now: Millis, response: &Response) -> Result<Secret<String>, Error> {
        match response.status_error(WHO) {
            Some(error) if error.is_retryable() => Err(error),
            Some(_) => {
                let who = match self.question {
                    Question::ContainerKeys => "the AWS container agent",
                    Question::AssumedRole => "AWS's STS",
                    _ => WHO,
                };
                let found = match reason(response.body.expose()) {
                    Some(reason) => format!("{who} answered {}, expected 200: {reason}", response.status),
                    None => response.refusal(who).map(|error| error.detail().to_owned()).unwrap_or_default(),
                };
                Err(failed(found))
            }
            None => Ok(Secret::new(String::from_utf8_lossy(response.body.expose()).into_owned())),
        }
    }
}

/// Why AWS has refused, in its own words: `{"Error":{"Code":…,"Message":…}}`, or `code` and `message`.
fn reason(body: &[u8]) -> Option<String> {
    let [error, code, message] = json::members(body, ["Error", "code", "message"]).ok()?;
    let of_error = |name| error.as_ref().and_then(|error| error.member(name)).cloned();
    let words = [code.or_else(|| of_error("Code")), message.or_else(|| of_error("Message"))];
    let words: Vec<_> = words.iter().flatten().filter_map(json::Value::as_str).map(printable).collect();
    (!words.is_empty()).then(|| words.join(": "))
}

/// A region becomes part of a host name.
fn checked_region(region: String) -> Result<String, Error> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if region.is_empty() || region.len() > 63 || !region.bytes().all(plain) {
        return Err(failed("the AWS region is not of small letters, digits and hyphens"));
    }
    Ok(region)
}

/// The signed request `GetCallerIdentity`, as STS wants it. The target resource is signed too: it binds the request
/// to this provider.
fn subject_token(region: &str, keys: &Keys, audience: &str, now: Millis) -> Result<Secret<String>, Error> {
    let host = format!("sts.{region}.amazonaws.com");
    let date_time = date_time(now);
    let session = keys.session.as_ref().map(|session| session.expose().as_str());
    let mut headers = vec![("host", host.as_str()), ("x-amz-date", &date_time)];
    headers.extend(session.map(|session| ("x-amz-security-token", session)));
    headers.push(("x-goog-cloud-target-resource", audience));
    let authorization = authorization(&headers, region, keys, &date_time);
    headers.push(("authorization", &authorization));
    let url = format!("https://{host}?{QUERY}");
    let headers = headers.into_iter().map(|(key, value)| {
        json::object(|header| {
            header.text("key", key).text("value", value);
        })
    });
    let request = json::object(|request| {
        request
            .text("body", "")
            .json("headers", &json::list(headers))
            .text("method", "POST")
            .text("url", &url);
    });
    let request = Secret::new(request);
    Ok(percent_encode(request.expose()))
}

/// The value of the `Authorization` header of Signature Version 4. `headers` are sorted by name, in lower case.
fn authorization(headers: &[(&str, &str)], region: &str, keys: &Keys, date_time: &str) -> String {
    let date = date_time.get(..8).unwrap_or_default();
    let names: Vec<_> = headers.iter().map(|(name, _)| *name).collect();
    let names = names.join(";");
    let lines: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let canonical = format!("POST\n/\n{QUERY}\n{lines}\n{names}\n{}", hex(&sha256(b"")));
    let scope = format!("{date}/{region}/sts/aws4_request");
    let to_sign = format!("AWS4-HMAC-SHA256\n{date_time}\n{scope}\n{}", hex(&sha256(canonical.as_bytes())));
    let first = Secret::new(format!("AWS4{}", keys.secret.expose()).into_bytes());
    let key = [date, region, "sts", "aws4_request"]
        .into_iter()
        .fold(first, |key, part| Secret::new(hmac_sha256(key.expose(), part.as_bytes())));
    let signature = hex(&hmac_sha256(key.expose(), to_sign.as_bytes()));
    format!("AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={signature}", keys.id)
}

/// `YYYYMMDDTHHMMSSZ`
fn date_time(now: Millis) -> String {
    let ([year, month, day], [hour, minute, second]) = calendar::date_and_time(now.as_secs());
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> Keys {
        Keys { id: "AKIDDEMO".into(), secret: "SECRETDEMO".into(), session: Some("SESSDEMO".into()) }
    }

    #[test]
    fn the_signature_is_that_of_an_independent_computation() {
        let audience =
            "//iam.googleapis.com/projects/123456/locations/global/workloadIdentityPools/pool/providers/prov";
        let host = "sts.eu-west-1.amazonaws.com";
        let signature = |date_time: &str, with_target: bool| {
            let mut headers =
                vec![("host", host), ("x-amz-date", date_time), ("x-amz-security-token", "SESSDEMO")];
            if with_target {
                headers.push(("x-goog-cloud-target-resource", audience));
            }
            let value = authorization(&headers, "eu-west-1", &keys(), date_time);
            value.rsplit('=').next().unwrap().to_owned()
        };
        for (date_time, with_target, expected) in [
            ("20261122T033610Z", false, "6f492004620f9315b21ab2ba2a634b38cd92690abc932aeea0afd5a8a173ceee"),
            ("20261122T033638Z", false, "d8fb8dc94c04163487638df4ad4b9227075ffd6aac93066956c2b62699f6cff8"),
            ("20261122T033708Z", true, "388ef9e65d9f4b08e082fe2e1fe2d323a4ade594e2c841c1d899b52127d0870d"),
            ("20261122T000000Z", true, "247a81bd96e348e2e4f9fa9ade93c80c6b52636a569fd82c7d8e8334db7a404d"),
        ] {
            assert_eq!(signature(date_time, with_target), expected, "{date_time}");
        }
    }

    #[test]
    fn dates_are_written_as_aws_wants_them() {
        assert_eq!(date_time(Millis::from_secs(1_800_000_000)), "20270115T080000Z");
    }

    #[test]
    fn a_container_agent_is_a_neighbour_or_protected() {
        for good in [
            "http://169.254.170.2/v2/credentials/x",
            "http://169.254.170.23/v1/credentials",
            "http://[fd00:ec2::23]/v1/credentials",
            "http://127.0.0.1:1338/x",
            "https://agent.example/x",
        ] {
            assert!(container_url("V", good).is_ok(), "{good}");
        }
        for bad in
            ["http://169.254.169.254/x", "http://agent.example/x", "http://169.254.170.2.evil.example/", "x"]
        {
            assert!(container_url("V", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_region_cannot_become_another_host() {
        for bad in ["", "evil.example/", "eu-west-1.evil", "EU", "a b"] {
            assert!(checked_region(bad.to_owned()).is_err(), "{bad}");
        }
    }

    fn sign() -> Sign {
        let url = "https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15";
        let file = serde_json::json!({"environment_id": "aws1", "regional_cred_verification_url": url});
        let file = json::value(file.to_string().as_bytes()).unwrap();
        let source = Source::from_fields(Fields::new(&file), &TrustedEndpoints::default()).unwrap();
        Sign::new(source, "a", Jitter::new(1))
    }

    #[test]
    fn a_region_and_a_role_become_part_of_an_address() {
        assert!(checked_region("a".repeat(63)).is_ok());
        for bad in ["".to_owned(), "a".repeat(64), "us_east".to_owned(), "US".to_owned()] {
            assert!(checked_region(bad.clone()).is_err(), "{bad}");
        }
        let mut sign = sign();
        for (role, good) in [
            ("orders+a=b,c.d@e-f", true),
            ("orders\nmore", true),
            ("", false),
            ("a/b", false),
            ("a b", false),
        ] {
            assert_eq!(sign.learn(Question::Role, &Secret::from(role)).is_ok(), good, "{role}");
        }
    }

    #[test]
    fn what_may_pass_is_asked_again() {
        let url = Url::parse("http://169.254.169.254/").unwrap();
        let ask = Ask { question: Question::Role, url, session: None, token: None, form: None };
        for (status, again) in [(503, true), (404, false)] {
            let mut exchange = Exchange::new(
                Ask { url: ask.url.clone(), session: None, token: None, form: None, ..ask },
                Jitter::new(1),
            );
            let now = Now::steady(Millis::from_secs(1_800_000_000));
            assert!(matches!(exchange.resume(now, Reply::Start), Step::Send(_)));
            let step = exchange
                .resume(now, Reply::Response { status, headers: Vec::new(), body: Secret::default() });
            assert_eq!(matches!(step, Step::Wait { .. }), again, "{status}");
        }
    }

    #[test]
    fn a_token_file_holds_one_line() {
        let now = Now::steady(Millis::from_secs(1_800_000_000));
        for (text, detail) in
            [("", "no token"), (" \n", "no token"), ("a\nb", "no token"), ("a\tb", "no token")]
        {
            let mut sign = sign();
            sign.state = State::ReadingToken("/run/token".to_owned());
            let Step::Fail(error) = sign.resume(now, Reply::Text(Secret::from(text))) else {
                panic!("{text:?}")
            };
            assert!(error.detail().contains(detail), "{error}");
        }
    }
}
