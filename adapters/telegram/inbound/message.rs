//! A message or an edit as an event.

use frontdesk_core::address::AddressError;
use frontdesk_core::message::{Event, EventKind, Speaker};
use teloxide_core::types::{MediaKind, Message, MessageKind, UserId};

use super::content::{self, Content, Said};
use super::{Me, mention, person, place, quote};

/// How a message came.
#[derive(Debug, Clone, Copy)]
pub(super) struct Way {
    /// As a new text of an earlier one.
    pub edited: bool,
    /// With somebody else's words.
    pub passed_on: bool,
}

/// What somebody said. `strange` is the name of what this version does not know.
pub(super) fn event(
    me: &Me,
    id: i64,
    message: &Message,
    way: Way,
    strange: Option<String>,
) -> Result<Event, AddressError> {
    let Way { edited, passed_on } = way;
    let (who, spot) = (person::of_message(me, message)?, place::of_message(me, message)?);
    let is_own =
        who.speaker == Speaker::Bot && message.from.as_ref().is_some_and(|from| from.id == UserId(me.id));
    let mut event = super::event(id, EventKind::Other("own".to_owned()), who, spot);
    event.platform_message = Some(message.id.to_string());
    event.sent_at = Some(message.edit_date().copied().filter(|_| edited).unwrap_or(message.date));
    event.forwarded = passed_on;
    event.addressed |= quote::is_to_us(me, message);
    if is_own {
        return Ok(event);
    }
    let for_person = event.speaker == Speaker::Person && !edited;
    event.kind = match content::of(message) {
        Content::Moved(to) => EventKind::Moved { to: to.to_string() },
        Content::Service(name) => EventKind::Other(name.to_owned()),
        Content::Unreadable(name) if for_person => EventKind::Unreadable(name.to_owned()),
        Content::Unreadable(name) => EventKind::Other(name.to_owned()),
        Content::Strange => {
            let name = strange.unwrap_or_else(|| "unknown".to_owned());
            if for_person { EventKind::Unreadable(name) } else { EventKind::Other(name) }
        }
        // It moves by itself all the time; nobody says anything.
        Content::Said(_) if edited && is_location(message) => EventKind::Other("live_location".to_owned()),
        Content::Said(said) => {
            event.quote = quote::of(me, message);
            say(me, &mut event, said, edited)
        }
    };
    Ok(event)
}

fn say(me: &Me, event: &mut Event, said: Said<'_>, edited: bool) -> EventKind {
    event.attachments = said.files;
    event.album = said.album;
    let kind = if edited { EventKind::Edit } else { EventKind::Message };
    // Somebody else's words, passed on, speak to nobody here and command nothing.
    if event.forwarded {
        event.text = said.text;
        return kind;
    }
    let heard = mention::hear(me, &said.text, said.entities);
    event.addressed |= heard.names_us;
    event.text = heard.text;
    if heard.for_another { EventKind::Other("command_for_another_bot".to_owned()) } else { kind }
}

fn is_location(message: &Message) -> bool {
    matches!(&message.kind, MessageKind::Common(common) if matches!(common.media_kind, MediaKind::Location(_)))
}
