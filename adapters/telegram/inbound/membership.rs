//! What became of our own membership in a chat.

use frontdesk_core::message::{Event, EventKind};

use super::json::{Fields, Unread};
use super::model::{self, ChatKind};
use super::{Me, conversation, person};

/// Somebody let us in, or shut us out.
pub(super) fn event(me: &Me, id: &str, change: &Fields<'_>) -> Result<Event, Unread> {
    let chat = model::chat(change, "chat")?.ok_or_else(|| change.unread("chat"))?;
    let from = model::user(change, "from")?.ok_or_else(|| change.unread("from"))?;
    let (was, is) = (is_present(change, "old_chat_member")?, is_present(change, "new_chat_member")?);
    let name = match (chat.kind == Some(ChatKind::Private), was, is) {
        (true, _, false) => "blocked",
        (true, _, true) => "unblocked",
        (false, true, false) => "removed",
        (false, false, true) => "added",
        (false, _, _) => "rights_changed",
    };
    let (who, spot) = (person::of_user(me, &from)?, conversation::of(me, &chat, None)?);
    let mut event = super::bare(id, EventKind::Other(name.to_owned()), who, spot);
    event.sent_at = model::date(change, "date");
    Ok(event)
}

/// Whether a member is in the chat, in whatever role.
fn is_present(change: &Fields<'_>, name: &str) -> Result<bool, Unread> {
    let member: Fields<'_> = change.need(name)?;
    Ok(match member.need::<String>("status")?.as_str() {
        "left" | "kicked" => false,
        "restricted" => member.maybe("is_member").unwrap_or(true),
        _ => true,
    })
}
