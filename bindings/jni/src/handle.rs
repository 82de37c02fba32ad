//! Values that Java holds by a number, the address of a box. Any of its threads may use them, hence `Send` and `Sync`.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::{mem, ptr};

use gatepass_bridge::Failure;
use jni::sys::jlong;

/// The handle of nothing.
pub(crate) const NONE: jlong = 0;

/// Moves `value` to where Java can name it. It lives until [`free`].
pub(crate) fn new<T: Send>(value: T) -> jlong {
    Box::into_raw(Box::new(value)).expose_provenance() as jlong
}

/// The value behind a handle.
///
/// # Errors
/// `API_MISUSE` for [`NONE`].
///
/// # Safety
/// The handle is [`NONE`] or comes from [`new`] with the same `T`; it is not freed, and its value not borrowed
/// mutably, while `'a` lasts.
pub(crate) unsafe fn borrow<'a, T: Sync>(handle: jlong) -> Result<&'a T, Failure> {
    // SAFETY: the caller's promise; null is seen by as_ref.
    unsafe { ptr::with_exposed_provenance::<T>(handle as usize).as_ref() }.ok_or_else(missing)
}

/// The value behind a handle, to be changed.
///
/// # Errors
/// `API_MISUSE` for [`NONE`].
///
/// # Safety
/// As [`borrow`], and nothing else borrows the value while `'a` lasts.
pub(crate) unsafe fn borrow_mut<'a, T: Send>(handle: jlong) -> Result<&'a mut T, Failure> {
    // SAFETY: the caller's promise; null is seen by as_mut.
    unsafe { ptr::with_exposed_provenance_mut::<T>(handle as usize).as_mut() }.ok_or_else(missing)
}

/// Takes the value from behind a handle; there is none behind [`NONE`].
///
/// # Safety
/// As [`borrow_mut`], and the handle is not used again.
pub(crate) unsafe fn take<T>(handle: jlong) -> Option<T> {
    let value = ptr::with_exposed_provenance_mut::<T>(handle as usize);
    // SAFETY: the caller's promise: it comes from Box::into_raw in `new`, and this is its last use.
    (!value.is_null()).then(|| unsafe { *Box::from_raw(value) })
}

/// Drops the value behind a handle. [`NONE`] is left alone.
///
/// # Safety
/// As [`take`].
pub(crate) unsafe fn free<T>(handle: jlong) {
    // SAFETY: the caller's promise.
    drop(unsafe { take::<T>(handle) });
}

/// The handles of [`new_lasting`], and what drops their values.
static LASTING: Mutex<BTreeMap<jlong, fn(jlong)>> = Mutex::new(BTreeMap::new());

/// As [`new`], for what lives until Java's collector finds that nothing can reach its owner: [`free_lasting`] drops it,
/// or [`free_all`].
pub(crate) fn new_lasting<T: Send>(value: T) -> jlong {
    let handle = new(value);
    // SAFETY: the handle is of this type, and whoever takes it out of the map uses it for the last time.
    lasting().insert(handle, |handle| unsafe { free::<T>(handle) });
    handle
}

/// Drops the value behind a handle of [`new_lasting`].
///
/// # Safety
/// As [`take`].
pub(crate) unsafe fn free_lasting(handle: jlong) {
    let free = lasting().remove(&handle);
    if let Some(free) = free {
        free(handle);
    }
}

/// Drops all that lasts, when the classes that have its handles are unloaded and can ask for nothing any more.
pub(crate) fn free_all() {
    let all = mem::take(&mut *lasting());
    for (handle, free) in all {
        free(handle);
    }
}

fn lasting() -> MutexGuard<'static, BTreeMap<jlong, fn(jlong)>> {
    LASTING.lock().unwrap_or_else(PoisonError::into_inner)
}

fn missing() -> Failure {
    Failure::misuse("a handle is 0: what it named is closed")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn what_lasts_is_dropped_by_its_handle_or_with_all() {
        let value = Arc::new(());
        let [first, ..] = [(); 3].map(|()| new_lasting(Arc::clone(&value)));
        assert_eq!(Arc::strong_count(&value), 4);
        // SAFETY: it comes from new_lasting, and is not used again.
        unsafe { free_lasting(first) };
        assert_eq!(Arc::strong_count(&value), 3);
        // SAFETY: nothing is there any more, nor behind this one.
        unsafe { free_lasting(NONE) };
        free_all();
        assert_eq!(Arc::strong_count(&value), 1);
    }
}
