//! What a message replies to.

use frontdesk_core::message::Quote;

use super::Me;
use super::content::{self, Content};
use super::json::{Fields, Unread};
use super::model::{self, ChatKind, Message};

/// The longest quoted text, in characters.
const LONGEST: usize = 1000;

/// What a message replies to, if it does and if that can be read.
pub(super) fn of(me: &Me, message: &Message<'_>) -> Option<Quote> {
    let piece = message.fields.maybe::<Fields<'_>>("quote").and_then(|quote| quote.maybe::<String>("text"));
    let quoted = message.fields.maybe("reply_to_message").filter(|quoted| !begins_topic(message, quoted));
    if let Some(quoted) = quoted.and_then(|quoted| Message::of(quoted).ok()) {
        let sender = quoted.sender_chat.as_ref().and_then(|chat| chat.title.clone());
        return Some(Quote {
            message: Some(quoted.id.to_string()),
            sender: sender.or_else(|| quoted.from.as_ref().and_then(|from| from.name.clone())),
            text: cut(piece.unwrap_or_else(|| text(&quoted))),
            ours: is_ours(me, &quoted.fields).unwrap_or(false),
        });
    }
    // A message of another chat: only what was quoted of it is shown.
    let piece = piece?;
    let elsewhere: Option<Fields<'_>> = message.fields.maybe("external_reply");
    let sender = elsewhere.and_then(|reply| reply.maybe("origin")).and_then(|origin| author(&origin));
    Some(Quote { message: None, sender, text: cut(piece), ours: false })
}

/// Whether a message replies to one of ours. In a private chat it makes no difference.
pub(super) fn is_to_us(me: &Me, message: &Message<'_>) -> Result<bool, Unread> {
    if message.chat.kind == Some(ChatKind::Private) {
        return Ok(false);
    }
    match message.fields.get::<Fields<'_>>("reply_to_message")? {
        Some(quoted) if !begins_topic(message, &quoted) => is_ours(me, &quoted),
        _ => Ok(false),
    }
}

/// In a topic whatever replies to nothing "replies" to the topic's beginning.
fn begins_topic(message: &Message<'_>, quoted: &Fields<'_>) -> bool {
    let id: Option<i64> = quoted.maybe("message_id");
    quoted.has("forum_topic_created") || message.topic.is_some_and(|topic| Some(topic) == id)
}

fn is_ours(me: &Me, quoted: &Fields<'_>) -> Result<bool, Unread> {
    if quoted.get::<Fields<'_>>("sender_chat")?.is_some() {
        return Ok(false);
    }
    let from: Option<Fields<'_>> = quoted.get("from")?;
    from.map_or(Ok(false), |from| Ok(from.need::<i64>("id")? == me.id))
}

fn text(quoted: &Message<'_>) -> String {
    match content::of(&quoted.fields) {
        Ok(Content::Said(said)) if !said.text.is_empty() => said.text,
        Ok(Content::Said(said)) => {
            said.files.first().map(|file| format!("[{}]", file.kind.name())).unwrap_or_default()
        }
        _ => String::new(),
    }
}

fn author(origin: &Fields<'_>) -> Option<String> {
    match origin.maybe::<String>("type")?.as_str() {
        "user" => model::user(origin, "sender_user").ok()??.name,
        "hidden_user" => origin.maybe("sender_user_name"),
        "chat" => model::chat(origin, "sender_chat").ok()??.title,
        "channel" => model::chat(origin, "chat").ok()??.title,
        _ => None,
    }
}

fn cut(text: String) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => text[..end].to_owned(),
        None => text,
    }
}
