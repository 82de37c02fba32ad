//! Work that several threads wait for: each flight is flown by a thread of its own, whoever needed it first.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;

use gatepass_core::{Error, ErrorCode, FlightId};

/// The flights of one source, or of one cache of keys.
pub(crate) struct Flights<T> {
    /// Only those who fly and those who wait keep a flight alive.
    in_the_air: Mutex<HashMap<FlightId, Weak<Flight<T>>>>,
}

/// What comes of a flight, once it has landed.
pub(crate) struct Flight<T> {
    outcome: Mutex<Option<Result<T, Error>>>,
    landed: Condvar,
}

impl<T: Clone + Send + 'static> Flights<T> {
    /// The flight of this id, to wait at. Look up again before waiting: it may have landed already, and nobody else.
    pub(crate) fn at(&self, id: FlightId) -> Arc<Flight<T>> {
        let mut flights = lock(&self.in_the_air);
        if let Some(flight) = flights.get(&id).and_then(Weak::upgrade) {
            return flight;
        }
        flights.retain(|_, flight| flight.strong_count() > 0);
        let flight = Arc::new(Flight { outcome: Mutex::new(None), landed: Condvar::new() });
        flights.insert(id, Arc::downgrade(&flight));
        flight
    }

    /// Does `work` on a thread of its own, which no caller can take down with itself.
    pub(crate) fn fly(
        self: &Arc<Self>,
        id: FlightId,
        work: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Arc<Flight<T>> {
        let flight = self.at(id);
        let landing = Landing { flights: Arc::clone(self), id, flight: Arc::clone(&flight), outcome: None };
        // Where no thread can be had, `landing` is dropped and says so.
        let _ = thread::Builder::new().name("gatepass".to_owned()).spawn(move || landing.with(work()));
        flight
    }
}

impl<T: Clone> Flight<T> {
    /// A flight that has landed already.
    pub(crate) fn landed(outcome: Result<T, Error>) -> Arc<Self> {
        Arc::new(Self { outcome: Mutex::new(Some(outcome)), landed: Condvar::new() })
    }

    /// Waits until the flight has landed. What is flown ends within the limits of its steps.
    pub(crate) fn wait(&self) -> Result<T, Error> {
        let outcome = self.landed.wait_while(lock(&self.outcome), |outcome| outcome.is_none());
        let outcome = outcome.unwrap_or_else(PoisonError::into_inner);
        outcome.clone().unwrap_or_else(|| Err(crashed()))
    }
}

impl<T> Default for Flights<T> {
    fn default() -> Self {
        Self { in_the_air: Mutex::default() }
    }
}

/// Tells all who wait, even where the work has panicked.
struct Landing<T> {
    flights: Arc<Flights<T>>,
    id: FlightId,
    flight: Arc<Flight<T>>,
    outcome: Option<Result<T, Error>>,
}

impl<T> Landing<T> {
    fn with(mut self, outcome: Result<T, Error>) {
        self.outcome = Some(outcome);
    }
}

impl<T> Drop for Landing<T> {
    fn drop(&mut self) {
        lock(&self.flights.in_the_air).remove(&self.id);
        *lock(&self.flight.outcome) = Some(self.outcome.take().unwrap_or_else(|| Err(crashed())));
        self.flight.landed.notify_all();
    }
}

fn crashed() -> Error {
    Error::new(ErrorCode::Internal, "the thread that fetched ended without an outcome")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn all_who_wait_get_what_comes_of_it() {
        let flights = Arc::new(Flights::default());
        let (start, started) = mpsc::channel::<()>();
        let flight = flights.fly(FlightId(1), move || {
            started.recv().unwrap();
            Ok(7)
        });
        let waiting: Vec<_> = (0..3)
            .map(|_| {
                let flight = flights.at(FlightId(1));
                thread::spawn(move || flight.wait())
            })
            .collect();
        start.send(()).unwrap();
        assert_eq!(flight.wait(), Ok(7));
        for thread in waiting {
            assert_eq!(thread.join().unwrap(), Ok(7));
        }
        assert!(lock(&flights.in_the_air).is_empty());
    }

    #[test]
    fn work_that_panics_lets_nobody_wait_for_ever() {
        let flights = Arc::new(Flights::<()>::default());
        let flight = flights.fly(FlightId(1), || panic!("for a test"));
        assert_eq!(flight.wait().unwrap_err().code(), ErrorCode::Internal);
    }

    #[test]
    fn a_place_at_which_nobody_waits_any_more_is_forgotten() {
        let flights = Flights::<()>::default();
        drop(flights.at(FlightId(1)));
        let _second = flights.at(FlightId(2));
        assert_eq!(lock(&flights.in_the_air).len(), 1);
    }
}
