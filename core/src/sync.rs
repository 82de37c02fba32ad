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

    /// Changes a copy, which then takes the value's place. Of two changes at once, one is lost.
    pub(crate) fn change<R>(&self, change: impl FnOnce(&mut T) -> R) -> R
    where
        T: Clone,
    {
        let mut value = self.read(T::clone);
        let changed = change(&mut value);
        self.replace(value);
        changed
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

    /// Changes the value, or a copy where somebody reads it.
    pub(crate) fn change<R>(&self, change: impl FnOnce(&mut T) -> R) -> R
    where
        T: Clone,
    {
        change(Arc::make_mut(&mut self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)))
    }
}

/// The latest of something that can be made anew at any time. Nothing hangs on which one is read, so models of interleavings do
/// not look at it.
#[cfg(not(target_family = "wasm"))]
pub(crate) struct Latest<T>(arc_swap::ArcSwapOption<T>);

#[cfg(not(target_family = "wasm"))]
impl<T> Latest<T> {
    pub(crate) fn read<R>(&self, look: impl FnOnce(Option<&T>) -> R) -> R {
        look(self.0.load().as_deref())
    }

    pub(crate) fn replace(&self, value: T) {
        self.0.store(Some(Arc::new(value)));
    }
}

#[cfg(not(target_family = "wasm"))]
impl<T> Default for Latest<T> {
    fn default() -> Self {
        Self(arc_swap::ArcSwapOption::empty())
    }
}

/// The same where there is one thread.
#[cfg(target_family = "wasm")]
pub(crate) struct Latest<T>(std::sync::Mutex<Option<T>>);

#[cfg(target_family = "wasm")]
impl<T> Latest<T> {
    pub(crate) fn read<R>(&self, look: impl FnOnce(Option<&T>) -> R) -> R {
        look(self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).as_ref())
    }

    pub(crate) fn replace(&self, value: T) {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(value);
    }
}

#[cfg(target_family = "wasm")]
impl<T> Default for Latest<T> {
    fn default() -> Self {
        Self(std::sync::Mutex::new(None))
    }
}

impl<T: Default> Default for Snapshot<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}
