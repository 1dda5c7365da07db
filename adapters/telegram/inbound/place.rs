//! Where something happened: the address for the answer, and the conversation.

use frontdesk_core::address::{Address, AddressError};
use frontdesk_core::message::Place;
use teloxide_core::types::{Chat, ChatKind, Message, PublicChatKind};

use super::Me;

/// A place and the way to it.
pub(super) struct Spot {
    pub address: Address,
    pub place: Place,
}

/// Where a message stands. Replies make threads of their own in groups without topics; those are none.
pub(super) fn of_message(me: &Me, message: &Message) -> Result<Spot, AddressError> {
    let topic = message.thread_id.filter(|_| message.is_topic_message);
    of(me, &message.chat, topic.map(|topic| topic.to_string()))
}

/// A chat, or a topic of it.
pub(super) fn of(me: &Me, chat: &Chat, topic: Option<String>) -> Result<Spot, AddressError> {
    let id = chat.id.to_string();
    let address = me.address(&id, topic.as_deref())?;
    let place = match (&chat.kind, topic) {
        (ChatKind::Private(_), topic) => Place::Dm { chat: id, thread: topic },
        (ChatKind::Public(public), topic) => match (&public.kind, topic) {
            (PublicChatKind::Channel(_), _) => Place::Channel { chat: id },
            (_, Some(thread)) => Place::Topic { chat: id, thread },
            (_, None) => Place::Group { chat: id },
        },
    };
    Ok(Spot { address, place })
}
