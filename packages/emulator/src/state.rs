//! What the emulator remembers from one request to the next, and what a test has set.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use crate::Config;
use crate::activity::Activity;
use crate::faults::Faults;
use crate::keys::{EcKey, KeyError, KeySet, RsaKey};
use crate::refresh_tokens::RefreshTokens;
use crate::request_log::RequestLog;
use crate::time::UnixSeconds;
use crate::token_cache::TokenCache;

pub(crate) struct State {
    pub(crate) config: Config,
    pub(crate) metadata_tokens: TokenCache,
    pub(crate) refresh_tokens: RefreshTokens,
    pub(crate) requests: RequestLog,
    pub(crate) activity: Activity,
    pub(crate) faults: Faults,
    key_rotations: AtomicU64,
    clock_offset: AtomicI64,
}

impl State {
    /// Sets it up with no request counted, no fault waiting and no token handed out.
    pub(crate) fn new(config: Config) -> Self {
        Self {
            config,
            metadata_tokens: TokenCache::default(),
            refresh_tokens: RefreshTokens::default(),
            requests: RequestLog::default(),
            activity: Activity::default(),
            faults: Faults::default(),
            key_rotations: AtomicU64::new(0),
            clock_offset: AtomicI64::new(0),
        }
    }

    pub(crate) fn order_fault(&self, order: &[u8]) -> Result<(), serde_json::Error> {
        self.faults.add(serde_json::from_slice(order)?);
        Ok(())
    }

    pub(crate) fn set_clock_offset(&self, seconds: i64) {
        self.clock_offset.store(seconds, Ordering::Relaxed);
    }

    pub(crate) fn clock_offset(&self) -> i64 {
        self.clock_offset.load(Ordering::Relaxed)
    }

    pub(crate) fn key_rotations(&self) -> u64 {
        self.key_rotations.load(Ordering::Relaxed)
    }

    /// The time by the emulator's clock.
    pub(crate) fn by_clock(&self, now: UnixSeconds) -> UnixSeconds {
        now.shifted(self.clock_offset())
    }

    pub(crate) fn rotate_keys(&self) {
        self.key_rotations.fetch_add(1, Ordering::Relaxed);
        self.metadata_tokens.clear();
    }

    /// The configuration by which an endpoint answers now.
    pub(crate) fn current_config(&self) -> Config {
        Config { key_rotations: self.key_rotations(), ..self.config.clone() }
    }

    pub(crate) fn derive_published_keys(&self) -> Result<(), KeyError> {
        let rotations = self.key_rotations();
        for label in KeySet::Google.labels(rotations) {
            RsaKey::derive(&label)?;
        }
        for label in KeySet::Iap.labels(rotations) {
            EcKey::derive(&label)?;
        }
        Ok(())
    }
}
