//! Converts changed reactions to events.

use frontdesk_core::message::{Event, EventKind};

use super::{Bot, conversation, model, person};
use frontdesk_kit::json::{FieldError, Fields};

/// Somebody added or removed reactions. Telegram says neither in which topic the message is, nor whose it is.
pub(super) fn event(bot: &Bot, id: &str, change: &Fields<'_>) -> Result<Event, FieldError> {
    let sender = match (model::chat(change, "actor_chat")?, model::user(change, "user")?) {
        (Some(chat), _) => person::of_chat(bot, &chat)?,
        (None, Some(user)) => person::of_user(bot, &user)?,
        (None, None) => return Err(change.field_error("user")),
    };
    let chat = model::chat(change, "chat")?.ok_or_else(|| change.field_error("chat"))?;
    let (old, new) = (marks(change, "old_reaction")?, marks(change, "new_reaction")?);
    let but = |these: &[String], those: &[String]| {
        these.iter().filter(|mark| !those.contains(mark)).cloned().collect()
    };
    let target = change.need::<i64>("message_id")?.to_string();
    let kind =
        EventKind::Reaction { target: target.clone(), added: but(&new, &old), removed: but(&old, &new) };
    let mut event = super::bare(id, kind, sender, conversation::of(bot, &chat, None)?);
    event.platform_message = Some(target);
    event.sent_at = model::date(change, "date");
    Ok(event)
}

/// The reactions in a list. Unknown kinds are left out.
fn marks(change: &Fields<'_>, name: &str) -> Result<Vec<String>, FieldError> {
    let mut marks = Vec::new();
    for mark in change.list::<Fields<'_>>(name)? {
        marks.extend(match mark.need::<String>("type")?.as_str() {
            "emoji" => Some(mark.need("emoji")?),
            "custom_emoji" => Some(mark.need("custom_emoji_id")?),
            "paid" => Some("paid".to_owned()),
            _ => None,
        });
    }
    Ok(marks)
}
