//! Where a channel's messages go, and what holds in one chat.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Rate, ResetOverride};

/// Where a channel's messages go. Part of every channel's configuration.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Routing {
    /// The agent that answers here. Unset means the default agent.
    pub agent: Option<String>,
    /// Other rules for one chat, by the platform's id of it.
    pub chats: BTreeMap<String, Chat>,
}

/// Other rules for one chat.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Chat {
    /// The agent that answers here.
    pub agent: Option<String>,
    /// When the conversation starts anew; its time zone is the user's own.
    pub reset: ResetOverride,
    /// How much may be said here, instead of `limits.chat`.
    pub limits: Option<Rate>,
    /// In a group: whether only a mention, a reply to the bot or a command speaks to it. Unset means yes.
    pub require_mention: Option<bool>,
    /// In a group: one conversation for all, or one for each person.
    pub sessions: Option<Sharing>,
    /// In a group: how many messages that were not for the agent it reads as quiet context with the next one
    /// that is. Unset and 0 keep none.
    pub ambient: Option<u32>,
}

/// Who shares a conversation in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Sharing {
    /// Everyone in the chat.
    Chat,
    /// Nobody: each person has their own.
    Person,
}

impl Routing {
    /// The rules of a chat, by its first id.
    pub(crate) fn chat(&self, chat: &str) -> Option<&Chat> {
        if self.chats.is_empty() { None } else { self.chats.get(chat) }
    }
}
