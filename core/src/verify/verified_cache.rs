//! Verified tokens, remembered by their SHA-256: a service sends the same token for an hour, and the second time
//! costs a hash instead of an RSA operation.
//!
//! Only successes are remembered, and only what neither time nor a key rotation changes: that this key signed these
//! octets, and that their claims met this verifier's own fixed policy. On every hit the times are compared anew,
//! and the key must still be in the key set.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};

use crate::crypto::SHA256_LENGTH;
use crate::jose::claims::Times;
use crate::jose::jwk::Jwk;
use crate::jose::jwks::KeySet;
use crate::jose::jws::Header;
use crate::sync::{Mutex, Snapshot};

/// Independent parts, each replaced as a whole when a token is added to it: the more there are, the smaller they are.
const SHARDS: usize = 64;
/// Bounds of one part, in tokens and in octets of their payloads: 16,384 tokens and 16 MiB in all.
const SHARD_ENTRIES: usize = 256;
const SHARD_OCTETS: usize = 256 * 1024;

pub(crate) type Digest = [u8; SHA256_LENGTH];

/// A token that was verified once.
#[derive(Clone)]
pub(crate) struct Remembered {
    /// Names this memory of the token; never used again for another one.
    pub(crate) entry: u64,
    pub(crate) payload: Arc<[u8]>,
    pub(crate) times: Times,
    pub(crate) header: Header,
    pub(crate) key: Arc<Jwk>,
    /// The set in which the key was found last.
    pub(crate) keys: Arc<KeySet>,
}

/// A bounded memory; the oldest entry makes way.
pub(crate) struct VerifiedCache {
    shards: [Shard; SHARDS],
    last_entry: AtomicU64,
}

#[derive(Default)]
struct Shard {
    tokens: Snapshot<Tokens>,
    /// Held by whoever replaces the tokens.
    writer: Mutex<()>,
}

#[derive(Clone, Default)]
struct Tokens {
    entries: HashMap<Digest, Arc<Remembered>>,
    order: VecDeque<Digest>,
    octets: usize,
}

impl VerifiedCache {
    pub(crate) fn new() -> Self {
        Self {
            shards: [const { None::<()> }; SHARDS].map(|_| Shard::default()),
            last_entry: AtomicU64::new(0),
        }
    }

    /// What `look` makes of the remembered token, if there is one.
    pub(crate) fn read<R>(&self, digest: &Digest, look: impl FnOnce(&Arc<Remembered>) -> R) -> Option<R> {
        self.shard(digest)?.tokens.read(|tokens| tokens.entries.get(digest).map(look))
    }

    /// The name of a memory that is about to be kept.
    pub(crate) fn next_entry(&self) -> u64 {
        self.last_entry.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) fn put(&self, digest: Digest, token: Remembered) {
        let Some(shard) = self.shard(&digest) else { return };
        let _writer = shard.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut tokens = shard.tokens.read(Tokens::clone);
        tokens.put(digest, token);
        shard.tokens.replace(tokens);
    }

    fn shard(&self, digest: &Digest) -> Option<&Shard> {
        self.shards.get(usize::from(*digest.first()?) % SHARDS)
    }
}

impl Tokens {
    fn put(&mut self, digest: Digest, token: Remembered) {
        let size = token.payload.len();
        if self.entries.insert(digest, Arc::new(token)).is_none() {
            self.order.push_back(digest);
            self.octets += size;
        }
        while self.entries.len() > SHARD_ENTRIES || self.octets > SHARD_OCTETS {
            let Some(oldest) = self.order.pop_front() else { break };
            if let Some(token) = self.entries.remove(&oldest) {
                self.octets -= token.payload.len();
            }
        }
    }
}
