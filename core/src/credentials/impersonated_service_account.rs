//! `"type": "impersonated_service_account"`, and impersonation by option: a service account, by whoever may act as it.

use std::sync::Arc;

use crate::config::Preferences;
use crate::credentials::impersonation::{
    ActAs, CLOUD_PLATFORM, DEFAULT_LIFETIME_SECONDS, Errand, Target, is_delegate,
};
use crate::credentials::trust::TrustedEndpoints;
use crate::credentials::{Credential, Fetch, Fields, invalid};
use crate::error::Error;
use crate::retry::Jitter;
use crate::step::{Now, Operation, Reply, Step};
use crate::token::{Issued, TokenKey};

/// A target and the credentials that may impersonate it.
pub(crate) struct Impersonated {
    pub(crate) source: Credential,
    pub(crate) target: Arc<Target>,
}

impl Impersonated {
    /// Reads a file of this type; `source` reads the credentials within it.
    pub(crate) fn from_fields(
        fields: Fields<'_>,
        trusted: &TrustedEndpoints,
        source: impl FnOnce(Fields<'_>) -> Result<Credential, Error>,
    ) -> Result<Self, Error> {
        trusted.universe_of(fields)?;
        let delegates = fields.strings("delegates")?;
        if !delegates.iter().all(|delegate| is_delegate(delegate)) {
            return Err(invalid(
                "delegates",
                "a list with something else in it",
                "e-mails of service accounts",
            ));
        }
        let url = fields.required("service_account_impersonation_url")?;
        let target = Target::from_url(url, delegates, DEFAULT_LIFETIME_SECONDS, trusted)?;
        let source = source(fields.object("source_credentials")?)
            .map_err(|error| error.within("its field \"source_credentials\""))?;
        Ok(Self { source, target: Arc::new(target) })
    }

    /// The operation that gets this token, or why there is none.
    pub(crate) fn fetch(
        &self,
        key: &TokenKey,
        preferences: &Preferences,
        mut jitter: Jitter,
    ) -> Result<Impersonation, Error> {
        let source_key = TokenKey::AccessToken { scopes: vec![CLOUD_PLATFORM.to_owned()] };
        let source = self.source.fetch(&source_key, &Preferences::default(), jitter.fork());
        let errand = Errand::new(Arc::clone(&self.target), key, preferences, jitter)?;
        Ok(Impersonation::new(source, errand))
    }
}

/// One fetch by impersonation: a token of the source, then one of the target.
pub(crate) struct Impersonation {
    stage: Stage,
    errand: Option<Errand>,
}

enum Stage {
    Source(Box<Fetch>),
    Target(Box<ActAs>),
}

impl Impersonation {
    pub(crate) fn new(source: Fetch, errand: Errand) -> Self {
        Self { stage: Stage::Source(Box::new(source)), errand: Some(errand) }
    }
}

impl Operation for Impersonation {
    type Output = Issued;

    fn resume(&mut self, now: Now, reply: Reply) -> Step<Issued> {
        match &mut self.stage {
            Stage::Target(target) => target.resume(now, reply),
            Stage::Source(source) => source.resume(now, reply).and_then(|issued| match self.errand.take() {
                Some(errand) => {
                    let mut target = errand.with(issued.value, None);
                    let step = target.resume(now, Reply::Start);
                    self.stage = Stage::Target(Box::new(target));
                    step
                }
                None => Step::misuse("nothing after the end", &Reply::Start),
            }),
        }
    }
}
