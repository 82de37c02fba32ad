//! Whom a verifier accepts: the options, and the checks that follow from them.

use std::ops::Range;

use crate::error::{Error, ErrorCode};
use crate::jose::alg::Algorithm;
use crate::jose::claims::{Claims, Times};
use crate::step::Millis;
use crate::verify::issuers::Preset;
use crate::verify::keys::KeySource;
use crate::verify::verified_cache::{DEFAULT_REMEMBERED_BYTES, HostCost};

/// The leeway that a verifier grants to clocks unless it is told otherwise, in seconds. Google's page on IAP allows
/// as much.
pub const DEFAULT_LEEWAY_SECONDS: u64 = 30;
/// The most leeway that may be asked for, in seconds: a token lives for an hour.
pub const MAX_LEEWAY_SECONDS: u64 = 3600;

/// The options of a [`Verifier`](crate::Verifier).
#[derive(Clone, Debug)]
pub struct VerifierConfig {
    /// A kind of sender that gatepass knows; gives issuers, algorithms and keys where they are not given below. `None`:
    /// [`Preset::Google`] without issuers, [`Preset::Oidc`] with issuers and without keys, none with both.
    pub preset: Option<Preset>,
    /// Values of `iss`, to the letter. [`Preset::Oidc`] takes one: the URL below which its discovery document is.
    pub issuers: Vec<String>,
    /// Algorithms that the issuer signs with. Beside a preset's own issuers only the preset's own algorithms.
    pub algorithms: Vec<Algorithm>,
    /// Values of `aud`, to the letter; the token must be for one of them.
    pub audiences: Vec<String>,
    /// Accept a token for anybody. Only for services that check `aud` themselves.
    pub any_audience: bool,
    /// Where the keys come from.
    pub keys: KeySource,
    /// Seconds that clocks may be apart.
    pub leeway_seconds: u64,
    /// E-mails of the callers that are accepted, to the letter, and verified by the issuer; `None` accepts any.
    pub allowed_emails: Option<Vec<String>>,
    /// Values of `sub` that are accepted, to the letter: they are never used again, as e-mails may be. `None` accepts
    /// any. Where e-mails are given too, a caller must be on both lists.
    pub allowed_subjects: Option<Vec<String>>,
    /// Accept any caller. Presets of senders want this word where neither list is given: Google gives anybody a token
    /// for any audience.
    pub any_caller: bool,
    /// Accept a token whose signature Cloud Run has removed, after a check of its own, without any proof of it; see
    /// [`Verified::is_unverified`](crate::Verified::is_unverified). Only for a service that lets nobody in without
    /// that check ("require authentication"): to any other, anybody can send such a token.
    pub trust_cloud_run_and_skip_signature: bool,
    /// The bytes that remembered tokens may take, the host's included: see `host_cost`.
    pub remembered_bytes: u64,
    /// What the host spends on a remembered token.
    pub host_cost: HostCost,
    /// The environment variable `K_SERVICE`, which Cloud Run sets: without it there is nobody to trust.
    pub k_service: Option<String>,
}

impl Default for VerifierConfig {
    fn default() -> Self {
        Self {
            preset: None,
            issuers: Vec::new(),
            algorithms: Vec::new(),
            audiences: Vec::new(),
            any_audience: false,
            keys: KeySource::default(),
            leeway_seconds: DEFAULT_LEEWAY_SECONDS,
            allowed_emails: None,
            allowed_subjects: None,
            any_caller: false,
            trust_cloud_run_and_skip_signature: false,
            remembered_bytes: DEFAULT_REMEMBERED_BYTES,
            host_cost: HostCost::default(),
            k_service: None,
        }
    }
}

impl VerifierConfig {
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
}

/// The options of a verifier, found to make sense.
pub(crate) struct Policy {
    pub(crate) issuers: Vec<String>,
    pub(crate) algorithms: Vec<Algorithm>,
    /// `None`: any.
    pub(crate) audiences: Option<Vec<String>>,
    /// `None`: any.
    allowed_emails: Option<Vec<String>>,
    /// `None`: any.
    allowed_subjects: Option<Vec<String>>,
    pub(crate) preset: Option<Preset>,
    pub(crate) is_iap: bool,
    pub(crate) trusts_cloud_run: bool,
    leeway_ms: u64,
}

impl Policy {
    /// # Errors
    /// [`ErrorCode::InvalidOption`] when an option is missing, or its value makes no sense.
    pub(crate) fn new(config: &VerifierConfig) -> Result<Self, Error> {
        let audiences = audiences(config)?;
        check_callers(config)?;
        check_trust(config)?;
        if config.leeway_seconds > MAX_LEEWAY_SECONDS {
            let found = config.leeway_seconds;
            return Err(invalid(format!("leeway_seconds is {found}, expected at most {MAX_LEEWAY_SECONDS}")));
        }
        Ok(Self {
            issuers: issuers(config)?,
            algorithms: algorithms(config)?,
            audiences,
            allowed_emails: config.allowed_emails.clone(),
            allowed_subjects: config.allowed_subjects.clone(),
            preset: config.preset,
            is_iap: config.preset == Some(Preset::Iap),
            trusts_cloud_run: config.trust_cloud_run_and_skip_signature,
            leeway_ms: config.leeway_seconds * 1000,
        })
    }

    /// What is wrong with these claims, in the order of the contract; nothing with those of a token that is accepted.
    pub(crate) fn complaints<'a>(
        &'a self,
        claims: &'a Claims,
        now: Millis,
    ) -> impl Iterator<Item = Error> + 'a {
        type Check = fn(&Policy, &Claims, Millis) -> Result<(), Error>;
        const CHECKS: [Check; 6] = [
            |policy, claims, _| claims.check_issuer(&policy.issuers),
            |policy, claims, _| claims.check_audience(policy.audiences.as_deref()),
            |policy, claims, now| policy.check_times(claims.times()?, now),
            |_, claims, _| claims.check_subject(),
            Policy::check_subject,
            Policy::check_email,
        ];
        CHECKS.iter().filter_map(move |check| check(self, claims, now).err())
    }

    /// The moments at which a token is accepted, as far as its times tell.
    pub(crate) fn accepted(&self, times: Times) -> Range<Millis> {
        times.accepted(self.leeway_ms)
    }

    /// Refuses a token outside its time.
    pub(crate) fn check_times(&self, times: Times, now: Millis) -> Result<(), Error> {
        times.check(now, self.leeway_ms)
    }

    /// Whether a token is past its time for good.
    pub(crate) fn is_over(&self, times: Times, now: Millis) -> bool {
        times.is_over(now, self.leeway_ms)
    }

    fn check_subject(&self, claims: &Claims, _now: Millis) -> Result<(), Error> {
        self.allowed_subjects.as_deref().map_or(Ok(()), |allowed| claims.check_subject_in(allowed))
    }

    fn check_email(&self, claims: &Claims, _now: Millis) -> Result<(), Error> {
        let Some(allowed) = &self.allowed_emails else { return Ok(()) };
        claims.check_email(allowed)?;
        // IAP asserts the e-mail itself and sends no email_verified.
        if self.is_iap { Ok(()) } else { claims.check_email_verified() }
    }
}

fn audiences(config: &VerifierConfig) -> Result<Option<Vec<String>>, Error> {
    let audiences = &config.audiences;
    if audiences.iter().any(String::is_empty) {
        return Err(invalid("an audience is empty, expected this service's URL or custom audience"));
    }
    if let Some(preset) = config.preset {
        audiences.iter().try_for_each(|audience| preset.check_audience(audience))?;
    }
    match (audiences.is_empty(), config.any_audience) {
        (false, false) => Ok(Some(audiences.clone())),
        (true, true) => Ok(None),
        (true, false) => Err(invalid(
            "no audience is given, expected this service's own (or any_audience, if you check aud yourself)",
        )),
        (false, true) => Err(invalid("both an audience and any_audience are given, expected one of them")),
    }
}

fn issuers(config: &VerifierConfig) -> Result<Vec<String>, Error> {
    match (config.issuers.as_slice(), config.preset) {
        ([_, _, ..], Some(Preset::Oidc)) => {
            Err(invalid("preset oidc is given more than one issuer, expected one for each verifier"))
        }
        ([], Some(preset)) => preset.issuers(&config.audiences),
        ([], None) => Err(invalid("no issuer is given, expected a preset or issuers")),
        (given, _) => Ok(given.to_vec()),
    }
}

fn algorithms(config: &VerifierConfig) -> Result<Vec<Algorithm>, Error> {
    let given = &config.algorithms;
    match config.preset {
        Some(preset) if given.is_empty() => Ok(preset.algorithms().to_vec()),
        Some(preset) if config.issuers.is_empty() => {
            match given.iter().find(|alg| !preset.algorithms().contains(alg)) {
                None => Ok(given.clone()),
                Some(other) => Err(invalid(format!(
                    "algorithms holds {other}, with which the issuer of preset {} never signs, expected none given",
                    preset.as_str()
                ))),
            }
        }
        None if given.is_empty() => Err(invalid("no algorithm is given, expected a preset or algorithms")),
        _ => Ok(given.clone()),
    }
}

fn check_callers(config: &VerifierConfig) -> Result<(), Error> {
    let lists = [("allowed_emails", &config.allowed_emails), ("allowed_subjects", &config.allowed_subjects)];
    let given = || lists.iter().filter_map(|(name, list)| list.as_ref().map(|list| (*name, list)));
    // A list that a program makes from an empty setting must not open it to everybody.
    if let Some((name, _)) = given().find(|(_, list)| list.is_empty() || list.iter().any(String::is_empty)) {
        return Err(invalid(format!(
            "{name} is an empty list or holds an empty text, expected at least one caller"
        )));
    }
    match (given().next(), config.preset.map(|preset| (preset, preset.caller()))) {
        (Some((name, _)), _) if config.any_caller => {
            Err(invalid(format!("both {name} and any_caller are given, expected one of them")))
        }
        (None, Some((preset, Some(caller)))) if !config.any_caller => Err(invalid(format!(
            "preset {} is not told who may call, expected allowed_emails with the e-mail of {caller}, or \
             allowed_subjects with its unique id (or any_caller: anybody can get a Google token for any audience)",
            preset.as_str()
        ))),
        _ => Ok(()),
    }
}

fn check_trust(config: &VerifierConfig) -> Result<(), Error> {
    const OPTION: &str = "trust_cloud_run_and_skip_signature";
    if !config.trust_cloud_run_and_skip_signature {
        return Ok(());
    }
    if !config.preset.is_some_and(Preset::is_google) {
        return Err(invalid(format!(
            "{OPTION} is given without a preset of Google's ID tokens, expected one: Cloud Run checks no others"
        )));
    }
    if config.k_service.as_ref().is_none_or(String::is_empty) {
        return Err(invalid(format!(
            "{OPTION} is given where K_SERVICE is not set, expected it on Cloud Run only: nobody has checked the token here"
        )));
    }
    Ok(())
}

fn invalid(found: impl Into<String>) -> Error {
    Error::new(ErrorCode::InvalidOption, found)
}
