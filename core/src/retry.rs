//! When a failed exchange is tried again: one policy, as data, for every endpoint.

use crate::error::Error;

/// Attempts in all, the first included.
const ATTEMPTS: u32 = 4;
/// The longest wait before the second attempt; it doubles from there. Full jitter: each wait is a random part of it.
const FIRST_DELAY_MS: u64 = 250;
/// An endpoint that asks for more patience than this is given up on: the caller would have left by then.
const LONGEST_RETRY_AFTER_MS: u64 = 10_000;

/// Pseudo-random numbers from a seed (SplitMix64). For spreading load only: nothing secret depends on them.
#[derive(Clone, Debug)]
pub(crate) struct Jitter(u64);

impl Jitter {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number from 0 to `limit`, both included.
    pub(crate) fn up_to(&mut self, limit: u64) -> u64 {
        let number = self.next();
        limit.checked_add(1).map_or(number, |count| number % count)
    }

    /// A generator of its own, so that one operation's numbers do not depend on another's progress.
    pub(crate) fn fork(&mut self) -> Self {
        Self(self.next())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// Counts the attempts of one exchange.
#[derive(Debug)]
pub(crate) struct Attempts {
    made: u32,
    jitter: Jitter,
}

impl Attempts {
    pub(crate) fn new(jitter: Jitter) -> Self {
        Self { made: 0, jitter }
    }

    /// Milliseconds to wait before the next attempt after `error`, or `None` when it is final.
    pub(crate) fn after(&mut self, error: &Error) -> Option<u64> {
        self.made += 1;
        if !error.is_retryable() || self.made >= ATTEMPTS {
            return None;
        }
        match error.retry_after_ms() {
            Some(asked) => Some(asked).filter(|asked| *asked <= LONGEST_RETRY_AFTER_MS),
            None => Some(self.jitter.up_to(FIRST_DELAY_MS << (self.made - 1))),
        }
    }
}

/// How long a source leaves an endpoint alone after this many failed operations in a row, in milliseconds.
///
/// One failure costs nothing: the next caller tries at once. From the second on callers get the remembered error
/// for 1 s, 2 s, 4 s … at most 32 s, so that an outage is not hammered.
pub(crate) fn back_off_ms(failures: u32) -> u64 {
    match failures {
        0 | 1 => 0,
        n => 1000 << (n - 2).min(5),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorCode;

    #[test]
    fn jitter_is_split_mix_and_reaches_all_that_it_may() {
        // The first numbers of the generator's published form for the seed 0.
        let mut jitter = Jitter::new(0);
        let numbers = [jitter.next(), jitter.next(), jitter.next()];
        assert_eq!(numbers, [0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4, 0x06c4_5d18_8009_454f]);
        let reached: std::collections::BTreeSet<_> = (0..1000).map(|_| jitter.up_to(9)).collect();
        assert_eq!(reached, (0..10).collect());
        assert_eq!(Jitter::new(0).up_to(u64::MAX), numbers[0]);
    }

    #[test]
    fn gives_up_after_four_attempts() {
        let mut attempts = Attempts::new(Jitter::new(1));
        let error = Error::new(ErrorCode::EndpointUnavailable, "503");
        for longest in [250, 500, 1000] {
            let delay_ms = attempts.after(&error).unwrap();
            assert!(delay_ms <= longest, "{delay_ms}");
        }
        assert_eq!(attempts.after(&error), None);
    }

    #[test]
    fn honours_retry_after_within_reason() {
        let error = |ms| Error::new(ErrorCode::EndpointUnavailable, "429").retry_after(Some(ms));
        let mut attempts = Attempts::new(Jitter::new(1));
        assert_eq!(attempts.after(&error(7000)), Some(7000));
        assert_eq!(attempts.after(&error(60_000)), None);
    }

    #[test]
    fn permanent_errors_are_final() {
        let error = Error::new(ErrorCode::TokenRefused, "invalid_grant");
        assert_eq!(Attempts::new(Jitter::new(1)).after(&error), None);
    }

    #[test]
    fn back_off_grows_to_half_a_minute() {
        assert_eq!([0, 1, 2, 3, 7, 99].map(back_off_ms), [0, 0, 1000, 2000, 32_000, 32_000]);
    }
}
