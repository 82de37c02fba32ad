//! What surrounds every function: no panic gets out, and no pointer is followed unseen.
//!
//! Each macro takes an argument of the function by its name, so that the error can name it too.

use std::panic::{AssertUnwindSafe, catch_unwind};

use gatepass_bridge::Failure;

use crate::memory::gp_buf;
use crate::{GP_OK, gp_status};

/// Runs the body of a function; a failure goes to `error`, unless that is null, and its number to the caller.
macro_rules! border {
    ($error:ident, $body:expr) => {{
        let outcome = gatepass_bridge::guard($body);
        // SAFETY: by contract `error` is null, or writable and aligned for a gp_buf.
        unsafe { $crate::boundary::report($error, outcome) }
    }};
}

/// The place for a result, with this value in it until there is one; or `API_MISUSE` when it is null.
macro_rules! out {
    ($place:ident = $value:expr) => {
        if $place.is_null() {
            Err($crate::boundary::misuse(stringify!($place), "is a null pointer"))
        } else {
            // SAFETY: not null, and by contract writable, aligned and in use nowhere else during the call. It is
            // written before a reference to it is made, for it may hold anything.
            Ok(unsafe {
                $place.write($value);
                &mut *$place
            })
        }
    };
}

/// What a handle refers to; or `API_MISUSE` when it is null.
macro_rules! handle {
    ($handle:ident) => {
        // SAFETY: null is seen to; else by contract the handle comes from this library and is freed by nobody
        // during the call. All that is behind a handle may be shared between threads.
        unsafe { $handle.as_ref() }
            .ok_or_else(|| $crate::boundary::misuse(stringify!($handle), "is a null pointer"))
    };
}

/// The bytes of a slice; or `API_MISUSE` when they cannot be.
macro_rules! bytes {
    ($slice:ident) => {
        // SAFETY: by contract `data` points at `len` bytes that nobody changes during the call, unless `len` is 0.
        unsafe { $slice.bytes() }.map_err(|found| $crate::boundary::misuse(stringify!($slice), found))
    };
}

/// The text of a slice; or `API_MISUSE` when it is none.
macro_rules! text {
    ($slice:ident) => {
        bytes!($slice).and_then(|bytes| {
            std::str::from_utf8(bytes)
                .map_err(|_| $crate::boundary::misuse(stringify!($slice), "is not UTF-8"))
        })
    };
}

/// A stranger's header, `None` when it is absent. Bytes that are not UTF-8 are replaced by what no token holds.
macro_rules! header {
    ($slice:ident) => {
        bytes!($slice).map(|bytes| (!$slice.data.is_null()).then(|| String::from_utf8_lossy(bytes)))
    };
}

/// Frees what is behind a handle, unless it is null.
macro_rules! free {
    ($handle:ident) => {
        let _ = gatepass_bridge::guard(|| {
            if !$handle.is_null() {
                // SAFETY: by contract the handle comes from `Box::into_raw` here, was not freed before, and is in
                // use nowhere.
                drop(unsafe { Box::from_raw($handle) });
            }
            Ok(())
        });
    };
}

pub(crate) use {border, bytes, free, handle, header, out, text};

/// Gives the caller a function's outcome.
///
/// # Safety
/// `error` is null, or writable and aligned for a `gp_buf`.
pub(crate) unsafe fn report(error: *mut gp_buf, outcome: Result<(), Failure>) -> gp_status {
    if !error.is_null() {
        let json = match &outcome {
            Ok(()) => gp_buf::EMPTY,
            // Should even the report panic, the number is given all the same.
            Err(failure) => {
                catch_unwind(AssertUnwindSafe(|| failure.to_json().into())).unwrap_or(gp_buf::EMPTY)
            }
        };
        // SAFETY: the caller's word. It is only written, for it may hold anything.
        unsafe { error.write(json) };
    }
    outcome.map_or_else(|failure| failure.code() as gp_status, |()| GP_OK)
}

/// A null pointer, or bytes that cannot be: the caller's mistake.
pub(crate) fn misuse(argument: &str, found: &str) -> Failure {
    Failure::misuse(format!("the argument {argument} {found}"))
}
