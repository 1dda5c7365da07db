//! Messages: how they are kept, and how REST and the gateway show them.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::id::Id;
use crate::session::intent;
use crate::time;
use crate::world::World;

/// Message flags.
pub mod flag {
    pub const SUPPRESS_EMBEDS: u64 = 4;
    pub const HAS_THREAD: u64 = 32;
    pub const EPHEMERAL: u64 = 64;
    pub const LOADING: u64 = 128;
    pub const SILENT: u64 = 4096;
    pub const VOICE: u64 = 8192;
    pub const SNAPSHOT: u64 = 16384;
    pub const V2: u64 = 32768;
}

/// Kinds of messages.
pub mod kind {
    pub const DEFAULT: u8 = 0;
    pub const PIN: u8 = 6;
    pub const REPLY: u8 = 19;
    pub const COMMAND: u8 = 20;
    pub const THREAD_STARTER: u8 = 21;
    pub const CONTEXT_COMMAND: u8 = 23;
}

/// The time that a link to a file works.
const LINK_MS: i64 = 24 * 3600 * 1000;

#[derive(Debug, Clone)]
pub struct Message {
    pub id: Id,
    pub channel: Id,
    pub author: Id,
    /// Whether its author is an application's webhook, as in answers to interactions.
    pub webhook: bool,
    /// The only person who sees it.
    pub only_for: Option<Id>,
    /// Everything that REST shows but reactions, addresses of files and the message that it answers.
    pub fields: Map<String, Value>,
    /// Emoji, and who reacted with it.
    pub reactions: Vec<(Value, Vec<Id>)>,
}

/// What a channel shows of a message, for tests.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Shown {
    /// The message.
    pub id: Id,
    /// Who wrote it.
    pub author: Id,
    /// Its text.
    pub content: String,
    /// Its kind.
    pub kind: u64,
    /// Its flags.
    pub flags: u64,
    /// The message that it answers.
    pub reply_to: Option<Id>,
    /// The names of its files.
    pub files: Vec<String>,
    /// Its buttons: what each returns, and its label.
    pub buttons: Vec<(String, String)>,
    /// Its reactions, each with its number.
    pub reactions: Vec<(String, usize)>,
    /// Whether it was edited.
    pub edited: bool,
    /// When it was edited last, as Discord writes it.
    pub edited_at: Option<String>,
    /// The only person who sees it.
    pub only_for: Option<Id>,
}

impl Message {
    /// A message with the fields that every message has.
    pub fn new(id: Id, channel: Id, author: Id, author_json: Value) -> Self {
        let fields = json!({
            "id": id, "channel_id": channel, "type": kind::DEFAULT, "content": "", "flags": 0, "author": author_json,
            "timestamp": time::written(id.ms()), "edited_timestamp": null, "tts": false, "mention_everyone": false,
            "mentions": [], "mention_roles": [], "attachments": [], "embeds": [], "pinned": false, "components": [],
        });
        let fields = fields.as_object().cloned().unwrap_or_default();
        Self { id, channel, author, webhook: false, only_for: None, fields, reactions: Vec::new() }
    }

    pub fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.fields.insert(name.to_owned(), value.into());
    }

    pub fn text(&self) -> &str {
        self.fields.get("content").and_then(Value::as_str).unwrap_or_default()
    }

    pub fn flags(&self) -> u64 {
        self.fields.get("flags").and_then(Value::as_u64).unwrap_or_default()
    }

    pub fn list(&self, name: &str) -> &[Value] {
        self.fields.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
    }

    pub fn kind(&self) -> u64 {
        self.fields.get("type").and_then(Value::as_u64).unwrap_or_default()
    }

    /// The buttons and menus in its rows.
    pub fn components(&self) -> impl Iterator<Item = &Value> {
        self.list("components").iter().flat_map(|row| row["components"].as_array().into_iter().flatten())
    }

    pub fn shown(&self) -> Shown {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Shown {
            id: self.id,
            author: self.author,
            content: self.text().to_owned(),
            kind: self.kind(),
            flags: self.flags(),
            reply_to: self.fields.get("message_reference").and_then(|to| Id::read(&to["message_id"])),
            files: self.list("attachments").iter().map(|file| text(&file["filename"])).collect(),
            buttons: self
                .components()
                .map(|button| (text(&button["custom_id"]), text(&button["label"])))
                .collect(),
            reactions: self.reactions.iter().map(|(emoji, who)| (text(&emoji["name"]), who.len())).collect(),
            edited: self.fields.get("edited_timestamp").is_some_and(|at| !at.is_null()),
            edited_at: self.fields.get("edited_timestamp").and_then(|at| at.as_str().map(str::to_owned)),
            only_for: self.only_for,
        }
    }

    /// Whether a bot needs the intent to read it: somebody else's message that does not mention the bot.
    pub fn is_private_to_people(data: &Value, bot: Id) -> bool {
        let is_bot = |user: &Value| Id::read(&user["id"]) == Some(bot);
        let mentioned = data["mentions"].as_array().is_some_and(|users| users.iter().any(is_bot));
        data.get("content").is_some() && !is_bot(&data["author"]) && !mentioned
    }

    /// As a session without the intent gets it.
    pub fn without_content(data: &Value) -> Value {
        let mut data = data.clone();
        data["content"] = json!("");
        for list in ["embeds", "attachments", "components"] {
            data[list] = json!([]);
        }
        if let Some(fields) = data.as_object_mut() {
            fields.remove("poll");
        }
        data
    }
}

impl World {
    /// A message as REST shows it, with fresh links.
    pub fn message_json(&self, message: &Message) -> Value {
        let mut json = self.plain_json(message);
        let kinds = [kind::REPLY, kind::THREAD_STARTER, kind::CONTEXT_COMMAND];
        if let Some(to) = message.fields.get("message_reference")
            && kinds.iter().any(|kind| u64::from(*kind) == message.kind())
        {
            let (channel, target) = (Id::read(&to["channel_id"]), Id::read(&to["message_id"]));
            let target = channel.zip(target).and_then(|(channel, id)| self.message(channel, id).ok());
            json["referenced_message"] = target.map_or(Value::Null, |target| self.plain_json(target));
        }
        json
    }

    fn plain_json(&self, message: &Message) -> Value {
        let mut json = Value::Object(message.fields.clone());
        let snapshots = message.list("message_snapshots").len();
        let of_snapshot = |n| format!("/message_snapshots/{n}/message/attachments");
        for path in std::iter::once("/attachments".to_owned()).chain((0..snapshots).map(of_snapshot)) {
            let files = json.pointer_mut(&path).and_then(Value::as_array_mut);
            files.into_iter().flatten().for_each(|file| self.sign(file));
        }
        let reaction = |(emoji, who): &(Value, Vec<Id>)| {
            let me = self.bots.first().is_some_and(|bot| who.contains(&bot.id));
            json!({
                "emoji": emoji, "count": who.len(), "me": me, "me_burst": false, "burst_colors": [],
                "count_details": {"normal": who.len(), "burst": 0},
            })
        };
        if !message.reactions.is_empty() {
            json["reactions"] = message.reactions.iter().map(reaction).collect();
        }
        json
    }

    /// Gives a file an address that works for a day.
    fn sign(&self, file: &mut Value) {
        let Some(path) = file["path"].as_str().map(str::to_owned) else { return };
        let (issued, expires) = (self.now_ms() / 1000, (self.now_ms() + LINK_MS) / 1000);
        let url = format!(
            "http://{}/attachments/{path}?ex={expires:x}&is={issued:x}&hm={}",
            self.address,
            seal(&path, expires)
        );
        if let Some(fields) = file.as_object_mut() {
            fields.remove("path");
            fields.insert("proxy_url".to_owned(), url.clone().into());
            fields.insert("url".to_owned(), url.into());
        }
    }

    /// A message as the gateway shows it: with its guild, and its author and mentioned people as members.
    pub fn event_json(&self, message: &Message) -> Value {
        let mut json = self.message_json(message);
        let channel = self.channels.get(&message.channel);
        json["channel_type"] = json!(channel.map(|channel| channel.kind));
        let guild = channel.and_then(|channel| channel.guild).and_then(|guild| self.guilds.get(&guild));
        let Some(guild) = guild.filter(|_| message.only_for.is_none()) else { return json };
        json["guild_id"] = json!(guild.id);
        let member = guild.members.get(&message.author).filter(|_| !message.webhook);
        if let Some(member) = member {
            json["member"] = member.to_json();
        }
        for user in json["mentions"].as_array_mut().into_iter().flatten() {
            if let Some(member) = Id::read(&user["id"]).and_then(|id| guild.members.get(&id)) {
                user["member"] = member.to_json();
            }
        }
        json
    }

    /// Puts a message into its channel and tells the bots of it.
    pub fn post(&mut self, message: Message) {
        let (channel, id, visible) = (message.channel, message.id, message.only_for.is_none());
        let Some(kept) = self.channels.get_mut(&channel) else { return };
        kept.messages.insert(id, message.clone());
        if visible {
            kept.last_message = Some(id);
        }
        self.tell_message("MESSAGE_CREATE", &message);
    }

    /// Changes a message and tells the bots of it.
    pub fn rewrite(&mut self, channel: Id, id: Id, change: impl FnOnce(&mut Message)) {
        let found = self.channels.get_mut(&channel).and_then(|channel| channel.messages.get_mut(&id));
        let Some(message) = found else { return };
        change(message);
        let message = message.clone();
        self.tell_message("MESSAGE_UPDATE", &message);
    }

    fn tell_message(&mut self, event: &str, message: &Message) {
        let json = self.event_json(message);
        match message.only_for {
            // Comes without a guild, under the intent for private chats.
            Some(_) => self.dispatch(message.author, event, intent::DIRECT_MESSAGES, message.channel, &json),
            None => {
                self.tell(message.channel, event, (intent::GUILD_MESSAGES, intent::DIRECT_MESSAGES), &json)
            }
        }
    }

    /// Takes a message away and tells the bots of it.
    pub fn remove(&mut self, channel: Id, id: Id) -> Option<Message> {
        let kept = self.channels.get_mut(&channel)?;
        let (removed, guild) = (kept.messages.remove(&id)?, kept.guild);
        let mut data = json!({"id": id, "channel_id": channel});
        if removed.only_for.is_some() {
            self.dispatch(removed.author, "MESSAGE_DELETE", intent::DIRECT_MESSAGES, channel, &data);
            return Some(removed);
        }
        if let Some(guild) = guild {
            data["guild_id"] = json!(guild);
        }
        self.tell(channel, "MESSAGE_DELETE", (intent::GUILD_MESSAGES, intent::DIRECT_MESSAGES), &data);
        Some(removed)
    }
}

/// The signature of a link (FNV-1a: only this server has to check it).
pub fn seal(path: &str, expires: i64) -> String {
    let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
    let hash = path.bytes().chain(expires.to_le_bytes()).fold(0xcbf2_9ce4_8422_2325, mix);
    format!("{hash:016x}")
}
