//! Tokens that every receiver must refuse.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;

use crate::emulator::Emulator;
use crate::failure::{Failure, Result};

/// A token, or the lack of one, and how it is refused.
#[derive(Debug)]
pub(crate) struct BadToken {
    pub(crate) what: &'static str,
    /// The error code of the refusal, whose status is 401.
    pub(crate) code: &'static str,
    make: fn(&Emulator, &str) -> Result<Option<String>>,
}

pub(crate) const BAD_TOKENS: &[BadToken] = &[
    BadToken { what: "no token", code: "TOKEN_MISSING", make: |_, _| Ok(None) },
    BadToken { what: "other audience", code: "BAD_AUDIENCE", make: for_another },
    BadToken { what: "expired", code: "TOKEN_EXPIRED", make: expired },
    BadToken { what: "tampered", code: "BAD_SIGNATURE", make: tampered },
    BadToken { what: "signature removed", code: "SIGNATURE_STRIPPED", make: signature_removed },
];

impl BadToken {
    /// Makes it for a receiver of this audience.
    pub(crate) fn make(&self, emulator: &Emulator, audience: &str) -> Result<Option<String>> {
        (self.make)(emulator, audience)
    }
}

fn for_another(emulator: &Emulator, _: &str) -> Result<Option<String>> {
    emulator.mint(&json!({"claims": {"aud": "https://somebody-else.example"}})).map(Some)
}

fn expired(emulator: &Emulator, audience: &str) -> Result<Option<String>> {
    let two_hours_ago = unix_seconds().saturating_sub(2 * 3600);
    let order = json!({"claims": {"aud": audience}, "issued_at": two_hours_ago, "lifetime": 3600});
    emulator.mint(&order).map(Some)
}

/// One whose payload names another caller than the one that its signature is for.
fn tampered(emulator: &Emulator, audience: &str) -> Result<Option<String>> {
    let for_caller = |email| emulator.mint(&json!({"claims": {"aud": audience, "email": email}}));
    let token = with_signature_of(&for_caller("root@demo.test")?, &for_caller("go@demo.test")?);
    token.map(Some).ok_or_else(|| Failure::new("the emulator mints no JWT"))
}

/// As Cloud Run passes it on once it has checked it.
fn signature_removed(emulator: &Emulator, audience: &str) -> Result<Option<String>> {
    emulator.mint(&json!({"claims": {"aud": audience}, "strip_signature": true})).map(Some)
}

/// The header and the payload of the one token with the signature of the other.
fn with_signature_of(token: &str, other: &str) -> Option<String> {
    let (content, _) = token.rsplit_once('.')?;
    let (_, signature) = other.rsplit_once('.')?;
    Some(format!("{content}.{signature}"))
}

fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tampered_token_has_the_signature_of_another() {
        assert_eq!(with_signature_of("h.p.s", "g.q.t").as_deref(), Some("h.p.t"));
        assert_eq!(with_signature_of("hps", "g.q.t"), None);
    }
}
