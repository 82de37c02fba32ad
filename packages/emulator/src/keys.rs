//! Test keys, derived in the open: the SHA-256 of a public label seeds the generator that makes the key.
//!
//! The repository therefore holds no private key, a label gives the same key on every run, and two processes that
//! know the label agree on the key without sharing a file: `gatepass emulator key` and a running emulator do so by
//! the service account's e-mail. Whoever reads this page has all keys. They protect nothing.
//!
//! The same label gives the same key as long as the generating crates keep their algorithm; a test pins the key
//! IDs, so that a change is noticed. Deriving an RSA key takes 90 to 800 ms of optimised code, 0.3 s on average,
//! because the primes have to be found; a P-256 key takes microseconds. Each key is derived once per process, when
//! it is first needed.

mod certificate;
mod ec;
mod rsa;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use sha2::{Digest, Sha256};

pub(crate) use self::certificate::Usage;
pub use self::ec::EcKey;
pub use self::rsa::RsaKey;

/// Which key set a token is signed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeySet {
    /// The keys of Google's ID tokens: RSA, RS256.
    Google,
    /// The keys of Identity-Aware Proxy: P-256, ES256.
    Iap,
}

impl KeySet {
    /// Gives the labels of the keys that are published after so many rotations. The first signs. The second is the one
    /// that signed before; there are two from the start, because real sets hold several, and a verifier that takes the
    /// first key without looking at `kid` should not get away with it.
    pub fn labels(self, rotations: u64) -> [String; 2] {
        let [signing, other] = match rotations {
            0 => [0, 1],
            1 => [2, 0],
            more => [more.saturating_add(1), more],
        };
        let name = match self {
            Self::Google => "google",
            Self::Iap => "iap",
        };
        [format!("{name}/{signing}"), format!("{name}/{other}")]
    }

    /// Gives the label of the key that signs after so many rotations.
    pub fn signing_label(self, rotations: u64) -> String {
        let [first, _] = self.labels(rotations);
        first
    }
}

/// A private key that can sign a token.
pub trait SigningKey {
    /// The JWS algorithm, RFC 7518 section 3.1.
    const ALGORITHM: &'static str;

    /// Gives the key ID: 40 hexadecimal digits, like Google's.
    fn kid(&self) -> &str;

    /// Signs `message`, with the signature in the form that JWS wants.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError>;

    /// Tells whether `signature` is this key's of `message`.
    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool;
}

/// The cryptographic libraries refused to derive, encode or use a test key, which no input should bring about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyError {
    label: String,
    reason: String,
}

impl KeyError {
    pub(crate) fn new(label: &str, reason: impl fmt::Display) -> Self {
        Self { label: label.to_owned(), reason: reason.to_string() }
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the emulator's test key `{}` is unusable: {}", self.label, self.reason)
    }
}

impl std::error::Error for KeyError {}

/// Remembers derived keys. A key depends on nothing but its label, so all emulators of a process may share it.
struct Memo<K> {
    slots: Mutex<BTreeMap<String, Arc<Slot<K>>>>,
}

type Slot<K> = OnceLock<Result<Arc<K>, KeyError>>;

impl<K> Memo<K> {
    const fn new() -> Self {
        Self { slots: Mutex::new(BTreeMap::new()) }
    }

    /// Gives the key of that label. The map is locked only to find the slot: threads that want the same key wait
    /// for the one that derives it, and all others go on.
    fn derive_once(&self, label: &str, derive: fn(&str) -> Result<K, KeyError>) -> Result<Arc<K>, KeyError> {
        let slot = {
            let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(slots.entry(label.to_owned()).or_default())
        };
        slot.get_or_init(|| derive(label).map(Arc::new)).clone()
    }
}

fn generator(label: &str) -> ChaCha20Rng {
    ChaCha20Rng::from_seed(Sha256::digest(display_name(label)).into())
}

/// The seed's text, which is the certificate's common name too.
fn display_name(label: &str) -> String {
    format!("gatepass emulator TEST KEY NOT A SECRET: {label}")
}

/// The first 160 bits of the SHA-256 of the public key: as long as Google's, and bound to the key.
fn key_id(subject_public_key_info: &[u8]) -> String {
    Sha256::digest(subject_public_key_info).iter().take(20).map(|byte| format!("{byte:02x}")).collect()
}

fn base64url(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An upgrade that derives other keys would break the agreement between two builds of gatepass.
    #[test]
    fn keys_stay_the_same() {
        assert_eq!(RsaKey::derive("google/0").unwrap().kid(), "fc021c4350423d9323913dc78cab45950e55d3ad");
        assert_eq!(EcKey::derive("iap/0").unwrap().kid(), "7ccc23a2eabd242eb1bd6c61e76128104b9659dc");
    }

    #[test]
    fn after_a_rotation_another_key_signs_and_the_one_before_is_still_published() {
        let labels: Vec<_> = (0..4).map(|rotations| KeySet::Iap.labels(rotations)).collect();
        assert_eq!(labels, [["iap/0", "iap/1"], ["iap/2", "iap/0"], ["iap/3", "iap/2"], ["iap/4", "iap/3"]]);
    }

    #[test]
    fn a_label_is_derived_once() {
        let key = EcKey::derive("once").unwrap();
        assert!(Arc::ptr_eq(&key, &EcKey::derive("once").unwrap()));
        assert_ne!(key.kid(), EcKey::derive("twice").unwrap().kid());
    }

    #[test]
    fn debug_shows_the_key_id_alone() {
        let key = EcKey::derive("iap/0").unwrap();
        assert_eq!(format!("{key:?}"), format!("EcKey({})", key.kid()));
    }
}
