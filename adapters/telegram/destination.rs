//! Where a delivery or a signal goes on Telegram: a chat, a topic, a message.

use frontdesk_core::address::Address;
use frontdesk_core::delivery::SendError;
use teloxide_core::types::{ChatId, MessageId, ThreadId};

/// The number of the topic "General" of every forum, which some clients and updates give. For the Bot API this topic is
/// the chat without a topic, and it refuses the number.
pub(crate) const GENERAL: i32 = 1;

/// A chat, or a topic of it, as Telegram's methods take it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chat {
    pub id: ChatId,
    pub topic: Option<ThreadId>,
}

impl Chat {
    /// Only numbers are accepted, because a user name may pass from one chat to another.
    pub(crate) fn of(address: &Address) -> Result<Self, SendError> {
        let id = number(address.chat(), "a chat's id")?;
        let topic = address.thread().map(|topic| number(topic, "a topic's id")).transpose()?;
        // Ids of groups are negative; topics of private chats are numbered differently.
        let topic = topic.filter(|topic| *topic != GENERAL || id > 0);
        Ok(Self { id: ChatId(id), topic: topic.map(|topic| ThreadId(MessageId(topic))) })
    }
}

/// The id of a message.
pub(crate) fn message_id(target: &str) -> Result<MessageId, SendError> {
    number(target, "a message's id").map(MessageId)
}

fn number<N: std::str::FromStr>(text: &str, what: &str) -> Result<N, SendError> {
    text.parse().map_err(|_| SendError::Refused(format!("{text:?} is not {what} of Telegram").into()))
}
