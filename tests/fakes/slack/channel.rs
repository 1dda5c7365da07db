//! Channels, private chats, and the messages in them.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Map, Value, json};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Channel,
    /// A private channel.
    Group,
    Im,
    Mpim,
}

impl Kind {
    /// As `channel_type` says it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Channel => "channel",
            Self::Group => "group",
            Self::Im => "im",
            Self::Mpim => "mpim",
        }
    }

    /// The word that scopes and subscriptions have for it, as in `channels:history` and `message.channels`.
    pub fn family(self) -> &'static str {
        match self {
            Self::Channel => "channels",
            Self::Group => "groups",
            Self::Im => "im",
            Self::Mpim => "mpim",
        }
    }
}

/// A message that grows.
#[derive(Debug, Clone)]
pub struct Stream {
    pub opened_at: i64,
    /// Somebody pressed the button that stops it.
    pub stopped: bool,
}

#[derive(Debug, Clone, Default)]
pub struct Message {
    /// As `conversations.history` answers.
    pub fields: Map<String, Value>,
    /// The only person who sees it.
    pub only: Option<String>,
    /// Whether `@channel` and `@name` in its text are mentions (`parse` is not `none`, or `link_names`).
    pub linked: bool,
    pub stream: Option<Stream>,
}

impl Message {
    pub fn text(&self, name: &str) -> &str {
        self.fields.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    pub fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.fields.insert(name.to_owned(), value.into());
    }

    /// The thread that it is a reply in.
    pub fn reply_in(&self) -> Option<&str> {
        Some(self.text("thread_ts")).filter(|thread| !thread.is_empty() && *thread != self.text("ts"))
    }

    /// Whether the channel shows it, and not only its thread.
    pub fn is_in_channel(&self) -> bool {
        self.only.is_none() && (self.reply_in().is_none() || self.text("subtype") == "thread_broadcast")
    }

    pub fn value(&self) -> Value {
        Value::Object(self.fields.clone())
    }
}

#[derive(Debug, Clone)]
pub struct Channel {
    pub id: String,
    pub team: String,
    pub name: String,
    pub kind: Kind,
    /// When it was made, in seconds since 1970.
    pub created: i64,
    pub members: BTreeSet<String>,
    /// By `ts`.
    pub messages: BTreeMap<String, Message>,
    /// Other workspaces that share it.
    pub shared: Vec<String>,
    pub archived: bool,
    pub read_only: bool,
    /// What each thread shows of the app's state: `status` with `until`, `title`, `prompts`, `session`.
    pub threads: BTreeMap<String, Value>,
}

impl Channel {
    pub fn new(id: &str, team: &str, name: &str, kind: Kind) -> Self {
        Self {
            id: id.to_owned(),
            team: team.to_owned(),
            name: name.to_owned(),
            kind,
            created: 1_700_000_000,
            members: BTreeSet::new(),
            messages: BTreeMap::new(),
            shared: Vec::new(),
            archived: false,
            read_only: false,
            threads: BTreeMap::new(),
        }
    }

    /// As `conversations.info` answers to this bot.
    pub fn to_json(&self, bot: &str) -> Value {
        let is = |kind| self.kind == kind;
        let mut json = json!({
            "id": self.id, "created": self.created, "context_team_id": self.team,
            "is_channel": is(Kind::Channel), "is_group": is(Kind::Group), "is_im": is(Kind::Im),
            "is_mpim": is(Kind::Mpim), "is_private": !is(Kind::Channel), "is_archived": self.archived,
            "is_shared": !self.shared.is_empty(), "is_ext_shared": !self.shared.is_empty(), "is_org_shared": false,
            "is_read_only": self.read_only, "is_thread_only": false, "is_member": self.members.contains(bot),
        });
        if is(Kind::Im) {
            json["user"] = json!(self.members.iter().find(|member| *member != bot));
        } else {
            json["name"] = self.name.as_str().into();
            json["topic"] = json!({"value": "", "creator": "", "last_set": 0});
            json["purpose"] = json["topic"].clone();
        }
        json
    }

    /// Says in the parent of a thread how many replies it has.
    pub fn count_replies(&mut self, thread: &str) {
        let replies = self.messages.values().filter(|message| message.reply_in() == Some(thread));
        let authors: Vec<(String, String)> =
            replies.map(|reply| (reply.text("ts").to_owned(), reply.text("user").to_owned())).collect();
        let Some(parent) = self.messages.get_mut(thread) else { return };
        let users: BTreeSet<&String> = authors.iter().map(|(_, user)| user).collect();
        if let Some((latest, _)) = authors.last() {
            parent.set("thread_ts", thread);
            parent.set("reply_count", authors.len());
            parent.set("reply_users_count", users.len());
            parent.set("reply_users", json!(users));
            parent.set("latest_reply", latest.as_str());
        } else {
            for field in ["thread_ts", "reply_count", "reply_users_count", "reply_users", "latest_reply"] {
                parent.fields.remove(field);
            }
        }
    }
}
