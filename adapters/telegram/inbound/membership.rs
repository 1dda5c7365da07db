//! Converts changes of the bot's own membership in a chat.

use frontdesk_core::message::{Event, EventKind};

use super::model::{self, ChatKind};
use super::{Bot, conversation, person};
use frontdesk_kit::json::{FieldError, Fields};

/// The bot was added, removed, blocked or unblocked.
pub(super) fn event(bot: &Bot, id: &str, change: &Fields<'_>) -> Result<Event, FieldError> {
    let chat = model::chat(change, "chat")?.ok_or_else(|| change.field_error("chat"))?;
    let from = model::user(change, "from")?.ok_or_else(|| change.field_error("from"))?;
    let (was, is) = (is_present(change, "old_chat_member")?, is_present(change, "new_chat_member")?);
    let name = match (chat.kind == Some(ChatKind::Private), was, is) {
        (true, _, false) => "blocked",
        (true, _, true) => "unblocked",
        (false, true, false) => "removed",
        (false, false, true) => "added",
        (false, _, _) => "rights_changed",
    };
    let (sender, event_chat) = (person::of_user(bot, &from)?, conversation::of(bot, &chat, None)?);
    let mut event = super::bare(id, EventKind::Other(name.to_owned()), sender, event_chat);
    event.sent_at = model::date(change, "date");
    Ok(event)
}

/// Whether a member is in the chat, in any role.
fn is_present(change: &Fields<'_>, name: &str) -> Result<bool, FieldError> {
    let member: Fields<'_> = change.need(name)?;
    Ok(match member.need::<String>("status")?.as_str() {
        "left" | "kicked" => false,
        "restricted" => member.maybe("is_member").unwrap_or(true),
        _ => true,
    })
}
