//! What people do in their apps, and which updates that makes.

mod gather;
mod press;
mod say;

pub use gather::NewChat;
pub use say::{Attachment, Data, Forward, Say};

use serde::Serialize;
use serde_json::{Value, json};

use crate::methods::reaction::is_reaction;
use crate::world::World;

/// What an act came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Sent {
    /// The update that the first bot was told of; 0 if no bot wanted to know.
    pub update_id: i64,
    /// The message that it made or is about; 0 if there is none.
    pub message_id: i64,
}

/// Why an act was impossible.
pub type Impossible = String;

impl World {
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
        let mut written = serde_json::Map::new();
        let old = self.chats.get(&place).and_then(|chat| chat.messages.get(&message));
        let old = old.ok_or_else(|| format!("no message {message} in chat {chat}"))?.value();
        let field = if old.get("text").is_some() { "text" } else { "caption" };
        self.write_text(&formatted, field, &mut written);
        let json = self.rewrite(place, message, |fields| {
            for field in ["text", "entities", "caption", "caption_entities"] {
                fields.remove(field);
            }
            fields.extend(written);
            fields.insert("edit_date".to_owned(), now.into());
        });
        let json = json.unwrap_or_default();
        let kind = if self.is_channel(place) { "edited_channel_post" } else { "edited_message" };
        let update_id = self.tell_all(place, kind, &json, &old);
        Ok(Sent { update_id, message_id: message })
    }

    /// Somebody takes a message back; no bot hears of it.
    pub fn withdraw(&mut self, bot: i64, chat: i64, message: i64) -> Result<(), Impossible> {
        let chat = self.chat_mut(bot, chat).ok_or_else(|| format!("no chat {chat}"))?;
        chat.messages.remove(&message).map(drop).ok_or_else(|| format!("no message {message}"))
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
        let now = self.now();
        let chat_json = self.chat_json(bot, chat);
        let body = json!({
            "chat": chat_json, "message_id": message, "user": self.user(user), "date": now,
            "old_reaction": old, "new_reaction": new,
        });
        let bots = self.bots_in(place).into_iter().filter(|bot| {
            // Reactions of others are shown to administrators only.
            chat > 0 || self.chats.get(&place).is_some_and(|c| c.standing(*bot).is_some_and(|s| s.is_admin()))
        });
        let bots: Vec<i64> = bots.collect();
        let update_id = self.tell_these(&bots, "message_reaction", &body.to_string(), chat);
        Ok(Sent { update_id, message_id: message })
    }

    pub(crate) fn tell_these(&mut self, bots: &[i64], kind: &str, body: &str, chat: i64) -> i64 {
        let mut first = 0;
        for bot in bots {
            let id = self.tell(*bot, kind, body, chat).unwrap_or_default();
            first = if first == 0 { id } else { first };
        }
        first
    }
}
