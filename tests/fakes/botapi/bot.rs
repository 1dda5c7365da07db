//! A bot as the server knows it: its updates, its webhook, its commands.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::queue::Queue;

/// What a bot is not told of unless `allowed_updates` asks for it.
const RARE: [&str; 3] = ["chat_member", "message_reaction", "message_reaction_count"];

/// Where updates are posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    pub url: String,
    /// The value of the secret header.
    pub secret: Option<String>,
    pub max_connections: usize,
}

#[derive(Debug)]
pub struct Bot {
    /// Whether it sees in groups only what is meant for it.
    pub privacy: bool,
    /// Whether it can be added to groups.
    pub joins_groups: bool,
    pub queue: Queue,
    /// The kinds of updates that it asked for; none means the usual ones.
    pub allowed: Option<Vec<String>>,
    pub webhook: Option<Webhook>,
    /// Counts the webhooks that were set, so that the delivery to an older one stops.
    pub webhook_number: u64,
    /// The number of the webhook that is being delivered to.
    pub delivered_to: u64,
    /// The last failure of the webhook: when, in seconds, and why.
    pub failure: Option<(i64, String)>,
    /// Counts the long polls, so that an older one ends.
    pub poll: u64,
    /// When the next conflict is answered at once.
    pub conflict_at: i64,
    /// The offset of the last `getUpdates`, and when it came.
    pub last_poll: (i64, i64),
    /// Notified when an update arrives and when somebody else polls.
    pub changed: Arc<Notify>,
    /// Commands by scope and language.
    pub commands: HashMap<(String, String), Value>,
    /// The number of the next message in private chats.
    pub next_message: i64,
}

impl Bot {
    pub fn new(id: i64, now_ms: i64) -> Self {
        Self {
            privacy: false,
            joins_groups: true,
            queue: Queue::new(700_000_001 + id % 1000 * 1_000_000, now_ms),
            allowed: None,
            webhook: None,
            webhook_number: 0,
            delivered_to: 0,
            failure: None,
            poll: 0,
            conflict_at: 0,
            last_poll: (0, 0),
            changed: Arc::new(Notify::new()),
            commands: HashMap::new(),
            next_message: 1,
        }
    }

    /// Whether it is told of such updates.
    pub fn wants(&self, kind: &str) -> bool {
        match &self.allowed {
            Some(allowed) => allowed.iter().any(|wanted| wanted == kind),
            None => !RARE.contains(&kind),
        }
    }

    /// Remembers `allowed_updates`; an empty list means the usual kinds.
    pub fn allow(&mut self, wanted: Option<Value>) {
        if let Some(Value::Array(kinds)) = wanted {
            let kinds: Vec<_> = kinds.iter().filter_map(|kind| kind.as_str().map(str::to_owned)).collect();
            self.allowed = (!kinds.is_empty()).then_some(kinds);
        }
    }

    /// The fields of `getMe` beyond a `User`.
    pub fn abilities(&self) -> Value {
        json!({
            "can_join_groups": self.joins_groups, "can_read_all_group_messages": !self.privacy,
            "supports_inline_queries": false, "supports_guest_queries": false,
            "can_connect_to_business": false, "has_main_web_app": false, "has_topics_enabled": false,
            "allows_users_to_create_topics": false, "can_manage_bots": false,
        })
    }
}
