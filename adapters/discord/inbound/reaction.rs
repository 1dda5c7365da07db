//! Converts reactions to events.

use frontdesk_core::message::{Event, EventKind, Sender, SenderKind};
use frontdesk_kit::json::{FieldError, Fields};

use super::{Bot, Dispatch, Places, conversation, person};

/// The event of one reaction that was added or removed. Discord gives it no id, so it has that of its dispatch.
pub(super) fn event(
    bot: &Bot,
    places: &Places,
    dispatch: Dispatch<'_>,
    data: &Fields<'_>,
    is_new: bool,
) -> Result<Option<Event>, FieldError> {
    let person: String = data.need("user_id")?;
    if person == bot.id {
        return Ok(None);
    }
    let (channel, target): (String, String) = (data.need("channel_id")?, data.need("message_id")?);
    let place = match data.has("guild_id") {
        true => conversation::in_guild(bot, places, &channel)?,
        false => conversation::private(bot, &channel, &person)?,
    };
    // Only a reaction that was added in a guild says more about the person.
    let member: Option<Fields<'_>> = data.maybe("member");
    let user = member.as_ref().and_then(|member| member.maybe::<Fields<'_>>("user"));
    let sender = match user {
        Some(user) => person::of_user(bot, &user, member.as_ref())?,
        None => Sender::new(bot.principal(&person)?, SenderKind::Person),
    };
    let emoji = match data.need("emoji").and_then(|given| emoji(&given)) {
        Ok(emoji) => emoji,
        Err(FieldError(field)) => {
            let event = super::bare(dispatch.id, EventKind::Other("reaction".to_owned()), sender, place);
            let raw = super::raw_event(&dispatch.name.to_ascii_lowercase(), &field, dispatch.data);
            return Ok(Some(event.unreadable(raw, false)));
        }
    };
    let (added, removed) = if is_new { (vec![emoji], Vec::new()) } else { (Vec::new(), vec![emoji]) };
    let kind = EventKind::Reaction { target: target.clone(), added, removed };
    let mut event = super::bare(dispatch.id, kind, sender, place);
    event.platform_message = Some(target);
    Ok(Some(event))
}

/// An emoji as people write it: the character, or the name of a guild's own between colons.
fn emoji(emoji: &Fields<'_>) -> Result<String, FieldError> {
    let name: Option<String> = emoji.get("name")?;
    match (emoji.maybe::<String>("id"), name) {
        (None, Some(name)) => Ok(name),
        (Some(_), Some(name)) => Ok(format!(":{name}:")),
        // A guild's own that was deleted since.
        (Some(id), None) => Ok(format!(":{id}:")),
        (None, None) => Err(emoji.field_error("name")),
    }
}
