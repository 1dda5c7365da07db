//! Chats made, entered, left and changed.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Impossible, Sent};
use crate::chat::{Chat, Kind, Standing};
use crate::compose::Envelope;
use crate::methods::chat::{TOPIC_COLOR, member_json};
use crate::world::World;

/// A chat to make. The bots are in it: as administrators of a channel, else as members.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewChat {
    /// Its number: below zero; supergroups and channels begin with -100.
    pub id: i64,
    /// `group`, `supergroup`, `forum` or `channel`.
    pub kind: String,
    /// Its title.
    pub title: String,
    /// The name after the @, if it is public.
    pub username: Option<String>,
    /// The channel that it belongs to, or the group of the channel.
    pub linked: Option<i64>,
    /// Whether the bots are administrators.
    pub admin: bool,
    /// Whether no bot is in it yet.
    pub empty: bool,
}

impl World {
    /// Makes a chat; one that is there already stays as it is.
    pub fn add_chat(&mut self, new: &NewChat) -> Result<(), Impossible> {
        let kind = match new.kind.as_str() {
            "group" => Kind::Group,
            "supergroup" | "forum" => Kind::Supergroup,
            "channel" => Kind::Channel,
            other => return Err(format!("{other} is no kind of chat")),
        };
        if new.id >= 0 {
            return Err("the number of a chat is below zero".to_owned());
        }
        let mut chat = Chat::new(new.id, kind, &new.title);
        chat.forum = new.kind == "forum";
        chat.username.clone_from(&new.username);
        chat.linked = new.linked;
        let is_admin = new.admin || kind == Kind::Channel;
        let standing = if is_admin { Standing::Administrator } else { Standing::Member };
        if !new.empty {
            chat.members = self.bots.keys().map(|bot| (*bot, standing)).collect::<HashMap<_, _>>();
        }
        if let Some(linked) = new.linked.and_then(|linked| self.chats.get_mut(&(0, linked))) {
            linked.linked = Some(new.id);
        }
        if let Some(username) = &new.username {
            self.names.insert(username.to_lowercase(), new.id);
        }
        self.chats.entry((0, new.id)).or_insert(chat);
        Ok(())
    }

    /// Somebody becomes something in a chat; the bots hear of it as far as it is theirs to know.
    pub fn stand(&mut self, bot: i64, chat: i64, who: i64, standing: Standing) -> Sent {
        let by = if chat > 0 { chat } else { self.elder(chat).unwrap_or(who) };
        self.stand_by(bot, chat, who, standing, by)
    }

    fn stand_by(&mut self, bot: i64, chat: i64, who: i64, standing: Standing, by: i64) -> Sent {
        let place = Self::place(bot, chat);
        let now = self.now();
        let Some(known) = self.chats.get_mut(&place) else { return Sent { update_id: 0, message_id: 0 } };
        let old = known.members.insert(who, standing).unwrap_or(Standing::Left);
        let mut told = self.bots_in(place);
        let is_bot = self.bots.contains_key(&who);
        let kind = if is_bot { "my_chat_member" } else { "chat_member" };
        if is_bot {
            told = vec![who];
        } else {
            // Others come and go before the eyes of administrators only.
            let admins = self.chats.get(&place);
            told.retain(|bot| admins.is_some_and(|c| c.standing(*bot).is_some_and(Standing::is_admin)));
        }
        let body = json!({
            "chat": self.chat_json(bot, chat), "from": self.user(by), "date": now,
            "old_chat_member": member_json(self, who, old), "new_chat_member": member_json(self, who, standing),
        });
        let update_id = self.tell_these(&told, kind, &body.to_string(), chat);
        Sent { update_id, message_id: 0 }
    }

    /// Somebody in the chat who can act there.
    fn elder(&self, chat: i64) -> Option<i64> {
        let members = &self.chats.get(&(0, chat))?.members;
        let people = members.iter().filter(|(id, standing)| standing.is_in() && !self.bots.contains_key(id));
        people.map(|(id, _)| *id).min()
    }

    /// Somebody is added to a group, with its service message.
    pub fn join(&mut self, bot: i64, chat: i64, who: i64, by: i64) -> Result<Sent, Impossible> {
        let kind = self.chat(bot, chat).ok_or_else(|| format!("no chat {chat}"))?.kind;
        let standing = if kind == Kind::Channel { Standing::Administrator } else { Standing::Member };
        let stood = self.stand_by(bot, chat, who, standing, by);
        if matches!(kind, Kind::Private | Kind::Channel) {
            return Ok(stood);
        }
        let member = self.user(who);
        let mut content = Map::from_iter([("new_chat_members".to_owned(), json!([member]))]);
        // These two are not documented any more, and still there.
        content.insert("new_chat_member".to_owned(), member.clone());
        content.insert("new_chat_participant".to_owned(), member);
        Ok(self.publish(Envelope { bot, chat, from: by, content, ..Envelope::default() }))
    }

    /// Somebody leaves a group, or is thrown out, with its service message.
    pub fn part(&mut self, bot: i64, chat: i64, who: i64, by: i64) -> Result<Sent, Impossible> {
        let kind = self.chat(bot, chat).ok_or_else(|| format!("no chat {chat}"))?.kind;
        let standing = if who == by { Standing::Left } else { Standing::Kicked };
        let stood = self.stand_by(bot, chat, who, standing, by);
        if matches!(kind, Kind::Private | Kind::Channel) {
            return Ok(stood);
        }
        let member = self.user(who);
        let mut content = Map::from_iter([("left_chat_member".to_owned(), member.clone())]);
        content.insert("left_chat_participant".to_owned(), member);
        let sent = self.publish(Envelope { bot, chat, from: by, content, ..Envelope::default() });
        let update_id = if sent.update_id == 0 { stood.update_id } else { sent.update_id };
        Ok(Sent { update_id, ..sent })
    }

    /// Somebody opens a topic; its number is that of the message which says so.
    pub fn open_topic(&mut self, bot: i64, chat: i64, by: i64, name: &str) -> i64 {
        let place = Self::place(bot, chat);
        // General has the first number, and no message.
        if let Some(chat) = self.chats.get_mut(&place) {
            chat.next_message = chat.next_message.max(2);
        }
        let upcoming = self.chats.get(&place).map(|chat| chat.next_message).unwrap_or_default();
        let upcoming =
            if chat > 0 { self.bots.get(&bot).map_or(upcoming, |bot| bot.next_message) } else { upcoming };
        if let Some(chat) = self.chats.get_mut(&place) {
            chat.topics.insert(upcoming, name.to_owned());
        }
        let created = json!({"name": name, "icon_color": TOPIC_COLOR});
        let content = Map::from_iter([("forum_topic_created".to_owned(), created)]);
        let topic = Envelope { bot, chat, from: by, thread: Some(upcoming), content, ..Envelope::default() };
        self.publish(topic).message_id
    }

    /// A topic is deleted, with everything in it.
    pub fn delete_topic(&mut self, chat: i64, topic: i64) {
        if let Some(chat) = self.chats.get_mut(&(0, chat)) {
            chat.topics.remove(&topic);
            chat.messages.retain(|_, message| message.thread != Some(topic));
        }
    }

    /// A group becomes a supergroup: the old chat ends, the new one begins, and both say so.
    pub fn migrate(&mut self, from: i64, to: i64) -> Result<Sent, Impossible> {
        let old = self.chats.get_mut(&(0, from)).ok_or_else(|| format!("no chat {from}"))?;
        if old.kind != Kind::Group || old.migrated_to.is_some() {
            return Err(format!("chat {from} is no group any more"));
        }
        let mut new = Chat::new(to, Kind::Supergroup, &old.title);
        new.members.clone_from(&old.members);
        self.chats.insert((0, to), new);
        let by = self.elder(from).unwrap_or(crate::person::ANONYMOUS);
        let bot = self.first_bot;
        let say = |field: &str, value: i64| Map::from_iter([(field.to_owned(), Value::from(value))]);
        let gone = say("migrate_to_chat_id", to);
        let sent = self.publish(Envelope { bot, chat: from, from: by, content: gone, ..Envelope::default() });
        let come = say("migrate_from_chat_id", from);
        let as_chat = Some(to);
        self.publish(Envelope { bot, chat: to, from: by, as_chat, content: come, ..Envelope::default() });
        if let Some(old) = self.chats.get_mut(&(0, from)) {
            old.migrated_to = Some(to);
        }
        Ok(sent)
    }
}
