//! A resumable operation behind a handle, and the JSON form of its steps and replies.
//!
//! Steps: `{"step":"read_env","names":[…]}`, `{"step":"read_file","path":…,"timeout_ms":…}`,
//! `{"step":"send","method":…,"url":…,"headers":[[name,value],…],"body":…|null,"timeout_ms":…,"route":"default"|"direct",
//! "proxy":null|{"url":…},"client_certificate":null|{"cert_path":…,"key_path":…}}` with `"ca_certificate_path":…` where the authorities in that
//! PEM file are to be trusted in place of the system's, `{"step":"run","argv":[…],"env":[[name,value],…],"timeout_ms":…}`,
//! `{"step":"supply","supplier":…,"audience":…,"token_type":…,"timeout_ms":…}`, of a [`Verifier::begin_check`](crate::Verifier::begin_check)
//! only `{"step":"check_signature","alg":…,"key":"a JWK","data":…,"signature":BASE64URL}`, `{"step":"wait","delay_ms":…}`,
//! `{"step":"done","output":null|{"header":…,"expires_at_ms":…,"fresh_until_ms":…,"fresh_until_monotonic_ms":…}}`, of
//! [`Source::principal`](crate::Source::principal) `{"step":"done","output":{"email":…|null,"project_id":…|null}}`, of
//! [`Source::sign_bytes`](crate::Source::sign_bytes) `{"step":"done","output":{"key_id":…|null,"signature":BASE64}}`, of
//! [`Op::own_audiences`] `{"step":"done","output":{"audiences":[…]}}`, of [`Verifier::open`](crate::Verifier::open)
//! `{"step":"done","output":{"warnings":[…]}}`, lines for the log at the level of warnings, and
//! `{"step":"fail","error":{…}}`.
//!
//! Replies: `{"reply":"start"}`, `{"reply":"env","values":{name:value,…}}`, `{"reply":"text","text":…}`,
//! `{"reply":"response","status":…,"headers":[[name,value],…],"body":…}`, `{"reply":"exited","status":…,"stdout":…,"stderr":…}`,
//! `{"reply":"checked","is_valid":…}`, `{"reply":"elapsed"}`, `{"reply":"failed","kind":…,"message":…}` with the kinds `not_found`, `permission_denied`,
//! `connect`, `untrusted_certificate`, `timeout`, `too_large`, `unsupported`, `other`.

use std::collections::BTreeMap;

use gatepass_core::{
    DescribePrincipal, FlightId, HostFailure, HttpRequest, Inquiry, KeyFetch, Now, OpenVerifier, Operation,
    OwnAudiences, Refresh, Reply, Route, Secret, Signature, SignatureToCheck, Step, Token, TokenCheck,
    Verdict,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::failure::{Failure, guard};

/// An operation under way.
pub struct Op {
    /// `None` once it was cancelled.
    kind: Option<Kind>,
    /// What [`Kind::OpenVerifier`] has made.
    opened: Option<gatepass_core::Verifier>,
    /// What [`Kind::TokenCheck`] has come to.
    verdict: Option<Verdict>,
    flight: Option<FlightId>,
}

enum Kind {
    Refresh(Refresh),
    KeyFetch(KeyFetch),
    OwnAudiences(OwnAudiences),
    OpenVerifier(Box<OpenVerifier>),
    Principal(Box<DescribePrincipal>),
    Sign(Box<Inquiry<Signature>>),
    TokenCheck(Box<TokenCheck>),
}

impl Op {
    fn of(kind: Kind, flight: Option<FlightId>) -> Self {
        Self { kind: Some(kind), opened: None, verdict: None, flight }
    }

    /// Asks for the audiences of the Cloud Run service that this process is; see [`OwnAudiences`].
    pub fn own_audiences() -> Self {
        Self::of(Kind::OwnAudiences(OwnAudiences::new()), None)
    }

    /// The flight that others join while this operation is under way, if it is one.
    pub fn flight(&self) -> Option<u64> {
        self.flight.map(|FlightId(id)| id)
    }

    /// Takes the host's reply and gives the next step, both JSON. Never fails: an error is a step too.
    pub fn resume(&mut self, now: Now, reply: &str) -> String {
        let step = guard(|| {
            let reply = read_reply(reply)?;
            match &mut self.kind {
                Some(Kind::Refresh(op)) => Ok(write_step(op.resume(now, reply), |token| token_json(&token))),
                Some(Kind::KeyFetch(op)) => Ok(write_step(op.resume(now, reply), |()| Value::Null)),
                Some(Kind::OwnAudiences(op)) => {
                    Ok(write_step(op.resume(now, reply), |audiences| json!({"audiences": audiences})))
                }
                Some(Kind::OpenVerifier(op)) => Ok(write_step(op.resume(now, reply), |opened| {
                    self.opened = Some(opened.verifier);
                    json!({"warnings": opened.warnings})
                })),
                Some(Kind::Principal(op)) => Ok(write_step(
                    op.resume(now, reply),
                    |principal| json!({"email": principal.email, "project_id": principal.project_id}),
                )),
                Some(Kind::Sign(op)) => Ok(write_step(
                    op.resume(now, reply),
                    |signature| json!({"key_id": signature.key_id, "signature": signature.to_base64()}),
                )),
                Some(Kind::TokenCheck(op)) => Ok(write_step(op.resume(now, reply), |verdict| {
                    self.verdict = Some(verdict);
                    Value::Null
                })),
                None => Err(Failure::misuse("the operation has ended or was cancelled before")),
            }
        });
        let step = step.unwrap_or_else(|failure| json!({"step": "fail", "error": failure.to_value()}));
        if matches!(step.get("step").and_then(Value::as_str), Some("done" | "fail")) {
            self.cancel();
        }
        step.to_string()
    }

    /// The verifier that was made, once it is done. It is given once.
    pub(crate) fn verifier(&mut self) -> Result<gatepass_core::Verifier, Failure> {
        self.opened.take().ok_or_else(|| Failure::misuse("the operation has no verifier to give"))
    }

    /// The verdict on the token that was checked, once it is done. It is given once.
    pub(crate) fn verdict(&mut self) -> Result<Verdict, Failure> {
        self.verdict.take().ok_or_else(|| Failure::misuse("the operation has no verdict to give"))
    }

    /// Ends the operation and gives its flight up, so that another caller can be chosen. Dropping it does the same.
    pub fn cancel(&mut self) {
        self.kind = None;
    }
}

impl From<Refresh> for Op {
    fn from(op: Refresh) -> Self {
        let flight = op.flight();
        Self::of(Kind::Refresh(op), flight)
    }
}

impl From<KeyFetch> for Op {
    fn from(op: KeyFetch) -> Self {
        let flight = op.flight();
        Self::of(Kind::KeyFetch(op), flight)
    }
}

impl From<OpenVerifier> for Op {
    fn from(op: OpenVerifier) -> Self {
        Self::of(Kind::OpenVerifier(Box::new(op)), None)
    }
}

impl From<DescribePrincipal> for Op {
    fn from(op: DescribePrincipal) -> Self {
        Self::of(Kind::Principal(Box::new(op)), None)
    }
}

impl From<Inquiry<Signature>> for Op {
    fn from(op: Inquiry<Signature>) -> Self {
        Self::of(Kind::Sign(Box::new(op)), None)
    }
}

impl From<TokenCheck> for Op {
    fn from(op: TokenCheck) -> Self {
        Self::of(Kind::TokenCheck(Box::new(op)), None)
    }
}

fn token_json(token: &Token) -> Value {
    json!({
        "header": token.header(),
        "expires_at_ms": token.expires_at().0,
        "fresh_until_ms": token.fresh_until().unix.0,
        "fresh_until_monotonic_ms": token.fresh_until().monotonic.0,
    })
}

fn write_step<T>(step: Step<T>, output: impl FnOnce(T) -> Value) -> Value {
    match step {
        Step::ReadEnv { names } => json!({"step": "read_env", "names": names}),
        Step::ReadFile { path, timeout_ms } => {
            json!({"step": "read_file", "path": path, "timeout_ms": timeout_ms})
        }
        Step::Send(request) => write_request(&request),
        Step::Run { argv, env, timeout_ms } => {
            json!({"step": "run", "argv": argv, "env": env, "timeout_ms": timeout_ms})
        }
        Step::Supply { supplier, audience, token_type, timeout_ms } => {
            json!({"step": "supply", "supplier": supplier, "audience": audience, "token_type": token_type, "timeout_ms": timeout_ms})
        }
        Step::CheckSignature(SignatureToCheck { alg, key, data, signature }) => {
            json!({"step": "check_signature", "alg": alg, "key": key, "data": data.expose(), "signature": signature.expose()})
        }
        Step::Wait { delay_ms } => json!({"step": "wait", "delay_ms": delay_ms}),
        Step::Done(result) => json!({"step": "done", "output": output(result)}),
        Step::Fail(error) => json!({"step": "fail", "error": Failure::from(error).to_value()}),
        // By the contract a host that does not know a step says so; the driver sees a name that it does not know.
        _ => json!({"step": "unknown"}),
    }
}

fn write_request(request: &HttpRequest) -> Value {
    let headers: Vec<_> =
        request.headers.iter().map(|(name, value)| (name.as_ref(), value.expose())).collect();
    let route = match request.route {
        Route::Default => "default",
        Route::Direct => "direct",
    };
    let certificate = request.client_certificate.as_ref();
    let mut step = json!({
        "step": "send",
        "method": request.method.as_str(),
        "url": request.url,
        "headers": headers,
        "body": request.body.as_ref().map(Secret::expose),
        "timeout_ms": request.timeout_ms,
        "route": route,
        "proxy": request.proxy.as_ref().map(|proxy| json!({"url": proxy.expose()})),
        "client_certificate": certificate.map(|c| json!({"cert_path": c.cert_path, "key_path": c.key_path})),
    });
    if let (Some(path), Some(members)) = (&request.ca_certificate_path, step.as_object_mut()) {
        members.insert("ca_certificate_path".to_owned(), json!(path));
    }
    step
}

#[derive(Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case", deny_unknown_fields)]
enum ReplyJson {
    Start,
    Env { values: BTreeMap<String, String> },
    Text { text: String },
    Response { status: u16, headers: Vec<(String, String)>, body: String },
    Exited { status: i32, stdout: String, stderr: String },
    Checked { is_valid: bool },
    Elapsed,
    Failed { kind: FailureKind, message: String },
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum FailureKind {
    NotFound,
    PermissionDenied,
    Connect,
    UntrustedCertificate,
    Timeout,
    TooLarge,
    Unsupported,
    Other,
}

fn read_reply(text: &str) -> Result<Reply, Failure> {
    // serde's own message may quote the reply, which holds secrets; where it broke is enough for a driver's author.
    let reply: ReplyJson = serde_json::from_str(text).map_err(|error| {
        Failure::misuse(format!(
            "the driver's reply is not one of the JSON forms (column {})",
            error.column()
        ))
    })?;
    Ok(match reply {
        ReplyJson::Start => Reply::Start,
        ReplyJson::Env { values } => {
            Reply::Env(values.into_iter().map(|(name, value)| (name, Secret::new(value))).collect())
        }
        ReplyJson::Text { text } => Reply::Text(Secret::new(text)),
        ReplyJson::Response { status, headers, body } => {
            Reply::Response { status, headers, body: Secret::new(body.into_bytes()) }
        }
        ReplyJson::Exited { status, stdout, stderr } => Reply::Exited {
            status,
            stdout: Secret::new(stdout.into_bytes()),
            stderr: Secret::new(stderr.into_bytes()),
        },
        ReplyJson::Checked { is_valid } => Reply::Checked { is_valid },
        ReplyJson::Elapsed => Reply::Elapsed,
        ReplyJson::Failed { kind, message } => Reply::Failed {
            kind: match kind {
                FailureKind::NotFound => HostFailure::NotFound,
                FailureKind::PermissionDenied => HostFailure::PermissionDenied,
                FailureKind::Connect => HostFailure::Connect,
                FailureKind::UntrustedCertificate => HostFailure::UntrustedCertificate,
                FailureKind::Timeout => HostFailure::Timeout,
                FailureKind::TooLarge => HostFailure::TooLarge,
                FailureKind::Unsupported => HostFailure::Unsupported,
                FailureKind::Other => HostFailure::Other,
            },
            message,
        },
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::{KeyCache, Lookup, Now, Op, Source, Verifier};

    const NOW: Now = crate::now(0, 0);

    #[test]
    fn own_audiences_are_the_output() {
        let mut op = Op::own_audiences();
        let replies = [
            r#"{"reply":"start"}"#,
            r#"{"reply":"env","values":{"K_SERVICE":"orders"}}"#,
            r#"{"reply":"response","status":200,"headers":[],"body":"7"}"#,
            r#"{"reply":"response","status":200,"headers":[],"body":"projects/7/regions/r"}"#,
        ];
        let step = replies.map(|reply| op.resume(NOW, reply)).into_iter().next_back().unwrap();
        assert_eq!(
            step,
            r#"{"output":{"audiences":["https://orders-7.r.run.app","https://orders-7.r.run.app/"]},"step":"done"}"#
        );
    }

    #[test]
    fn a_verifier_is_given_once_when_it_is_made() {
        let mut op = Verifier::open(r#"{"audiences":["https://a"]}"#, &KeyCache::new()).unwrap();
        assert!(Verifier::made_by(&mut op).is_err(), "not yet");
        assert_eq!(
            op.resume(NOW, r#"{"reply":"start"}"#),
            r#"{"names":["K_SERVICE","GATEPASS_DANGEROUSLY_TRUST_EMULATOR","GATEPASS_TRUSTED_ENDPOINTS","http_proxy","HTTP_PROXY","https_proxy","HTTPS_PROXY","all_proxy","ALL_PROXY","no_proxy","NO_PROXY","REQUEST_METHOD"],"step":"read_env"}"#
        );
        let env = r#"{"reply":"env","values":{"GATEPASS_DANGEROUSLY_TRUST_EMULATOR":"http://localhost:1"}}"#;
        let step = op.resume(NOW, env);
        assert!(
            step.starts_with(r#"{"output":{"warnings":["GATEPASS_DANGEROUSLY_TRUST_EMULATOR is set"#),
            "{step}"
        );
        assert!(Verifier::made_by(&mut op).is_ok());
        assert!(Verifier::made_by(&mut op).is_err(), "once only");
    }

    #[test]
    fn a_malformed_reply_is_misuse_and_is_not_quoted() {
        let source = Source::new(r#"{"seed":1}"#).unwrap();
        let Lookup::Fetch(mut op) = source.lookup("id_token", "https://a", NOW).unwrap() else {
            unreachable!()
        };
        let step = op.resume(NOW, r#"{"reply":"text","txt":"hush"}"#);
        assert!(step.contains("API_MISUSE") && !step.contains("hush"), "{step}");
        let step = op.resume(NOW, r#"{"reply":"start"}"#);
        assert!(step.contains("API_MISUSE"), "it has ended: {step}");
    }
}
