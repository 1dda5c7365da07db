//! What people write and do in channels.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Impossible, Sent};
use crate::guild::Member;
use crate::id::Id;
use crate::message::{self, Message, flag};
use crate::operations::{is_emoji, snapshot};
use crate::permission::{SEND_MESSAGES, SEND_MESSAGES_IN_THREADS};
use crate::session::intent;
use crate::time;
use crate::world::{File, World};

/// Something that somebody says.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Said {
    /// Who says it.
    pub user: Id,
    /// Where; the private chat with the first bot if there is none.
    pub channel: Option<Id>,
    /// The text.
    pub content: String,
    /// The message that it answers.
    pub reply_to: Option<Id>,
    /// The message that it forwards, and its channel.
    pub forward: Option<(Id, Id)>,
    /// Files.
    pub files: Vec<Written>,
    /// Whether a webhook says it and no member.
    pub webhook: bool,
    /// Further fields of the message, which replace others: stickers, a poll, another type.
    pub extra: Map<String, Value>,
}

/// A file that somebody sends.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Written {
    /// Its name.
    pub name: String,
    /// Its content.
    pub base64: String,
    /// Its media type.
    pub content_type: String,
    /// Whether it is a voice message.
    pub voice: bool,
}

impl World {
    /// Somebody writes a message.
    pub fn say(&mut self, said: Said) -> Result<Sent, Impossible> {
        let bot = self.bots.first().ok_or("there is no bot")?.id;
        let channel = said.channel.unwrap_or_else(|| self.direct(bot, said.user));
        let is_thread = self.channel(channel).map_err(|refusal| refusal.message)?.thread.is_some();
        let needed = if is_thread { SEND_MESSAGES_IN_THREADS } else { SEND_MESSAGES };
        if !said.webhook {
            self.needs(channel, said.user, needed).map_err(|refusal| refusal.message)?;
        }
        let id = self.new_id();
        let mut message = Message::new(id, channel, said.user, self.user_json(said.user));
        message.set("content", said.content);
        if said.webhook {
            message.webhook = true;
            message.set("webhook_id", json!(said.user));
        }
        if let Some(target) = said.reply_to {
            let guild = self.channels.get(&channel).and_then(|channel| channel.guild);
            message.set("type", message::kind::REPLY);
            let reference =
                json!({"type": 0, "message_id": target, "channel_id": channel, "guild_id": guild});
            message.set("message_reference", reference);
        }
        if let Some((from, target)) = said.forward {
            let source = self.message(from, target).map_err(|refusal| refusal.message)?;
            message.set("message_snapshots", json!([{"message": snapshot(source)}]));
            message.set("message_reference", json!({"type": 1, "message_id": target, "channel_id": from}));
            message.set("flags", flag::SNAPSHOT);
        }
        self.mention(&mut message, None);
        for file in &said.files {
            self.add_file(&mut message, file)?;
        }
        for (name, value) in said.extra {
            message.set(&name, value);
        }
        self.open(channel);
        self.post(message);
        Ok(Sent { channel_id: channel, message_id: id })
    }

    fn add_file(&mut self, message: &mut Message, file: &Written) -> Result<(), Impossible> {
        let bytes = STANDARD.decode(&file.base64).map_err(|error| error.to_string())?;
        let kept = File { bytes: bytes.into(), content_type: file.content_type.clone() };
        let mut stored = self.store(message.channel, &file.name, kept);
        if file.voice {
            (stored["duration_secs"], stored["waveform"]) = (json!(1.5), json!("AAA="));
            message.set("flags", message.flags() | flag::VOICE);
        }
        let mut all = message.list("attachments").to_vec();
        all.push(stored);
        message.set("attachments", all);
        Ok(())
    }

    fn known(&self, channel: Id, message: Id) -> Result<Sent, Impossible> {
        self.message(channel, message).map_err(|refusal| refusal.message)?;
        Ok(Sent { channel_id: channel, message_id: message })
    }

    /// Somebody changes what they wrote.
    pub fn edit(&mut self, channel: Id, message: Id, content: &str) -> Result<Sent, Impossible> {
        let sent = self.known(channel, message)?;
        let mut changed = self.message(channel, message).map_err(|refusal| refusal.message)?.clone();
        changed.set("content", content);
        changed.set("edited_timestamp", time::written(self.now_ms()));
        self.mention(&mut changed, None);
        self.rewrite(channel, message, |known| *known = changed);
        Ok(sent)
    }

    /// Discord adds a preview of a link to a message, some time after it was sent.
    pub fn embed(&mut self, channel: Id, message: Id, embeds: Vec<Value>) -> Result<Sent, Impossible> {
        let sent = self.known(channel, message)?;
        self.rewrite(channel, message, |known| known.set("embeds", embeds));
        Ok(sent)
    }

    /// Somebody deletes a message.
    pub fn withdraw(&mut self, channel: Id, message: Id) -> Result<Sent, Impossible> {
        let sent = self.known(channel, message)?;
        self.remove(channel, message);
        Ok(sent)
    }

    /// A moderator deletes several messages at once.
    pub fn purge(&mut self, channel: Id, messages: &[Id]) -> Result<Sent, Impossible> {
        let known = self.channel_mut(channel).map_err(|refusal| refusal.message)?;
        messages.iter().for_each(|id| _ = known.messages.remove(id));
        let data = json!({"ids": messages, "channel_id": channel, "guild_id": known.guild});
        self.tell(channel, "MESSAGE_DELETE_BULK", (intent::GUILD_MESSAGES, intent::DIRECT_MESSAGES), &data);
        Ok(Sent { channel_id: channel, message_id: Id::default() })
    }

    /// Somebody reacts with an emoji, or takes it back.
    pub fn reacts(
        &mut self,
        channel: Id,
        message: Id,
        user: Id,
        emoji: &str,
        on: bool,
    ) -> Result<Sent, Impossible> {
        let sent = self.known(channel, message)?;
        let written = json!({"id": null, "name": emoji});
        if !is_emoji(emoji) || !self.react(channel, message, user, written, on) {
            return Err(format!("{emoji} cannot be set or taken back"));
        }
        Ok(sent)
    }

    /// Adds or removes a reaction, and tells the bots of it; returns false if nothing has changed.
    pub fn react(&mut self, channel: Id, id: Id, user: Id, emoji: Value, on: bool) -> bool {
        let guild = self.channels.get(&channel).and_then(|channel| channel.guild);
        let found = self.channels.get_mut(&channel).and_then(|channel| channel.messages.get_mut(&id));
        let Some(message) = found else { return false };
        let at = message.reactions.iter().position(|(shown, _)| *shown == emoji);
        let before = at.is_some_and(|at| message.reactions[at].1.contains(&user));
        if before == on {
            return on;
        }
        match at {
            Some(at) if on => message.reactions[at].1.push(user),
            Some(at) => message.reactions[at].1.retain(|who| *who != user),
            None => message.reactions.push((emoji.clone(), vec![user])),
        }
        message.reactions.retain(|(_, who)| !who.is_empty());
        let author = message.author;
        let mut data = json!({
            "user_id": user, "channel_id": channel, "message_id": id, "emoji": emoji, "burst": false, "type": 0,
        });
        if let Some(guild) = guild {
            data["guild_id"] = json!(guild);
        }
        if on {
            data["message_author_id"] = json!(author);
            data["burst_colors"] = json!([]);
            let member = guild.and_then(|guild| self.guilds.get(&guild)?.members.get(&user));
            if let Some(member) = member.map(Member::to_json) {
                data["member"] = member;
                data["member"]["user"] = self.user_json(user);
            }
        }
        let event = if on { "MESSAGE_REACTION_ADD" } else { "MESSAGE_REACTION_REMOVE" };
        let intents = (intent::GUILD_MESSAGE_REACTIONS, intent::DIRECT_MESSAGE_REACTIONS);
        self.tell(channel, event, intents, &data);
        true
    }

    /// Somebody opens a thread: on a message, by itself, or as a post in a forum.
    pub fn opens_thread(
        &mut self,
        parent: Id,
        user: Id,
        name: &str,
        message: Option<Id>,
        content: Option<String>,
    ) -> Result<Sent, Impossible> {
        let is_forum = self.channel(parent).map_err(|refusal| refusal.message)?.is_forum();
        if is_forum && content.is_none() {
            return Err("a post needs a content".to_owned());
        }
        let id = message.unwrap_or_else(|| self.new_id());
        self.start_thread(parent, id, user, name, 1440);
        let mut sent = Sent { channel_id: id, message_id: Id::default() };
        if let Some(content) = content {
            let mut first = Message::new(id, id, user, self.user_json(user));
            first.set("content", content);
            self.mention(&mut first, None);
            sent.message_id = id;
            self.post(first);
        }
        Ok(sent)
    }
}
