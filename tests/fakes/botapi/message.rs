//! Messages: put into their chat by anybody, changed, formatted, and shown to a test.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::answer::Refusal;
use crate::chat::{Chat, Kind, Message};
use crate::entity::{Formatted, detect, utf16};
use crate::person::{ANONYMOUS, CHANNEL_BOT, TELEGRAM};
use crate::world::{Place, World};
use crate::{html, markdown};

/// A message that has no number yet.
#[derive(Debug, Default)]
pub struct NewMessage {
    /// The bot whose private chat it is, or who is asking.
    pub bot: i64,
    pub chat: i64,
    pub from: i64,
    /// The chat that its author writes as.
    pub as_chat: Option<i64>,
    /// The topic.
    pub thread: Option<i64>,
    pub reply_to: Option<i64>,
    /// The words of the other message that it quotes.
    pub quote: Option<String>,
    /// Text or media, and whatever else it carries.
    pub content: Map<String, Value>,
}

/// A message as its reader sees it.
#[derive(Debug, Clone, Serialize)]
pub struct Shown {
    /// The number.
    pub message_id: i64,
    /// The account that wrote it.
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
    /// What is attached or announced, as in `photo` or `new_chat_members`.
    pub kind: Option<String>,
    /// The labels of its buttons.
    pub buttons: Vec<String>,
    /// Who reacted with what.
    pub reactions: Vec<(i64, String)>,
    /// The whole message.
    pub message: Value,
}

/// Fields that a message of any kind can have; any other field says what kind it is.
const COMMON_FIELDS: &str = "message_id from sender_chat chat date edit_date text entities caption caption_entities \
                             message_thread_id is_topic_message reply_to_message reply_markup quote \
                             forward_origin media_group_id";

/// The text or the caption of a message.
pub fn text_of(message: &Value) -> &str {
    message["text"].as_str().or_else(|| message["caption"].as_str()).unwrap_or_default()
}

impl World {
    /// Puts a message into its chat; returns its number and its JSON.
    pub fn put(&mut self, new: NewMessage) -> (i64, String) {
        let place = Self::place(new.bot, new.chat);
        let next = self.next_message(new.bot, new.chat);
        let id = next.map_or(0, |next| std::mem::replace(next, *next + 1));
        let (from, date) = (new.from, self.now());
        let mut message = new.content;
        message.insert("message_id".to_owned(), id.into());
        message.insert("date".to_owned(), date.into());
        message.insert("chat".to_owned(), self.chat_json(new.bot, new.chat));
        let mut as_chat = new.as_chat;
        if self.is_channel(place) {
            as_chat = Some(new.chat);
        } else {
            // Somebody who writes as a chat is shown as one of two accounts instead of their own.
            let shown = match as_chat {
                Some(chat) if chat == new.chat => ANONYMOUS,
                Some(_) if from != TELEGRAM => CHANNEL_BOT,
                _ => from,
            };
            message.insert("from".to_owned(), self.user(shown));
        }
        if let Some(chat) = as_chat {
            message.insert("sender_chat".to_owned(), self.chat_json(0, chat));
        }
        let mut thread = None;
        if let Some(chat) = self.chats.get(&place) {
            thread = add_thread_and_reply(chat, new.thread, new.reply_to, &mut message);
            add_quote(new.quote, &mut message);
        }
        let json = Value::Object(message).to_string();
        let stored = Message { json: json.as_str().into(), from, thread, date, reactions: BTreeMap::new() };
        let is_bot = self.bots.contains_key(&from);
        if let Some(chat) = self.chats.get_mut(&place) {
            chat.messages.insert(id, stored);
            chat.last_bot = if is_bot { from } else { chat.last_bot };
        }
        (id, json)
    }

    /// Lets `change` change the fields of a message; returns its new JSON.
    pub fn rewrite(
        &mut self,
        place: Place,
        id: i64,
        change: impl FnOnce(&mut Map<String, Value>),
    ) -> Option<String> {
        let message = self.chats.get_mut(&place)?.messages.get_mut(&id)?;
        let mut fields = message.fields();
        change(&mut fields);
        let json = Value::Object(fields).to_string();
        message.json = json.as_str().into();
        Some(json)
    }

    pub fn is_channel(&self, place: Place) -> bool {
        self.chats.get(&place).is_some_and(|chat| chat.kind == Kind::Channel)
    }

    /// A text as its sender marked it up, with the entities that the server finds in it besides.
    pub fn format(
        &self,
        text: &str,
        mode: Option<&str>,
        entities: Option<Value>,
    ) -> Result<Formatted, Refusal> {
        let parsed = match mode.unwrap_or_default().to_ascii_lowercase().as_str() {
            "" | "none" => {
                let mut formatted = Formatted { text: text.to_owned(), entities: Vec::new() };
                formatted.mark(entities.as_ref().and_then(Value::as_array).unwrap_or(&Vec::new()));
                Ok(formatted)
            }
            "html" => html::parse(text),
            "markdownv2" => markdown::to_html(text, true).and_then(|text| html::parse(&text)),
            "markdown" => markdown::to_html(text, false).and_then(|text| html::parse(&text)),
            _ => return Err(Refusal::bad("unsupported parse_mode")),
        };
        let mut formatted =
            parsed.map_err(|reason| Refusal::bad(format!("can't parse entities: {reason}")))?;
        formatted.replace_control_characters();
        formatted.trim();
        detect(&mut formatted);
        Ok(formatted)
    }

    /// Replaces the `text` or the `caption` of a message.
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

    /// The messages of a chat as they are shown now, in order.
    pub fn shows(&self, bot: i64, chat: i64) -> Vec<Shown> {
        let messages = self.chat(bot, chat).map(|chat| &chat.messages);
        messages.into_iter().flatten().map(|(id, message)| shown(*id, message)).collect()
    }
}

/// Writes the reply and the thread into a message; returns the thread.
fn add_thread_and_reply(
    chat: &Chat,
    topic: Option<i64>,
    reply_to: Option<i64>,
    message: &mut Map<String, Value>,
) -> Option<i64> {
    let has_topics = chat.forum || (chat.kind == Kind::Private && !chat.topics.is_empty());
    let topic = topic.filter(|topic| has_topics && chat.topics.contains_key(topic));
    let replied = reply_to.and_then(|id| Some((id, chat.messages.get(&id)?)));
    let thread = match replied {
        _ if has_topics => topic,
        // In a supergroup without topics a reply belongs to the thread of what it replies to.
        Some((id, replied)) if chat.kind == Kind::Supergroup => Some(replied.thread.unwrap_or(id)),
        _ => None,
    };
    if let Some(thread) = thread {
        message.insert("message_thread_id".to_owned(), thread.into());
    }
    if topic.is_some() {
        message.insert("is_topic_message".to_owned(), true.into());
    }
    // A message in a topic replies at least to the message that opened the topic.
    let opener = topic.and_then(|topic| chat.messages.get(&topic));
    if let Some(shown) = replied.map(|(_, replied)| replied).or(opener) {
        message.insert("reply_to_message".to_owned(), shown.as_reply());
    }
    thread
}

fn add_quote(words: Option<String>, message: &mut Map<String, Value>) {
    let (Some(words), Some(replied)) = (words, message.get("reply_to_message")) else { return };
    let text = text_of(replied);
    let position = text.find(&words).map_or(0, |at| utf16(&text[..at]));
    message.insert("quote".to_owned(), json!({"text": words, "position": position, "is_manual": true}));
}

fn shown(message_id: i64, message: &Message) -> Shown {
    let value = message.value();
    let author = if value["sender_chat"].is_object() { &value["sender_chat"] } else { &value["from"] };
    let name = author["title"].as_str().or_else(|| author["first_name"].as_str()).unwrap_or_default();
    let is_special = |name: &&String| COMMON_FIELDS.split_whitespace().all(|common| common != name.as_str());
    let rows = value["reply_markup"]["inline_keyboard"].as_array();
    let buttons = rows.into_iter().flatten().filter_map(Value::as_array).flatten();
    let reactions = message.reactions.iter().flat_map(|(user, reactions)| {
        reactions.iter().filter_map(|reaction| Some((*user, reaction["emoji"].as_str()?.to_owned())))
    });
    Shown {
        message_id,
        from: message.from,
        name: name.to_owned(),
        text: text_of(&value).to_owned(),
        thread: message.thread,
        reply_to: value["reply_to_message"]["message_id"].as_i64(),
        edited: value.get("edit_date").is_some(),
        kind: value.as_object().and_then(|fields| fields.keys().find(is_special).cloned()),
        buttons: buttons.filter_map(|button| button["text"].as_str().map(str::to_owned)).collect(),
        reactions: reactions.collect(),
        message: value,
    }
}
