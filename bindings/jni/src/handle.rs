//! Values that Java holds by a number, the address of a box. Any of its threads may use them, hence `Send` and `Sync`.

use std::ptr;

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

fn missing() -> Failure {
    Failure::misuse("a handle is 0: what it named is closed")
}
