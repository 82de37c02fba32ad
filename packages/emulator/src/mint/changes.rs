//! What a test wants to be different about tokens.

use std::time::Duration;

use serde::Deserialize;

use super::IdToken;
use crate::jws::Object;

/// How the tokens in an answer differ from those that the endpoint would issue.
#[derive(Clone, Debug, Default)]
pub(crate) struct TokenChanges {
    /// How long they live, whatever was asked for.
    pub(crate) lifetime: Option<Duration>,
    pub(crate) id_token: Changes,
    pub(crate) rotate_refresh_token: bool,
}

/// How an ID token differs from the one that Google would issue; README.md describes the members.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Changes {
    pub(crate) claims: Object,
    pub(crate) header: Object,
    pub(crate) omit: Vec<String>,
    pub(crate) strip_signature: bool,
}

impl Changes {
    pub(crate) fn apply(&self, mut token: IdToken) -> IdToken {
        for (name, value) in &self.claims {
            token = token.claim(name, value.clone());
        }
        for name in &self.omit {
            token = token.without(name);
        }
        for (name, value) in &self.header {
            token = token.header(name, value.clone());
        }
        if self.strip_signature { token.signature_removed() } else { token }
    }
}
