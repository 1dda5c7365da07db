//! What happens in each minute, for charts: counted in memory, and stored when the minute is over.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use frontdesk_store::row::{MinuteRow, Totals, minute_of};
use frontdesk_store::{Store, StoreError};

/// How many minutes are held while they cannot be stored.
const HELD: usize = 60;

/// The minutes that are not stored yet.
#[derive(Debug, Default)]
pub(crate) struct Minutes(Mutex<BTreeMap<i64, MinuteRow>>);

impl Minutes {
    /// Adds what has happened now.
    pub(crate) fn add(&self, now: DateTime<Utc>, measured: &MinuteRow) {
        let mut held = self.held();
        held.entry(minute_of(now)).or_default().add(measured);
        while held.len() > HELD {
            held.pop_first();
        }
    }

    /// Adds how long the message that has waited longest had waited, and the commits since the last call.
    pub(crate) fn observe(&self, now: DateTime<Utc>, totals: &Totals, store: &Store) {
        let waited = totals.oldest_waiting.map_or(0, |since| (now - since).num_milliseconds());
        let queue_ms = u64::try_from(waited).unwrap_or(0);
        self.add(now, &MinuteRow { queue_ms, ..store.take_commits() });
    }

    /// Stores the minutes that are over, or at the end all of them. What cannot be stored is tried again.
    pub(crate) async fn store(&self, store: &Store, now: DateTime<Utc>, all: bool) -> Result<(), StoreError> {
        let open = if all { i64::MAX } else { minute_of(now) };
        let over: Vec<(i64, MinuteRow)> = {
            let mut held = self.held();
            let later = held.split_off(&open);
            std::mem::replace(&mut *held, later).into_iter().collect()
        };
        let busy: Vec<_> = over.iter().filter(|(_, row)| !row.is_idle()).copied().collect();
        if busy.is_empty() {
            return Ok(());
        }
        let stored = store.minutes_measured(busy.clone(), now).await;
        if stored.is_err() {
            let mut held = self.held();
            for (minute, row) in &busy {
                held.entry(*minute).or_default().add(row);
            }
        }
        stored
    }

    /// The minutes since a time that are not stored yet.
    pub(crate) fn since(&self, since: DateTime<Utc>) -> Vec<(i64, MinuteRow)> {
        self.held().range(minute_of(since)..).map(|(minute, row)| (*minute, *row)).collect()
    }

    fn held(&self) -> MutexGuard<'_, BTreeMap<i64, MinuteRow>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
