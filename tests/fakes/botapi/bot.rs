//! A bot as the server knows it: its updates, its webhook, its menu.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::queue::Queue;

/// What `allowed_updates` leaves out unless it is asked for.
const RARE: [&str; 3] = ["chat_member", "message_reaction", "message_reaction_count"];

/// Where updates are posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// The address.
    pub url: String,
    /// What the header says.
    pub secret: Option<String>,
    /// How many posts at once.
    pub max_connections: usize,
}

/// The last failure of a webhook.
#[derive(Debug, Clone)]
pub struct Failure {
    /// When, in seconds.
    pub date: i64,
    /// What was wrong.
    pub message: String,
}

/// A bot.
#[derive(Debug)]
pub struct Bot {
    /// Whether it only sees in groups what is meant for it.
    pub privacy: bool,
    /// Whether private chats with it have topics.
    pub topics: bool,
    /// What waits for it.
    pub queue: Queue,
    /// What it wants to hear of; none means the usual.
    pub allowed: Option<Vec<String>>,
    /// Where its updates are posted.
    pub webhook: Option<Webhook>,
    /// Counts the webhooks that were set, so that the delivery to an older one stops.
    pub webhook_set: u64,
    /// The one of them that is being posted to.
    pub delivered_to: u64,
    /// The last failure of the webhook.
    pub failure: Option<Failure>,
    /// Counts the long polls, so that an older one ends.
    pub poll: u64,
    /// When the next conflict is told at once.
    pub conflict_at: i64,
    /// The offset of the last `getUpdates` and when it came.
    pub last_poll: (i64, i64),
    /// Rings when an update arrives or somebody else polls.
    pub bell: Arc<Notify>,
    /// Menus by scope and language.
    pub commands: HashMap<(String, String), Value>,
    /// The number of the next message in private chats.
    pub next_message: i64,
}

impl Bot {
    /// A bot without updates.
    pub fn new(id: i64, now_ms: i64) -> Self {
        Self {
            privacy: false,
            topics: false,
            queue: Queue::new(700_000_001 + id % 1000 * 1_000_000, now_ms),
            allowed: None,
            webhook: None,
            webhook_set: 0,
            delivered_to: 0,
            failure: None,
            poll: 0,
            conflict_at: 0,
            last_poll: (0, 0),
            bell: Arc::new(Notify::new()),
            commands: HashMap::new(),
            next_message: 1,
        }
    }

    /// Whether it wants to hear of such updates.
    pub fn wants(&self, kind: &str) -> bool {
        match &self.allowed {
            Some(allowed) => allowed.iter().any(|wanted| wanted == kind),
            None => !RARE.contains(&kind),
        }
    }

    /// Remembers `allowed_updates`; an empty list means the usual.
    pub fn allow(&mut self, wanted: Option<Value>) {
        if let Some(Value::Array(kinds)) = wanted {
            let kinds: Vec<String> =
                kinds.iter().filter_map(|kind| kind.as_str().map(str::to_owned)).collect();
            self.allowed = (!kinds.is_empty()).then_some(kinds);
        }
    }

    /// The fields of `getMe` beyond a `User`.
    pub fn abilities(&self) -> Value {
        json!({
            "can_join_groups": true,
            "can_read_all_group_messages": !self.privacy,
            "supports_inline_queries": false,
            "supports_guest_queries": false,
            "can_connect_to_business": false,
            "has_main_web_app": false,
            "has_topics_enabled": self.topics,
            "allows_users_to_create_topics": self.topics,
            "can_manage_bots": false,
        })
    }
}
