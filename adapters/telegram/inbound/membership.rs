//! What became of our own membership in a chat.

use frontdesk_core::address::AddressError;
use frontdesk_core::message::{Event, EventKind};
use teloxide_core::types::ChatMemberUpdated;

use super::{Me, person, place};

/// Somebody let us in, or shut us out.
pub(super) fn event(me: &Me, id: i64, change: &ChatMemberUpdated) -> Result<Event, AddressError> {
    let was = change.old_chat_member.kind.is_present();
    let is = change.new_chat_member.kind.is_present();
    let name = match (change.chat.is_private(), was, is) {
        (true, _, false) => "blocked",
        (true, _, true) => "unblocked",
        (false, true, false) => "removed",
        (false, false, true) => "added",
        (false, _, _) => "rights_changed",
    };
    let (who, spot) = (person::of_user(me, &change.from)?, place::of(me, &change.chat, None)?);
    let mut event = super::event(id, EventKind::Other(name.to_owned()), who, spot);
    event.sent_at = Some(change.date);
    Ok(event)
}
