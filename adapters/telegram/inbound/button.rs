//! A pressed button as an event.

use frontdesk_core::address::AddressError;
use frontdesk_core::message::{Event, EventKind};
use teloxide_core::types::{CallbackQuery, MaybeInaccessibleMessage};

use super::{Me, person, place};

/// Somebody pressed a button.
pub(super) fn event(me: &Me, id: i64, query: &CallbackQuery) -> Result<Event, AddressError> {
    let who = person::of_user(me, &query.from)?;
    let (Some(carrier), Some(data)) = (&query.message, &query.data) else {
        // A button of a game, or of a message that was sent through us into a chat that we are not in.
        let mut event = super::unknown(me, id, "callback_without_message".to_owned())?;
        (event.principal, event.speaker, event.sender) = (who.principal, who.speaker, who.name);
        return Ok(event);
    };
    let spot = match carrier {
        MaybeInaccessibleMessage::Regular(message) => place::of_message(me, message)?,
        MaybeInaccessibleMessage::Inaccessible(message) => place::of(me, &message.chat, None)?,
    };
    let target = carrier.id().to_string();
    let mut event = super::event(id, EventKind::Button { target: Some(target.clone()) }, who, spot);
    event.text = data.clone();
    event.platform_message = Some(target);
    event.addressed = true;
    Ok(event)
}
