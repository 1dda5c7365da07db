//! Why the latest turns failed. Kept only in memory, because a cause may quote what the agent was asked.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use frontdesk_core::id::TurnId;

/// Maximum number of failures kept.
const KEPT: usize = 256;

#[derive(Default)]
pub(crate) struct TurnFailures(Mutex<VecDeque<(TurnId, String)>>);

impl TurnFailures {
    pub(crate) fn note(&self, turn: TurnId, cause: &str) {
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        failures.push_back((turn, cause.to_owned()));
        if failures.len() > KEPT {
            failures.pop_front();
        }
    }

    pub(crate) fn of(&self, turn: TurnId) -> Option<String> {
        let failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        failures.iter().rev().find(|(known, _)| *known == turn).map(|(_, cause)| cause.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_latest_failures_are_kept() {
        let failures = TurnFailures::default();
        for n in 0..=KEPT as i64 {
            failures.note(TurnId(n), &n.to_string());
        }
        assert_eq!((failures.of(TurnId(0)), failures.of(TurnId(1)).as_deref()), (None, Some("1")));
    }
}
