//! The turns that are running, so that a steer or an abort reaches the right one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use frontdesk_core::id::TurnId;

/// Locks a mutex, also after a panic elsewhere: the data behind these locks is consistent after every statement.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The running turns, each with a value that describes it.
pub(crate) struct RunningTurns<T>(Arc<Mutex<HashMap<TurnId, Arc<T>>>>);

impl<T> Default for RunningTurns<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T> RunningTurns<T> {
    /// Adds a turn. It is removed when the returned guard is dropped.
    pub(crate) fn begin(&self, turn: TurnId, what: T) -> RunningTurn<T> {
        let what = Arc::new(what);
        lock(&self.0).insert(turn, what.clone());
        RunningTurn { turn, what, all: self.0.clone() }
    }

    /// The running turn with this id.
    pub(crate) fn find(&self, turn: TurnId) -> Option<Arc<T>> {
        lock(&self.0).get(&turn).cloned()
    }

    /// Calls `show` for every running turn.
    pub(crate) fn each(&self, mut show: impl FnMut(&T)) {
        lock(&self.0).values().for_each(|what| show(what));
    }
}

/// A guard that keeps a turn in the list.
pub(crate) struct RunningTurn<T> {
    turn: TurnId,
    what: Arc<T>,
    all: Arc<Mutex<HashMap<TurnId, Arc<T>>>>,
}

impl<T> std::ops::Deref for RunningTurn<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.what
    }
}

impl<T> Drop for RunningTurn<T> {
    fn drop(&mut self) {
        let mut all = lock(&self.all);
        // A second attempt has the same id and may have begun already. It must stay in the list.
        if all.get(&self.turn).is_some_and(|what| Arc::ptr_eq(what, &self.what)) {
            all.remove(&self.turn);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_first_attempt_leaves_the_second_in_its_place() {
        let running = RunningTurns::default();
        let first = running.begin(TurnId(1), 1);
        let second = running.begin(TurnId(1), 2);
        drop(first);
        assert_eq!(running.find(TurnId(1)).as_deref(), Some(&2));
        drop(second);
        assert_eq!(running.find(TurnId(1)), None);
    }
}
