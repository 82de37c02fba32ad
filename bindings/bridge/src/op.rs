//! A resumable operation behind a handle, and the JSON form of its steps and replies.
//!
//! Steps: `{"step":"read_env","names":[…]}`, `{"step":"read_file","path":…,"timeout_ms":…}`,
//! `{"step":"send","method":…,"url":…,"headers":[[name,value],…],"body":…|null,"timeout_ms":…,"route":"default"|"direct",
//! "proxy":null|{"url":…},"client_certificate":null|{"cert_path":…,"key_path":…}}` with `"ca_certificate_path":…` where the authorities in that
//! PEM file are to be trusted in place of the system's, `{"step":"run","argv":[…],"env":[[name,value],…],"timeout_ms":…}`,
//! `{"step":"supply","supplier":…,"audience":…,"token_type":…,"timeout_ms":…}`, of [`begin_explain_token`](crate::begin_explain_token)
//! only `{"step":"check_signature","alg":…,"key":"a JWK","data":…,"signature":BASE64URL}`, of a core that computes no signatures only
//! `{"step":"sign","alg":…,"key":BASE64 of PKCS#8,"data":BASE64}`, `{"step":"wait","delay_ms":…}`,
//! `{"step":"done","output":null|{"header":…,"expires_at_ms":…,"fresh_until_ms":…,"fresh_until_monotonic_ms":…}}`, of
//! [`Source::principal`](crate::Source::principal) `{"step":"done","output":{"email":…|null,"project_id":…|null}}`, of
//! [`Source::sign_bytes`](crate::Source::sign_bytes) `{"step":"done","output":{"key_id":…|null,"signature":BASE64}}`, of
//! [`Op::own_audiences`] `{"step":"done","output":{"audiences":[…]}}`, of [`Verifier::open`](crate::Verifier::open)
//! `{"step":"done","output":{"warnings":[…]}}`, lines for the log at the level of warnings, of
//! [`begin_explain_token`](crate::begin_explain_token) `{"step":"done","output":{"accepted":…,…}}`, the explanation, and
//! `{"step":"fail","error":{…}}`.
//!
//! Replies: `{"reply":"start"}`, `{"reply":"env","values":{name:value,…}}`, `{"reply":"text","text":…}`,
//! `{"reply":"response","status":…,"headers":[[name,value],…],"body":…}`, `{"reply":"exited","status":…,"stdout":…,"stderr":…}`,
//! `{"reply":"checked","is_valid":…}`, `{"reply":"signed","signature":BASE64}`, `{"reply":"elapsed"}`, `{"reply":"failed","kind":…,"message":…}` with the kinds `not_found`, `permission_denied`,
//! `connect`, `untrusted_certificate`, `timeout`, `too_large`, `unsupported`, `other`.

use gatepass_core::explain::ExplainToken;
use gatepass_core::{
    DataToSign, DescribePrincipal, FlightId, HostFailure, HttpRequest, Inquiry, KeyFetch, Now, OpenVerifier,
    Opened, Operation, OwnAudiences, Refresh, Reply, Route, Secret, Signature, SignatureToCheck, Step, Token,
    json,
};

use crate::failure::{Failure, guard};
use crate::members::{Members, Misfit, required};

/// An operation under way.
pub struct Op {
    /// `None` once it has ended or was cancelled. Without a list of its kinds: a program holds those that it begins.
    driven: Option<Box<dyn Driven>>,
    /// What [`Verifier::open`](crate::Verifier::open) has made.
    opened: Option<gatepass_core::Verifier>,
    flight: Option<FlightId>,
}

/// An operation of any kind, whose output is one of these.
trait Driven: Send {
    fn resume(&mut self, now: Now, reply: Reply) -> Step<Output>;
}

enum Output {
    /// JSON text.
    Json(String),
    Verifier(Box<Opened>),
}

struct Kind<O, F> {
    op: O,
    output: F,
}

impl<O: Operation + Send, F: Fn(O::Output) -> Output + Send> Driven for Kind<O, F> {
    fn resume(&mut self, now: Now, reply: Reply) -> Step<Output> {
        self.op.resume(now, reply).and_then(|output| Step::Done((self.output)(output)))
    }
}

impl Op {
    fn of<O>(op: O, flight: Option<FlightId>, output: impl Fn(O::Output) -> Output + Send + 'static) -> Self
    where
        O: Operation + Send + 'static,
    {
        Self { driven: Some(Box::new(Kind { op, output })), opened: None, flight }
    }

    /// Asks for the audiences of the Cloud Run service that this process is; see [`OwnAudiences`].
    pub fn own_audiences() -> Self {
        Self::of(OwnAudiences::new(), None, |audiences| {
            Output::Json(json::object(|object| {
                object.json("audiences", &json::texts(&audiences));
            }))
        })
    }

    /// The flight that others join while this operation is under way, if it is one.
    pub fn flight(&self) -> Option<u64> {
        self.flight.map(|FlightId(id)| id)
    }

    /// Takes the host's reply and gives the next step, both JSON. Never fails: an error is a step too.
    pub fn resume(&mut self, now: Now, reply: &str) -> String {
        let step = guard(|| {
            let reply = read_reply(reply)?;
            let Some(driven) = &mut self.driven else {
                return Err(Failure::misuse("the operation has ended or was cancelled before"));
            };
            Ok(driven.resume(now, reply).and_then(|output| Step::Done(self.keep(output))))
        });
        let step = step.unwrap_or_else(|Failure(error)| Step::Fail(error));
        if matches!(step, Step::Done(_) | Step::Fail(_)) {
            self.cancel();
        }
        write_step(step)
    }

    /// Keeps what crosses the border by a handle, and gives the rest.
    fn keep(&mut self, output: Output) -> String {
        match output {
            Output::Json(json) => json,
            Output::Verifier(opened) => {
                self.opened = Some(opened.verifier);
                json::object(|object| {
                    object.json("warnings", &json::texts(&opened.warnings));
                })
            }
        }
    }

    /// The verifier that was made, once it is done. It is given once.
    pub(crate) fn verifier(&mut self) -> Result<gatepass_core::Verifier, Failure> {
        self.opened.take().ok_or_else(|| Failure::misuse("the operation has no verifier to give"))
    }

    /// Ends the operation and gives its flight up, so that another caller can be chosen. Dropping it does the same.
    pub fn cancel(&mut self) {
        self.driven = None;
    }
}

impl From<Refresh> for Op {
    fn from(op: Refresh) -> Self {
        let flight = op.flight();
        Self::of(op, flight, |token| Output::Json(json::object(|object| write_token(object, &token))))
    }
}

impl From<KeyFetch> for Op {
    fn from(op: KeyFetch) -> Self {
        let flight = op.flight();
        Self::of(op, flight, |()| Output::Json(NULL.to_owned()))
    }
}

impl From<OpenVerifier> for Op {
    fn from(op: OpenVerifier) -> Self {
        Self::of(op, None, |opened| Output::Verifier(Box::new(opened)))
    }
}

impl From<DescribePrincipal> for Op {
    fn from(op: DescribePrincipal) -> Self {
        Self::of(op, None, |principal| {
            Output::Json(json::object(|object| {
                object.text_or_null("email", principal.email.as_deref());
                object.text_or_null("project_id", principal.project_id.as_deref());
            }))
        })
    }
}

impl From<Inquiry<Signature>> for Op {
    fn from(op: Inquiry<Signature>) -> Self {
        Self::of(op, None, |signature| {
            Output::Json(json::object(|object| {
                object.text_or_null("key_id", signature.key_id.as_deref());
                object.text("signature", &signature.to_base64());
            }))
        })
    }
}

impl From<ExplainToken> for Op {
    fn from(op: ExplainToken) -> Self {
        Self::of(op, None, |explanation| Output::Json(explanation.to_json()))
    }
}

/// The members of a token: how it is sent, and until when.
pub(crate) fn write_token(object: &mut json::Object, token: &Token) {
    let fresh_until = token.fresh_until();
    object
        .number("expires_at_ms", token.expires_at().0)
        .number("fresh_until_monotonic_ms", fresh_until.monotonic.0)
        .number("fresh_until_ms", fresh_until.unix.0)
        .text("header", token.header());
}

/// The members of a step, in alphabetical order.
fn write_step(step: Step<String>) -> String {
    json::object(|object| match step {
        Step::ReadEnv { names } => {
            object.json("names", &json::texts(names)).text("step", "read_env");
        }
        Step::ReadFile { path, timeout_ms } => {
            object.text("path", &path).text("step", "read_file").number("timeout_ms", timeout_ms);
        }
        Step::Send(request) => write_request(object, &request),
        Step::Run { argv, env, timeout_ms } => {
            object
                .json("argv", &json::texts(&argv))
                .json("env", &pairs(env.iter().map(|(name, value)| (name.as_str(), value.as_str()))))
                .text("step", "run")
                .number("timeout_ms", timeout_ms);
        }
        Step::Supply { supplier, audience, token_type, timeout_ms } => {
            object
                .text("audience", &audience)
                .text("step", "supply")
                .text("supplier", &supplier)
                .number("timeout_ms", timeout_ms)
                .text("token_type", &token_type);
        }
        Step::CheckSignature(SignatureToCheck { alg, key, data, signature }) => {
            object
                .text("alg", alg)
                .text("data", data.expose())
                .text("key", &key)
                .text("signature", signature.expose())
                .text("step", "check_signature");
        }
        Step::Sign(DataToSign { alg, key, data }) => {
            object
                .text("alg", alg)
                .text("data", data.expose())
                .text("key", key.expose())
                .text("step", "sign");
        }
        Step::Wait { delay_ms } => {
            object.number("delay_ms", delay_ms).text("step", "wait");
        }
        Step::Done(output) => {
            object.json("output", &output).text("step", "done");
        }
        Step::Fail(error) => {
            object.json("error", &Failure::from(error).to_json()).text("step", "fail");
        }
        // By the contract a host that does not know a step says so; the driver sees a name that it does not know.
        _ => {
            object.text("step", "unknown");
        }
    })
}

fn write_request(object: &mut json::Object, request: &HttpRequest) {
    let route = match request.route {
        Route::Default => "default",
        Route::Direct => "direct",
    };
    let certificate = request.client_certificate.as_ref().map(|files| {
        json::object(|object| {
            object.text("cert_path", &files.cert_path).text("key_path", &files.key_path);
        })
    });
    let proxy = request.proxy.as_ref().map(|proxy| {
        json::object(|object| {
            object.text("url", proxy.expose());
        })
    });
    object.text_or_null("body", request.body.as_ref().map(|body| body.expose().as_str()));
    if let Some(path) = &request.ca_certificate_path {
        object.text("ca_certificate_path", path);
    }
    let headers = request.headers.iter().map(|(name, value)| (name.as_ref(), value.expose().as_str()));
    object
        .json("client_certificate", certificate.as_deref().unwrap_or(NULL))
        .json("headers", &pairs(headers))
        .text("method", request.method.as_str())
        .json("proxy", proxy.as_deref().unwrap_or(NULL))
        .text("route", route)
        .text("step", "send")
        .number("timeout_ms", request.timeout_ms)
        .text("url", &request.url);
}

const NULL: &str = "null";

/// An array of arrays of two strings.
fn pairs<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    json::list(pairs.map(|(name, value)| json::texts(&[name, value])))
}

fn read_reply(text: &str) -> Result<Reply, Failure> {
    let reply = Members::read(text).and_then(|mut members| {
        let reply = take_reply(&mut members)?;
        members.end()?;
        Ok(reply)
    });
    // A reply holds secrets; which member it was is enough for a driver's author.
    reply.map_err(|misfit| {
        Failure::misuse(format!(
            "the driver's reply is not one of the JSON forms: {}",
            misfit.of("its members")
        ))
    })
}

fn take_reply(members: &mut Members) -> Result<Reply, Misfit> {
    let kind = text_of(members, "reply")?;
    Ok(match kind.as_str() {
        "start" => Reply::Start,
        "env" => {
            let values = required("values", members.named_texts("values")?)?;
            Reply::Env(values.into_iter().map(|(name, value)| (name, Secret::new(value))).collect())
        }
        "text" => Reply::Text(Secret::new(text_of(members, "text")?)),
        "response" => Reply::Response {
            status: status_of(members)?,
            headers: required("headers", members.pairs("headers")?)?,
            body: bytes_of(members, "body")?,
        },
        "exited" => Reply::Exited {
            status: status_of(members)?,
            stdout: bytes_of(members, "stdout")?,
            stderr: bytes_of(members, "stderr")?,
        },
        "checked" => Reply::Checked { is_valid: required("is_valid", members.boolean("is_valid")?)? },
        "signed" => Reply::Signed { signature: Secret::new(text_of(members, "signature")?) },
        "elapsed" => Reply::Elapsed,
        "failed" => {
            let name = text_of(members, "kind")?;
            let kind = FAILURES.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind);
            Reply::Failed { kind: required("kind", kind)?, message: text_of(members, "message")? }
        }
        _ => required("reply", None)?,
    })
}

/// The kinds of failures by their names.
const FAILURES: [(&str, HostFailure); 8] = [
    ("not_found", HostFailure::NotFound),
    ("permission_denied", HostFailure::PermissionDenied),
    ("connect", HostFailure::Connect),
    ("untrusted_certificate", HostFailure::UntrustedCertificate),
    ("timeout", HostFailure::Timeout),
    ("too_large", HostFailure::TooLarge),
    ("unsupported", HostFailure::Unsupported),
    ("other", HostFailure::Other),
];

/// Of a response, or of a program that has ended.
fn status_of<T: TryFrom<i64>>(members: &mut Members) -> Result<T, Misfit> {
    let status = members.integer("status")?;
    required("status", status.and_then(|status| T::try_from(status).ok()))
}

fn text_of(members: &mut Members, name: &'static str) -> Result<String, Misfit> {
    required(name, members.text(name)?)
}

fn bytes_of(members: &mut Members, name: &'static str) -> Result<Secret<Vec<u8>>, Misfit> {
    text_of(members, name).map(|text| Secret::new(text.into_bytes()))
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
