//! The chat of an event: the address for the answer, and the conversation.

use frontdesk_core::address::Address;
use frontdesk_core::message::Conversation;

use super::Bot;
use super::model::{Chat, ChatKind, Message};
use crate::destination::GENERAL;
use frontdesk_kit::json::FieldError;

/// The address and the conversation of an event.
pub(super) struct EventChat {
    pub address: Address,
    pub conversation: Conversation,
}

/// The chat or topic of a message.
pub(super) fn of_message(bot: &Bot, message: &Message<'_>) -> Result<EventChat, FieldError> {
    of(bot, &message.chat, message.topic)
}

/// A chat, or a topic of it.
pub(super) fn of(bot: &Bot, chat: &Chat, topic: Option<i64>) -> Result<EventChat, FieldError> {
    // The topic "General" is the group itself, whether the update names it or not: one conversation, one address.
    let topic = topic.filter(|topic| *topic != i64::from(GENERAL) || chat.kind != Some(ChatKind::Group));
    let (id, topic) = (chat.id.to_string(), topic.map(|topic| topic.to_string()));
    let address = bot.address(&id, topic.as_deref())?;
    let conversation = match (chat.kind.ok_or_else(|| FieldError("chat.type".to_owned()))?, topic) {
        (ChatKind::Private, thread) => Conversation::Dm { chat: id, thread },
        (ChatKind::Channel, _) => Conversation::Channel { chat: id },
        (ChatKind::Group, Some(thread)) => Conversation::Topic { chat: id, thread },
        (ChatKind::Group, None) => Conversation::Group { chat: id },
    };
    Ok(EventChat { address, conversation })
}

/// A placeholder for events without a chat.
pub(super) fn unknown_chat(bot: &Bot) -> Result<EventChat, FieldError> {
    Ok(EventChat {
        address: bot.address("0", None)?,
        conversation: Conversation::Group { chat: "0".to_owned() },
    })
}
