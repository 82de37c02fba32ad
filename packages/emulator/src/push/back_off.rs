//! How long a sender waits before it tries again.

use std::time::Duration;

/// Waits that grow from `min` to `max`: they double, and after `max_doublings` they grow by as much as the last
/// doubled wait, which is how Cloud Tasks and Cloud Scheduler define it
/// (<https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues#RetryConfig>). No sender documents
/// how it spreads its retries, so these are not spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackOff {
    /// The first wait.
    pub min: Duration,
    /// The longest wait.
    pub max: Duration,
    /// How often the wait doubles; nothing if it does so until it reaches `max`.
    pub max_doublings: Option<u32>,
}

impl BackOff {
    /// Gives the wait before a retry, of which the first has the number 0.
    pub fn before_retry(&self, number: u32) -> Duration {
        let doublings = self.max_doublings.map_or(number, |max| max.min(number));
        let steps = (number - doublings).saturating_add(1);
        let doubled = 2_u32.checked_pow(doublings).and_then(|factor| self.min.checked_mul(factor));
        doubled.and_then(|doubled| doubled.checked_mul(steps)).map_or(self.max, |wait| wait.min(self.max))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(back_off: BackOff, retries: u32) -> Vec<u64> {
        (0..retries).map(|number| back_off.before_retry(number).as_secs()).collect()
    }

    /// The example in the reference of Cloud Tasks.
    #[test]
    fn waits_double_and_then_grow_linearly() {
        let back_off =
            BackOff { min: Duration::from_secs(10), max: Duration::from_secs(300), max_doublings: Some(3) };
        assert_eq!(seconds(back_off, 8), [10, 20, 40, 80, 160, 240, 300, 300]);
    }

    #[test]
    fn waits_double_up_to_the_longest() {
        let back_off =
            BackOff { min: Duration::from_secs(10), max: Duration::from_secs(600), max_doublings: None };
        assert_eq!(seconds(back_off, 8), [10, 20, 40, 80, 160, 320, 600, 600]);
        assert_eq!(back_off.before_retry(u32::MAX), back_off.max);
    }

    #[test]
    fn no_doubling_means_equal_steps() {
        let back_off =
            BackOff { min: Duration::from_secs(5), max: Duration::from_secs(12), max_doublings: Some(0) };
        assert_eq!(seconds(back_off, 4), [5, 10, 12, 12]);
        assert_eq!(back_off.before_retry(u32::MAX), back_off.max);
    }
}
