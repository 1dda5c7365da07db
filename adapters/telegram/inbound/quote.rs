//! What a message replies to.

use frontdesk_core::message::Quote;
use teloxide_core::types::{Message, MessageKind, MessageOrigin, UserId};

use super::content::{self, Content};
use super::{Me, person};

/// The longest quoted text, in characters.
const LONGEST: usize = 1000;

/// What a message replies to, if it does.
pub(super) fn of(me: &Me, message: &Message) -> Option<Quote> {
    let MessageKind::Common(common) = &message.kind else { return None };
    let piece = common.quote.as_ref().map(|quote| quote.text.clone());
    if let Some(quoted) = replied(message) {
        let sender = quoted.sender_chat.as_ref().and_then(|chat| chat.title().map(str::to_owned));
        return Some(Quote {
            message: Some(quoted.id.to_string()),
            sender: sender.or_else(|| quoted.from.as_ref().and_then(person::name)),
            text: cut(piece.unwrap_or_else(|| text(quoted))),
            ours: is_ours(me, quoted),
        });
    }
    // A message of another chat: only what was quoted of it is shown.
    let piece = piece?;
    let sender = common.external_reply.as_ref().and_then(|reply| author(&reply.origin));
    Some(Quote { message: None, sender, text: cut(piece), ours: false })
}

/// Whether a message replies to one of ours.
pub(super) fn is_to_us(me: &Me, message: &Message) -> bool {
    replied(message).is_some_and(|quoted| is_ours(me, quoted))
}

/// The message that was replied to. In a topic whatever replies to nothing "replies" to the topic's beginning.
fn replied(message: &Message) -> Option<&Message> {
    let quoted = message.reply_to_message()?;
    let is_topic = matches!(quoted.kind, MessageKind::ForumTopicCreated(_))
        || message.is_topic_message && message.thread_id.is_some_and(|topic| topic.0 == quoted.id);
    (!is_topic).then_some(quoted)
}

fn is_ours(me: &Me, quoted: &Message) -> bool {
    quoted.sender_chat.is_none() && quoted.from.as_ref().is_some_and(|from| from.id == UserId(me.id))
}

fn text(quoted: &Message) -> String {
    match content::of(quoted) {
        Content::Said(said) if !said.text.is_empty() => said.text,
        Content::Said(said) => {
            said.files.first().map(|file| format!("[{}]", file.kind.name())).unwrap_or_default()
        }
        _ => String::new(),
    }
}

fn author(origin: &MessageOrigin) -> Option<String> {
    match origin {
        MessageOrigin::User { sender_user, .. } => person::name(sender_user),
        MessageOrigin::HiddenUser { sender_user_name, .. } => Some(sender_user_name.clone()),
        MessageOrigin::Chat { sender_chat: chat, .. } | MessageOrigin::Channel { chat, .. } => {
            chat.title().map(str::to_owned)
        }
    }
}

fn cut(text: String) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => text[..end].to_owned(),
        None => text,
    }
}
