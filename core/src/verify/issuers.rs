//! The issuers that gatepass knows by name.

use crate::jose::alg::Algorithm;

/// An issuer with its keys, its algorithms and its habits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Preset {
    /// Google's ID tokens: Cloud Run service-to-service, Pub/Sub push, Cloud Tasks, Scheduler, Eventarc.
    Google,
    /// Identity-Aware Proxy's signed header.
    Iap,
}

impl Preset {
    /// Every preset.
    pub const ALL: &'static [Self] = &[Self::Google, Self::Iap];

    /// The name that options and the command line use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Google => "google",
            Self::Iap => "iap",
        }
    }

    /// The preset of this exact name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|preset| preset.as_str() == name)
    }

    /// The values of `iss`, each to the letter.
    pub const fn issuers(self) -> &'static [&'static str] {
        match self {
            Self::Google => &["https://accounts.google.com", "accounts.google.com"],
            Self::Iap => &["https://cloud.google.com/iap"],
        }
    }

    /// The algorithms that the issuer signs with.
    pub const fn algorithms(self) -> &'static [Algorithm] {
        match self {
            Self::Google => &[Algorithm::Rs256],
            Self::Iap => &[Algorithm::Es256],
        }
    }

    /// Where the issuer publishes its keys.
    pub const fn keys_url(self) -> &'static str {
        match self {
            Self::Google => "https://www.googleapis.com/oauth2/v3/certs",
            Self::Iap => "https://www.gstatic.com/iap/verify/public_key-jwk",
        }
    }
}
