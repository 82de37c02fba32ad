//! The SHA-256 of something that is to be recognised, not shown.

use std::fmt::Write;

use sha2::{Digest, Sha256};

/// Gives the digest in hexadecimal digits.
pub(crate) fn of(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
