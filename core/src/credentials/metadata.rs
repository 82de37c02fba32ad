//! The attached service account of the machine that the program runs on: no file, only a server to ask.

use std::sync::Arc;

use crate::credentials::{Context, Credential, Fetch, no_key};
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

    /// It hands out the same token until a few minutes before its end.
    fn mints_on_demand(&self) -> bool {
        false
    }
}
