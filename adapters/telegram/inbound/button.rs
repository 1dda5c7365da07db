//! A pressed button as an event.

use frontdesk_core::message::{Event, EventKind};

use super::json::{Fields, Unread};
use super::{Me, conversation, model, person};

/// Somebody pressed a button.
pub(super) fn event(me: &Me, id: &str, query: &Fields<'_>) -> Result<Event, Unread> {
    let from = model::user(query, "from")?.ok_or_else(|| query.unread("from"))?;
    let who = person::of_user(me, &from)?;
    let (carrier, data) = (query.get::<Fields<'_>>("message")?, query.get::<String>("data")?);
    let (Some(carrier), Some(data)) = (carrier, data) else {
        // A button of a game, or of a message that was sent through us into a chat that we are not in.
        return Ok(super::bare(
            id,
            EventKind::Other("callback_without_message".to_owned()),
            who,
            conversation::nowhere(me)?,
        ));
    };
    // Of the message nothing but where it is counts: it may be one that cannot be read any more.
    let chat = model::chat(&carrier, "chat")?.ok_or_else(|| carrier.unread("chat"))?;
    let spot = conversation::of(me, &chat, model::topic(&carrier)?)?;
    let target = carrier.need::<i64>("message_id")?.to_string();
    let mut event = super::bare(id, EventKind::Button { target: Some(target.clone()) }, who, spot);
    event.text = data;
    event.platform_message = Some(target);
    event.addressed = true;
    Ok(event)
}
