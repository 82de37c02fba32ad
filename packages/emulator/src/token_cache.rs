//! The tokens that the metadata server hands out again.
//!
//! The real one does so as well, and clients must live with it: a token is not fresh for having just been fetched.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::keys::KeyError;
use crate::time::UnixSeconds;

/// A token is handed out until so long before its end, as Google's metadata server does on most platforms.
pub(crate) const RENEWAL_MARGIN: Duration = Duration::from_secs(5 * 60);

/// Of a short-lived token, the last third is the margin: the proportion between Google's five minutes and the 225
/// seconds (or the last quarter) at which clients ask again must hold, or they would be given the old token.
const SHORT_LIFETIME_DIVISOR: u32 = 3;

/// What distinguishes one cached token from another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Wanted {
    /// An ID token.
    Identity { audience: String, with_email: bool },
    /// An access token; the scopes are joined by spaces.
    AccessToken { scope: String },
}

/// A token, and until when it is good.
#[derive(Clone)]
pub(crate) struct Cached {
    pub(crate) token: String,
    pub(crate) expires_at: UnixSeconds,
    issued_at: UnixSeconds,
    renew_at: UnixSeconds,
}

/// One token per wish.
#[derive(Default)]
pub(crate) struct TokenCache {
    tokens: Mutex<HashMap<Wanted, Cached>>,
}

impl TokenCache {
    /// Gives the token that was handed out before, or mints one that expires at the time which `mint` is told.
    ///
    /// The lock is not held while `mint` runs. Of two callers that mint at once, both get the token of the first.
    pub(crate) fn get_or_mint(
        &self,
        wanted: Wanted,
        now: UnixSeconds,
        lifetime: Duration,
        mint: impl FnOnce(UnixSeconds) -> Result<String, KeyError>,
    ) -> Result<Cached, KeyError> {
        if let Some(cached) = self.current(&wanted, now) {
            return Ok(cached);
        }
        let expires_at = now.after(lifetime);
        let margin = RENEWAL_MARGIN.min(lifetime / SHORT_LIFETIME_DIVISOR);
        let minted = Cached {
            token: mint(expires_at)?,
            expires_at,
            issued_at: now,
            renew_at: expires_at.before(margin),
        };

        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.retain(|_, cached| cached.is_current(now));
        Ok(tokens.entry(wanted).or_insert(minted).clone())
    }

    pub(crate) fn clear(&self) {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn current(&self, wanted: &Wanted, now: UnixSeconds) -> Option<Cached> {
        let tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.get(wanted).filter(|cached| cached.is_current(now)).cloned()
    }
}

impl Cached {
    /// A clock that was set back makes the token one of the future, which nobody would accept.
    fn is_current(&self, now: UnixSeconds) -> bool {
        self.issued_at <= now && now < self.renew_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);
    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn a_token_is_handed_out_until_five_minutes_before_its_end() {
        assert_eq!(renewals(HOUR, &[0, 1, 3299, 3300, 3301]), ["0", "0", "0", "3300", "3300"]);
    }

    #[test]
    fn a_short_lived_token_is_handed_out_for_two_thirds_of_its_life() {
        assert_eq!(renewals(MINUTE, &[0, 39, 40]), ["0", "0", "40"]);
    }

    #[test]
    fn a_clock_set_back_gets_a_new_token() {
        assert_eq!(renewals(HOUR, &[100, 99]), ["100", "99"]);
    }

    /// Asks at those times, and gives the tokens that come back; each is called after the time it was minted.
    fn renewals(lifetime: Duration, times: &[u64]) -> Vec<String> {
        let cache = TokenCache::default();
        let wanted = Wanted::AccessToken { scope: "openid".to_owned() };
        let ask = |time: &u64| {
            let now = UnixSeconds(*time);
            cache.get_or_mint(wanted.clone(), now, lifetime, |_| Ok(time.to_string())).unwrap().token
        };
        times.iter().map(ask).collect()
    }
}
