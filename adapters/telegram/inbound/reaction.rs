//! A changed reaction as an event.

use frontdesk_core::message::{Event, EventKind};

use super::json::{Fields, Unread};
use super::{Me, conversation, model, person};

/// Somebody put marks on a message or took some back. Telegram does not say in which topic the message stands,
/// nor whose it is.
pub(super) fn event(me: &Me, id: &str, change: &Fields<'_>) -> Result<Event, Unread> {
    let who = match (model::chat(change, "actor_chat")?, model::user(change, "user")?) {
        (Some(chat), _) => person::of_chat(me, &chat)?,
        (None, Some(user)) => person::of_user(me, &user)?,
        (None, None) => return Err(change.unread("user")),
    };
    let chat = model::chat(change, "chat")?.ok_or_else(|| change.unread("chat"))?;
    let (old, new) = (marks(change, "old_reaction")?, marks(change, "new_reaction")?);
    let but = |these: &[String], those: &[String]| {
        these.iter().filter(|mark| !those.contains(mark)).cloned().collect()
    };
    let target = change.need::<i64>("message_id")?.to_string();
    let kind =
        EventKind::Reaction { target: target.clone(), added: but(&new, &old), removed: but(&old, &new) };
    let mut event = super::bare(id, kind, who, conversation::of(me, &chat, None)?);
    event.platform_message = Some(target);
    event.sent_at = model::date(change, "date");
    Ok(event)
}

/// The marks of one list. Those of a kind to come do not hide the others.
fn marks(change: &Fields<'_>, name: &str) -> Result<Vec<String>, Unread> {
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
