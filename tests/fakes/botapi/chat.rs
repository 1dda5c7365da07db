//! Chats: who is in them, their topics and their messages.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Private,
    /// A small group of the old kind.
    Group,
    /// A group that can have topics.
    Supergroup,
    Channel,
}

/// What somebody is in a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    Creator,
    Administrator,
    Member,
    Left,
    /// Was thrown out. In a private chat: the person blocked the bot.
    Kicked,
}

impl Standing {
    pub fn is_in(self) -> bool {
        matches!(self, Self::Creator | Self::Administrator | Self::Member)
    }

    pub fn is_admin(self) -> bool {
        matches!(self, Self::Creator | Self::Administrator)
    }
}

/// A message as the chat shows it now.
#[derive(Debug, Clone)]
pub struct Message {
    /// The whole `Message`, as JSON text.
    pub json: Box<str>,
    pub from: i64,
    /// The thread or topic that it is in.
    pub thread: Option<i64>,
    /// When, in seconds.
    pub date: i64,
    /// The reactions of each person.
    pub reactions: BTreeMap<i64, Vec<Value>>,
}

impl Message {
    pub fn fields(&self) -> Map<String, Value> {
        serde_json::from_str(&self.json).unwrap_or_default()
    }

    pub fn value(&self) -> Value {
        Value::Object(self.fields())
    }

    /// The message as another one quotes it: without what it replied to itself.
    pub fn as_reply(&self) -> Value {
        let mut fields = self.fields();
        fields.remove("reply_to_message");
        Value::Object(fields)
    }
}

#[derive(Debug)]
pub struct Chat {
    /// The number; a private chat has that of the person.
    pub id: i64,
    pub kind: Kind,
    pub title: String,
    pub username: Option<String>,
    /// Whether it has topics.
    pub forum: bool,
    pub members: HashMap<i64, Standing>,
    /// The names of the topics. The number of a topic is that of the message that opened it.
    pub topics: BTreeMap<i64, String>,
    pub messages: BTreeMap<i64, Message>,
    /// The number of the next message.
    pub next_message: i64,
    /// The supergroup that it became.
    pub migrated_to: Option<i64>,
    /// The channel or group that it is linked to.
    pub linked: Option<i64>,
    /// Pinned messages, the newest last.
    pub pinned: Vec<i64>,
    /// The bot that posted last.
    pub last_bot: i64,
}

impl Chat {
    pub fn new(id: i64, kind: Kind, title: &str) -> Self {
        Self {
            id,
            kind,
            title: title.to_owned(),
            username: None,
            forum: false,
            members: HashMap::new(),
            topics: BTreeMap::new(),
            messages: BTreeMap::new(),
            next_message: 1,
            migrated_to: None,
            linked: None,
            pinned: Vec::new(),
            last_bot: 0,
        }
    }

    /// A `Chat` that is not private.
    pub fn to_json(&self) -> Value {
        let mut chat = json!({"id": self.id, "type": self.kind, "title": self.title});
        if let Some(username) = &self.username {
            chat["username"] = json!(username);
        }
        if self.forum {
            chat["is_forum"] = json!(true);
        }
        if self.kind == Kind::Group {
            chat["all_members_are_administrators"] = json!(false);
            chat["accepted_gift_types"] = gifts();
        }
        chat
    }

    /// What somebody is in it; none if they were never in it.
    pub fn standing(&self, who: i64) -> Option<Standing> {
        self.members.get(&who).copied()
    }

    pub fn is_admin(&self, who: i64) -> bool {
        self.standing(who).is_some_and(Standing::is_admin)
    }
}

/// An object with this value for every name.
pub fn all(names: &str, value: bool) -> Map<String, Value> {
    names.split_whitespace().map(|name| (name.to_owned(), value.into())).collect()
}

/// Which gifts a chat takes: none.
pub fn gifts() -> Value {
    let kinds = "unlimited_gifts limited_gifts unique_gifts premium_subscription gifts_from_channels";
    Value::Object(all(kinds, false))
}
