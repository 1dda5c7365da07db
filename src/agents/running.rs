//! The turns that run now, so that a steer or an abort finds its own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use frontdesk_core::id::TurnId;

/// Takes a lock. What these locks guard is whole between any two statements, so a panic elsewhere while one
/// was held is no reason for another here.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is known of each running turn.
pub(crate) struct Running<T>(Arc<Mutex<HashMap<TurnId, Arc<T>>>>);

impl<T> Default for Running<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T> Running<T> {
    /// Enters a turn until its seat is dropped.
    pub(crate) fn begin(&self, turn: TurnId, what: T) -> Seat<T> {
        let what = Arc::new(what);
        lock(&self.0).insert(turn, what.clone());
        Seat { turn, what, all: self.0.clone() }
    }

    /// The running turn with this id.
    pub(crate) fn find(&self, turn: TurnId) -> Option<Arc<T>> {
        lock(&self.0).get(&turn).cloned()
    }

    /// Shows every running turn.
    pub(crate) fn each(&self, mut show: impl FnMut(&T)) {
        lock(&self.0).values().for_each(|what| show(what));
    }
}

/// A turn's place among the running ones.
pub(crate) struct Seat<T> {
    turn: TurnId,
    what: Arc<T>,
    all: Arc<Mutex<HashMap<TurnId, Arc<T>>>>,
}

impl<T> std::ops::Deref for Seat<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.what
    }
}

impl<T> Drop for Seat<T> {
    fn drop(&mut self) {
        let mut all = lock(&self.all);
        // A second attempt has the same id and may have begun already: it keeps its place.
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
        let running = Running::default();
        let first = running.begin(TurnId(1), 1);
        let second = running.begin(TurnId(1), 2);
        drop(first);
        assert_eq!(running.find(TurnId(1)).as_deref(), Some(&2));
        drop(second);
        assert_eq!(running.find(TurnId(1)), None);
    }
}
