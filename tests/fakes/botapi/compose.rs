//! Messages put together and put into their chat, whoever writes them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::answer::Refusal;
use crate::chat::{Chat, Kind, Message};
use crate::entity::{Formatted, detect, utf16};
use crate::html;
use crate::markdown;
use crate::person::{ANONYMOUS, CHANNEL_BOT};
use crate::world::{Place, World};

/// The topic that every forum has; nobody may name it.
pub const GENERAL: i64 = 1;

/// A message before it has a number.
#[derive(Debug, Default)]
pub struct Envelope {
    /// Whose private chat it is, or who is asking.
    pub bot: i64,
    /// The chat.
    pub chat: i64,
    /// Who writes.
    pub from: i64,
    /// The chat that somebody writes as.
    pub as_chat: Option<i64>,
    /// The topic.
    pub thread: Option<i64>,
    /// The message that it replies to.
    pub reply_to: Option<i64>,
    /// The words of that message that it quotes.
    pub quote: Option<String>,
    /// Text or media, and whatever else it carries.
    pub content: Map<String, Value>,
}

impl World {
    /// Puts a message into its chat.
    pub fn put(&mut self, envelope: Envelope) -> (i64, String) {
        let place = Self::place(envelope.bot, envelope.chat);
        let id = self.next_message(envelope.bot, envelope.chat);
        let (from, date) = (envelope.from, self.now());
        let mut message = envelope.content;
        message.insert("message_id".to_owned(), id.into());
        message.insert("date".to_owned(), date.into());
        message.insert("chat".to_owned(), self.chat_json(envelope.bot, envelope.chat));
        let kind = self.chats.get(&place).map(|chat| chat.kind);
        if kind == Some(Kind::Channel) {
            message.insert("sender_chat".to_owned(), self.chat_json(0, envelope.chat));
        } else {
            // Who writes as a chat shows one of two accounts instead of their own.
            let shown = match envelope.as_chat {
                Some(chat) if chat == envelope.chat => ANONYMOUS,
                Some(_) if from != crate::person::TELEGRAM => CHANNEL_BOT,
                _ => from,
            };
            message.insert("from".to_owned(), self.user(shown));
            if let Some(chat) = envelope.as_chat {
                message.insert("sender_chat".to_owned(), self.chat_json(0, chat));
            }
        }
        let mut thread = None;
        if let Some(chat) = self.chats.get(&place) {
            thread = self.place_in_thread(chat, &envelope.thread, envelope.reply_to, &mut message);
            quote(envelope.quote, &mut message);
        }
        let json = Value::Object(message).to_string();
        let stored = Message { json: json.as_str().into(), from, thread, date, reactions: BTreeMap::new() };
        let is_bot = self.bots.contains_key(&from);
        if let Some(chat) = self.chats.get_mut(&place) {
            chat.messages.insert(id, stored);
            if is_bot {
                chat.last_bot = from;
            }
        }
        (id, json)
    }

    /// Writes the reply and the thread into a message, and says which thread it is.
    fn place_in_thread(
        &self,
        chat: &Chat,
        topic: &Option<i64>,
        reply_to: Option<i64>,
        message: &mut Map<String, Value>,
    ) -> Option<i64> {
        let topics = chat.forum || (chat.kind == Kind::Private && !chat.topics.is_empty());
        let topic = topic.filter(|topic| topics && chat.topics.contains_key(topic));
        let replied = reply_to.and_then(|id| Some((id, chat.messages.get(&id)?)));
        let thread = match (topics, replied) {
            (true, _) => topic,
            // In a supergroup without topics a reply belongs to the thread of what it replies to.
            (false, Some((id, replied))) if chat.kind == Kind::Supergroup => {
                Some(replied.thread.unwrap_or(id))
            }
            _ => None,
        };
        if let Some(thread) = thread {
            message.insert("message_thread_id".to_owned(), thread.into());
        }
        if topic.is_some() {
            message.insert("is_topic_message".to_owned(), true.into());
        }
        // Whatever stands in a topic replies at least to the message that opened it.
        let opener = topic.and_then(|topic| chat.messages.get(&topic));
        if let Some(shown) = replied.map(|(_, replied)| replied).or(opener) {
            message.insert("reply_to_message".to_owned(), shown.as_reply());
        }
        thread
    }

    /// The message changes; `change` gets its fields.
    pub fn rewrite(
        &mut self,
        place: Place,
        id: i64,
        change: impl FnOnce(&mut Map<String, Value>),
    ) -> Option<String> {
        let message = self.chats.get_mut(&place)?.messages.get_mut(&id)?;
        let Value::Object(mut fields) = message.value() else { return None };
        change(&mut fields);
        let json = Value::Object(fields).to_string();
        message.json = json.as_str().into();
        Some(json)
    }

    /// A text as its sender marked it up, with what the server finds in it besides.
    pub fn format(
        &self,
        text: &str,
        mode: Option<&str>,
        entities: Option<Value>,
    ) -> Result<Formatted, Refusal> {
        let parsed = match mode.unwrap_or_default().to_ascii_lowercase().as_str() {
            "" | "none" => {
                let mut formatted = Formatted { text: text.to_owned(), entities: Vec::new() };
                formatted
                    .mark(entities.as_ref().and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default());
                Ok(formatted)
            }
            "html" => html::parse(text),
            "markdownv2" => markdown::parse(text),
            "markdown" => markdown::parse_old(text),
            _ => return Err(Refusal::bad("unsupported parse_mode")),
        };
        let mut formatted =
            parsed.map_err(|reason| Refusal::bad(format!("can't parse entities: {reason}")))?;
        formatted.clean();
        formatted.trim();
        detect(&mut formatted);
        Ok(formatted)
    }

    /// Writes a text into a message, under `text` or `caption`.
    pub fn write_text(&self, formatted: &Formatted, field: &str, content: &mut Map<String, Value>) {
        let entities_field = if field == "text" { "entities" } else { "caption_entities" };
        content.remove(field);
        content.remove(entities_field);
        if formatted.text.is_empty() {
            return;
        }
        content.insert(field.to_owned(), formatted.text.clone().into());
        let entities = formatted.to_json(|id| self.user(id));
        if !entities.is_empty() {
            content.insert(entities_field.to_owned(), entities.into());
        }
    }
}

/// Writes a quote, if the message has something to quote from.
fn quote(words: Option<String>, message: &mut Map<String, Value>) {
    let Some(words) = words else { return };
    let Some(replied) = message.get("reply_to_message") else { return };
    let text = replied["text"].as_str().or_else(|| replied["caption"].as_str()).unwrap_or_default();
    let position = text.find(&words).map_or(0, |at| utf16(&text[..at]));
    message.insert("quote".to_owned(), json!({"text": words, "position": position, "is_manual": true}));
}
