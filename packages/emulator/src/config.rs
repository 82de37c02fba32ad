//! What a user may choose.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::ServiceAccount;
use crate::keys::KeyError;
use crate::mint::{GOOGLE_ISSUER, IdToken, TokenChanges};
use crate::service_account::DEFAULT_PROJECT_ID;
use crate::time::UnixSeconds;

/// What the emulator pretends to be. [`Config::new`] fills in the defaults; change what you like.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where clients reach the emulator, `http://127.0.0.1:8085`, without a slash at the end.
    pub base_url: String,
    /// Names under which others reach the emulator, besides IP addresses and localhost: requests for any other `Host`
    /// are refused, because a web page could have sent them.
    pub host_names: Vec<String>,
    /// Who has issued the ID tokens, as `iss` and the discovery document say: Google. With [`base_url`](Self::base_url)
    /// for a value, the emulator is an OpenID Connect issuer of its own, which is found by discovery.
    pub issuer: String,
    /// The account of the metadata server: whom the emulated service runs as.
    pub service_account: ServiceAccount,
    /// The project's name.
    pub project_id: String,
    /// The project's number.
    pub project_number: u64,
    /// The region, such as `us-central1`; the zone is its first, `us-central1-1`, as on Cloud Run.
    pub region: String,
    /// How long ID tokens and access tokens live.
    pub token_lifetime: Duration,
    /// Whether the Security Token Service takes nothing but subject tokens that it can verify. If not, which is the
    /// default, any text will do for a token of an outside identity provider.
    pub verify_subject_tokens: bool,
    /// The files of the page that explains tokens (`docs/inspector`), by their paths below its folder; none where the page does
    /// not come with the emulator.
    pub inspector: Arc<BTreeMap<String, Vec<u8>>>,
    /// How often the signing keys have been rotated.
    pub(crate) key_rotations: u64,
    /// What a fault changes about the tokens.
    pub(crate) changes: TokenChanges,
}

impl Config {
    /// Gives the defaults for an emulator at `base_url`.
    pub fn new(base_url: &str) -> Self {
        Self {
            base_url: base_url.trim_end_matches('/').to_owned(),
            host_names: Vec::new(),
            issuer: GOOGLE_ISSUER.to_owned(),
            service_account: ServiceAccount::default(),
            project_id: DEFAULT_PROJECT_ID.to_owned(),
            project_number: 123_456_789_012,
            region: "us-central1".to_owned(),
            // Google's own tokens live for an hour, all of them.
            token_lifetime: Duration::from_secs(3600),
            verify_subject_tokens: false,
            inspector: Arc::default(),
            key_rotations: 0,
            changes: TokenChanges::default(),
        }
    }

    /// The same, where tokens differ by these changes.
    pub(crate) fn with_changes(&self, changes: TokenChanges) -> Self {
        let token_lifetime = changes.lifetime.unwrap_or(self.token_lifetime);
        Self { token_lifetime, changes, ..self.clone() }
    }

    /// What an answer says of a new token: one second less than it lives, as Google does.
    pub(crate) fn expires_in(&self) -> u64 {
        self.token_lifetime.as_secs().saturating_sub(1)
    }

    /// Starts an ID token of this issuer.
    pub(crate) fn id_token(
        &self,
        account: &ServiceAccount,
        audience: &str,
        issued_at: UnixSeconds,
        lifetime: Duration,
    ) -> IdToken {
        IdToken::google(account, audience, issued_at, lifetime).claim("iss", self.issuer.as_str())
    }

    /// Signs an ID token with the key of the moment, changed as a fault wants it.
    pub(crate) fn sign(&self, token: IdToken) -> Result<String, KeyError> {
        self.changes.id_token.apply(token).sign_after(self.key_rotations)
    }

    pub(crate) fn token_endpoint(&self) -> String {
        format!("{}/token", self.base_url)
    }
}
