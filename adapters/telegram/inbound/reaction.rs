//! A changed reaction as an event.

use frontdesk_core::address::AddressError;
use frontdesk_core::message::{Event, EventKind};
use teloxide_core::types::{MaybeAnonymousUser, MessageReactionUpdated, ReactionType};

use super::{Me, person, place};

/// Somebody put marks on a message or took some back. Telegram does not say in which topic the message stands,
/// nor whose it is.
pub(super) fn event(me: &Me, id: i64, change: &MessageReactionUpdated) -> Result<Event, AddressError> {
    let who = match &change.actor {
        MaybeAnonymousUser::User(user) => person::of_user(me, user)?,
        MaybeAnonymousUser::Chat(chat) => person::of_chat(me, chat)?,
    };
    let but = |these: &[ReactionType], those: &[ReactionType]| {
        these.iter().filter(|mark| !those.contains(mark)).map(mark).collect()
    };
    let target = change.message_id.to_string();
    let kind = EventKind::Reaction {
        target: target.clone(),
        added: but(&change.new_reaction, &change.old_reaction),
        removed: but(&change.old_reaction, &change.new_reaction),
    };
    let mut event = super::event(id, kind, who, place::of(me, &change.chat, None)?);
    event.platform_message = Some(target);
    event.sent_at = Some(change.date);
    Ok(event)
}

fn mark(mark: &ReactionType) -> String {
    match mark {
        ReactionType::Emoji { emoji } => emoji.clone(),
        ReactionType::CustomEmoji { custom_emoji_id } => custom_emoji_id.to_string(),
        ReactionType::Paid => "paid".to_owned(),
    }
}
