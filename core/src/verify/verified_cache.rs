//! Verified tokens, remembered by their SHA-256: a service sends the same token for an hour, and the second time
//! costs a hash instead of an RSA operation.
//!
//! Only successes are remembered, and only what neither time nor a key rotation changes: that this key signed these
//! octets, and that their claims met this verifier's own fixed policy. On every hit the times are compared anew,
//! and the key must still be in the key set.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, PoisonError};

use crate::crypto::SHA256_LENGTH;
use crate::jose::claims::Times;
use crate::jose::jwk::Jwk;
use crate::jose::jws::Header;
use crate::sync::{Mutex, MutexGuard};

/// Independent parts, so that threads seldom wait for each other.
const SHARDS: usize = 16;
/// Bounds of one part, in tokens and in octets of their payloads.
const SHARD_ENTRIES: usize = 1_024;
const SHARD_OCTETS: usize = 1024 * 1024;

pub(crate) type Digest = [u8; SHA256_LENGTH];

/// A token that was verified once.
pub(crate) struct Remembered {
    pub(crate) payload: Arc<[u8]>,
    pub(crate) times: Times,
    pub(crate) header: Header,
    pub(crate) key: Arc<Jwk>,
}

/// A bounded memory; the oldest entry makes way.
pub(crate) struct VerifiedCache {
    shards: [Mutex<Shard>; SHARDS],
}

#[derive(Default)]
struct Shard {
    entries: HashMap<Digest, Arc<Remembered>>,
    order: VecDeque<Digest>,
    octets: usize,
}

impl VerifiedCache {
    pub(crate) fn new() -> Self {
        Self { shards: [const { None::<()> }; SHARDS].map(|_| Mutex::default()) }
    }

    pub(crate) fn get(&self, digest: &Digest) -> Option<Arc<Remembered>> {
        self.shard(digest)?.entries.get(digest).map(Arc::clone)
    }

    pub(crate) fn put(&self, digest: Digest, token: Remembered) {
        let Some(mut shard) = self.shard(&digest) else { return };
        let size = token.payload.len();
        if shard.entries.insert(digest, Arc::new(token)).is_none() {
            shard.order.push_back(digest);
            shard.octets += size;
        }
        while shard.entries.len() > SHARD_ENTRIES || shard.octets > SHARD_OCTETS {
            let Some(oldest) = shard.order.pop_front() else { break };
            shard.remove(&oldest);
        }
    }

    fn shard(&self, digest: &Digest) -> Option<MutexGuard<'_, Shard>> {
        let first = digest.first()?;
        self.shards.get(usize::from(*first) % SHARDS).map(lock)
    }
}

impl Shard {
    fn remove(&mut self, digest: &Digest) {
        if let Some(token) = self.entries.remove(digest) {
            self.octets -= token.payload.len();
        }
    }
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}
