//! The sender of an event: a stable id and a display name.

use frontdesk_core::address::AddressError;
use frontdesk_core::message::{Sender, SenderKind};

use super::Bot;
use super::model::{Chat, Message, User};

/// The sender of a message. A message that was sent in the name of a chat has a placeholder in `from`, the same for all
/// chats. The chat is the sender then, and has no person's rights.
pub(super) fn of_message(bot: &Bot, message: &Message<'_>) -> Result<Sender, AddressError> {
    match (&message.sender_chat, &message.from) {
        (Some(chat), _) => of_chat(bot, chat),
        (None, Some(user)) => of_user(bot, user),
        (None, None) => of_chat(bot, &message.chat),
    }
}

/// A person or a bot.
pub(super) fn of_user(bot: &Bot, user: &User) -> Result<Sender, AddressError> {
    let kind = if user.is_bot { SenderKind::Bot } else { SenderKind::Person };
    Ok(Sender { name: user.name.clone(), ..Sender::new(bot.principal(user.id)?, kind) })
}

/// A chat that posts in its own name.
pub(super) fn of_chat(bot: &Bot, chat: &Chat) -> Result<Sender, AddressError> {
    Ok(Sender { name: chat.name.clone(), ..Sender::new(bot.principal(chat.id)?, SenderKind::Chat) })
}

/// A placeholder for events without a sender.
pub(super) fn unknown_sender(bot: &Bot) -> Result<Sender, AddressError> {
    Ok(Sender::new(bot.principal(0)?, SenderKind::Chat))
}
