//! Who did something: an id that stays, and a name to show.

use frontdesk_core::address::{AddressError, Principal};
use frontdesk_core::message::SenderKind;

use super::Me;
use super::model::{Chat, Message, User};

/// Somebody.
pub(super) struct Who {
    pub principal: Principal,
    pub sender_kind: SenderKind,
    /// Display data.
    pub name: Option<String>,
}

/// Who sent a message. What a chat sends has a stand-in for a person in `from`, the same for all chats: it is
/// nobody, and has nobody's rights.
pub(super) fn of_message(me: &Me, message: &Message<'_>) -> Result<Who, AddressError> {
    match (&message.sender_chat, &message.from) {
        (Some(chat), _) => of_chat(me, chat),
        (None, Some(user)) => of_user(me, user),
        (None, None) => of_chat(me, &message.chat),
    }
}

/// A person or a program.
pub(super) fn of_user(me: &Me, user: &User) -> Result<Who, AddressError> {
    let sender_kind = if user.is_bot { SenderKind::Bot } else { SenderKind::Person };
    Ok(Who { principal: me.principal(user.id)?, sender_kind, name: user.name.clone() })
}

/// A chat that speaks for itself.
pub(super) fn of_chat(me: &Me, chat: &Chat) -> Result<Who, AddressError> {
    Ok(Who { principal: me.principal(chat.id)?, sender_kind: SenderKind::Chat, name: chat.name.clone() })
}

/// The stand-in for nobody.
pub(super) fn nobody(me: &Me) -> Result<Who, AddressError> {
    Ok(Who { principal: me.principal(0)?, sender_kind: SenderKind::Chat, name: None })
}
