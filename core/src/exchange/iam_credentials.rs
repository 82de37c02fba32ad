//! The IAM Service Account Credentials API: a token of a service account for a principal that may impersonate it
//! (IAM documentation, `projects.serviceAccounts`).

use crate::calendar;
use crate::encoding::{base64_decode, base64_encode};
use crate::error::{Error, ErrorCode};
use crate::exchange::{Endpoint, Response};
use crate::header;
use crate::json::{self, Value};
use crate::secret::Secret;
use crate::signing::Signing;
use crate::step::{ClientCertificate, HttpRequest, Millis};
use crate::token::self_signed_jwt::{self, Claims};
use crate::token::{Issued, Want, access_token, id_token, response_members};
use crate::url::Url;

const TIMEOUT_MS: u64 = 10_000;
const WHO: &str = "the IAM Credentials API";

/// Who calls the API, and about which account.
pub(crate) struct Caller {
    /// The account's URL, without a method.
    pub(crate) account_url: String,
    /// Accounts between the caller and this one, each of which may impersonate the next.
    pub(crate) delegates: Vec<String>,
    /// The life of an access token.
    pub(crate) lifetime_seconds: u32,
    pub(crate) bearer: Secret<String>,
    pub(crate) client_certificate: Option<ClientCertificate>,
}

impl Caller {
    /// A request with these members and the delegates.
    fn post(&self, method: &str, members: &dyn Fn(&mut json::Object)) -> Signing<HttpRequest> {
        let body = json::object(|body| {
            members(body);
            if !self.delegates.is_empty() {
                body.json("delegates", &json::texts(&self.delegates));
            }
        });
        let body = Secret::new(body);
        let request = HttpRequest::post_json(&format!("{}:{method}", self.account_url), body, TIMEOUT_MS);
        let mut request = request.with_header("authorization", header::authorization(&self.bearer));
        request.client_certificate = self.client_certificate.clone();
        request.into()
    }
}

/// Asks for a token of the target service account (`generateIdToken`, `generateAccessToken`).
pub(crate) struct Generate {
    pub(crate) caller: Caller,
    pub(crate) want: Want,
}

impl Endpoint for Generate {
    const WHO: &str = WHO;
    type Output = Issued;

    fn secrets(&self) -> Vec<Secret<String>> {
        vec![self.caller.bearer.clone()]
    }

    fn request(&self, _now: Millis) -> Result<Signing<HttpRequest>, Error> {
        Ok(match &self.want {
            Want::IdToken { audience } => self.caller.post("generateIdToken", &|body| {
                // IAP and every check of an e-mail need it; Cloud Run does not mind.
                body.text("audience", audience).boolean("includeEmail", true);
            }),
            Want::AccessToken { scopes } => self.caller.post("generateAccessToken", &|body| {
                let lifetime = format!("{}s", self.caller.lifetime_seconds);
                body.json("scope", &json::texts(scopes)).text("lifetime", &lifetime);
            }),
        })
    }

    fn read(&self, now: Millis, response: &Response) -> Result<Issued, Error> {
        if let Some(error) = response.refusal(WHO) {
            return Err(error);
        }
        let body = response.body.expose();
        match &self.want {
            Want::IdToken { audience } => {
                let [token] = response_members(body, ["token"], WHO)?;
                let token =
                    token.as_ref().and_then(Value::as_str).ok_or_else(|| invalid("without a token"))?;
                id_token::read(token, audience, now, WHO)
            }
            Want::AccessToken { .. } => {
                let [token, expire_time] = response_members(body, ["accessToken", "expireTime"], WHO)?;
                let expire_time = expire_time
                    .as_ref()
                    .and_then(Value::as_str)
                    .and_then(calendar::read_rfc3339)
                    .map(Millis::from_secs);
                let expires_at = expire_time.ok_or_else(|| invalid("without an expireTime"))?;
                // By a clock that is slow the token would live longer than it was asked to.
                let seconds = (expires_at.since(now) / 1000).min(self.caller.lifetime_seconds.into());
                let seconds = Value::Number(seconds as f64);
                access_token::read(token.as_ref(), Some(&seconds), now, WHO)
            }
        }
    }
}

/// Has a JWT signed for the service account (`signJwt`).
pub(crate) struct SignJwt {
    caller: Caller,
    email: String,
    /// The `aud` of the JWT.
    audience: String,
    /// What an assertion is for; `None`: the JWT is itself the credential.
    assertion: Option<(Want, String)>,
}

impl SignJwt {
    /// A JWT that is itself the credential.
    pub(crate) fn for_audience(caller: Caller, email: &str, audience: String) -> Self {
        Self { caller, email: email.to_owned(), audience, assertion: None }
    }

    /// An assertion for `subject`, for the token endpoint at `token_uri`.
    pub(crate) fn assertion(
        caller: Caller,
        email: &str,
        token_uri: &Url,
        want: Want,
        subject: String,
    ) -> Self {
        let audience = token_uri.as_str().to_owned();
        Self { caller, email: email.to_owned(), audience, assertion: Some((want, subject)) }
    }
}

impl Endpoint for SignJwt {
    const WHO: &str = WHO;
    type Output = Issued;

    fn secrets(&self) -> Vec<Secret<String>> {
        vec![self.caller.bearer.clone()]
    }

    fn request(&self, now: Millis) -> Result<Signing<HttpRequest>, Error> {
        let claims = match &self.assertion {
            None => Claims::for_audience(&self.email, &self.audience, now),
            Some((want, subject)) => {
                Claims::assertion(&self.email, &self.audience, want, Some(subject), now)?
            }
        };
        Ok(self.caller.post("signJwt", &|body| {
            body.text("payload", &claims.to_json());
        }))
    }

    fn read(&self, now: Millis, response: &Response) -> Result<Issued, Error> {
        if let Some(error) = response.refusal(WHO) {
            return Err(error);
        }
        let [signed] = response_members(response.body.expose(), ["signedJwt"], WHO)?;
        let signed = signed.as_ref().and_then(Value::as_str).ok_or_else(|| invalid("without a signedJwt"))?;
        self_signed_jwt::read(signed, &self.audience, now, WHO)
    }
}

/// Has bytes signed for the service account (`signBlob`).
pub(crate) struct SignBlob {
    pub(crate) caller: Caller,
    pub(crate) bytes: Vec<u8>,
}

/// What the API has signed.
pub(crate) struct SignedBlob {
    pub(crate) key_id: Option<String>,
    pub(crate) signature: Vec<u8>,
}

impl Endpoint for SignBlob {
    const WHO: &str = WHO;
    type Output = SignedBlob;

    fn secrets(&self) -> Vec<Secret<String>> {
        vec![self.caller.bearer.clone()]
    }

    fn request(&self, _now: Millis) -> Result<Signing<HttpRequest>, Error> {
        Ok(self.caller.post("signBlob", &|body| {
            body.text("payload", &base64_encode(&self.bytes));
        }))
    }

    fn read(&self, _now: Millis, response: &Response) -> Result<SignedBlob, Error> {
        if let Some(error) = response.refusal(WHO) {
            return Err(error);
        }
        let [signed, key_id] = response_members(response.body.expose(), ["signedBlob", "keyId"], WHO)?;
        let signature = signed.as_ref().and_then(Value::as_str).and_then(base64_decode);
        let signature = signature.ok_or_else(|| invalid("without a signedBlob"))?;
        Ok(SignedBlob { key_id: key_id.as_ref().and_then(Value::as_str).map(str::to_owned), signature })
    }
}

fn invalid(found: &str) -> Error {
    Error::new(ErrorCode::TokenResponseInvalid, format!("{WHO} answered {found}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::exchange::Exchange;
    use crate::retry::Jitter;
    use crate::step::{Now, Operation, Reply, Step};

    const NOW: Now = Now::steady(Millis(1_800_000_000_000));
    const BEARER: &str = "ya29.of-the-caller";

    fn caller() -> Caller {
        Caller {
            account_url: "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/a@b.example"
                .into(),
            delegates: Vec::new(),
            lifetime_seconds: 3600,
            bearer: Secret::from(BEARER),
            client_certificate: None,
        }
    }

    fn answer<E: Endpoint>(endpoint: E, status: u16, body: &str) -> Step<E::Output> {
        let mut exchange = Exchange::new(endpoint, Jitter::new(1));
        assert!(matches!(exchange.resume(NOW, Reply::Start), Step::Send(_)));
        let body = Secret::new(body.as_bytes().to_vec());
        exchange.resume(NOW, Reply::Response { status, headers: Vec::new(), body })
    }

    #[test]
    fn a_token_lives_until_its_expire_time_and_no_longer_than_it_was_asked_to() {
        for (expire_time, seconds) in [("2027-01-15T08:10:00Z", 600), ("2027-01-15T10:00:00Z", 3600)] {
            let endpoint = Generate { caller: caller(), want: Want::AccessToken { scopes: Vec::new() } };
            let body = format!(r#"{{"accessToken":"a","expireTime":"{expire_time}"}}"#);
            let Step::Done(issued) = answer(endpoint, 200, &body) else { panic!("no token") };
            assert_eq!(issued.expires_at.since(NOW.unix), seconds * 1000);
        }
    }

    #[test]
    fn the_callers_token_is_never_repeated() {
        let body = format!("no right for {}", BEARER.replace("ya29.", "ya29_"));
        let caller = || Caller { bearer: Secret::from(BEARER.replace("ya29.", "ya29_")), ..caller() };
        let want = Want::AccessToken { scopes: Vec::new() };
        let refused = |error: Option<Error>| error.map(|error| error.detail().to_owned()).unwrap_or_default();
        let failed = |step: Step<Issued>| {
            if let Step::Fail(error) = step { refused(Some(error)) } else { String::new() }
        };
        let signed_blob = match answer(SignBlob { caller: caller(), bytes: Vec::new() }, 403, &body) {
            Step::Fail(error) => refused(Some(error)),
            _ => String::new(),
        };
        for shown in [
            failed(answer(Generate { caller: caller(), want }, 403, &body)),
            failed(answer(SignJwt::for_audience(caller(), "a@b.example", "a".into()), 403, &body)),
            signed_blob,
        ] {
            assert!(shown.ends_with("no right for [redacted]"), "{shown}");
        }
    }
}
