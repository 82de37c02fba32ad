//! Refresh tokens, legible to the endpoint that gave them, as access tokens are.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// `1//` is how Google's begin.
const PREFIX: &str = "1//gatepass-emulator.";

/// What a refresh token stands for: whom it speaks for, for ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshToken {
    /// A person's e-mail, or the `principal://` name of a person in a workforce pool.
    pub principal: String,
    /// The one endpoint that takes it.
    pub granted_by: Grantor,
}

/// Who gives refresh tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grantor {
    /// `/token`, for a person with a Google account.
    GoogleAccounts,
    /// `/v1/oauthtoken`, for a person of a workforce pool.
    SecurityTokenService,
}

impl RefreshToken {
    /// Writes the token that stands in a credential file.
    pub fn encode(&self) -> String {
        PREFIX.to_owned() + &BASE64_URL_SAFE_NO_PAD.encode(json!(self).to_string())
    }

    /// Reads a token that [`encode`](Self::encode) wrote; nothing for any other text.
    pub fn decode(token: &str) -> Option<Self> {
        let json = BASE64_URL_SAFE_NO_PAD.decode(token.strip_prefix(PREFIX)?).ok()?;
        serde_json::from_slice(&json).ok()
    }
}
