//! Received tokens: who called, and is it true?

mod issuers;
mod keys;
mod verified_cache;
mod verifier;

pub use issuers::Preset;
pub use keys::KeyFetch;
pub use verifier::{
    DEFAULT_LEEWAY_SECONDS, KeySource, MAX_LEEWAY_SECONDS, Verdict, Verified, Verifier, VerifierConfig,
};
