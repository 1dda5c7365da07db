//! The updates that wait for a bot: numbered, kept for a day, forgotten when confirmed.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;

use crate::dice::Dice;

const DAY_MS: i64 = 24 * 3600 * 1000;
const WEEK_MS: i64 = 7 * DAY_MS;
/// How many forgotten updates can still be delivered again by a fault.
const REMEMBERED: usize = 1000;

/// An update as it is delivered.
#[derive(Debug, Clone)]
pub struct Update {
    /// Its number.
    pub id: i64,
    /// The whole update, as JSON text.
    pub json: Arc<str>,
    /// Updates of one lane reach a webhook one after the other.
    pub lane: i64,
    /// After this moment nobody gets it.
    pub expires_ms: i64,
}

/// The updates of one bot.
#[derive(Debug)]
pub struct Queue {
    waiting: BTreeMap<i64, Update>,
    next_id: i64,
    last_push_ms: i64,
    forgotten: VecDeque<Update>,
    again: Vec<Update>,
    /// Whether something may expire before what came earlier.
    short_lived: bool,
    expired: Vec<i64>,
}

impl Queue {
    /// Empty, with a number to begin at.
    pub fn new(first_id: i64, now_ms: i64) -> Self {
        let (waiting, again, forgotten) = (BTreeMap::new(), Vec::new(), VecDeque::new());
        Self {
            waiting,
            next_id: first_id,
            last_push_ms: now_ms,
            forgotten,
            again,
            short_lived: false,
            expired: Vec::new(),
        }
    }

    /// The next update has this number.
    pub fn number_from(&mut self, id: i64) {
        self.next_id = id;
    }

    /// A new update; `body` is its JSON without the braces and without its number, unless it is to show another one,
    /// or none.
    pub fn push(&mut self, body: &str, lane: i64, now_ms: i64, dice: &mut Dice) -> i64 {
        self.push_for(DAY_MS, body, lane, now_ms, dice)
    }

    /// A new update that is kept for so long.
    pub fn push_for(&mut self, life_ms: i64, body: &str, lane: i64, now_ms: i64, dice: &mut Dice) -> i64 {
        self.expire(now_ms);
        // "If there are no new updates for at least a week, then the identifier of the next update will be chosen
        // randomly instead of sequentially", the documentation says.
        if self.waiting.is_empty() && now_ms - self.last_push_ms >= WEEK_MS {
            self.next_id = 200_001 + i64::try_from(dice.below(1_000_000_000)).unwrap_or_default();
        }
        let id = self.next_id;
        self.next_id += 1;
        self.last_push_ms = now_ms;
        let json = match body.contains("\"update_id\"") || body.is_empty() {
            true => format!("{{{body}}}"),
            false => format!(r#"{{"update_id":{id},{body}}}"#),
        };
        let json = json.into();
        self.waiting.insert(id, Update { id, json, lane, expires_ms: now_ms + life_ms });
        self.short_lived |= life_ms < DAY_MS;
        id
    }

    /// Answers `getUpdates` and says which updates it confirmed.
    pub fn take(&mut self, offset: i64, limit: usize, now_ms: i64) -> (Vec<Update>, Vec<i64>) {
        self.expire(now_ms);
        let confirmed = match offset {
            0 => Vec::new(),
            // Only so many are kept, from the end.
            ..0 => {
                let keep = usize::try_from(offset.unsigned_abs()).unwrap_or(usize::MAX);
                let many = self.waiting.len().saturating_sub(keep);
                let ids: Vec<i64> = self.waiting.keys().copied().take(many).collect();
                self.forget_all(&ids)
            }
            // A number far ahead is taken for a mistake: nothing is confirmed by it.
            _ if offset > self.next_id.saturating_add(10) => Vec::new(),
            _ => {
                let ids: Vec<i64> = self.waiting.range(..offset).map(|(id, _)| *id).collect();
                self.forget_all(&ids)
            }
        };
        let mut updates: Vec<Update> = std::mem::take(&mut self.again);
        updates.extend(self.waiting.values().take(limit).cloned());
        (updates, confirmed)
    }

    /// Confirms one update, as a webhook does.
    pub fn forget(&mut self, id: i64) {
        self.forget_all(&[id]);
    }

    /// Drops everything and says what.
    pub fn clear(&mut self) -> Vec<i64> {
        let ids: Vec<i64> = self.waiting.keys().copied().collect();
        self.forget_all(&ids)
    }

    /// The oldest updates, one for each lane that is not `busy`.
    pub fn heads(&mut self, busy: &HashSet<i64>, room: usize, most: usize, now_ms: i64) -> Vec<Update> {
        self.expire(now_ms);
        let (mut seen, mut heads) = (busy.clone(), std::mem::take(&mut self.again));
        // No more than twice the connections are looked at, as by the real server.
        for update in self.waiting.values().take(most * 2) {
            if heads.len() >= room {
                break;
            }
            if seen.insert(update.lane) {
                heads.push(update.clone());
            }
        }
        heads
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Delivers an update once more, also when it was confirmed; false if it is long forgotten.
    pub fn repeat(&mut self, id: i64) -> bool {
        let known = self.waiting.get(&id).or_else(|| self.forgotten.iter().find(|update| update.id == id));
        let Some(update) = known.cloned() else { return false };
        self.again.push(update);
        true
    }

    fn forget_all(&mut self, ids: &[i64]) -> Vec<i64> {
        let mut gone = Vec::with_capacity(ids.len());
        for id in ids {
            if let Some(update) = self.waiting.remove(id) {
                gone.push(*id);
                self.forgotten.push_back(update);
            }
        }
        while self.forgotten.len() > REMEMBERED {
            self.forgotten.pop_front();
        }
        gone
    }

    /// What has grown too old since this was asked for the last time.
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
            let old = self.waiting.values().filter(|update| update.expires_ms <= now_ms);
            self.expired.extend(old.map(|update| update.id));
            self.waiting.retain(|_, update| update.expires_ms > now_ms);
            self.short_lived = self.waiting.values().any(|update| update.expires_ms < now_ms + DAY_MS / 2);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue() -> (Queue, Dice) {
        let (mut queue, mut dice) = (Queue::new(100, 0), Dice::new(1));
        for _ in 0..5 {
            queue.push(r#""message":{}"#, 0, 0, &mut dice);
        }
        (queue, dice)
    }

    fn ids(updates: &[Update]) -> Vec<i64> {
        updates.iter().map(|update| update.id).collect()
    }

    #[test]
    fn an_offset_forgets_what_is_below_it() {
        let (mut queue, _) = queue();
        assert_eq!(ids(&queue.take(0, 100, 0).0), [100, 101, 102, 103, 104]);
        assert_eq!(ids(&queue.take(0, 2, 0).0), [100, 101]);
        let (updates, confirmed) = queue.take(102, 100, 0);
        assert_eq!((ids(&updates), confirmed), (vec![102, 103, 104], vec![100, 101]));
        assert_eq!(ids(&queue.take(0, 100, 0).0), [102, 103, 104], "forgotten is forgotten");
        assert_eq!(ids(&queue.take(101, 100, 0).0), [102, 103, 104]);
    }

    #[test]
    fn a_negative_offset_keeps_the_last() {
        let (mut queue, _) = queue();
        let (updates, confirmed) = queue.take(-2, 100, 0);
        assert_eq!((ids(&updates), confirmed), (vec![103, 104], vec![100, 101, 102]));
    }

    #[test]
    fn an_offset_far_ahead_confirms_nothing() {
        let (mut queue, _) = queue();
        assert_eq!(queue.take(9_999, 100, 0).0.len(), 5);
        assert_eq!(queue.take(106, 100, 0).0.len(), 0);
    }

    #[test]
    fn updates_are_kept_for_a_day() {
        let (mut queue, mut dice) = queue();
        queue.push(r#""message":{}"#, 0, 3_600_000, &mut dice);
        assert_eq!(queue.take(0, 100, DAY_MS - 1).0.len(), 6);
        assert_eq!(ids(&queue.take(0, 100, DAY_MS).0), [105]);
    }

    #[test]
    fn after_a_silent_week_the_next_number_is_random() {
        let (mut queue, mut dice) = queue();
        assert_eq!(queue.push(r#""message":{}"#, 0, WEEK_MS - 1, &mut dice), 105);
        queue.clear();
        let id = queue.push(r#""message":{}"#, 0, 3 * WEEK_MS, &mut dice);
        assert!(id > 200_000, "{id}");
        assert_eq!(queue.push(r#""message":{}"#, 0, 3 * WEEK_MS, &mut dice), id + 1);
    }

    #[test]
    fn a_confirmed_update_can_come_again() {
        let (mut queue, _) = queue();
        queue.take(103, 100, 0);
        assert!(queue.repeat(101));
        assert_eq!(ids(&queue.take(103, 100, 0).0), [101, 103, 104]);
        assert_eq!(ids(&queue.take(103, 100, 0).0), [103, 104]);
    }

    #[test]
    fn a_lane_has_one_update_under_way() {
        let mut queue = Queue::new(1, 0);
        for lane in [7, 7, 8] {
            queue.push(r#""message":{}"#, lane, 0, &mut Dice::new(1));
        }
        assert_eq!(ids(&queue.heads(&HashSet::new(), 10, 10, 0)), [1, 3]);
        assert_eq!(ids(&queue.heads(&HashSet::from([7]), 10, 10, 0)), [3]);
    }
}
