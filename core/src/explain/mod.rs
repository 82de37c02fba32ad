//! What a token is, and all that is wrong with it, in plain words.
//!
//! A verifier stops at the first thing that is wrong and says it in one line; whoever debugs a call wants all of them,
//! and what to change. The rules are the verifier's own: an explanation asks it for every complaint in place of the
//! first one, and adds words. It never shows the token, and of its claims no more than `iss`, `aud`, `email` and the
//! times.

mod explain_token;

use std::fmt;

pub use self::explain_token::ExplainToken;
use crate::audience::audience_for_url;
use crate::error::{Error, ErrorCode};
use crate::header::TokenHeaders;
use crate::jose::jws;
use crate::json;
use crate::quote::quoted;
use crate::recognise::wrapping::{self, Wrapping};
pub use crate::recognise::{Claimed, Kind};
use crate::recognise::{all_shown, audience, moment, not_a_token, span};
use crate::step::Millis;
use crate::verify::{
    self, Audiences, Callers, InThisProcess, KeyCache, Preset, SignatureCheck, Signatures, Surroundings,
    Verifier, VerifierConfig,
};

/// What to do about a Google token without an e-mail.
const GOOGLE_EMAIL_TODO: &str = "Ask for the e-mail: format=full from the metadata server, includeEmail: true from \
                                 generateIdToken. gatepass does both.";

/// A text that somebody sent as a token, and what else is known about the call.
#[derive(Clone, Copy, Default)]
pub struct Question<'a> {
    /// The text, as it was sent or copied.
    pub token: &'a str,
    /// The URL that was called.
    pub url: Option<&'a str>,
    /// The name of the header that carried it.
    pub header: Option<&'a str>,
    /// The moment of the call.
    pub now: Millis,
}

/// What there is to say about a token.
#[derive(Clone, PartialEq, Debug)]
pub struct Explanation {
    /// Whether the receiver accepts the text as it is; `None` where something that decides it is not known: the
    /// keys, the audience or the issuer.
    pub accepted: Option<bool>,
    /// What the text is.
    pub kind: Kind,
    /// What the token claims, believed or not.
    pub claimed: Claimed,
    /// What was found: first what surrounds the token, then the refusals in the verifier's order of checks, then the rest.
    pub findings: Vec<Finding>,
}

impl Explanation {
    /// The JSON form: `{"accepted":true|false|null, "kind":…, "claims":{"iss":…|null, "aud":[…], "email":…|null, "iat":…|null,
    /// "exp":…|null}, "findings":[{"level":"error"|"warning"|"note", "code":…|null, "cause":…|null, "title":…, "found":…,
    /// "todo":…},…], "text":…}`, times in Unix seconds.
    pub fn to_json(&self) -> String {
        let claimed = &self.claimed;
        let seconds = |seconds: Option<u64>| seconds.map_or("null".to_owned(), |seconds| seconds.to_string());
        let claims = json::object(|object| {
            object
                .json("aud", &json::texts(&claimed.aud))
                .text_or_null("email", claimed.email.as_deref())
                .json("exp", &seconds(claimed.exp))
                .json("iat", &seconds(claimed.iat))
                .text_or_null("iss", claimed.iss.as_deref());
        });
        json::object(|object| {
            match self.accepted {
                Some(accepted) => object.boolean("accepted", accepted),
                None => object.json("accepted", "null"),
            };
            object
                .json("claims", &claims)
                .json("findings", &json::list(self.findings.iter().map(Finding::to_json)))
                .text("kind", self.kind.as_str())
                .text("text", &self.to_string());
        })
    }
}

/// One thing that was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// How grave it is.
    pub level: Level,
    /// The refusal that it leads to; `None` where it leads to none by itself.
    pub code: Option<ErrorCode>,
    /// What caused it, where that is known: a stable name in snake_case.
    pub cause: Option<&'static str>,
    /// What it means.
    pub title: &'static str,
    /// What was found, and what was expected.
    pub found: String,
    /// What to change.
    pub todo: String,
}

impl Finding {
    fn to_json(&self) -> String {
        json::object(|object| {
            object
                .text_or_null("cause", self.cause)
                .text_or_null("code", self.code.map(ErrorCode::as_str))
                .text("found", &self.found)
                .text("level", self.level.as_str())
                .text("title", self.title)
                .text("todo", &self.todo);
        })
    }
}

/// How grave a finding is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Level {
    /// The token is refused for it.
    Error,
    /// The token may be refused for it by another receiver.
    Warning,
    /// Good to know.
    Note,
}

impl Level {
    /// The name in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// Explains a token to a receiver with these options. What they leave open is taken from the question: the preset from
/// the kind of token, the audience from the URL. Keys are used where they are given and never fetched.
///
/// # Errors
/// [`ErrorCode::InvalidOption`] and [`ErrorCode::InvalidAudience`].
pub fn explain(config: VerifierConfig, question: &Question<'_>) -> Result<Explanation, Error> {
    Ok(receiver(config, question)?.explain(question))
}

/// The same as an operation, for a host that checks signatures itself ([`Step::CheckSignature`](crate::Step)).
///
/// # Errors
/// [`ErrorCode::InvalidOption`] and [`ErrorCode::InvalidAudience`].
pub fn begin_explain(config: VerifierConfig, question: &Question<'_>) -> Result<ExplainToken, Error> {
    Ok(receiver(config, question)?.begin_explain(question))
}

/// The verifier with these options and what the question adds.
fn receiver(config: VerifierConfig, question: &Question<'_>) -> Result<Verifier, Error> {
    // An explanation lets nobody in: that the options are those of a service on Cloud Run is taken on trust.
    let surroundings = Surroundings { is_on_cloud_run: true, emulator: None };
    Verifier::within(surroundings, complete(config, question)?, &KeyCache::default())
}

/// These options, and what the question says where they are silent: enough for a verifier that can explain, which is
/// not one to let anybody in with.
///
/// # Errors
/// [`ErrorCode::InvalidAudience`] when the audience is to be told from a URL that has none.
pub fn complete(mut config: VerifierConfig, question: &Question<'_>) -> Result<VerifierConfig, Error> {
    let (token, _) = wrapping::peel(question.token);
    let claimed = Claimed::read(&token);
    let kind = Kind::of(&token, &claimed);
    if config.preset.is_none() && config.issuers.is_empty() {
        config.preset = Preset::of(kind);
    }
    config = config.with_default_preset();
    let names_no_audience = config.audiences == Audiences::Any || config.audiences.is_open();
    // Each Firebase project is an issuer of its own; which one is wanted is as open as the audience.
    if names_no_audience
        && config.preset == Some(Preset::Firebase)
        && kind == Kind::Firebase
        && config.issuers.is_empty()
    {
        config.issuers.extend(claimed.iss);
    }
    if config.audiences.is_open() {
        config.audiences = match (config.preset, question.url) {
            (Some(Preset::Iap | Preset::Firebase), _) | (_, None) => Audiences::Any,
            (_, Some(url)) => Audiences::OneOf(vec![audience_for_url(url)?]),
        };
    }
    if config.callers == Callers::Unspecified {
        config.callers = Callers::Any;
    }
    Ok(config)
}

impl Verifier {
    /// Explains a token to this receiver, with the keys that are at hand.
    pub fn explain(&self, question: &Question<'_>) -> Explanation {
        self.explained(question, &InThisProcess).0
    }

    /// The explanation, and what it leaves open: whether the signature is valid, if that is to be asked of somebody else.
    fn explained(
        &self,
        question: &Question<'_>,
        signatures: &dyn Signatures,
    ) -> (Explanation, Option<Box<verify::Question>>) {
        let (token, wrappings) = wrapping::peel(question.token);
        let claimed = Claimed::read(&token);
        let kind = Kind::of(&token, &claimed);
        let case = Case { verifier: self, question, token: &token, kind, claimed: &claimed };
        let (errors, signature) = self.complaints(&token, question.now, signatures);
        let mut findings: Vec<_> = wrappings.into_iter().map(wrapped).collect();
        match case.of_kind() {
            // It fails the checks of an ID token in ways that say nothing more.
            Some(finding) if !errors.is_empty() => findings.push(finding),
            _ => findings.extend(errors.iter().map(|error| case.refused(error))),
        }
        findings.extend(case.of_header());
        findings.extend(case.of_url());
        findings.extend(case.of_email(&errors));
        let refused = !errors.is_empty() || findings.iter().any(|finding| finding.level == Level::Error);
        if !refused {
            findings.extend(case.undecided(&signature));
        }
        let is_open = findings.iter().any(|finding| finding.cause.is_some_and(|cause| OPEN.contains(&cause)));
        let accepted = if refused { Some(false) } else { Some(true).filter(|_| !is_open) };
        let open = match signature {
            SignatureCheck::Open(question) => Some(question),
            SignatureCheck::Made | SignatureCheck::WithoutKeys => None,
        };
        (Explanation { accepted, kind, claimed, findings }, open)
    }
}

/// Causes that leave the verdict open.
const OPEN: [&str; 2] = ["signature_not_checked", "audience_not_compared"];

/// All that a finding is made from.
struct Case<'a> {
    verifier: &'a Verifier,
    question: &'a Question<'a>,
    token: &'a str,
    kind: Kind,
    claimed: &'a Claimed,
}

impl Case<'_> {
    /// What there is to say about a text that is no ID token.
    fn of_kind(&self) -> Option<Finding> {
        let (title, found, todo) = match self.kind {
            Kind::AccessToken => (
                "This is an access token, and an ID token is wanted",
                "the text begins with ya29., as Google's access tokens do",
                "Access tokens are for Google's own APIs. Ask for an ID token with the receiver's audience: \
                 fetch_id_token(audience), or gcloud auth print-identity-token.",
            ),
            Kind::SelfSignedAssertion => (
                "This assertion was never exchanged for a token",
                "a service account signed it itself, for Google's token endpoint",
                "Send it to https://oauth2.googleapis.com/token with grant_type \
                 urn:ietf:params:oauth:grant-type:jwt-bearer; id_token in the answer is what the receiver wants. \
                 fetch_id_token(audience) does that.",
            ),
            Kind::SelfSignedAccessToken => (
                "This token is a service account's own, and Google has not signed it",
                "iss is a service account, and the audience or scope one of an API",
                "Google's own APIs accept such tokens, other receivers do not. Ask for an ID token with the \
                 receiver's audience: fetch_id_token(audience).",
            ),
            Kind::NotAToken => (
                "This is no token",
                not_a_token(self.token).unwrap_or("it is no JWT, and begins like no token of Google's"),
                "Ask for an ID token with the receiver's audience: fetch_id_token(audience), or gcloud auth \
                 print-identity-token.",
            ),
            _ => return None,
        };
        let code = match self.kind {
            Kind::AccessToken | Kind::NotAToken => ErrorCode::TokenMalformed,
            _ => ErrorCode::BadIssuer,
        };
        Some(Finding {
            level: Level::Error,
            code: Some(code),
            cause: Some(self.kind.as_str()),
            title,
            found: found.into(),
            todo: todo.into(),
        })
    }

    /// A refusal of the verifier's, with the claim that it is about.
    fn refused(&self, error: &Error) -> Finding {
        let (title, todo) = (error.code().title(), error.code().explained());
        let mut finding = Finding {
            level: Level::Error,
            code: Some(error.code()),
            cause: None,
            title,
            found: error.detail().into(),
            todo: todo.into(),
        };
        let now = self.question.now.as_secs();
        match (error.code(), self.claimed.iat, self.claimed.exp) {
            (ErrorCode::BadAudience, ..) => self.add_audience(&mut finding),
            (ErrorCode::BadIssuer, ..) => self.add_issuer(&mut finding),
            (ErrorCode::TokenExpired, _, Some(exp)) => {
                let ago = span(now.saturating_sub(exp));
                finding.found = format!("exp is {}, {ago} before now ({})", moment(exp), moment(now));
            }
            (ErrorCode::TokenIssuedInFuture, Some(iat), _) => {
                let ahead = span(iat.saturating_sub(now));
                finding.cause = Some("clock");
                finding.found = format!("iat is {}, {ahead} after now ({})", moment(iat), moment(now));
            }
            (ErrorCode::EmailNotAllowed, ..) if self.claimed.email.is_none() => {
                finding.cause = Some("email_missing");
                finding.todo = GOOGLE_EMAIL_TODO.into();
            }
            _ => {}
        }
        finding
    }

    fn add_issuer(&self, finding: &mut Finding) {
        if let Some(preset) = Preset::of(self.kind) {
            finding.cause = Some("other_preset");
            finding.todo = format!(
                "Verify it with preset {}, if this is the kind of token that the receiver wants. It is {}.",
                preset.as_str(),
                self.kind.title()
            );
        }
    }

    fn add_audience(&self, finding: &mut Finding) {
        let expected = self.verifier.policy().audiences.iter().flatten();
        let pairs = expected.flat_map(|expected| self.claimed.aud.iter().map(move |found| (found, expected)));
        if let Some(known) =
            pairs.take(100).find_map(|(found, expected)| audience::difference(found, expected))
        {
            finding.cause = Some(known.cause);
            finding.found = format!("{}: {}", finding.found, known.found);
            finding.todo = known.todo;
        }
    }

    /// A header in which the receiver does not look for a token.
    fn of_header(&self) -> Option<Finding> {
        let name = self.question.header?;
        let bearer = format!("Bearer {}", self.token);
        let mut headers = TokenHeaders::default();
        match name.to_ascii_lowercase().as_str() {
            "authorization" => headers.authorization = Some(&bearer),
            "x-serverless-authorization" => headers.x_serverless_authorization = Some(&bearer),
            "x-goog-iap-jwt-assertion" => headers.x_goog_iap_jwt_assertion = Some(self.token),
            _ => {}
        }
        let error = self.verifier.token_from_headers(&headers).err()?;
        let mut finding = self.refused(&error);
        finding.cause = Some("wrong_header");
        finding.title = "The token is in a header where this receiver does not look";
        finding.found = format!("the token came in {}; {}", quoted(name), finding.found);
        Some(finding)
    }

    /// A URL whose own audience is none of the receiver's.
    fn of_url(&self) -> Option<Finding> {
        if self.kind != Kind::GoogleIdToken {
            return None;
        }
        let derived = audience_for_url(self.question.url?);
        let audiences = self.verifier.policy().audiences.as_ref()?;
        let found = match derived {
            Err(error) => error.detail().to_owned(),
            Ok(derived) if !audiences.contains(&derived) => format!(
                "a caller that tells the audience from the URL asks for {}, and the receiver expects {}",
                quoted(&derived),
                all_shown(audiences)
            ),
            Ok(_) => return None,
        };
        Some(Finding {
            level: Level::Warning,
            code: None,
            cause: Some("audience_of_url"),
            title: "The audience cannot be derived from the URL",
            found,
            todo: "Give the caller the audience explicitly, or add the URL's own to the receiver's list."
                .into(),
        })
    }

    /// A Google token that does not say who calls.
    fn of_email(&self, errors: &[Error]) -> Option<Finding> {
        let is_told = errors.iter().any(|error| error.claim() == Some("email"));
        if is_told || self.kind != Kind::GoogleIdToken || self.claimed.email.is_some() {
            return None;
        }
        Some(Finding {
            level: Level::Warning,
            code: None,
            cause: Some("email_missing"),
            title: "The token does not say who calls",
            found: "the token has no email: it was asked for in the standard format".into(),
            todo: GOOGLE_EMAIL_TODO.into(),
        })
    }

    /// What is not certain about a token that nothing counts against.
    fn undecided(&self, signature: &SignatureCheck) -> impl Iterator<Item = Finding> {
        let note = |cause, title, found: &str, todo: &str| Finding {
            level: Level::Note,
            code: None,
            cause: Some(cause),
            title,
            found: found.into(),
            todo: todo.into(),
        };
        let why_unchecked = match signature {
            SignatureCheck::Made => None,
            SignatureCheck::WithoutKeys => {
                Some(("the issuer's keys are not at hand", "Give the issuer's keys, or let them be fetched."))
            }
            SignatureCheck::Open(_) => {
                Some(("this runtime does not check one at once", "Verify the token, which waits for it."))
            }
        };
        let signature = why_unchecked
            .map(|(found, todo)| note("signature_not_checked", "The signature was not checked", found, todo));
        let audience = self.verifier.policy().audiences.is_none().then(|| {
            let found =
                format!("aud is {}, and none was given to compare it with", all_shown(&self.claimed.aud));
            note(
                "audience_not_compared",
                "The audience was not compared",
                &found,
                "Give the receiver's audience, or the URL that is called.",
            )
        });
        let is_trusted = self.verifier.policy().trusts_cloud_run && jws::is_stripped(self.token);
        let trust = is_trusted.then(|| {
            note(
                "cloud_run_trusted",
                "Nothing proves the claims",
                "Cloud Run removed the signature, and this receiver takes Cloud Run's word",
                "Make sure that the service lets nobody in without authentication.",
            )
        });
        [signature, audience, trust].into_iter().flatten()
    }
}

fn wrapped(wrapping: Wrapping) -> Finding {
    let (found, todo) = wrapping.words();
    // Whoever shows a whole request asks about the token that it carries.
    let (level, code, title) = match wrapping {
        Wrapping::Request => (Level::Note, None, "The token was taken from a request"),
        _ => (Level::Error, Some(ErrorCode::TokenMalformed), "Extra text surrounds the token"),
    };
    Finding { level, code, cause: Some(wrapping.cause()), title, found: found.into(), todo: todo.into() }
}

impl fmt::Display for Explanation {
    /// Some lines of plain text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "This is {}.", self.kind.title())?;
        let claimed = &self.claimed;
        let texts = [("iss", &claimed.iss), ("email", &claimed.email)];
        for (name, value) in texts.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?))) {
            writeln!(f, "  {name:<5} {}", quoted(value))?;
        }
        if !claimed.aud.is_empty() {
            writeln!(f, "  aud   {}", all_shown(&claimed.aud))?;
        }
        for (name, value) in [("iat", claimed.iat), ("exp", claimed.exp)] {
            if let Some(seconds) = value {
                writeln!(f, "  {name:<5} {}", moment(seconds))?;
            }
        }
        writeln!(
            f,
            "{}",
            match self.accepted {
                Some(true) => "It is accepted.",
                Some(false) => "It is refused.",
                None => "No problem found, but undecided.",
            }
        )?;
        for finding in &self.findings {
            let code = finding.code.map(|code| format!(" ({code})")).unwrap_or_default();
            writeln!(f, "\n{}: {}{code}.", finding.level.as_str(), finding.title)?;
            writeln!(f, "  Found: {}.", finding.found)?;
            writeln!(f, "  What to do: {}", finding.todo)?;
        }
        Ok(())
    }
}
