//! What an accepted token says.

use std::fmt;

use gatepass_core::{Error, ErrorCode, Millis, Verified};
use serde_json::{Map, Value};

/// The claims of an accepted token.
#[derive(Clone)]
pub struct Claims {
    verified: Verified,
    members: Map<String, Value>,
}

impl Claims {
    pub(crate) fn new(verified: Verified) -> Result<Self, Error> {
        let members = serde_json::from_slice(verified.payload());
        // The core has read it already, and accepts nothing else.
        let members =
            members.map_err(|_| Error::new(ErrorCode::Internal, "the claims are not a JSON object"))?;
        Ok(Self { verified, members })
    }

    /// A claim by its name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.members.get(name)
    }

    /// All claims.
    pub fn members(&self) -> &Map<String, Value> {
        &self.members
    }

    /// `email`: who calls, if it is in the token. A verifier with `allowed_emails` has checked `email_verified` as well.
    pub fn email(&self) -> Option<&str> {
        self.get("email")?.as_str()
    }

    /// `sub`: who calls, by a number or name that is never given to anybody else.
    pub fn subject(&self) -> Option<&str> {
        self.get("sub")?.as_str()
    }

    /// `iss`: who has issued the token.
    pub fn issuer(&self) -> Option<&str> {
        self.get("iss")?.as_str()
    }

    /// `exp`: when the token ends, without leeway.
    pub fn expires_at(&self) -> Millis {
        self.verified.expires_at()
    }

    /// The claims as they were signed: one JSON object.
    pub fn payload(&self) -> &[u8] {
        self.verified.payload()
    }

    /// Whether nothing proves the claims, which only `trust_cloud_run_and_skip_signature` accepts.
    pub fn is_unverified(&self) -> bool {
        self.verified.is_unverified()
    }
}

/// Without the claims: they are nobody's business but the receiver's.
impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Claims").field(&self.verified).finish()
    }
}
