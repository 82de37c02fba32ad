//! What happened lately, for the page on which a developer watches the emulator.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use crate::http::{Request, Response};
use crate::time::UnixSeconds;

/// How many exchanges are kept: some screens full.
const KEPT: usize = 200;
/// How much of an answer's body is shown as the reason of a refusal, in characters.
const LONGEST_REASON: usize = 400;

/// The last exchanges, oldest first.
#[derive(Default)]
pub(crate) struct Activity {
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    exchanges: VecDeque<Exchange>,
    count: u64,
}

/// One request, and what it was answered. Neither the query nor a token is in it.
#[derive(Clone, Serialize)]
pub(crate) struct Exchange {
    /// Counts from 1.
    number: u64,
    /// When it arrived by the emulator's clock, in Unix seconds.
    at: u64,
    method: String,
    path: String,
    /// Nothing where the connection was closed without an answer.
    status: Option<u16>,
    /// The answer's body, shortened, where the status is 400 or more.
    reason: Option<String>,
    /// Whether a fault that was ordered made the answer.
    is_fault: bool,
}

impl Activity {
    pub(crate) fn note(&self, request: &Request, response: &Response, is_fault: bool, now: UnixSeconds) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.count += 1;
        let exchange = Exchange {
            number: kept.count,
            at: now.0,
            method: request.method.clone(),
            path: request.path.clone(),
            status: (!response.hang_up).then_some(response.status),
            reason: (response.status >= 400 && !response.hang_up).then(|| shortened(&response.body)),
            is_fault,
        };
        if kept.exchanges.len() == KEPT {
            kept.exchanges.pop_front();
        }
        kept.exchanges.push_back(exchange);
    }

    /// Those whose number is above `number`.
    pub(crate) fn after(&self, number: u64) -> Vec<Exchange> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.exchanges.iter().filter(|exchange| exchange.number > number).cloned().collect()
    }
}

fn shortened(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let mut shown: String = text.trim().chars().take(LONGEST_REASON).collect();
    if shown.len() < text.trim().len() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_ones_are_kept_and_long_reasons_are_shortened() {
        let activity = Activity::default();
        for _ in 0..=KEPT {
            let response = Response::bare(500, vec![b'x'; LONGEST_REASON + 1]);
            activity.note(&Request::get("/token?a=b"), &response, true, UnixSeconds(7));
        }
        let all = activity.after(0);
        assert_eq!((all.len(), all.first().unwrap().number), (KEPT, 2));
        assert_eq!(activity.after(KEPT as u64).len(), 1);
        let last = all.last().unwrap();
        assert_eq!((last.path.as_str(), last.status, last.at), ("/token", Some(500), 7));
        assert_eq!(last.reason.as_ref().unwrap().chars().count(), LONGEST_REASON + 1);
        assert!(last.reason.as_ref().unwrap().ends_with('…'));
    }

    #[test]
    fn no_answer_has_no_status_and_a_good_one_no_reason() {
        let activity = Activity::default();
        let hung_up = Response { hang_up: true, ..Response::bare(500, Vec::new()) };
        activity.note(&Request::get("/"), &hung_up, true, UnixSeconds(0));
        activity.note(&Request::get("/"), &Response::new(200, "text/plain", "secret"), false, UnixSeconds(0));
        assert!(activity.after(0).iter().all(|exchange| exchange.reason.is_none()));
        assert_eq!(activity.after(0).first().unwrap().status, None);
    }
}
