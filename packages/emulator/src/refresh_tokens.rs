//! Which refresh tokens are still good. A person has one at a time: a new one revokes the one before.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::mint::RefreshToken;

/// How many tokens have been replaced, of those people of whom any has been. All that can be named have a first one.
#[derive(Default)]
pub(crate) struct RefreshTokens {
    replaced: Mutex<BTreeMap<RefreshToken, u64>>,
}

impl RefreshTokens {
    /// Tells whether `token` is its owner's newest.
    pub(crate) fn is_good(&self, token: &RefreshToken) -> bool {
        let replaced = self.replaced.lock().unwrap_or_else(PoisonError::into_inner);
        replaced.get(&token.first()).copied().unwrap_or_default() == token.serial
    }

    /// Gives the token that comes after `token`, which is no longer good.
    pub(crate) fn replace(&self, token: &RefreshToken) -> RefreshToken {
        let serial = token.serial + 1;
        let mut replaced = self.replaced.lock().unwrap_or_else(PoisonError::into_inner);
        replaced.insert(token.first(), serial);
        RefreshToken { serial, ..token.clone() }
    }
}
