//! Who did something: an id that stays, and a name to show.

use frontdesk_core::address::{AddressError, Principal};
use frontdesk_core::message::Speaker;
use teloxide_core::types::{Chat, Message, User};

use super::Me;

/// Somebody.
pub(super) struct Who {
    pub principal: Principal,
    pub speaker: Speaker,
    /// Display data.
    pub name: Option<String>,
}

/// Who sent a message. What a chat sends has a stand-in for a person in `from`, the same for all chats: it is
/// nobody, and has nobody's rights.
pub(super) fn of_message(me: &Me, message: &Message) -> Result<Who, AddressError> {
    match (&message.sender_chat, &message.from) {
        (Some(chat), _) => of_chat(me, chat),
        (None, Some(user)) => of_user(me, user),
        (None, None) => of_chat(me, &message.chat),
    }
}

/// A person or a program.
pub(super) fn of_user(me: &Me, user: &User) -> Result<Who, AddressError> {
    let speaker = if user.is_bot { Speaker::Bot } else { Speaker::Person };
    Ok(Who { principal: me.principal(user.id)?, speaker, name: name(user) })
}

/// A chat that speaks for itself.
pub(super) fn of_chat(me: &Me, chat: &Chat) -> Result<Who, AddressError> {
    let name = chat.title().map(str::to_owned).or_else(|| chat.username().map(|name| format!("@{name}")));
    Ok(Who { principal: me.principal(chat.id)?, speaker: Speaker::Chat, name })
}

/// How a person is shown.
pub(super) fn name(user: &User) -> Option<String> {
    let full = user.full_name();
    match full.trim() {
        "" => user.username.as_ref().map(|name| format!("@{name}")),
        full => Some(full.to_owned()),
    }
}
