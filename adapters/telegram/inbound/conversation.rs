//! Where something happened: the address for the answer, and the conversation.

use frontdesk_core::address::Address;
use frontdesk_core::message::Conversation;

use super::Me;
use super::json::Unread;
use super::model::{Chat, ChatKind, Message};
use crate::outbound::GENERAL;

/// A place and the way to it.
pub(super) struct Spot {
    pub address: Address,
    pub conversation: Conversation,
}

/// Where a message stands.
pub(super) fn of_message(me: &Me, message: &Message<'_>) -> Result<Spot, Unread> {
    of(me, &message.chat, message.topic)
}

/// A chat, or a topic of it.
pub(super) fn of(me: &Me, chat: &Chat, topic: Option<i64>) -> Result<Spot, Unread> {
    // The topic "General" is the group itself, whether the update names it or not: one conversation, one address.
    let topic = topic.filter(|topic| *topic != i64::from(GENERAL) || chat.kind != Some(ChatKind::Group));
    let (id, topic) = (chat.id.to_string(), topic.map(|topic| topic.to_string()));
    let address = me.address(&id, topic.as_deref())?;
    let conversation = match (chat.kind.ok_or_else(|| Unread("chat.type".to_owned()))?, topic) {
        (ChatKind::Private, thread) => Conversation::Dm { chat: id, thread },
        (ChatKind::Channel, _) => Conversation::Channel { chat: id },
        (ChatKind::Group, Some(thread)) => Conversation::Topic { chat: id, thread },
        (ChatKind::Group, None) => Conversation::Group { chat: id },
    };
    Ok(Spot { address, conversation })
}

/// The stand-in for no place.
pub(super) fn nowhere(me: &Me) -> Result<Spot, Unread> {
    Ok(Spot { address: me.address("0", None)?, conversation: Conversation::Group { chat: "0".to_owned() } })
}
