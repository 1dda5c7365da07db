//! The message that another message replies to.

use frontdesk_core::message::{Attachment, Quote};

use super::content::{self, Content, MessageContent};
use super::model::{ChatKind, Message};
use super::{Bot, forward, person};
use frontdesk_kit::json::{FieldError, Fields};

/// The maximum length of a quoted text, in characters.
const LONGEST: usize = 1000;

/// The message that this one replies to, if there is one and it can be read.
pub(super) fn of(bot: &Bot, message: &Message<'_>) -> Option<Quote> {
    let piece = message.fields.maybe::<Fields<'_>>("quote").and_then(|quote| quote.maybe::<String>("text"));
    let quoted = message.fields.maybe("reply_to_message").filter(|quoted| !begins_topic(message, quoted));
    if let Some(quoted) = quoted.and_then(|quoted| Message::of(quoted).ok()) {
        let who = person::of_message(bot, &quoted).ok();
        let content = match content::of(&quoted.fields) {
            Ok(Content::Message(content)) => content,
            _ => MessageContent::default(),
        };
        return Some(Quote {
            message: Some(quoted.id.to_string()),
            id: who.as_ref().map(|who| who.id.clone()),
            sender: who.and_then(|who| who.name),
            text: cut(piece.unwrap_or_else(|| text(&content))),
            links: content.links,
            attachments: content.files,
            ours: is_ours(bot, &quoted.fields).unwrap_or(false),
        });
    }
    // A message of another chat: only the quoted part of its text and its file are available.
    let elsewhere: Option<Fields<'_>> = message.fields.maybe("external_reply");
    let file = elsewhere.as_ref().and_then(|reply| content::attachment(reply).ok().flatten());
    let attachments: Vec<Attachment> = file.into_iter().collect();
    if piece.is_none() && attachments.is_empty() {
        return None;
    }
    let origin = elsewhere.and_then(|reply| reply.maybe("origin"));
    let (id, sender) = origin
        .and_then(|origin| forward::of_origin(bot, &origin))
        .map_or((None, None), |origin| (origin.id, origin.name));
    let text = cut(piece.unwrap_or_else(|| named(&attachments)));
    Some(Quote { id, sender, attachments, ..Quote::of(text) })
}

/// Whether a message replies to one of the bot's. Not needed in a private chat.
pub(super) fn is_to_us(bot: &Bot, message: &Message<'_>) -> Result<bool, FieldError> {
    if message.chat.kind == Some(ChatKind::Private) {
        return Ok(false);
    }
    match message.fields.get::<Fields<'_>>("reply_to_message")? {
        Some(quoted) if !begins_topic(message, &quoted) => is_ours(bot, &quoted),
        _ => Ok(false),
    }
}

/// In a topic, a message that is not a reply has the topic's first message in `reply_to_message`.
fn begins_topic(message: &Message<'_>, quoted: &Fields<'_>) -> bool {
    let id: Option<i64> = quoted.maybe("message_id");
    quoted.has("forum_topic_created") || message.topic.is_some_and(|topic| Some(topic) == id)
}

fn is_ours(bot: &Bot, quoted: &Fields<'_>) -> Result<bool, FieldError> {
    if quoted.get::<Fields<'_>>("sender_chat")?.is_some() {
        return Ok(false);
    }
    let from: Option<Fields<'_>> = quoted.get("from")?;
    from.map_or(Ok(false), |from| Ok(from.need::<i64>("id")? == bot.id))
}

fn text(content: &MessageContent) -> String {
    if content.text.is_empty() { named(&content.files) } else { content.text.clone() }
}

fn named(files: &[Attachment]) -> String {
    files.first().map(|file| format!("[{}]", file.kind.name())).unwrap_or_default()
}

fn cut(text: String) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => text[..end].to_owned(),
        None => text,
    }
}
