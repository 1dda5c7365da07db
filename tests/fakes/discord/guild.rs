//! People, guilds, channels and threads, and how they look in JSON.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::id::Id;
use crate::message::Message;
use crate::permission::{EVERYONE, Overwrite};
use crate::time;

/// Kinds of channels.
pub mod kind {
    pub const TEXT: u8 = 0;
    pub const DM: u8 = 1;
    pub const ANNOUNCEMENT: u8 = 5;
    pub const PUBLIC_THREAD: u8 = 11;
    pub const FORUM: u8 = 15;
    pub const MEDIA: u8 = 16;
}

/// A person or a bot.
#[derive(Debug, Clone)]
pub struct User {
    pub id: Id,
    pub name: String,
    pub is_bot: bool,
    /// Whether bots cannot write to them.
    pub blocks: bool,
}

impl User {
    pub fn to_json(&self) -> Value {
        let mut json = json!({
            "id": self.id, "username": self.name.to_lowercase(), "global_name": self.name, "discriminator": "0",
            "avatar": null, "public_flags": 0,
        });
        if self.is_bot {
            json["bot"] = true.into();
            json["global_name"] = Value::Null;
        }
        json
    }
}

#[derive(Debug, Clone)]
pub struct Role {
    pub id: Id,
    pub name: String,
    pub permissions: u64,
    /// The bot for which Discord has made it.
    pub bot: Option<Id>,
}

impl Role {
    pub fn to_json(&self, position: usize) -> Value {
        let mut json = json!({
            "id": self.id, "name": self.name, "permissions": self.permissions.to_string(), "position": position,
            "color": 0, "colors": {"primary_color": 0, "secondary_color": null, "tertiary_color": null},
            "hoist": false, "managed": self.bot.is_some(), "mentionable": self.bot.is_none(), "flags": 0,
        });
        if let Some(bot) = self.bot {
            json["tags"] = json!({"bot_id": bot});
        }
        json
    }
}

#[derive(Debug, Clone, Default)]
pub struct Member {
    pub roles: Vec<Id>,
    pub nick: Option<String>,
}

impl Member {
    /// As messages carry it; it names no user.
    pub fn to_json(&self) -> Value {
        json!({
            "roles": self.roles, "nick": self.nick, "avatar": null, "joined_at": time::written(1_600_000_000_000),
            "premium_since": null, "deaf": false, "mute": false, "flags": 0, "pending": false,
            "communication_disabled_until": null,
        })
    }
}

#[derive(Debug)]
pub struct Guild {
    pub id: Id,
    pub name: String,
    pub owner: Id,
    pub roles: Vec<Role>,
    pub members: BTreeMap<Id, Member>,
    /// Its own emoji.
    pub emojis: Vec<(Id, String)>,
    /// Whether Discord cannot serve it now.
    pub outage: bool,
}

impl Guild {
    /// A guild with the role that everybody has, whose id is the guild's.
    pub fn new(id: Id, name: &str, owner: Id) -> Self {
        let everyone = Role { id, name: "@everyone".to_owned(), permissions: EVERYONE, bot: None };
        let (name, members) = (name.to_owned(), BTreeMap::from([(owner, Member::default())]));
        Self { id, name, owner, roles: vec![everyone], members, emojis: Vec::new(), outage: false }
    }

    /// Its own emoji, as REST shows them.
    pub fn emojis_json(&self) -> Value {
        let emoji = |(id, name): &(Id, String)| {
            json!({
                "id": id, "name": name, "roles": [], "require_colons": true, "managed": false, "animated": false,
                "available": true,
            })
        };
        self.emojis.iter().map(emoji).collect()
    }

    /// Its roles, as REST shows them.
    pub fn roles_json(&self) -> Value {
        self.roles.iter().enumerate().map(|(position, role)| role.to_json(position)).collect()
    }

    /// As REST shows it.
    pub fn to_json(&self) -> Value {
        json!({
            "id": self.id, "name": self.name, "owner_id": self.owner, "roles": self.roles_json(), "icon": null, "splash": null,
            "discovery_splash": null, "banner": null, "description": null, "features": [], "emojis": self.emojis_json(),
            "stickers": [], "afk_channel_id": null, "afk_timeout": 300, "application_id": null,
            "default_message_notifications": 1, "explicit_content_filter": 0, "mfa_level": 0, "nsfw_level": 0,
            "preferred_locale": "en-US", "premium_progress_bar_enabled": false, "premium_tier": 0,
            "public_updates_channel_id": null, "rules_channel_id": null, "safety_alerts_channel_id": null,
            "system_channel_flags": 0, "system_channel_id": null, "vanity_url_code": null, "verification_level": 0,
            "max_members": 500_000, "region": "deprecated", "incidents_data": null,
        })
    }
}

/// What a thread has beyond a channel.
#[derive(Debug, Clone)]
pub struct Thread {
    pub owner: Id,
    pub archived: bool,
    pub locked: bool,
    pub minutes: u64,
    pub archive_ms: i64,
    pub created_ms: i64,
}

#[derive(Debug)]
pub struct Channel {
    pub id: Id,
    pub kind: u8,
    pub guild: Option<Id>,
    pub name: String,
    /// The channel of a thread.
    pub parent: Option<Id>,
    pub overwrites: Vec<Overwrite>,
    /// The bot and the person of a private channel.
    pub between: Option<(Id, Id)>,
    pub thread: Option<Thread>,
    /// Whether posts in a forum need a tag.
    pub needs_tag: bool,
    pub messages: BTreeMap<Id, Message>,
    pub last_message: Option<Id>,
}

impl Channel {
    pub fn new(id: Id, kind: u8, guild: Option<Id>, name: &str) -> Self {
        Self {
            id,
            kind,
            guild,
            name: name.to_owned(),
            parent: None,
            overwrites: Vec::new(),
            between: None,
            thread: None,
            needs_tag: false,
            messages: BTreeMap::new(),
            last_message: None,
        }
    }

    /// Whether posts are threads in it, and messages stand only in those.
    pub fn is_forum(&self) -> bool {
        matches!(self.kind, kind::FORUM | kind::MEDIA)
    }

    pub fn is_archived(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| thread.archived)
    }

    /// Everything but the recipients of a private channel.
    pub fn to_json(&self) -> Value {
        let mut json =
            json!({"id": self.id, "type": self.kind, "last_message_id": self.last_message, "flags": 0});
        if self.kind == kind::DM {
            return json;
        }
        json["guild_id"] = json!(self.guild);
        json["name"] = json!(self.name);
        json["rate_limit_per_user"] = json!(0);
        if let Some(thread) = &self.thread {
            json["parent_id"] = json!(self.parent);
            json["owner_id"] = json!(thread.owner);
            json["message_count"] = json!(self.messages.len());
            json["total_message_sent"] = json!(self.messages.len());
            json["member_count"] = json!(1);
            json["thread_metadata"] = json!({
                "archived": thread.archived, "locked": thread.locked, "auto_archive_duration": thread.minutes,
                "archive_timestamp": time::written(thread.archive_ms),
                "create_timestamp": time::written(thread.created_ms),
            });
            return json;
        }
        json["parent_id"] = Value::Null;
        json["position"] = json!(0);
        json["nsfw"] = json!(false);
        json["topic"] = Value::Null;
        let overwrites: Vec<Value> = self.overwrites.iter().map(Overwrite::to_json).collect();
        json["permission_overwrites"] = json!(overwrites);
        if self.is_forum() {
            json["available_tags"] = json!([{"id": "1", "name": "question", "moderated": false, "emoji_id": null, "emoji_name": null}]);
            json["flags"] = json!(if self.needs_tag { 1 << 4 } else { 0 });
            json["default_reaction_emoji"] = Value::Null;
            json["default_sort_order"] = Value::Null;
            json["default_forum_layout"] = json!(0);
        }
        json
    }
}
