//! What a chat shows now: edits applied, deleted messages gone.

use serde::Serialize;
use serde_json::Value;

use crate::chat::Message;
use crate::world::World;

/// A message on the screen.
#[derive(Debug, Clone, Serialize)]
pub struct Shown {
    /// Its number.
    pub message_id: i64,
    /// Whose account wrote it.
    pub from: i64,
    /// The name above it.
    pub name: String,
    /// The text or the caption.
    pub text: String,
    /// The topic or thread.
    pub thread: Option<i64>,
    /// The message that it replies to.
    pub reply_to: Option<i64>,
    /// Whether it was edited.
    pub edited: bool,
    /// What is attached, or what it announces: `photo`, `new_chat_members`.
    pub kind: Option<String>,
    /// The labels of its buttons.
    pub buttons: Vec<String>,
    /// Who reacted with what.
    pub reactions: Vec<(i64, String)>,
    /// The whole message.
    pub message: Value,
}

/// Fields that every message may have; another one says what kind of message it is.
const PLAIN: [&str; 17] = [
    "message_id",
    "from",
    "sender_chat",
    "chat",
    "date",
    "edit_date",
    "text",
    "entities",
    "caption",
    "caption_entities",
    "message_thread_id",
    "is_topic_message",
    "reply_to_message",
    "reply_markup",
    "quote",
    "forward_origin",
    "media_group_id",
];

impl World {
    /// The messages of a chat in order.
    pub fn shows(&self, bot: i64, chat: i64) -> Vec<Shown> {
        let messages = self.chat(bot, chat).map(|chat| &chat.messages);
        messages.into_iter().flatten().map(|(id, message)| shown(*id, message)).collect()
    }
}

fn shown(message_id: i64, message: &Message) -> Shown {
    let value = message.value();
    let text = value["text"].as_str().or_else(|| value["caption"].as_str()).unwrap_or_default();
    let author = if value["sender_chat"].is_object() { &value["sender_chat"] } else { &value["from"] };
    let name = author["title"].as_str().or_else(|| author["first_name"].as_str()).unwrap_or_default();
    let fields = value.as_object().into_iter().flatten();
    let mut kinds = fields.map(|(name, _)| name).filter(|name| !PLAIN.contains(&name.as_str()));
    let rows = value["reply_markup"]["inline_keyboard"].as_array();
    let buttons = rows.into_iter().flatten().filter_map(Value::as_array).flatten();
    let reactions = message.reactions.iter().flat_map(|(user, reactions)| {
        reactions.iter().filter_map(|reaction| Some((*user, reaction["emoji"].as_str()?.to_owned())))
    });
    Shown {
        message_id,
        from: message.from,
        name: name.to_owned(),
        text: text.to_owned(),
        thread: message.thread,
        reply_to: value["reply_to_message"]["message_id"].as_i64(),
        edited: value.get("edit_date").is_some(),
        kind: kinds.next().cloned(),
        buttons: buttons.filter_map(|button| button["text"].as_str().map(str::to_owned)).collect(),
        reactions: reactions.collect(),
        message: value,
    }
}
