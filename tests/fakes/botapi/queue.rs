//! The updates that wait for a bot: numbered, kept for a day, forgotten when they are confirmed.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;

use frontdesk_fakes::Random;

pub const DAY_MS: i64 = 24 * 3600 * 1000;
const WEEK_MS: i64 = 7 * DAY_MS;
/// Maximum number of confirmed updates that a test can have delivered again.
const REMEMBERED: usize = 1000;

#[derive(Debug, Clone)]
pub struct Update {
    pub id: i64,
    /// The whole update, as JSON text.
    pub json: Arc<str>,
    /// Updates of one lane reach a webhook one after the other.
    pub lane: i64,
    expires_ms: i64,
}

/// The updates of one bot.
#[derive(Debug)]
pub struct Queue {
    waiting: BTreeMap<i64, Update>,
    /// The number of the next update.
    pub next_id: i64,
    last_push_ms: i64,
    confirmed: VecDeque<Update>,
    /// Updates that are delivered again.
    again: Vec<Update>,
    /// Whether an update may expire before one that came earlier.
    short_lived: bool,
    expired: Vec<i64>,
}

impl Queue {
    pub fn new(first_id: i64, now_ms: i64) -> Self {
        Self {
            waiting: BTreeMap::new(),
            next_id: first_id,
            last_push_ms: now_ms,
            confirmed: VecDeque::new(),
            again: Vec::new(),
            short_lived: false,
            expired: Vec::new(),
        }
    }

    /// Adds an update. `body` is its JSON without the braces and without its number. A body that is empty or has a
    /// number of its own is delivered as it stands.
    pub fn push(&mut self, kept_ms: i64, body: &str, lane: i64, now_ms: i64, random: &mut Random) -> i64 {
        self.expire(now_ms);
        // "If there are no new updates for at least a week, then the identifier of the next update will be chosen
        // randomly instead of sequentially", the documentation says.
        if self.waiting.is_empty() && now_ms - self.last_push_ms >= WEEK_MS {
            self.next_id = 200_001 + i64::try_from(random.below(1_000_000_000)).unwrap_or_default();
        }
        let id = self.next_id;
        self.next_id += 1;
        self.last_push_ms = now_ms;
        let json = match body.contains("\"update_id\"") || body.is_empty() {
            true => format!("{{{body}}}"),
            false => format!(r#"{{"update_id":{id},{body}}}"#),
        };
        self.waiting.insert(id, Update { id, json: json.into(), lane, expires_ms: now_ms + kept_ms });
        self.short_lived |= kept_ms < DAY_MS;
        id
    }

    /// Answers `getUpdates`; returns the updates and the numbers of those that it confirmed.
    pub fn take(&mut self, offset: i64, limit: usize, now_ms: i64) -> (Vec<Update>, Vec<i64>) {
        self.expire(now_ms);
        let confirmed: Vec<i64> = match offset {
            0 => Vec::new(),
            // A negative offset keeps only so many updates, from the end.
            ..0 => {
                let kept = usize::try_from(offset.unsigned_abs()).unwrap_or(usize::MAX);
                self.waiting.keys().copied().take(self.waiting.len().saturating_sub(kept)).collect()
            }
            // The server takes a number far ahead for a mistake: nothing is confirmed by it.
            _ if offset > self.next_id.saturating_add(10) => Vec::new(),
            _ => self.waiting.range(..offset).map(|(id, _)| *id).collect(),
        };
        self.confirm(&confirmed);
        let mut updates = std::mem::take(&mut self.again);
        updates.extend(self.waiting.values().take(limit).cloned());
        (updates, confirmed)
    }

    /// Confirms updates, as a webhook does.
    pub fn confirm(&mut self, ids: &[i64]) {
        self.confirmed.extend(ids.iter().filter_map(|id| self.waiting.remove(id)));
        let surplus = self.confirmed.len().saturating_sub(REMEMBERED);
        self.confirmed.drain(..surplus);
    }

    /// Confirms everything; returns the numbers.
    pub fn clear(&mut self) -> Vec<i64> {
        let ids: Vec<i64> = self.waiting.keys().copied().collect();
        self.confirm(&ids);
        ids
    }

    /// At most `free` updates, the oldest of each lane that is not busy.
    pub fn heads(
        &mut self,
        busy: &HashSet<i64>,
        free: usize,
        connections: usize,
        now_ms: i64,
    ) -> Vec<Update> {
        self.expire(now_ms);
        let (mut seen, mut heads) = (busy.clone(), std::mem::take(&mut self.again));
        // The real server looks at no more updates than twice the connections.
        for update in self.waiting.values().take(connections * 2) {
            if heads.len() < free && seen.insert(update.lane) {
                heads.push(update.clone());
            }
        }
        heads
    }

    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Delivers an update once more, even if it was confirmed; returns false if it is not known any more.
    pub fn repeat(&mut self, id: i64) -> bool {
        let confirmed = || self.confirmed.iter().find(|update| update.id == id);
        let Some(update) = self.waiting.get(&id).or_else(confirmed).cloned() else { return false };
        self.again.push(update);
        true
    }

    /// The updates that have grown too old since this was called last.
    pub fn expired(&mut self) -> Vec<i64> {
        std::mem::take(&mut self.expired)
    }

    fn expire(&mut self, now_ms: i64) {
        while let Some(oldest) = self.waiting.first_entry()
            && oldest.get().expires_ms <= now_ms
        {
            self.expired.push(oldest.remove().id);
        }
        if self.short_lived {
            let is_old = |update: &&Update| update.expires_ms <= now_ms;
            self.expired.extend(self.waiting.values().filter(is_old).map(|update| update.id));
            self.waiting.retain(|_, update| update.expires_ms > now_ms);
            self.short_lived = self.waiting.values().any(|update| update.expires_ms < now_ms + DAY_MS / 2);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue() -> Queue {
        let (mut queue, mut random) = (Queue::new(100, 0), Random::new(1));
        for _ in 0..5 {
            queue.push(DAY_MS, r#""message":{}"#, 0, 0, &mut random);
        }
        queue
    }

    fn ids(updates: &[Update]) -> Vec<i64> {
        updates.iter().map(|update| update.id).collect()
    }

    #[test]
    fn an_offset_forgets_what_is_below_it() {
        let mut queue = queue();
        assert_eq!(ids(&queue.take(0, 100, 0).0), [100, 101, 102, 103, 104]);
        assert_eq!(ids(&queue.take(0, 2, 0).0), [100, 101]);
        let (updates, confirmed) = queue.take(102, 100, 0);
        assert_eq!((ids(&updates), confirmed), (vec![102, 103, 104], vec![100, 101]));
        assert_eq!(ids(&queue.take(0, 100, 0).0), [102, 103, 104], "forgotten is forgotten");
        assert_eq!(ids(&queue.take(101, 100, 0).0), [102, 103, 104]);
    }

    #[test]
    fn an_offset_far_ahead_confirms_nothing() {
        let mut queue = queue();
        assert_eq!(queue.take(9_999, 100, 0).0.len(), 5);
        assert_eq!(queue.take(106, 100, 0).0.len(), 0);
    }

    #[test]
    fn a_lane_has_one_update_under_way() {
        let mut queue = Queue::new(1, 0);
        for lane in [7, 7, 8] {
            queue.push(DAY_MS, r#""message":{}"#, lane, 0, &mut Random::new(1));
        }
        assert_eq!(ids(&queue.heads(&HashSet::new(), 10, 10, 0)), [1, 3]);
        assert_eq!(ids(&queue.heads(&HashSet::from([7]), 10, 10, 0)), [3]);
    }
}
