//! One flight for all who want the same thing, and a pause after flights that failed.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::Error;
use crate::retry::back_off_ms;
use crate::step::{Deadline, Now};

/// Names one fetch that is under way.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct FlightId(pub u64);

/// Gives flights their ids, from 1 on.
#[derive(Debug, Default)]
pub(crate) struct FlightIds(AtomicU64);

impl FlightIds {
    /// An id that no other flight of these has.
    pub(crate) fn next(&self) -> FlightId {
        FlightId(self.0.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

/// Who fetches one thing: at most one caller at a time, and nobody for a while after failures.
#[derive(Debug, Default)]
pub(crate) struct SingleFlight {
    under_way: Option<FlightId>,
    /// No flight departs before this moment.
    not_before: Deadline,
    /// How many flights in a row have failed, and how the last of them did.
    failures: u32,
    failure: Option<Error>,
}

impl SingleFlight {
    /// The flight to join, if there is one.
    pub(crate) fn under_way(&self) -> Option<FlightId> {
        self.under_way
    }

    /// Whether somebody may fetch now.
    pub(crate) fn may_depart(&self, now: Now) -> bool {
        self.under_way.is_none() && self.not_before.has_come(now)
    }

    /// How the last flight failed, if it did and none has succeeded since.
    pub(crate) fn failure(&self) -> Option<&Error> {
        self.failure.as_ref()
    }

    pub(crate) fn depart(&mut self, flight: FlightId) {
        self.under_way = Some(flight);
    }

    /// Ends this flight, if it is the one under way: one that was abandoned must not end its successor.
    pub(crate) fn land(&mut self, flight: FlightId) {
        if self.under_way == Some(flight) {
            self.under_way = None;
        }
    }

    /// Forgets the flight, as a forked child must: the thread that flew it is not there.
    pub(crate) fn abandon(&mut self) {
        self.under_way = None;
    }

    pub(crate) fn note_success(&mut self) {
        *self = Self { under_way: self.under_way, ..Self::default() };
    }

    /// Lets no flight depart before this moment, although the last one succeeded.
    pub(crate) fn rest_until(&mut self, moment: Deadline) {
        self.not_before = moment;
    }

    /// Lets no flight depart for a while. Where something usable is held, nobody waits for the next one, so that even a
    /// first failure may be followed by a pause.
    pub(crate) fn note_failure(&mut self, error: &Error, holds_something: bool, now: Now) {
        self.failures = self.failures.saturating_add(1);
        self.failure = Some(error.clone());
        let failures = self.failures.saturating_add(u32::from(holds_something));
        self.not_before = now.after(back_off_ms(failures));
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::error::ErrorCode;
    use crate::step::Millis;

    fn at(ms: u64) -> Now {
        Now::steady(Millis(1_800_000_000_000 + ms))
    }

    #[test]
    fn ids_begin_with_one_for_hosts_take_zero_for_none() {
        let ids = FlightIds::default();
        assert_eq!([ids.next(), ids.next()], [FlightId(1), FlightId(2)]);
    }

    #[test]
    fn a_success_ends_no_flight_so_that_nobody_departs_before_it_has_landed() {
        let (id, mut flight) = (FlightIds::default().next(), SingleFlight::default());
        flight.depart(id);
        flight.note_success();
        assert_eq!((flight.under_way(), flight.may_depart(at(0))), (Some(id), false));
        flight.land(id);
        assert!(flight.may_depart(at(0)));
    }

    #[test]
    fn one_at_a_time_and_a_pause_that_grows_with_failures() {
        let ids = FlightIds::default();
        let error = Error::new(ErrorCode::Timeout, "late");
        let mut flight = SingleFlight::default();
        for (holds_something, pause) in [(false, 0), (false, 1000), (false, 2000), (true, 8000)] {
            assert!(flight.may_depart(at(0)));
            let id = ids.next();
            flight.depart(id);
            assert_eq!((flight.under_way(), flight.may_depart(at(0))), (Some(id), false));
            flight.note_failure(&error, holds_something, at(0));
            flight.land(id);
            assert!(pause == 0 || !flight.may_depart(at(pause - 1)), "{pause}");
            assert!(flight.may_depart(at(pause)), "{pause}");
            assert_eq!(flight.failure(), Some(&error));
            flight.rest_until(at(0).after(0));
        }
        flight.note_success();
        assert!(flight.may_depart(at(0)) && flight.failure().is_none());
        flight.note_failure(&error, false, at(0));
        assert!(flight.may_depart(at(0)), "a first failure again");
    }

    #[test]
    fn a_flight_that_was_abandoned_does_not_end_its_successor() {
        let ids = FlightIds::default();
        let (first, second) = (ids.next(), ids.next());
        assert_ne!(first, second);
        let mut flight = SingleFlight::default();
        flight.depart(first);
        flight.abandon();
        assert!(flight.may_depart(at(0)));
        flight.depart(second);
        flight.land(first);
        assert_eq!(flight.under_way(), Some(second));
        flight.land(second);
        assert_eq!(flight.under_way(), None);
    }
}
