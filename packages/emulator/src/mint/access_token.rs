//! Access tokens: opaque to clients, as Google's are, yet legible to the endpoints that receive them.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::time::UnixSeconds;

/// `ya29.` is how Google's begin, and what secret scanners look for; the rest of the prefix tells what this is.
const PREFIX: &str = "ya29.gatepass-emulator.";

/// What an access token stands for. The token itself is this record in base64url: the emulator keeps no list of
/// tokens, and a forged one gets nobody anything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessToken {
    /// The e-mail for which the token speaks.
    pub principal: String,
    /// The scopes, joined by spaces.
    pub scope: String,
    /// The first moment at which the token is no longer good.
    pub expires_at: UnixSeconds,
}

impl AccessToken {
    /// Writes the token that clients see.
    pub fn encode(&self) -> String {
        PREFIX.to_owned() + &BASE64_URL_SAFE_NO_PAD.encode(json!(self).to_string())
    }

    /// Reads a token that [`encode`](Self::encode) wrote; nothing for any other text.
    pub fn decode(token: &str) -> Option<Self> {
        let json = BASE64_URL_SAFE_NO_PAD.decode(token.strip_prefix(PREFIX)?).ok()?;
        serde_json::from_slice(&json).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_back() {
        let token = AccessToken {
            principal: "a@b".to_owned(),
            scope: "openid".to_owned(),
            expires_at: UnixSeconds(1_800_000_000),
        };
        assert_eq!(AccessToken::decode(&token.encode()), Some(token));
        assert_eq!(AccessToken::decode("ya29.somebody-elses"), None);
    }
}
