//! Refresh tokens, legible to the endpoint that gave them, as access tokens are.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// `1//` is how Google's begin.
const PREFIX: &str = "1//gatepass-emulator.";

/// What a refresh token represents: its principal, until it is replaced.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RefreshToken {
    /// A person's e-mail, or the `principal://` name of a person in a workforce pool.
    pub principal: String,
    /// The one endpoint that takes it.
    pub granted_by: Grantor,
    /// How many tokens the owner had before.
    pub serial: u64,
}

/// Who gives refresh tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grantor {
    /// `/token`, for a person with a Google account.
    GoogleAccounts,
    /// `/v1/oauthtoken`, for a person of a workforce pool.
    SecurityTokenService,
}

impl RefreshToken {
    /// Describes the owner's first token.
    pub fn new(principal: &str, granted_by: Grantor) -> Self {
        Self { principal: principal.to_owned(), granted_by, serial: 0 }
    }

    /// The owner's first token.
    pub(crate) fn first(&self) -> Self {
        Self { serial: 0, ..self.clone() }
    }

    /// Writes the token for a credential file.
    pub fn encode(&self) -> String {
        PREFIX.to_owned() + &BASE64_URL_SAFE_NO_PAD.encode(json!(self).to_string())
    }

    /// Reads a token that [`encode`](Self::encode) wrote; nothing for any other text.
    pub fn decode(token: &str) -> Option<Self> {
        let json = BASE64_URL_SAFE_NO_PAD.decode(token.strip_prefix(PREFIX)?).ok()?;
        serde_json::from_slice(&json).ok()
    }
}
