#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

pub mod adc;
mod claims;
pub mod driver;
mod token_source;
mod verifier;

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

pub use gatepass_core::Algorithm;
pub use gatepass_core::explain;
pub use gatepass_core::{Audiences, Callers, DEFAULT_LEEWAY_SECONDS, KeySource, MAX_LEEWAY_SECONDS, Preset};
pub use gatepass_core::{
    Call, CallToken, CredentialsFrom, Error, ErrorCode, ErrorKind, Impersonate, Preferences, Reason, Secret,
    SourceConfig, Texts, Token, TokenHeader, TokenKey, Transport, VerifierConfig,
};
pub use gatepass_core::{Refusal, TOKEN_HEADERS, TokenHeaders};
pub use gatepass_core::{audience_for_url, same_audience_spellings};
pub use gatepass_core::{quoted, unread_path};

pub use crate::claims::Claims;
pub use crate::driver::{Host, SubjectTokenRequest};
pub use crate::token_source::TokenSource;
pub use crate::verifier::{Verifier, own_audiences};

/// Verifiers of [`verify_id_token`] that are kept at most.
const MAX_VERIFIERS: usize = 100;

static SOURCE: LazyLock<TokenSource> = LazyLock::new(TokenSource::new);
static VERIFIERS: LazyLock<Mutex<HashMap<String, Verifier>>> = LazyLock::new(Mutex::default);

/// Gives an ID token for `audience` from this process's Application Default Credentials, cached for the whole process.
///
/// # Errors
/// As [`TokenSource::id_token`].
pub fn fetch_id_token(audience: &str) -> Result<Token, Error> {
    SOURCE.id_token(audience)
}

/// Gives an access token with these scopes. Otherwise as [`fetch_id_token`].
///
/// # Errors
/// As [`TokenSource::access_token`].
pub fn fetch_access_token(scopes: &[&str]) -> Result<Token, Error> {
    SOURCE.access_token(scopes)
}

/// Verifies a Google ID token for `audience`. A service that wants to know who calls makes a [`Verifier`].
///
/// # Errors
/// As [`Verifier::verify`].
pub fn verify_id_token(token: &str, audience: &str) -> Result<Claims, Error> {
    google_verifier(audience)?.verify(token)
}

fn google_verifier(audience: &str) -> Result<Verifier, Error> {
    let lock = || VERIFIERS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(verifier) = lock().get(audience) {
        return Ok(verifier.clone());
    }
    let verifier = Verifier::google(audience)?;
    let mut verifiers = lock();
    if verifiers.len() >= MAX_VERIFIERS {
        // Audiences are a service's own, and few. Whoever has more makes verifiers.
        verifiers.clear();
    }
    Ok(verifiers.entry(audience.to_owned()).or_insert(verifier).clone())
}
