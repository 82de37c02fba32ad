//! Bytes that are lent and bytes that are given.

use std::sync::atomic::{Ordering, compiler_fence};
use std::{ptr, slice};

/// Bytes that are lent for the length of a call. The pointer may be null when `len` is 0.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct gp_slice {
    /// The first byte.
    pub data: *const u8,
    /// How many there are.
    pub len: usize,
}

/// Bytes that the caller owns, to be given back to `gp_buf_free`. The pointer is null when there are none.
#[repr(C)]
pub struct gp_buf {
    /// The first byte.
    pub data: *mut u8,
    /// How many there are.
    pub len: usize,
}

impl From<&'static [u8]> for gp_slice {
    fn from(bytes: &'static [u8]) -> Self {
        Self { data: bytes.as_ptr(), len: bytes.len() }
    }
}

impl gp_slice {
    /// The bytes, or what is wrong with them.
    ///
    /// # Safety
    /// Unless `len` is 0, `data` is null or points at `len` bytes that nobody changes during `'call`.
    pub(crate) unsafe fn bytes<'call>(self) -> Result<&'call [u8], &'static str> {
        match self.len {
            0 => Ok(&[]),
            _ if self.data.is_null() => Err("is a null pointer with a length"),
            len if isize::try_from(len).is_err() => Err("is longer than memory can be"),
            // SAFETY: the caller's word; not null, and not too long.
            len => Ok(unsafe { slice::from_raw_parts(self.data, len) }),
        }
    }
}

impl gp_buf {
    pub(crate) const EMPTY: Self = Self { data: ptr::null_mut(), len: 0 };

    /// Overwrites the bytes and frees them.
    pub(crate) fn wipe(self) {
        if self.data.is_null() {
            return;
        }
        // SAFETY: `data` and `len` are those of a boxed slice that was given away in `from`; a buffer that comes from
        // C is by contract one of those, unchanged and not freed before.
        let mut bytes = unsafe { Box::from_raw(ptr::slice_from_raw_parts_mut(self.data, self.len)) };
        overwrite(&mut bytes);
    }
}

impl From<&[u8]> for gp_buf {
    fn from(bytes: &[u8]) -> Self {
        if bytes.is_empty() {
            return Self::EMPTY;
        }
        let bytes: Box<[u8]> = bytes.into();
        let len = bytes.len();
        Self { data: Box::into_raw(bytes).cast(), len }
    }
}

impl From<&str> for gp_buf {
    fn from(text: &str) -> Self {
        text.as_bytes().into()
    }
}

impl From<String> for gp_buf {
    fn from(text: String) -> Self {
        // Copied to its exact size and wiped: shrinking it in place might leave a copy behind.
        let mut bytes = text.into_bytes();
        let buf = bytes.as_slice().into();
        overwrite(&mut bytes);
        buf
    }
}

/// Writes zeros that the compiler may not leave out, although nobody reads them; in words, since payloads come here
/// on the hot path.
fn overwrite(bytes: &mut [u8]) {
    // SAFETY: any bytes are a u64, and a u64 is any bytes.
    let (head, words, tail) = unsafe { bytes.align_to_mut::<u64>() };
    for byte in head.iter_mut().chain(tail) {
        // SAFETY: a valid reference.
        unsafe { ptr::write_volatile(byte, 0) };
    }
    for word in words {
        // SAFETY: a valid reference.
        unsafe { ptr::write_volatile(word, 0) };
    }
    compiler_fence(Ordering::SeqCst);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn overwrite_reaches_every_byte_at_any_alignment() {
        for start in 0..9 {
            for end in start..40 {
                let mut bytes = [0xff; 40];
                overwrite(bytes.get_mut(start..end).unwrap());
                let zeros: Vec<usize> = (0..40).filter(|i| bytes.get(*i) == Some(&0)).collect();
                assert_eq!(zeros, (start..end).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn impossible_slices_are_refused() {
        let byte = 0u8;
        for (data, len) in [(ptr::null(), 1), (&raw const byte, usize::MAX), (ptr::null(), usize::MAX)] {
            // SAFETY: refused before a pointer is followed.
            assert!(unsafe { gp_slice { data, len }.bytes() }.is_err());
        }
        // SAFETY: nothing to follow.
        assert!(unsafe { gp_slice { data: ptr::null(), len: 0 }.bytes() }.unwrap().is_empty());
    }
}
