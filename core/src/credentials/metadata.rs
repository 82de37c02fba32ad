//! The attached service account of the machine that the program runs on: no file, only a server to ask.

use std::sync::Arc;

use crate::config::Preferences;
use crate::credentials::impersonation::{CLOUD_PLATFORM, SignAs};
use crate::credentials::principal::{AskMetadata, email_of};
use crate::credentials::{AskPrincipal, Context, Credential, Fetch, SignBytes, TrustedEndpoints, no_key};
use crate::error::Error;
use crate::exchange::Exchange;
use crate::exchange::metadata::MetadataToken;
use crate::quote;
use crate::token::{TokenKey, Want};

/// The metadata server.
pub(crate) struct MetadataServer {
    /// `host` or `host:port`.
    pub(crate) host: String,
    /// Milliseconds that an answer may take.
    pub(crate) timeout_ms: u64,
    /// Where IAM is, which signs for the machine's account.
    pub(crate) trusted: TrustedEndpoints,
}

impl Credential for MetadataServer {
    fn describe(&self) -> String {
        format!("the metadata server at {}", quote::harmless(&self.host))
    }

    fn fetch(self: Arc<Self>, key: &TokenKey, context: Context<'_>) -> Result<Fetch, Error> {
        context.refuse_subject("the metadata server does not act for persons")?;
        let want = match key {
            TokenKey::IdToken { audience } => Want::IdToken { audience: audience.clone() },
            TokenKey::AccessToken { scopes } => Want::AccessToken { scopes: scopes.clone() },
            TokenKey::SelfSignedJwt { .. } => {
                return Err(no_key("the metadata server gives no key to sign with"));
            }
        };
        Ok(Box::new(Exchange::new(
            MetadataToken { host: self.host.clone(), timeout_ms: self.timeout_ms, want },
            context.jitter,
        )))
    }

    fn principal(self: Arc<Self>, context: Context<'_>) -> AskPrincipal {
        Box::new(AskMetadata::new(self.host.clone(), self.timeout_ms, context.jitter))
    }

    fn sign_bytes(self: Arc<Self>, bytes: Vec<u8>, mut context: Context<'_>) -> Result<SignBytes, Error> {
        let ask = email_of(&self.host, self.timeout_ms, context.jitter.fork());
        let trusted = self.trusted.clone();
        let key = TokenKey::AccessToken { scopes: vec![CLOUD_PLATFORM.to_owned()] };
        let jitter = context.jitter.fork();
        let fetch = self.fetch(&key, Context { preferences: &Preferences::default(), ..context })?;
        Ok(Box::new(SignAs::asking(ask, trusted, fetch, bytes, jitter)))
    }

    /// It hands out the same token until a few minutes before its end.
    fn mints_on_demand(&self) -> bool {
        false
    }
}
