//! How to end the turns that run, also those whose run has been claimed and not yet begun.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use frontdesk_core::id::TurnId;
use frontdesk_core::port::{Mono, Stop};

/// How long a word about a turn that nobody seems to run is kept: far longer than a claim takes to begin.
const KEPT: Duration = Duration::from_secs(60);

/// One entry per turn that runs.
#[derive(Default)]
pub(crate) struct Cancels(Mutex<HashMap<TurnId, Entry>>);

struct Entry {
    stop: Stop,
    /// Since when it waits for its turn to begin; `None` while the turn runs.
    early: Option<Mono>,
}

impl Cancels {
    /// A turn begins. It may have been cancelled between its claim and now.
    pub(crate) fn begin(&self, turn: TurnId) -> Stop {
        let mut entries = self.entries();
        let entry = entries.entry(turn).or_insert_with(|| Entry { stop: Stop::new(), early: None });
        entry.early = None;
        entry.stop.clone()
    }

    /// A turn has ended.
    pub(crate) fn end(&self, turn: TurnId) {
        self.entries().remove(&turn);
    }

    /// A turn that was running in the database was cancelled there.
    pub(crate) fn cancel(&self, turn: TurnId, now: Mono) {
        let mut entries = self.entries();
        entries.entry(turn).or_insert_with(|| Entry { stop: Stop::new(), early: Some(now) }).stop.cancel();
    }

    /// Forgets words about turns that had ended before.
    pub(crate) fn sweep(&self, now: Mono) {
        self.entries().retain(|_, entry| entry.early.is_none_or(|since| now.since(since) < KEPT));
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<TurnId, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_that_is_cancelled_before_it_begins_does_not_begin() {
        let cancels = Cancels::default();
        cancels.cancel(TurnId(1), Mono::default());
        assert!(cancels.begin(TurnId(1)).is_cancelled());
        assert!(!cancels.begin(TurnId(2)).is_cancelled());
    }

    #[test]
    fn words_that_came_too_late_are_forgotten_and_running_turns_are_not() {
        let cancels = Cancels::default();
        let stop = cancels.begin(TurnId(1));
        cancels.cancel(TurnId(2), Mono::default());
        cancels.sweep(Mono(KEPT));
        assert_eq!(cancels.entries().len(), 1);
        cancels.cancel(TurnId(1), Mono(KEPT));
        assert!(stop.is_cancelled());
        cancels.end(TurnId(1));
        assert!(cancels.entries().is_empty());
    }
}
