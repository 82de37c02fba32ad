//! `{"environment_id": "aws1", …}`: an AWS role. The subject token is a signed request that STS replays to AWS, to
//! see whose it is (AIP-4117, "AWS"; AWS Signature Version 4).

use serde::Serialize;

use crate::calendar::civil_from_days;
use crate::credentials::TrustedEndpoints;
use crate::credentials::fields::{Fields, invalid};
use crate::credentials::subject_token::failed;
use crate::crypto::{hmac_sha256, sha256};
use crate::encoding::{hex, percent_encode};
use crate::environment::{self, Environment};
use crate::error::Error;
use crate::exchange::{Endpoint, Exchange, Response};
use crate::json;
use crate::retry::Jitter;
use crate::secret::Secret;
use crate::step::{HttpRequest, Method, Millis, Now, Operation, Reply, Route, Step};
use crate::url::Url;

const VERIFICATION_URL: &str =
    "https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15";
const QUERY: &str = "Action=GetCallerIdentity&Version=2011-06-15";
const SESSION_TTL: &str = "x-aws-ec2-metadata-token-ttl-seconds";
const SESSION_TOKEN: &str = "x-aws-ec2-metadata-token";
/// Seconds for which a session with the instance's metadata service is asked.
const SESSION_SECONDS: &str = "300";
const TIMEOUT_MS: u64 = 3_000;
const WHO: &str = "the AWS metadata service";

#[derive(Clone)]
pub(crate) struct Source {
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

pub(crate) struct Sign {
    source: Source,
    audience: String,
    jitter: Jitter,
    /// Known from the environment or asked for.
    region: Option<String>,
    keys: Option<Keys>,
    session: Option<Secret<String>>,
    role: Option<String>,
    state: State,
}

enum State {
    Created,
    ReadingEnv,
    Asking(Question, Exchange<Ask>),
}

#[derive(Clone, Copy)]
enum Question {
    Session,
    Region,
    Role,
    Keys,
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
            session: None,
            role: None,
            state: State::Created,
        }
    }

    /// Asks for what is still missing, and signs when nothing is.
    fn advance(&mut self, now: Now) -> Step<Secret<String>> {
        let needs_metadata = self.region.is_none() || self.keys.is_none();
        let session_url = self.source.session_token_url.clone();
        let (question, url) = match (session_url, &self.region, &self.keys, &self.role) {
            (Some(url), ..) if needs_metadata && self.session.is_none() => (Question::Session, Some(url)),
            (_, None, ..) => (Question::Region, self.source.region_url.clone()),
            (_, _, None, None) => (Question::Role, self.source.security_credentials_url.clone()),
            (_, _, None, Some(role)) => (Question::Keys, self.keys_url(role)),
            (_, Some(region), Some(keys), _) => {
                return subject_token(region, keys, &self.audience, now.unix).into();
            }
        };
        let Some(url) = url else {
            let what = if self.region.is_none() {
                "AWS_REGION is not set and region_url"
            } else {
                "AWS_ACCESS_KEY_ID is not set and url"
            };
            return Step::Fail(failed(format!("{what} is missing in the credential file")));
        };
        let ask = Ask { question, url, session: self.session.clone() };
        let mut exchange = Exchange::new(ask, self.jitter.fork());
        let step = exchange.resume(now, Reply::Start).and_then(|_| Step::misuse("Start", &Reply::Start));
        self.state = State::Asking(question, exchange);
        step
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
            Question::Keys => {
                let [id, secret, session] =
                    json::members(text.as_bytes(), ["AccessKeyId", "SecretAccessKey", "Token"])
                        .map_err(|error| failed(format!("{WHO} answered with {error}")))?;
                let text = |value: Option<json::Value>| {
                    value.as_ref().and_then(json::Value::as_str).map(str::to_owned)
                };
                let (Some(id), Some(secret)) = (text(id), text(secret)) else {
                    return Err(failed(format!("{WHO} answered without AccessKeyId and SecretAccessKey")));
                };
                self.keys =
                    Some(Keys { id, secret: Secret::new(secret), session: text(session).map(Secret::new) });
            }
        }
        Ok(())
    }
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
                match region.map(|region| checked_region(region.to_owned())).transpose() {
                    Ok(region) => {
                        self.region = region;
                        self.advance(now)
                    }
                    Err(error) => Step::Fail(error),
                }
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
        }
    }
}

/// One question to the instance's metadata service (IMDSv2 where the file names a session URL).
struct Ask {
    question: Question,
    url: Url,
    session: Option<Secret<String>>,
}

impl Endpoint for Ask {
    const WHO: &str = WHO;
    type Output = Secret<String>;

    fn request(&self, _now: Millis) -> Result<HttpRequest, Error> {
        let mut request = HttpRequest::get(self.url.as_str().to_owned(), Route::Direct, TIMEOUT_MS);
        if let Question::Session = self.question {
            request.method = Method::Put;
            return Ok(request.with_header(SESSION_TTL, SESSION_SECONDS));
        }
        Ok(match &self.session {
            Some(session) => request.with_header(SESSION_TOKEN, session.clone()),
            None => request,
        })
    }

    fn read(&self, _now: Millis, response: &Response) -> Result<Secret<String>, Error> {
        match response.status_error(WHO) {
            Some(error) if error.is_retryable() => Err(error),
            Some(_) => Err(failed(format!("{WHO} answered {}, expected 200", response.status))),
            None => Ok(Secret::new(String::from_utf8_lossy(response.body.expose()).into_owned())),
        }
    }
}

/// A region becomes part of a host name.
fn checked_region(region: String) -> Result<String, Error> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if region.is_empty() || region.len() > 63 || !region.bytes().all(plain) {
        return Err(failed("the AWS region is not of small letters, digits and hyphens"));
    }
    Ok(region)
}

#[derive(Serialize)]
struct SignedRequest<'a> {
    body: &'a str,
    headers: Vec<HeaderField<'a>>,
    method: &'a str,
    url: &'a str,
}

#[derive(Serialize)]
struct HeaderField<'a> {
    key: &'a str,
    value: &'a str,
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
    let headers = headers.into_iter().map(|(key, value)| HeaderField { key, value }).collect();
    let request = SignedRequest { body: "", headers, method: "POST", url: &url };
    let request =
        serde_json::to_string(&request).map_err(|_| failed("the request cannot be written as JSON"))?;
    Ok(Secret::new(percent_encode(&request)))
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
    let seconds = now.as_secs();
    let (year, month, day) = civil_from_days(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
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
    fn a_region_cannot_become_another_host() {
        for bad in ["", "evil.example/", "eu-west-1.evil", "EU", "a b"] {
            assert!(checked_region(bad.to_owned()).is_err(), "{bad}");
        }
    }
}
