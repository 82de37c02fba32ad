//! Access tokens: opaque to clients, as Google's are, yet legible to the endpoints that receive them.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::fingerprint;
use crate::time::UnixSeconds;

/// `ya29.` is how Google's begin, and what secret scanners look for; the rest of the prefix tells what this is.
const PREFIX: &str = "ya29.gatepass-emulator.";

/// What an access token represents. The token itself is this record in base64url: the emulator keeps no list of
/// tokens, and a forged one gets nobody anything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessToken {
    /// The e-mail or the name of the principal of the token.
    pub principal: String,
    /// The scopes, joined by spaces.
    pub scope: String,
    /// The first moment at which the token is no longer good.
    pub expires_at: UnixSeconds,
    /// The SHA-256 of the certificate that the token is bound to, in hexadecimal digits: whoever uses the token must
    /// present it (RFC 8705 section 3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
}

impl AccessToken {
    /// Describes a token that anybody may use who has it.
    pub fn new(principal: impl Into<String>, scope: impl Into<String>, expires_at: UnixSeconds) -> Self {
        Self { principal: principal.into(), scope: scope.into(), expires_at, certificate: None }
    }

    /// Writes the token that clients see.
    pub fn encode(&self) -> String {
        PREFIX.to_owned() + &BASE64_URL_SAFE_NO_PAD.encode(json!(self).to_string())
    }

    /// Reads a token that [`encode`](Self::encode) wrote; nothing for any other text.
    pub fn decode(token: &str) -> Option<Self> {
        let json = BASE64_URL_SAFE_NO_PAD.decode(token.strip_prefix(PREFIX)?).ok()?;
        serde_json::from_slice(&json).ok()
    }

    /// Tells whether somebody may use the token who has presented that certificate, in DER, or none.
    pub(crate) fn is_good_with(&self, client_certificate: Option<&[u8]>) -> bool {
        self.certificate.is_none() || self.certificate == client_certificate.map(fingerprint::of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_back() {
        let token = AccessToken::new("a@b", "openid", UnixSeconds(1_800_000_000));
        assert_eq!(AccessToken::decode(&token.encode()), Some(token));
        assert_eq!(AccessToken::decode("ya29.somebody-elses"), None);
    }
}
