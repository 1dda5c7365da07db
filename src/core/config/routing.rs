//! Which agent answers a channel's messages, with which role, and the rules of single chats.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::{ConfigError, join};
use crate::queue_mode::QueueMode;
use crate::quiet::QuietHours;
use crate::reset::ResetOverride;

/// Which agent answers a channel's messages. Part of every channel's configuration.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Routing {
    /// The name of the agent that answers here. Unset means the default agent.
    pub agent: Option<String>,
    /// The name of the role that the chats here have, one of `[roles]`. Unset means none.
    pub role: Option<String>,
    /// What happens to messages that arrive while the agent is answering, instead of `queue.mode`.
    pub queue_mode: Option<QueueMode>,
    /// Rules for one chat, by its id on the platform.
    pub chats: BTreeMap<String, Chat>,
    /// The agent and the role of the whole channel, where the account sets none. A section with several accounts fills this
    /// in.
    #[serde(skip)]
    #[schemars(skip)]
    pub channel: Assignment,
    /// Agents and roles of single people, by their ids on the platform. A section with such a table fills this in.
    #[serde(skip)]
    #[schemars(skip)]
    pub people: BTreeMap<String, Assignment>,
}

/// An agent and a role for one place or person.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Assignment {
    /// The name of the agent that answers. Unset means the agent of the role, or else of the wider place.
    pub agent: Option<String>,
    /// The name of the role, one of `[roles]`. Unset means that of the wider place.
    pub role: Option<String>,
}

/// Rules for one chat.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Chat {
    /// The name of the agent that answers here. Unset means the agent of the role here, or else the same as on the account.
    pub agent: Option<String>,
    /// The name of the role that the chat has, one of `[roles]`. Unset means the same as on the account.
    pub role: Option<String>,
    /// An agent or a role for one topic or thread of the chat, by its id on the platform.
    pub topics: BTreeMap<String, Assignment>,
    /// When a new conversation starts here, instead of `sessions.reset`.
    pub reset: ResetOverride,
    /// What happens to messages that arrive while the agent is answering, instead of `queue.mode`. People can choose
    /// another mode with `/queue MODE`.
    pub queue_mode: Option<QueueMode>,
    /// The quiet hours of this chat, instead of `delivery.quiet_hours`. Equal times mean none.
    pub quiet_hours: Option<QuietHours>,
    /// How many messages may be sent here, instead of `limits.chat`.
    pub limits: Option<Rate>,
    /// In a group: whether the bot answers only messages that mention it, reply to it or are a command. Unset means
    /// `true`.
    pub require_mention: Option<bool>,
    /// In a group: whether a thread in which the bot has answered needs no further mention. Unset means `false`.
    pub follow_threads: Option<bool>,
    /// In a group: `chat` is one session for everybody, `person` is one for each person. Unset means `chat`.
    pub sessions: Option<Sharing>,
    /// In a group: maximum number of messages between other people that the agent gets as context with the next message
    /// to it. Unset and 0 mean none.
    pub ambient: Option<u32>,
}

/// Who shares a session in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Sharing {
    /// Everyone in the chat.
    Chat,
    /// Nobody: each person has their own.
    Person,
}

/// A rate with a burst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Rate {
    /// Maximum number per minute in the long run; 0 means no limit.
    pub per_minute: u32,
    /// Maximum number at once; 0 means as many as `per_minute`.
    pub burst: u32,
}

impl Rate {
    /// Checks the rate at this path of the configuration.
    pub fn check(&self, path: &str) -> Result<(), ConfigError> {
        if self.per_minute == 0 && self.burst > 0 {
            let problem = "without per_minute there is no limit, so burst has no effect: set per_minute too";
            return Err(ConfigError::new(join(path, "burst"), problem));
        }
        Ok(())
    }
}

impl Routing {
    /// The rules of a chat, by its first id.
    pub fn chat(&self, chat: &str) -> Option<&Chat> {
        if self.chats.is_empty() { None } else { self.chats.get(chat) }
    }
}
