//! Chats: who is in them, their topics and what they show.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

/// What kind of chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One person and a bot.
    Private,
    /// A small group of the old kind.
    Group,
    /// A group that can be a forum.
    Supergroup,
    /// Posts of its administrators.
    Channel,
}

impl Kind {
    /// Its `type`, also as the errors name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Group => "group",
            Self::Supergroup => "supergroup",
            Self::Channel => "channel",
        }
    }
}

/// What somebody is in a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Made the chat.
    Creator,
    /// May do more.
    Administrator,
    /// Is in it.
    Member,
    /// Was in it.
    Left,
    /// Was thrown out; in a private chat the bot is blocked.
    Kicked,
}

impl Standing {
    /// Its `status`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Creator => "creator",
            Self::Administrator => "administrator",
            Self::Member => "member",
            Self::Left => "left",
            Self::Kicked => "kicked",
        }
    }

    /// Whether it means being in the chat.
    pub fn is_in(self) -> bool {
        matches!(self, Self::Creator | Self::Administrator | Self::Member)
    }

    /// Whether it means power over the chat.
    pub fn is_admin(self) -> bool {
        matches!(self, Self::Creator | Self::Administrator)
    }
}

/// A message as the chat shows it now.
#[derive(Debug, Clone)]
pub struct Message {
    /// The whole `Message`, as JSON text.
    pub json: Box<str>,
    /// Who wrote it.
    pub from: i64,
    /// The thread or topic that it is in.
    pub thread: Option<i64>,
    /// When, in seconds.
    pub date: i64,
    /// The reaction of each who has one.
    pub reactions: BTreeMap<i64, Vec<Value>>,
}

impl Message {
    /// The message as a value.
    pub fn value(&self) -> Value {
        serde_json::from_str(&self.json).unwrap_or_default()
    }

    /// The message as another one quotes it: without what it replied to.
    pub fn as_reply(&self) -> Value {
        let mut value = self.value();
        if let Some(fields) = value.as_object_mut() {
            fields.remove("reply_to_message");
        }
        value
    }
}

/// A chat.
#[derive(Debug)]
pub struct Chat {
    /// Its number; a private chat has that of the person.
    pub id: i64,
    /// What kind it is.
    pub kind: Kind,
    /// Its title; none in a private chat.
    pub title: String,
    /// The name after the @, if it is public.
    pub username: Option<String>,
    /// Whether it has topics.
    pub forum: bool,
    /// What everybody is.
    pub members: HashMap<i64, Standing>,
    /// The names of the topics; the number of one is that of the message that opened it.
    pub topics: BTreeMap<i64, String>,
    /// What it shows.
    pub messages: BTreeMap<i64, Message>,
    /// The number that the next message gets.
    pub next_message: i64,
    /// The supergroup that it became.
    pub migrated_to: Option<i64>,
    /// The channel or group that it is linked to.
    pub linked: Option<i64>,
    /// Pinned messages, the newest last.
    pub pinned: Vec<i64>,
    /// The reactions that are allowed; none means all.
    pub reactions: Option<Vec<String>>,
    /// Who posted last among the bots.
    pub last_bot: i64,
}

impl Chat {
    /// Empty.
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
            reactions: None,
            last_bot: 0,
        }
    }

    /// A `Chat`, when it is not private.
    pub fn to_json(&self) -> Value {
        let mut chat = json!({"id": self.id, "type": self.kind.name(), "title": self.title});
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

    /// What somebody is; nobody who was never in it is anything.
    pub fn standing(&self, who: i64) -> Option<Standing> {
        self.members.get(&who).copied()
    }
}

/// Which gifts a chat takes: none.
pub fn gifts() -> Value {
    json!({
        "unlimited_gifts": false,
        "limited_gifts": false,
        "unique_gifts": false,
        "premium_subscription": false,
        "gifts_from_channels": false,
    })
}
