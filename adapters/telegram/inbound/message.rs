//! A message or an edit as an event.

use frontdesk_core::message::{Event, EventKind, RawEvent, SenderKind};

use super::content::{self, Content, Said};
use super::json::{Fields, Unread};
use super::model::Message;
use super::{Me, conversation, forward, mention, person, quote};

/// The event of a new or an edited message. `raw` is the whole update.
pub(super) fn event(
    me: &Me,
    id: &str,
    fields: &Fields<'_>,
    edited: bool,
    raw: &str,
) -> Result<Event, Unread> {
    let message = Message::of(fields.clone())?;
    let (who, spot) = (person::of_message(me, &message)?, conversation::of_message(me, &message)?);
    let is_own =
        who.sender_kind == SenderKind::Bot && message.from.as_ref().is_some_and(|from| from.id == me.id);
    let mut event = super::bare(id, EventKind::Other("own".to_owned()), who, spot);
    event.platform_message = Some(message.id.to_string());
    event.sent_at = message.edit_date.filter(|_| edited).or(message.date);
    event.forward = forward::of(me, fields);
    event.addressed |= quote::is_to_us(me, &message)?;
    if is_own {
        return Ok(event);
    }
    let told = event.sender_kind == SenderKind::Person && !edited;
    event.kind = match content::of(fields)? {
        Content::Moved(to) => EventKind::Moved { to: to.to_string() },
        Content::Service(name) => EventKind::Other(name.to_owned()),
        Content::ForNoAgent(name) if told => EventKind::Unreadable { kind: name.to_owned(), told, raw: None },
        Content::ForNoAgent(name) => EventKind::Other(name.to_owned()),
        Content::Unknown(kind) => {
            let reason = format!("a message with {kind:?}, which this version does not know");
            let raw = RawEvent { kind: kind.clone(), reason, body: raw.as_bytes().to_vec() };
            EventKind::Unreadable { kind, told, raw: Some(raw) }
        }
        // It moves by itself all the time; nobody says anything.
        Content::Said(_) if edited && content::is_location(fields) => {
            EventKind::Other("live_location".to_owned())
        }
        Content::Said(said) => {
            event.quote = quote::of(me, &message);
            say(me, &mut event, said, edited)
        }
    };
    Ok(event)
}

fn say(me: &Me, event: &mut Event, said: Said, edited: bool) -> EventKind {
    event.attachments = said.files;
    event.album = said.album;
    event.links = said.links;
    let kind = if edited { EventKind::Edit } else { EventKind::Message };
    // Somebody else's words, passed on, speak to nobody here and command nothing.
    if event.forward.is_some() {
        event.text = said.text;
        return kind;
    }
    let heard = mention::hear(me, &said.text, &said.entities, said.is_caption);
    event.addressed |= heard.names_us;
    event.first_line = heard.first_line;
    event.text = heard.text;
    if heard.for_another { EventKind::Other("command_for_another_bot".to_owned()) } else { kind }
}
