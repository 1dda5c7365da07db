//! Ids of recently stored events, so that a redelivery is not charged to its sender's limits. Deduplication itself is
//! the store's; an id that is missing here costs only an unnecessary charge.

use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};

/// Maximum number of events kept.
const KEPT: usize = 4096;

#[derive(Default)]
pub(crate) struct RecentEvents {
    hasher: RandomState,
    seen: Mutex<(HashSet<u64>, VecDeque<u64>)>,
}

impl RecentEvents {
    /// Whether the event was stored recently.
    pub(crate) fn contains(&self, source: &str, event: &str) -> bool {
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
    fn only_the_latest_events_are_kept() {
        let events = RecentEvents::default();
        for n in 0..=KEPT {
            events.note("a", &n.to_string());
        }
        assert!(!events.contains("a", "0"), "the oldest is forgotten");
        assert!(events.contains("a", "1") && events.contains("a", &KEPT.to_string()));
        assert!(!events.contains("b", "1"), "another source's event is another event");
    }
}
