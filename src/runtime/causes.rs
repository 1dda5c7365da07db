//! Why the latest turns failed. Kept in memory alone: it may quote what an agent was asked.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use frontdesk_core::id::TurnId;

/// How many are remembered.
const KEPT: usize = 256;

#[derive(Default)]
pub(crate) struct Causes(Mutex<VecDeque<(TurnId, String)>>);

impl Causes {
    pub(crate) fn note(&self, turn: TurnId, cause: &str) {
        let mut causes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        causes.push_back((turn, cause.to_owned()));
        if causes.len() > KEPT {
            causes.pop_front();
        }
    }

    pub(crate) fn of(&self, turn: TurnId) -> Option<String> {
        let causes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        causes.iter().rev().find(|(known, _)| *known == turn).map(|(_, cause)| cause.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_causes_are_remembered_and_no_more() {
        let causes = Causes::default();
        for n in 0..=KEPT as i64 {
            causes.note(TurnId(n), &n.to_string());
        }
        assert_eq!((causes.of(TurnId(0)), causes.of(TurnId(1)).as_deref()), (None, Some("1")));
    }
}
