//! What people do in their apps and operators do with bots, and which updates that makes.

pub mod buttons;
mod members;
mod write;

pub use members::NewChat;
pub use write::{Forward, UserMessage};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::chat::Standing;
use crate::limits::Limits;
use crate::methods::reactions::is_reaction;
use crate::person::Person;
use crate::world::World;

/// What an action led to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Sent {
    /// The update that the first bot was told of; 0 if no bot is told.
    pub update_id: i64,
    /// The message that it made or is about; 0 if there is none.
    pub message_id: i64,
}

/// Why an action is impossible.
pub type Impossible = String;

/// An action as the control port takes it: the path names it, the body is what it needs.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Action {
    Bot { id: i64, token: String, name: String, username: Option<String> },
    User { id: i64, name: String, username: Option<String>, is_bot: Option<bool> },
    NewChat(NewChat),
    Say(Box<UserMessage>),
    Edit { chat: i64, message_id: i64, text: String, parse_mode: Option<String> },
    Delete { chat: i64, message_id: i64 },
    React { chat: i64, message_id: i64, user: i64, emoji: Vec<String> },
    Press { chat: i64, message_id: i64, user: i64, button: String },
    Pressed { text: String },
    Block { user: i64 },
    Unblock { user: i64 },
    Deactivate { user: i64 },
    Join { chat: i64, user: i64, by: Option<i64> },
    Part { chat: i64, user: i64, by: Option<i64> },
    Stand { chat: i64, user: i64, standing: Standing },
    Topic { chat: i64, user: i64, name: String },
    Migrate { chat: i64, to: i64 },
    Privacy { on: bool },
    JoinsGroups { on: bool },
    Paced { on: bool },
    Flood(Limits),
    Again { update_id: i64 },
    Garbage { fields: String },
}

impl World {
    /// Carries out an action from the control port. Actions of and with a bot concern the first one.
    pub fn perform(&mut self, action: &str, body: Value) -> Result<Value, Impossible> {
        let action = serde_json::from_value(json!({action: body})).map_err(|error| error.to_string())?;
        let bot = self.first_bot;
        let sent = match action {
            Action::Say(message) => self.write(*message)?,
            Action::Edit { chat, message_id, text, parse_mode } => {
                self.edit(bot, chat, message_id, &text, parse_mode.as_deref())?
            }
            Action::Delete { chat, message_id } => self.withdraw(bot, chat, message_id)?,
            Action::React { chat, message_id, user, emoji } => {
                self.react(bot, chat, message_id, user, &emoji)?
            }
            Action::Press { chat, message_id, user, button } => {
                let (sent, query) = self.press(bot, chat, message_id, user, &button)?;
                let mut pressed = json!(sent);
                pressed["query_id"] = query.into();
                return Ok(pressed);
            }
            Action::Pressed { text } => {
                let press = self.presses.get(&text).ok_or("no such query")?;
                return Ok(json!({"chat": press.chat, "answer": press.answer}));
            }
            Action::Block { user } => self.block(bot, user),
            Action::Unblock { user } => self.stand(bot, user, bot, Standing::Member),
            Action::Join { chat, user, by } => self.join(bot, chat, user, by.unwrap_or(user))?,
            Action::Part { chat, user, by } => self.part(bot, chat, user, by.unwrap_or(user))?,
            Action::Stand { chat, user, standing } => self.stand(bot, chat, user, standing),
            Action::Topic { chat, user, name } => {
                return Ok(json!({"message_thread_id": self.open_topic(bot, chat, user, &name)}));
            }
            Action::Migrate { chat, to } => self.migrate(chat, to)?,
            Action::Garbage { fields } => {
                Sent { update_id: self.queue_update(bot, &fields, 0), message_id: 0 }
            }
            other => return self.arrange(other).map(Value::Bool),
        };
        Ok(json!(sent))
    }

    /// Actions that nobody is told of.
    fn arrange(&mut self, action: Action) -> Result<bool, Impossible> {
        let known = self.bots.get_mut(&self.first_bot).ok_or("there is no bot")?;
        match action {
            Action::Again { update_id } => {
                known.changed.notify_waiters();
                return Ok(known.queue.repeat(update_id));
            }
            Action::Privacy { on } => known.privacy = on,
            Action::JoinsGroups { on } => known.joins_groups = on,
            Action::Paced { on } => self.paced = on,
            // Without limits of its own the request means the real ones.
            Action::Flood(limits) => {
                self.limiter.set(if limits.are_none() { Limits::real() } else { limits });
            }
            Action::Deactivate { user } => {
                self.people.get_mut(&user).ok_or("no such user")?.deactivated = true;
            }
            Action::Bot { id, token, name, username } => {
                self.add_bot(&token, id, &name, username.as_ref().unwrap_or(&name));
            }
            Action::User { id, name, username, is_bot } => {
                let is_bot = is_bot.unwrap_or_default();
                self.add_person(Person { username, is_bot, ..Person::new(id, &name) });
            }
            Action::NewChat(new) => self.add_chat(&new)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Somebody changes what they wrote.
    pub fn edit(
        &mut self,
        bot: i64,
        chat: i64,
        message: i64,
        text: &str,
        mode: Option<&str>,
    ) -> Result<Sent, Impossible> {
        let place = Self::place(bot, chat);
        let formatted = self.format(text, mode, None).map_err(|refusal| refusal.description)?;
        let now = self.now();
        let old = self.chats.get(&place).and_then(|chat| chat.messages.get(&message));
        let old = old.ok_or_else(|| format!("no message {message} in chat {chat}"))?.value();
        let field = if old.get("text").is_some() { "text" } else { "caption" };
        let mut written = Map::new();
        self.write_text(&formatted, field, &mut written);
        let json = self.rewrite(place, message, |fields| {
            fields.retain(|name, _| {
                !["text", "entities", "caption", "caption_entities"].contains(&name.as_str())
            });
            fields.extend(written);
            fields.insert("edit_date".to_owned(), now.into());
        });
        let kind = if self.is_channel(place) { "edited_channel_post" } else { "edited_message" };
        let update_id = self.tell_all(place, kind, &json.unwrap_or_default(), &old);
        Ok(Sent { update_id, message_id: message })
    }

    /// Somebody takes a message back; no bot is told.
    pub fn withdraw(&mut self, bot: i64, chat: i64, message: i64) -> Result<Sent, Impossible> {
        let chat = self.chat_mut(bot, chat).ok_or_else(|| format!("no chat {chat}"))?;
        chat.messages.remove(&message).ok_or_else(|| format!("no message {message}"))?;
        Ok(Sent::default())
    }

    /// Somebody reacts with these emoji; none takes the reaction back.
    pub fn react(
        &mut self,
        bot: i64,
        chat: i64,
        message: i64,
        user: i64,
        emoji: &[String],
    ) -> Result<Sent, Impossible> {
        let place = Self::place(bot, chat);
        if let Some(wrong) = emoji.iter().find(|emoji| !is_reaction(emoji)) {
            return Err(format!("{wrong} is no reaction"));
        }
        let new: Vec<Value> = emoji.iter().map(|emoji| json!({"type": "emoji", "emoji": emoji})).collect();
        let shown = self.chats.get_mut(&place).and_then(|chat| chat.messages.get_mut(&message));
        let shown = shown.ok_or_else(|| format!("no message {message} in chat {chat}"))?;
        let old = shown.reactions.insert(user, new.clone()).unwrap_or_default();
        let body = json!({
            "chat": self.chat_json(bot, chat), "message_id": message, "user": self.user(user),
            "date": self.now(), "old_reaction": old, "new_reaction": new,
        });
        // Only administrators of a group are told of the reactions of others.
        let mut bots = self.bots_in(place);
        bots.retain(|bot| chat > 0 || self.chats.get(&place).is_some_and(|chat| chat.is_admin(*bot)));
        let update_id = self.tell(&bots, "message_reaction", &body.to_string(), chat);
        Ok(Sent { update_id, message_id: message })
    }
}
