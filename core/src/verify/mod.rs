//! Received tokens: who called, and is it true?

mod hints;
mod issuers;
mod keys;
mod open;
mod policy;
mod verified_cache;
mod verifier;

pub use issuers::Preset;
pub use keys::{KeyCache, KeyFetch, KeySource};
pub use open::{OpenVerifier, Opened};
pub use policy::{DEFAULT_LEEWAY_SECONDS, MAX_LEEWAY_SECONDS, VerifierConfig};
pub use verified_cache::{DEFAULT_REMEMBERED_BYTES, HostCost, PLACES};
pub use verifier::{Recall, TokenDigest, Verdict, Verified, Verifier};
