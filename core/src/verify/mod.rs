//! Received tokens: who called, and is it true?

mod config;
mod hints;
mod issuers;
mod keys;
mod open;
mod policy;
mod reading;
mod signatures;
mod token_check;
mod verified_cache;
mod verifier;

pub use config::{Audiences, Callers, DEFAULT_LEEWAY_SECONDS, KeySource, MAX_LEEWAY_SECONDS, VerifierConfig};
pub use issuers::Preset;
pub use keys::{KeyCache, KeyFetch};
pub use open::{OpenVerifier, Opened};
pub(crate) use signatures::{ByHost, InThisProcess, Question, Signatures};
pub use signatures::{OpenSignature, PublicJwk};
pub use token_check::{CheckStep, TokenCheck};
pub use verified_cache::{DEFAULT_REMEMBERED_BYTES, HostCost, PLACES};
pub use verifier::{Recall, TokenDigest, Verdict, Verified, Verifier};
pub(crate) use verifier::{SignatureCheck, Surroundings};
