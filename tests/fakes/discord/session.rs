//! Gateway sessions: numbered dispatches, kept so that a client that was cut off gets what it missed.

use std::collections::VecDeque;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::id::Id;

/// Maximum number of dispatches that a session keeps.
const KEPT: usize = 10_000;

/// Intents, by their bits.
pub mod intent {
    pub const GUILDS: u64 = 1 << 0;
    pub const GUILD_MEMBERS: u64 = 1 << 1;
    pub const GUILD_PRESENCES: u64 = 1 << 8;
    pub const GUILD_MESSAGES: u64 = 1 << 9;
    pub const GUILD_MESSAGE_REACTIONS: u64 = 1 << 10;
    pub const DIRECT_MESSAGES: u64 = 1 << 12;
    pub const DIRECT_MESSAGE_REACTIONS: u64 = 1 << 13;
    pub const MESSAGE_CONTENT: u64 = 1 << 15;
    /// Those that an operator has to grant.
    pub const PRIVILEGED: u64 = GUILD_MEMBERS | GUILD_PRESENCES | MESSAGE_CONTENT;
    /// Every bit that exists: 0 to 16, 20, 21, 24 and 25.
    pub const ALL: u64 = ((1 << 17) - 1) | (1 << 20) | (1 << 21) | (1 << 24) | (1 << 25);
}

/// A dispatch in a session.
#[derive(Debug, Clone)]
pub struct Dispatch {
    pub seq: u64,
    /// Its number in the journal; 0 if it is not there.
    pub number: i64,
    /// The whole frame.
    pub frame: Arc<str>,
}

#[derive(Debug)]
pub struct Session {
    pub id: String,
    pub intents: u64,
    /// The last sequence number.
    pub seq: u64,
    kept: VecDeque<Dispatch>,
    /// The connection that has it now.
    pub connection: Option<u64>,
    /// When the last connection ended.
    pub dropped_ms: i64,
}

impl Session {
    pub fn new(id: String, intents: u64, connection: u64) -> Self {
        Self { id, intents, seq: 0, kept: VecDeque::new(), connection: Some(connection), dropped_ms: 0 }
    }

    /// Adds a dispatch.
    pub fn push(&mut self, event: &str, data: &Value, number: i64) {
        self.seq += 1;
        let frame = json!({"op": 0, "t": event, "s": self.seq, "d": data}).to_string();
        self.kept.push_back(Dispatch { seq: self.seq, number, frame: frame.into() });
        if self.kept.len() > KEPT {
            self.kept.pop_front();
        }
    }

    /// The dispatches after this number.
    pub fn after(&self, seq: u64) -> impl Iterator<Item = &Dispatch> {
        self.kept.iter().filter(move |dispatch| dispatch.seq > seq)
    }

    /// Whether everything after this number is still kept.
    pub fn reaches_back_to(&self, seq: u64) -> bool {
        self.kept.front().is_none_or(|first| first.seq <= seq + 1)
    }

    /// The numbers in the journal of what a client has confirmed by naming this sequence number.
    pub fn confirmed(&self, seq: u64) -> Vec<i64> {
        let seen = self.kept.iter().filter(|dispatch| dispatch.seq <= seq && dispatch.number != 0);
        seen.map(|dispatch| dispatch.number).collect()
    }

    /// Delivers the last message once more, as a new dispatch; returns false if there was none.
    pub fn repeat(&mut self) -> bool {
        let is_message = |dispatch: &&Dispatch| dispatch.frame.contains("\"t\":\"MESSAGE_CREATE\"");
        let Some(last) = self.kept.iter().rev().find(is_message) else { return false };
        let mut frame: Value = serde_json::from_str(&last.frame).unwrap_or_default();
        self.push("MESSAGE_CREATE", &frame["d"].take(), 0);
        true
    }

    /// Whether a client that was cut off can still take it up.
    pub fn is_alive(&self, now_ms: i64, window_ms: i64) -> bool {
        self.connection.is_some() || now_ms - self.dropped_ms <= window_ms
    }
}

/// An application and its bot user, which share one id here.
#[derive(Debug)]
pub struct Bot {
    pub id: Id,
    pub token: String,
    /// The privileged intents that an operator has granted.
    pub granted: u64,
    pub sessions: Vec<Session>,
    /// The number of the next event in the journal.
    pub next_event: i64,
    /// When it identified in the last 24 hours.
    pub identified: Vec<i64>,
    /// How often it may identify in 24 hours.
    pub budget: usize,
    /// Its commands, as it registered them, with the guild where they exist.
    pub commands: Vec<(Option<Id>, Value)>,
    /// The web server that gets its interactions in place of the gateway, if an operator has entered one.
    pub endpoint: Option<String>,
    /// Whether it cannot be invited with a link alone.
    pub code_grant: bool,
}

impl Bot {
    pub fn new(id: Id, token: &str) -> Self {
        Self {
            id,
            token: token.to_owned(),
            granted: intent::PRIVILEGED,
            sessions: Vec::new(),
            next_event: 1,
            identified: Vec::new(),
            budget: 1000,
            commands: Vec::new(),
            endpoint: None,
            code_grant: false,
        }
    }

    /// How often it may still identify, and in how many milliseconds it may again as often as ever.
    pub fn identifies_left(&mut self, now_ms: i64) -> (usize, i64) {
        const DAY_MS: i64 = 24 * 3600 * 1000;
        self.identified.retain(|at| now_ms - at < DAY_MS);
        let reset_after = self.identified.first().map_or(0, |first| first + DAY_MS - now_ms);
        (self.budget.saturating_sub(self.identified.len()), reset_after)
    }
}
