//! Chats made, entered, left and changed.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Impossible, Sent};
use crate::chat::{Chat, Kind, Standing};
use crate::message::NewMessage;
use crate::methods::chat::{TOPIC_COLOR, member_json};
use crate::person::ANONYMOUS;
use crate::world::World;

/// A chat to make. The bots are in it: as administrators of a channel, else as members.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewChat {
    /// Below zero; supergroups and channels begin with -100.
    pub id: i64,
    /// `group`, `supergroup`, `forum` or `channel`.
    pub kind: String,
    pub title: String,
    /// The channel that it belongs to, or the group of the channel.
    pub linked: Option<i64>,
    /// Whether the bots are administrators.
    pub admin: bool,
    /// Whether no bot is in it yet.
    pub empty: bool,
}

impl World {
    /// Makes a chat; one that exists already stays as it is.
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
        chat.linked = new.linked;
        let is_admin = new.admin || kind == Kind::Channel;
        let standing = if is_admin { Standing::Administrator } else { Standing::Member };
        if !new.empty {
            chat.members = self.bots.keys().map(|bot| (*bot, standing)).collect();
        }
        if let Some(linked) = new.linked.and_then(|linked| self.chats.get_mut(&(0, linked))) {
            linked.linked = Some(new.id);
        }
        self.chats.entry((0, new.id)).or_insert(chat);
        Ok(())
    }

    /// Somebody becomes something in a chat; the bots are told as far as they may know.
    pub fn stand(&mut self, bot: i64, chat: i64, who: i64, standing: Standing) -> Sent {
        let by = if chat > 0 { chat } else { self.first_person(chat).unwrap_or(who) };
        self.stand_by(bot, chat, who, standing, by)
    }

    /// Somebody blocks a bot.
    pub fn block(&mut self, bot: i64, user: i64) -> Sent {
        self.private(bot, user);
        self.stand(bot, user, bot, Standing::Kicked)
    }

    fn stand_by(&mut self, bot: i64, chat: i64, who: i64, standing: Standing, by: i64) -> Sent {
        let place = Self::place(bot, chat);
        let Some(known) = self.chats.get_mut(&place) else { return Sent::default() };
        let old = known.members.insert(who, standing).unwrap_or(Standing::Left);
        let (kind, told) = if self.bots.contains_key(&who) {
            ("my_chat_member", vec![who])
        } else {
            // Only administrators are told of others.
            let is_admin = |bot: &i64| self.chats.get(&place).is_some_and(|chat| chat.is_admin(*bot));
            ("chat_member", self.bots_in(place).into_iter().filter(is_admin).collect())
        };
        let body = json!({
            "chat": self.chat_json(bot, chat), "from": self.user(by), "date": self.now(),
            "old_chat_member": member_json(self, who, old), "new_chat_member": member_json(self, who, standing),
        });
        Sent { update_id: self.tell(&told, kind, &body.to_string(), chat), message_id: 0 }
    }

    /// A person in the chat who can act there.
    fn first_person(&self, chat: i64) -> Option<i64> {
        let members = &self.chats.get(&(0, chat))?.members;
        let people = members.iter().filter(|(id, standing)| standing.is_in() && !self.bots.contains_key(id));
        people.map(|(id, _)| *id).min()
    }

    /// Somebody is added to a chat.
    pub fn join(&mut self, bot: i64, chat: i64, who: i64, by: i64) -> Result<Sent, Impossible> {
        let kind = self.chat(bot, chat).ok_or_else(|| format!("no chat {chat}"))?.kind;
        let standing = if kind == Kind::Channel { Standing::Administrator } else { Standing::Member };
        let stood = self.stand_by(bot, chat, who, standing, by);
        let member = self.user(who);
        // The last two are not documented any more, and still there.
        let content = json!({
            "new_chat_members": [member], "new_chat_member": member, "new_chat_participant": member,
        });
        Ok(self.announce(bot, chat, kind, by, content).unwrap_or(stood))
    }

    /// Somebody leaves a chat, or is thrown out.
    pub fn part(&mut self, bot: i64, chat: i64, who: i64, by: i64) -> Result<Sent, Impossible> {
        let kind = self.chat(bot, chat).ok_or_else(|| format!("no chat {chat}"))?.kind;
        let standing = if who == by { Standing::Left } else { Standing::Kicked };
        let stood = self.stand_by(bot, chat, who, standing, by);
        let member = self.user(who);
        let content = json!({"left_chat_member": member, "left_chat_participant": member});
        let sent = self.announce(bot, chat, kind, by, content).unwrap_or(stood);
        let update_id = if sent.update_id == 0 { stood.update_id } else { sent.update_id };
        Ok(Sent { update_id, ..sent })
    }

    /// Puts a service message into a group.
    fn announce(&mut self, bot: i64, chat: i64, kind: Kind, by: i64, content: Value) -> Option<Sent> {
        let Value::Object(content) = content else { return None };
        let is_group = matches!(kind, Kind::Group | Kind::Supergroup);
        is_group.then(|| self.publish(NewMessage { bot, chat, from: by, content, ..NewMessage::default() }))
    }

    /// Somebody opens a topic; its number is that of the message that says so.
    pub fn open_topic(&mut self, bot: i64, chat: i64, by: i64, name: &str) -> i64 {
        // The topic "General" has number 1, and no message.
        if let Some(chat) = self.chat_mut(bot, chat) {
            chat.next_message = chat.next_message.max(2);
        }
        let upcoming = self.next_message(bot, chat).map_or(0, |next| *next);
        if let Some(chat) = self.chat_mut(bot, chat) {
            chat.topics.insert(upcoming, name.to_owned());
        }
        let created = json!({"name": name, "icon_color": TOPIC_COLOR});
        let content = Map::from_iter([("forum_topic_created".to_owned(), created)]);
        let thread = Some(upcoming);
        self.publish(NewMessage { bot, chat, from: by, thread, content, ..NewMessage::default() }).message_id
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
        let by = self.first_person(from).unwrap_or(ANONYMOUS);
        let mut say = |chat, as_chat, field: &str, other: i64| {
            let content = Map::from_iter([(field.to_owned(), other.into())]);
            self.publish(NewMessage { chat, from: by, as_chat, content, ..NewMessage::default() })
        };
        let sent = say(from, None, "migrate_to_chat_id", to);
        say(to, Some(to), "migrate_from_chat_id", from);
        if let Some(old) = self.chats.get_mut(&(0, from)) {
            old.migrated_to = Some(to);
        }
        Ok(sent)
    }
}
