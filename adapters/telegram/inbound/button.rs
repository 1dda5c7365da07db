//! Converts callback queries (pressed buttons) to events.

use frontdesk_core::message::{Event, EventKind};

use super::{Bot, conversation, model, person};
use frontdesk_kit::json::{FieldError, Fields};

/// Converts a callback query.
pub(super) fn event(bot: &Bot, id: &str, query: &Fields<'_>) -> Result<Event, FieldError> {
    let from = model::user(query, "from")?.ok_or_else(|| query.field_error("from"))?;
    let sender = person::of_user(bot, &from)?;
    let (carrier, data) = (query.get::<Fields<'_>>("message")?, query.get::<String>("data")?);
    let (Some(carrier), Some(data)) = (carrier, data) else {
        // A button of a game, or of a message sent via the bot into a chat that the bot is not in.
        return Ok(super::bare(
            id,
            EventKind::Other("callback_without_message".to_owned()),
            sender,
            conversation::unknown_chat(bot)?,
        ));
    };
    // Only the chat of the message matters, because the message itself may not be accessible any more.
    let chat = model::chat(&carrier, "chat")?.ok_or_else(|| carrier.field_error("chat"))?;
    let event_chat = conversation::of(bot, &chat, model::topic(&carrier)?)?;
    let target = carrier.need::<i64>("message_id")?.to_string();
    let mut event = super::bare(id, EventKind::Button { target: Some(target.clone()) }, sender, event_chat);
    event.text = data;
    event.platform_message = Some(target);
    event.addressed = true;
    Ok(event)
}
