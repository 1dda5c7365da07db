//! The chat of an event: the address for the answer, and the conversation.

use frontdesk_core::address::{Address, AddressError};
use frontdesk_core::message::Conversation;

use super::{Bot, Places};

/// The address and the conversation of an event.
pub(super) struct EventPlace {
    pub address: Address,
    pub conversation: Conversation,
}

/// A private chat: its conversation is the person's, and answers go to its channel.
pub(super) fn private(bot: &Bot, channel: &str, person: &str) -> Result<EventPlace, AddressError> {
    let conversation = Conversation::Dm { chat: person.to_owned(), thread: None };
    Ok(EventPlace { address: bot.address(channel, None)?, conversation })
}

/// A channel of a guild, or a thread in one.
pub(super) fn in_guild(bot: &Bot, places: &Places, channel: &str) -> Result<EventPlace, AddressError> {
    of_channel(bot, channel, places.parent(channel))
}

/// A channel with its parent, if it is a thread.
pub(super) fn of_channel(bot: &Bot, channel: &str, parent: Option<&str>) -> Result<EventPlace, AddressError> {
    Ok(match parent {
        Some(parent) => EventPlace {
            address: bot.address(parent, Some(channel))?,
            conversation: Conversation::Thread { chat: parent.to_owned(), thread: channel.to_owned() },
        },
        None => EventPlace {
            address: bot.address(channel, None)?,
            conversation: Conversation::Channel { chat: channel.to_owned() },
        },
    })
}
