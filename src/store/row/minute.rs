//! What was measured in one minute.

use chrono::{DateTime, Utc};

/// What happened in one minute, for charts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MinuteRow {
    /// Messages that were accepted.
    pub messages: u64,
    /// Turns that have ended.
    pub turns: u64,
    /// How long these turns took together, in milliseconds.
    pub turn_ms: u64,
    /// How long the longest of them took, in milliseconds.
    pub turn_max_ms: u64,
    /// What turns have cost, in millionths of the currency of the price table.
    pub cost_micro: u64,
    /// Commits of the database.
    pub commits: u64,
    /// How long these commits took together, in microseconds.
    pub commit_us: u64,
    /// How long the longest of them took, in microseconds.
    pub commit_max_us: u64,
    /// How long the message that has waited longest had waited, in milliseconds.
    pub queue_ms: u64,
}

impl MinuteRow {
    /// Adds what happened at another time.
    pub fn add(&mut self, other: &MinuteRow) {
        self.messages += other.messages;
        self.turns += other.turns;
        self.turn_ms += other.turn_ms;
        self.turn_max_ms = self.turn_max_ms.max(other.turn_max_ms);
        self.cost_micro += other.cost_micro;
        self.commits += other.commits;
        self.commit_us += other.commit_us;
        self.commit_max_us = self.commit_max_us.max(other.commit_max_us);
        self.queue_ms = self.queue_ms.max(other.queue_ms);
    }

    /// Whether it says nothing but that the database was written. An idle gateway commits now and then, and storing that
    /// would be the next commit.
    pub fn is_idle(&self) -> bool {
        let MinuteRow { commits, commit_us, commit_max_us, .. } = *self;
        *self == MinuteRow { commits, commit_us, commit_max_us, ..MinuteRow::default() }
    }
}

/// The number of a minute: minutes since 1970.
pub fn minute_of(at: DateTime<Utc>) -> i64 {
    at.timestamp().div_euclid(60)
}
