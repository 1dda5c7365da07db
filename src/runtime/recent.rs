//! Events of a moment ago, so that a redelivery is not charged to its sender's limits. Whether an event was seen
//! before is for the store to say; this only spares.

use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};

/// How many events are remembered.
const KEPT: usize = 4096;

#[derive(Default)]
pub(crate) struct Recent {
    hasher: RandomState,
    seen: Mutex<(HashSet<u64>, VecDeque<u64>)>,
}

impl Recent {
    /// Whether the event was noted, not too long ago.
    pub(crate) fn knows(&self, source: &str, event: &str) -> bool {
        let hash = self.hasher.hash_one((source, event));
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).0.contains(&hash)
    }

    /// The event is on disk.
    pub(crate) fn note(&self, source: &str, event: &str) {
        let hash = self.hasher.hash_one((source, event));
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let (set, order) = &mut *seen;
        if set.insert(hash) {
            order.push_back(hash);
            if order.len() > KEPT
                && let Some(oldest) = order.pop_front()
            {
                set.remove(&oldest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_remembers_a_bounded_number_of_events() {
        let recent = Recent::default();
        for n in 0..=KEPT {
            recent.note("a", &n.to_string());
        }
        assert!(!recent.knows("a", "0"), "the oldest made room");
        assert!(recent.knows("a", "1") && recent.knows("a", &KEPT.to_string()));
        assert!(!recent.knows("b", "1"), "another source's event is another event");
    }
}
