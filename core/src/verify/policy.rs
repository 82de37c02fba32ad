//! Whom a verifier accepts: the checks that follow from its options.

use std::ops::Range;

use crate::error::Error;
use crate::jose::alg::Algorithm;
use crate::jose::claims::{Claims, Times};
use crate::step::Millis;
use crate::verify::issuers::Preset;

/// The options of a verifier, found to make sense.
pub(crate) struct Policy {
    pub(crate) issuers: Vec<String>,
    pub(crate) algorithms: Vec<Algorithm>,
    /// `None`: any.
    pub(crate) audiences: Option<Vec<String>>,
    /// `None`: any.
    pub(crate) allowed_emails: Option<Vec<String>>,
    /// `None`: any.
    pub(crate) allowed_subjects: Option<Vec<String>>,
    pub(crate) preset: Option<Preset>,
    pub(crate) is_iap: bool,
    pub(crate) trusts_cloud_run: bool,
    pub(crate) leeway_ms: u64,
}

impl Policy {
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
