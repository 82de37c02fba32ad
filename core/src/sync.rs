//! What threads share: locks, and values that are read without one.
//!
//! In models of interleavings (`cfg(loom)`) they are loom's.

use std::sync::Arc;

#[cfg(not(loom))]
pub(crate) use std::sync::{Mutex, MutexGuard};

#[cfg(loom)]
pub(crate) use loom::sync::{Mutex, MutexGuard};

/// A value that is only ever replaced as a whole. Readers wait for nobody and write to no memory that others read, so
/// that they do not slow each other down.
#[cfg(not(any(loom, target_family = "wasm")))]
pub(crate) struct Snapshot<T>(arc_swap::ArcSwap<T>);

#[cfg(not(any(loom, target_family = "wasm")))]
impl<T> Snapshot<T> {
    pub(crate) fn new(value: T) -> Self {
        Self::shared(Arc::new(value))
    }

    /// Begins with a value that others begin with, too.
    pub(crate) fn shared(value: Arc<T>) -> Self {
        Self(arc_swap::ArcSwap::new(value))
    }

    /// What `look` makes of the present value.
    pub(crate) fn read<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        look(&self.0.load())
    }

    pub(crate) fn replace(&self, value: T) {
        self.0.store(Arc::new(value));
    }
}

/// The same with a lock: in models, and where there is one thread.
#[cfg(any(loom, target_family = "wasm"))]
pub(crate) struct Snapshot<T>(Mutex<Arc<T>>);

#[cfg(any(loom, target_family = "wasm"))]
impl<T> Snapshot<T> {
    pub(crate) fn new(value: T) -> Self {
        Self::shared(Arc::new(value))
    }

    pub(crate) fn shared(value: Arc<T>) -> Self {
        Self(Mutex::new(value))
    }

    pub(crate) fn read<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        let value = Arc::clone(&*self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
        look(&value)
    }

    pub(crate) fn replace(&self, value: T) {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Arc::new(value);
    }
}

impl<T: Default> Default for Snapshot<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}
