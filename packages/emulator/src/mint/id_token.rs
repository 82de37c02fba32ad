//! ID tokens: Google's own, and the assertions of Identity-Aware Proxy.

use std::time::Duration;

use serde_json::{Value, json};

use crate::ServiceAccount;
use crate::jws::{self, Object};
use crate::keys::{EcKey, KeyError, KeySet, RsaKey};
use crate::time::UnixSeconds;

/// Who has issued Google's ID tokens.
pub(crate) const GOOGLE_ISSUER: &str = "https://accounts.google.com";

/// What Cloud Run puts in the place of the signature before it forwards a token.
pub(crate) const REMOVED_SIGNATURE: &str = "SIGNATURE_REMOVED_BY_GOOGLE";

/// An ID token about to be signed. It starts out as the one that Google would issue; the other methods make it
/// differ, for tests that need a token which is wrong in one way.
///
/// ```
/// use std::time::Duration;
/// use gatepass_emulator::{ServiceAccount, mint::IdToken, time::UnixSeconds};
///
/// let caller: ServiceAccount = "caller@project.iam.gserviceaccount.com".parse()?;
/// let token = IdToken::google(&caller, "https://receiver.example", UnixSeconds(1_800_000_000), Duration::from_secs(3600))
///     .claim("email_verified", false)
///     .sign()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct IdToken {
    key_set: KeySet,
    header: Object,
    claims: Object,
    signature_removed: bool,
}

impl IdToken {
    /// Starts the token that Google's token endpoint and metadata server issue: RS256, `iss`
    /// `https://accounts.google.com`.
    pub fn google(
        account: &ServiceAccount,
        audience: &str,
        issued_at: UnixSeconds,
        lifetime: Duration,
    ) -> Self {
        Self::new(KeySet::Google, issued_at, lifetime)
            .claim("iss", GOOGLE_ISSUER)
            .claim("aud", audience)
            .claim("azp", account.unique_id())
            .claim("sub", account.unique_id())
            .claim("email", account.email())
            .claim("email_verified", true)
    }

    /// Starts the assertion that Identity-Aware Proxy adds to a request: ES256, `iss` `https://cloud.google.com/iap`.
    pub fn iap(account: &ServiceAccount, audience: &str, issued_at: UnixSeconds, lifetime: Duration) -> Self {
        Self::new(KeySet::Iap, issued_at, lifetime)
            .claim("iss", "https://cloud.google.com/iap")
            .claim("aud", audience)
            .claim("azp", audience)
            .claim("sub", format!("accounts.google.com:{}", account.unique_id()))
            .claim("email", account.email())
            .claim("hd", account.domain())
    }

    /// Starts the token of an outside identity provider, `issuer`, for one of its workloads: a subject token for the
    /// Security Token Service. Google's key signs it, for want of another.
    pub fn workload(issuer: &str, audience: &str, issued_at: UnixSeconds, lifetime: Duration) -> Self {
        Self::new(KeySet::Google, issued_at, lifetime)
            .claim("iss", issuer)
            .claim("aud", audience)
            .claim("sub", "workload")
    }

    /// Sets a claim, or replaces it.
    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims.insert(name.to_owned(), value.into());
        self
    }

    /// Leaves a claim out.
    pub fn without(mut self, name: &str) -> Self {
        self.claims.remove(name);
        self
    }

    /// Sets a header parameter, or replaces it. The signature stays that of the key set's own algorithm and key,
    /// whatever `alg` and `kid` say.
    pub fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header.insert(name.to_owned(), value.into());
        self
    }

    /// Replaces the signature by `SIGNATURE_REMOVED_BY_GOOGLE`, as Cloud Run does.
    pub fn signature_removed(mut self) -> Self {
        self.signature_removed = true;
        self
    }

    /// Signs with the first key of the set.
    pub fn sign(&self) -> Result<String, KeyError> {
        self.sign_after(0)
    }

    /// Signs with the key that does after so many rotations.
    pub(crate) fn sign_after(&self, rotations: u64) -> Result<String, KeyError> {
        let label = &self.key_set.signing_label(rotations);
        let token = match self.key_set {
            KeySet::Google => jws::sign(&*RsaKey::derive(label)?, &self.header, &self.claims)?,
            KeySet::Iap => jws::sign(&*EcKey::derive(label)?, &self.header, &self.claims)?,
        };
        match token.rsplit_once('.') {
            Some((signing_input, _)) if self.signature_removed => {
                Ok(format!("{signing_input}.{REMOVED_SIGNATURE}"))
            }
            _ => Ok(token),
        }
    }

    fn new(key_set: KeySet, issued_at: UnixSeconds, lifetime: Duration) -> Self {
        Self { key_set, header: Object::new(), claims: Object::new(), signature_removed: false }
            .claim("iat", json!(issued_at))
            .claim("exp", json!(issued_at.after(lifetime)))
    }
}
