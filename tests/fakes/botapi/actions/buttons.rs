//! Buttons that people press.

use serde_json::{Value, json};

use super::{Impossible, Sent};
use crate::world::{Press, World};

/// How long a query can be answered and its update is kept, in milliseconds; the platform names no number.
pub const QUERY_LIFETIME_MS: i64 = 150_000;

impl World {
    /// Somebody presses the button that has this data or this label. Returns the query's id too.
    pub fn press(
        &mut self,
        bot: i64,
        chat: i64,
        message: i64,
        user: i64,
        button: &str,
    ) -> Result<(Sent, String), Impossible> {
        let shown = self.chat(bot, chat).and_then(|chat| chat.messages.get(&message));
        let shown = shown.ok_or_else(|| format!("no message {message} in chat {chat}"))?;
        let (value, author) = (shown.as_reply(), shown.from);
        let rows = value["reply_markup"]["inline_keyboard"].as_array().into_iter().flatten();
        let is_meant = |one: &&Value| one["callback_data"] == json!(button) || one["text"] == json!(button);
        let found = rows.filter_map(Value::as_array).flatten().find(is_meant);
        let data = found.and_then(|button| button["callback_data"].as_str());
        let data = data.ok_or_else(|| format!("message {message} has no button {button} with data"))?;
        let id = (self.common.random.number() >> 1).to_string();
        let query = json!({
            "id": id, "from": self.user(user), "message": value, "data": data,
            "chat_instance": format!("-{}", chat.unsigned_abs().wrapping_mul(7_919)),
        });
        let press = Press { bot: author, chat, at: self.now_ms(), answer: None };
        self.presses.insert(id.clone(), press);
        let wanted = self.bots.get(&author).is_some_and(|bot| bot.wants("callback_query"));
        let body = format!(r#""callback_query":{query}"#);
        let update_id = match wanted {
            true => self.queue_update_for(QUERY_LIFETIME_MS, author, &body, chat, user),
            false => 0,
        };
        Ok((Sent { update_id, message_id: message }, id))
    }
}
