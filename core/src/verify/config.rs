//! The options of a verifier. Those that exclude each other are one option of several kinds, so that no two can be given
//! at once; all are parsed here, once, and what they leave open is decided here.

use std::fmt;

use crate::error::{Error, ErrorCode};
use crate::jose::alg::Algorithm;
use crate::quote::Quoted;
use crate::token::checked_audience;
use crate::verify::issuers::Preset;
use crate::verify::policy::Policy;
use crate::verify::verified_cache::{DEFAULT_REMEMBERED_BYTES, HostCost};

/// The leeway that a verifier grants to clocks unless an option says otherwise, in seconds. Google's page on IAP allows
/// as much.
pub const DEFAULT_LEEWAY_SECONDS: u64 = 30;
/// The most leeway that may be asked for, in seconds: a token lives for an hour.
pub const MAX_LEEWAY_SECONDS: u64 = 3600;

/// The options of a [`Verifier`](crate::Verifier).
///
/// `Debug` shows texts as an error does: without what looks like a secret.
#[derive(Clone)]
pub struct VerifierConfig {
    /// A kind of sender that gatepass knows; gives issuers, algorithms and keys where they are not given below. `None`:
    /// [`Preset::Google`] without issuers, [`Preset::Oidc`] with issuers and without keys, none with both.
    pub preset: Option<Preset>,
    /// Values of `iss`, compared exactly. [`Preset::Oidc`] takes one: the URL below which its discovery document is.
    pub issuers: Vec<String>,
    /// Algorithms that the issuer signs with. With a preset's own issuers only the preset's own algorithms.
    pub algorithms: Vec<Algorithm>,
    /// Whom tokens must be for.
    pub audiences: Audiences,
    /// Where the keys come from.
    pub keys: KeySource,
    /// Seconds that clocks may be apart.
    pub leeway_seconds: u64,
    /// Who may call.
    pub callers: Callers,
    /// Accept a token whose signature Cloud Run has removed, after a check of its own, without any proof of it; see
    /// [`Verified::is_unverified`](crate::Verified::is_unverified). Only for a service that lets nobody in without
    /// that check ("require authentication"): to any other, anybody can send such a token.
    pub trust_cloud_run_and_skip_signature: bool,
    /// The bytes that remembered tokens may take, the host's included: see `host_cost`.
    pub remembered_bytes: u64,
    /// What the host spends on a remembered token.
    pub host_cost: HostCost,
}

impl Default for VerifierConfig {
    fn default() -> Self {
        Self {
            preset: None,
            issuers: Vec::new(),
            algorithms: Vec::new(),
            audiences: Audiences::default(),
            keys: KeySource::default(),
            leeway_seconds: DEFAULT_LEEWAY_SECONDS,
            callers: Callers::default(),
            trust_cloud_run_and_skip_signature: false,
            remembered_bytes: DEFAULT_REMEMBERED_BYTES,
            host_cost: HostCost::default(),
        }
    }
}

/// Whom a verifier's tokens must be for.
#[derive(Clone, PartialEq, Eq)]
pub enum Audiences {
    /// One of these values of `aud`, compared exactly. An empty list is refused: nobody has decided.
    OneOf(Vec<String>),
    /// Anybody. Only for services that check `aud` themselves.
    Any,
}

impl Default for Audiences {
    /// Not decided.
    fn default() -> Self {
        Self::OneOf(Vec::new())
    }
}

impl From<&str> for Audiences {
    fn from(audience: &str) -> Self {
        Self::OneOf(vec![audience.to_owned()])
    }
}

impl Audiences {
    /// Reads the options `audiences` and `any_audience`.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidOption`] when both are given.
    pub fn parse(audiences: Vec<String>, any_audience: bool) -> Result<Self, Error> {
        match (audiences.is_empty(), any_audience) {
            (false, true) => {
                Err(invalid("both an audience and `any_audience` are given, expected one of them"))
            }
            (true, true) => Ok(Self::Any),
            (_, false) => Ok(Self::OneOf(audiences)),
        }
    }

    /// Whether nobody has decided.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self, Self::OneOf(list) if list.is_empty())
    }

    /// `None`: any.
    fn list(&self) -> Option<&[String]> {
        match self {
            Self::OneOf(list) => Some(list),
            Self::Any => None,
        }
    }
}

/// Who may call. Lists are compared exactly, and an empty one is refused: a list that a program makes from an empty
/// setting must not open it to everybody.
#[derive(Clone, PartialEq, Eq, Default)]
pub enum Callers {
    /// Anybody, unless the preset is one of senders: those require one of the others.
    #[default]
    Unspecified,
    /// Those with these e-mails, verified by the issuer.
    Emails(Vec<String>),
    /// Those with these values of `sub`: never reassigned, unlike e-mails.
    Subjects(Vec<String>),
    /// Those who are on both lists.
    EmailsAndSubjects(Vec<String>, Vec<String>),
    /// Anybody, said explicitly: Google gives anybody a token for any audience.
    Any,
}

impl Callers {
    /// Reads the options `allowed_emails`, `allowed_subjects` and `any_caller`.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidOption`] when a list and `any_caller` are given.
    pub fn parse(
        emails: Option<Vec<String>>,
        subjects: Option<Vec<String>>,
        any_caller: bool,
    ) -> Result<Self, Error> {
        let both = |name: &str| {
            Err(invalid(format!("both `{name}` and `any_caller` are given, expected one of them")))
        };
        match (emails, subjects, any_caller) {
            (Some(_), _, true) => both("allowed_emails"),
            (None, Some(_), true) => both("allowed_subjects"),
            (None, None, true) => Ok(Self::Any),
            (None, None, false) => Ok(Self::Unspecified),
            (Some(emails), None, false) => Ok(Self::Emails(emails)),
            (None, Some(subjects), false) => Ok(Self::Subjects(subjects)),
            (Some(emails), Some(subjects), false) => Ok(Self::EmailsAndSubjects(emails, subjects)),
        }
    }

    /// `None`: any.
    fn emails(&self) -> Option<&[String]> {
        match self {
            Self::Emails(emails) | Self::EmailsAndSubjects(emails, _) => Some(emails),
            _ => None,
        }
    }

    /// `None`: any.
    fn subjects(&self) -> Option<&[String]> {
        match self {
            Self::Subjects(subjects) | Self::EmailsAndSubjects(_, subjects) => Some(subjects),
            _ => None,
        }
    }
}

/// Where a verifier's keys come from.
#[derive(Clone, Default)]
pub enum KeySource {
    /// The preset's own: its URL, or the one that the issuer's discovery document names.
    #[default]
    Preset,
    /// This document: a JWK set, one JWK or a PEM map.
    Static(String),
    /// This URL: `https`, or `http` on a loopback host.
    Url(String),
}

impl KeySource {
    /// Reads the options `keys` and `keys_url`.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidOption`] when both are given.
    pub fn parse(keys: Option<String>, keys_url: Option<String>) -> Result<Self, Error> {
        match (keys, keys_url) {
            (None, None) => Ok(Self::Preset),
            (Some(document), None) => Ok(Self::Static(document)),
            (None, Some(url)) => Ok(Self::Url(url)),
            (Some(_), Some(_)) => Err(invalid("both `keys` and `keys_url` are given, expected one of them")),
        }
    }
}

impl fmt::Debug for VerifierConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Taken apart, so that a new field is not forgotten.
        let Self {
            preset,
            issuers,
            algorithms,
            audiences,
            keys,
            leeway_seconds,
            callers,
            trust_cloud_run_and_skip_signature,
            remembered_bytes,
            host_cost,
        } = self;
        f.debug_struct("VerifierConfig")
            .field("preset", preset)
            .field("issuers", &Quoted::all(issuers))
            .field("algorithms", algorithms)
            .field("audiences", audiences)
            .field("keys", keys)
            .field("leeway_seconds", leeway_seconds)
            .field("callers", callers)
            .field("trust_cloud_run_and_skip_signature", trust_cloud_run_and_skip_signature)
            .field("remembered_bytes", remembered_bytes)
            .field("host_cost", host_cost)
            .finish()
    }
}

impl fmt::Debug for Audiences {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OneOf(list) => f.debug_tuple("OneOf").field(&Quoted::all(list)).finish(),
            Self::Any => f.write_str("Any"),
        }
    }
}

impl fmt::Debug for Callers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list = |name, list: &[String]| f.debug_tuple(name).field(&Quoted::all(list)).finish();
        match self {
            Self::Unspecified => f.write_str("Unspecified"),
            Self::Emails(emails) => list("Emails", emails),
            Self::Subjects(subjects) => list("Subjects", subjects),
            Self::EmailsAndSubjects(emails, subjects) => f
                .debug_tuple("EmailsAndSubjects")
                .field(&Quoted::all(emails))
                .field(&Quoted::all(subjects))
                .finish(),
            Self::Any => f.write_str("Any"),
        }
    }
}

impl fmt::Debug for KeySource {
    /// A document is not shown: it may be a private key by mistake.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Preset => f.write_str("Preset"),
            Self::Static(_) => f.write_str("Static(…)"),
            Self::Url(url) => f.debug_tuple("Url").field(&Quoted(url)).finish(),
        }
    }
}

impl VerifierConfig {
    /// The issuers that options name, `None` if they name none. An empty list is refused: one that a program makes from an
    /// empty setting must not mean Google.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidOption`] when the list is empty.
    pub fn parse_issuers(issuers: Option<Vec<String>>) -> Result<Vec<String>, Error> {
        match issuers {
            None => Ok(Vec::new()),
            Some(issuers) if issuers.is_empty() => {
                Err(invalid("`issuers` is an empty list, expected at least one value of iss"))
            }
            Some(issuers) => Ok(issuers),
        }
    }

    /// The same options with the preset that they leave open: Google's ID tokens, whoever sends them; `oidc` where
    /// issuers are given without keys, which discovery finds then; none where both are given.
    pub(crate) fn with_default_preset(mut self) -> Self {
        self.preset = match (self.preset, self.issuers.is_empty(), &self.keys) {
            (None, true, _) => Some(Preset::Google),
            (None, false, KeySource::Preset) => Some(Preset::Oidc),
            (given, ..) => given,
        };
        self
    }

    /// The policy that these options make, on Cloud Run or elsewhere. The preset is decided before.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidOption`] when an option is missing, or its value makes no sense; [`ErrorCode::InvalidAudience`] for
    /// an audience for which no token can be asked.
    pub(crate) fn policy(&self, is_on_cloud_run: bool) -> Result<Policy, Error> {
        self.check_audiences()?;
        self.check_callers()?;
        self.check_trust(is_on_cloud_run)?;
        if self.leeway_seconds > MAX_LEEWAY_SECONDS {
            let found = self.leeway_seconds;
            return Err(invalid(format!(
                "`leeway_seconds` is {found}, expected at most {MAX_LEEWAY_SECONDS}"
            )));
        }
        Ok(Policy {
            issuers: self.accepted_issuers()?,
            algorithms: self.accepted_algorithms()?,
            audiences: self.audiences.list().map(<[String]>::to_vec),
            allowed_emails: self.callers.emails().map(<[String]>::to_vec),
            allowed_subjects: self.callers.subjects().map(<[String]>::to_vec),
            preset: self.preset,
            is_iap: self.preset == Some(Preset::Iap),
            trusts_cloud_run: self.trust_cloud_run_and_skip_signature,
            leeway_ms: self.leeway_seconds * 1000,
        })
    }

    fn check_audiences(&self) -> Result<(), Error> {
        let Some(audiences) = self.audiences.list() else { return Ok(()) };
        if audiences.is_empty() {
            return Err(invalid(
                "no audience is given, expected this service's own (or `any_audience`, if you check aud yourself)",
            ));
        }
        if audiences.iter().any(String::is_empty) {
            return Err(invalid("an audience is empty, expected this service's URL or custom audience"));
        }
        for audience in audiences {
            checked_audience(audience)?;
        }
        self.preset.map_or(Ok(()), |preset| {
            audiences.iter().try_for_each(|audience| preset.check_audience(audience))
        })
    }

    fn accepted_issuers(&self) -> Result<Vec<String>, Error> {
        match (self.issuers.as_slice(), self.preset) {
            ([_, _, ..], Some(Preset::Oidc)) => {
                Err(invalid("preset oidc is given more than one issuer, expected one for each verifier"))
            }
            ([], Some(preset)) => preset.issuers(self.audiences.list().unwrap_or_default()),
            ([], None) => Err(invalid("no issuer is given, expected a preset or `issuers`")),
            (given, _) if given.iter().any(String::is_empty) => {
                Err(invalid("`issuers` holds an empty text, expected values of iss"))
            }
            (given, _) => Ok(given.to_vec()),
        }
    }

    fn accepted_algorithms(&self) -> Result<Vec<Algorithm>, Error> {
        let given = &self.algorithms;
        match self.preset {
            Some(preset) if given.is_empty() => Ok(preset.algorithms().to_vec()),
            Some(preset) if self.issuers.is_empty() => {
                match given.iter().find(|alg| !preset.algorithms().contains(alg)) {
                    None => Ok(given.clone()),
                    Some(other) => Err(invalid(format!(
                        "`algorithms` holds {other}, with which the issuer of preset {} never signs, expected none given",
                        preset.as_str()
                    ))),
                }
            }
            None if given.is_empty() => {
                Err(invalid("no algorithm is given, expected a preset or `algorithms`"))
            }
            _ => Ok(given.clone()),
        }
    }

    fn check_callers(&self) -> Result<(), Error> {
        let lists =
            [("allowed_emails", self.callers.emails()), ("allowed_subjects", self.callers.subjects())];
        for (name, list) in lists.into_iter().filter_map(|(name, list)| Some((name, list?))) {
            if list.is_empty() || list.iter().any(String::is_empty) {
                return Err(invalid(format!(
                    "`{name}` is an empty list or holds an empty text, expected at least one caller"
                )));
            }
        }
        match (&self.callers, self.preset.map(|preset| (preset, preset.caller()))) {
            (Callers::Unspecified, Some((preset, Some(caller)))) => Err(invalid(format!(
                "preset {} needs `allowed_emails` or `allowed_subjects`, expected the e-mail of {caller} or its unique \
                 id (or `any_caller`: anybody can get a Google token for any audience)",
                preset.as_str()
            ))),
            _ => Ok(()),
        }
    }

    fn check_trust(&self, is_on_cloud_run: bool) -> Result<(), Error> {
        const OPTION: &str = "`trust_cloud_run_and_skip_signature`";
        if !self.trust_cloud_run_and_skip_signature {
            return Ok(());
        }
        if !self.preset.is_some_and(Preset::is_google) {
            return Err(invalid(format!(
                "{OPTION} is given without a preset of Google's ID tokens, expected one: Cloud Run checks no others"
            )));
        }
        if !is_on_cloud_run {
            return Err(invalid(format!(
                "{OPTION} is given where K_SERVICE is not set, expected it on Cloud Run only: nobody has checked the \
                 token here"
            )));
        }
        Ok(())
    }
}

fn invalid(found: impl Into<String>) -> Error {
    Error::new(ErrorCode::InvalidOption, found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_secret_in_the_wrong_place() {
        let secret = || vec!["q7Wm2ZxVt9LkRb4HdYcN8sJfGpEa3uTi6oQvXyBn1wKMlPzC0rUhSgDeAjOF5I".to_owned()];
        let hidden = "[\"[redacted]\"]";
        for (callers, shown) in [
            (Callers::Emails(secret()), format!("Emails({hidden})")),
            (Callers::Subjects(secret()), format!("Subjects({hidden})")),
            (
                Callers::EmailsAndSubjects(secret(), secret()),
                format!("EmailsAndSubjects({hidden}, {hidden})"),
            ),
            (Callers::Any, "Any".to_owned()),
            (Callers::Unspecified, "Unspecified".to_owned()),
        ] {
            let config = VerifierConfig {
                issuers: secret(),
                audiences: Audiences::OneOf(secret()),
                keys: KeySource::Url(secret().concat()),
                callers,
                ..VerifierConfig::default()
            };
            assert_eq!(
                format!("{config:?}"),
                format!(
                    "VerifierConfig {{ preset: None, issuers: {hidden}, algorithms: [], audiences: OneOf({hidden}), \
                     keys: Url(\"[redacted]\"), leeway_seconds: 30, callers: {shown}, \
                     trust_cloud_run_and_skip_signature: false, remembered_bytes: 16777216, host_cost: \
                     HostCost {{ token: 0, member: 0, byte: 0 }} }}"
                )
            );
        }
        let keys = [KeySource::Preset, KeySource::Static(secret().concat())];
        assert_eq!(format!("{keys:?} {:?}", Audiences::Any), "[Preset, Static(…)] Any");
    }
}
