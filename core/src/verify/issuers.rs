//! The issuers and senders that gatepass knows by name.

use crate::audience;
use crate::error::{Error, ErrorCode};
use crate::jose::alg::Algorithm;
use crate::recognise::{FIREBASE_ISSUER, GOOGLE_ISSUERS, IAP_ISSUER, Kind};

/// A kind of sender: the issuer of its tokens, the issuer's keys and algorithms, and whom else to ask for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Preset {
    /// Google's ID tokens, whoever sends them.
    Google,
    /// Service-to-service calls to Cloud Run and Cloud Functions.
    CloudRun,
    /// Pub/Sub push subscriptions.
    PubSub,
    /// Cloud Tasks' HTTP tasks.
    CloudTasks,
    /// Cloud Scheduler's HTTP jobs.
    CloudScheduler,
    /// Eventarc's triggers.
    Eventarc,
    /// Identity-Aware Proxy's signed header.
    Iap,
    /// Users of Firebase Authentication or Identity Platform. The audience is the project's id.
    Firebase,
    /// Any OpenID Connect issuer, by its discovery document.
    Oidc,
}

impl Preset {
    /// Every preset.
    pub const ALL: &'static [Self] = &[
        Self::Google,
        Self::CloudRun,
        Self::PubSub,
        Self::CloudTasks,
        Self::CloudScheduler,
        Self::Eventarc,
        Self::Iap,
        Self::Firebase,
        Self::Oidc,
    ];

    /// The preset that is meant for this kind of token.
    pub(crate) const fn of(kind: Kind) -> Option<Self> {
        match kind {
            Kind::GoogleIdToken => Some(Self::Google),
            Kind::IapAssertion => Some(Self::Iap),
            Kind::Firebase => Some(Self::Firebase),
            _ => None,
        }
    }

    /// The name that options and the command line use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Google => "google",
            Self::CloudRun => "cloud_run",
            Self::PubSub => "pubsub",
            Self::CloudTasks => "cloud_tasks",
            Self::CloudScheduler => "cloud_scheduler",
            Self::Eventarc => "eventarc",
            Self::Iap => "iap",
            Self::Firebase => "firebase",
            Self::Oidc => "oidc",
        }
    }

    /// The preset of this exact name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|preset| preset.as_str() == name)
    }

    /// The account whose e-mail a receiver must name, for senders that are one: Google gives anybody a token for any
    /// audience, so the audience alone says nothing about the caller.
    pub(crate) const fn caller(self) -> Option<&'static str> {
        match self {
            Self::CloudRun => Some("the calling service's service account"),
            Self::PubSub => Some("the push subscription's service account (oidcToken.serviceAccountEmail)"),
            Self::CloudTasks => Some("the tasks' service account (oidcToken.serviceAccountEmail)"),
            Self::CloudScheduler => Some("the job's service account (oidcToken.serviceAccountEmail)"),
            Self::Eventarc => Some("the trigger's service account"),
            Self::Google | Self::Iap | Self::Firebase | Self::Oidc => None,
        }
    }

    /// Whether the tokens are Google's own ID tokens.
    pub(crate) const fn is_google(self) -> bool {
        !matches!(self, Self::Iap | Self::Firebase | Self::Oidc)
    }

    /// Whether the emulator plays the issuer.
    pub(crate) const fn is_emulated(self) -> bool {
        !matches!(self, Self::Firebase | Self::Oidc)
    }

    /// The values of `iss`, each compared exactly, for a receiver with these audiences.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidOption`] where the issuer depends on an option that is missing or has another form.
    pub(crate) fn issuers(self, audiences: &[String]) -> Result<Vec<String>, Error> {
        let invalid = |found: &str| Err(Error::new(ErrorCode::InvalidOption, found));
        match (self, audiences) {
            (Self::Iap, _) => Ok(vec![IAP_ISSUER.into()]),
            // One only: the token of a project is for that project, and for no other on the list.
            (Self::Firebase, [project]) if is_project_id(project) => {
                Ok(vec![format!("{FIREBASE_ISSUER}{project}")])
            }
            (Self::Firebase, _) => {
                invalid("preset firebase needs one audience, expected the Firebase project's id")
            }
            (Self::Oidc, _) => invalid("preset oidc has no issuer of its own, expected one in `issuers`"),
            _ => Ok(GOOGLE_ISSUERS.map(str::to_owned).to_vec()),
        }
    }

    /// Refuses an audience that this preset's tokens cannot have.
    pub(crate) fn check_audience(self, audience: &str) -> Result<(), Error> {
        if self == Self::Iap { audience::check_iap_audience(audience) } else { Ok(()) }
    }

    /// The algorithms that the issuer signs with.
    pub(crate) const fn algorithms(self) -> &'static [Algorithm] {
        match self {
            Self::Iap => &[Algorithm::Es256],
            // The issuer's discovery document says which.
            Self::Oidc => Algorithm::ALL,
            _ => &[Algorithm::Rs256],
        }
    }

    /// Where the issuer publishes its keys; `None`: its discovery document says where.
    pub(crate) const fn keys_url(self) -> Option<&'static str> {
        match self {
            Self::Iap => Some("https://www.gstatic.com/iap/verify/public_key-jwk"),
            Self::Firebase => Some(
                "https://www.googleapis.com/robot/v1/metadata/x509/securetoken@system.gserviceaccount.com",
            ),
            Self::Oidc => None,
            _ => Some("https://www.googleapis.com/oauth2/v3/certs"),
        }
    }
}

/// Letters, digits and hyphens; of old projects also a domain before a colon.
fn is_project_id(text: &str) -> bool {
    let is_allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.:".contains(&b);
    !text.is_empty() && text.len() <= 100 && text.bytes().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_id_is_short_and_of_few_characters() {
        for good in ["shop-1", "example.com:shop", &"a".repeat(100)] {
            assert!(is_project_id(good), "{good}");
        }
        for bad in ["", "Shop", "a b", "a/b", &"a".repeat(101)] {
            assert!(!is_project_id(bad), "{bad}");
        }
    }
}
