//! Buttons that people press.

use serde_json::{Value, json};

use super::{Impossible, Sent};
use crate::methods::callback::ALIVE_MS;
use crate::world::{Press, World};

impl World {
    /// Somebody presses the button that has this data or this label. Answers with the query's id too.
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
        let rows = value["reply_markup"]["inline_keyboard"].as_array().cloned().unwrap_or_default();
        let buttons = rows.iter().filter_map(Value::as_array).flatten();
        let is_meant = |one: &&Value| one["callback_data"] == json!(button) || one["text"] == json!(button);
        let found = buttons
            .clone()
            .find(is_meant)
            .ok_or_else(|| format!("message {message} has no button {button}"))?;
        let data = found["callback_data"].as_str().ok_or("the button has no data")?;
        if !self.bots.contains_key(&author) {
            return Err(format!("message {message} is of no bot"));
        }
        let id = (self.dice.draw() >> 1).to_string();
        let now = self.now_ms();
        let instance = format!("-{}", chat.unsigned_abs().wrapping_mul(7_919));
        let query = json!({
            "id": id, "from": self.user(user), "message": value, "chat_instance": instance, "data": data,
        });
        self.presses.insert(id.clone(), Press { bot: author, chat, at: now, answer: None });
        let mut update_id = 0;
        if let Some(owner) = self.bots.get_mut(&author)
            && owner.wants("callback_query")
        {
            let body = format!(r#""callback_query":{query}"#);
            update_id = owner.queue.push_for(ALIVE_MS, &body, user, now, &mut self.dice);
            owner.bell.notify_waiters();
            self.journal.expired(author, &owner.queue.expired());
            self.journal.arrived(author, update_id, chat, now);
        }
        Ok((Sent { update_id, message_id: message }, id))
    }
}
