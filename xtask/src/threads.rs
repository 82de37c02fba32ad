//! Doing things side by side.

use std::panic;
use std::thread;

/// Does `work` on all items at once; gives the results in the order of the items.
pub(crate) fn side_by_side<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> = items.iter().map(|item| scope.spawn(move || work(item))).collect();
        let results = threads.into_iter().map(|thread| thread.join());
        results.map(|result| result.unwrap_or_else(|why| panic::resume_unwind(why))).collect()
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    #[test]
    fn all_at_once_and_in_order() {
        let barrier = Barrier::new(3);
        let doubled = side_by_side(&[1, 2, 3], |number| {
            // Opens only when all three have come.
            barrier.wait();
            2 * number
        });
        assert_eq!(doubled, [2, 4, 6]);
    }
}
