//! Converts messages and edits to events.

use frontdesk_core::message::{Event, EventKind, RawEvent, SenderKind};

use super::content::{self, Content, MessageContent};
use super::model::Message;
use super::{Bot, conversation, forward, mention, person, quote};
use frontdesk_kit::json::{FieldError, Fields};

/// The event of a new or edited message. `raw` is the whole update.
pub(super) fn event(
    bot: &Bot,
    id: &str,
    fields: &Fields<'_>,
    edited: bool,
    raw: &str,
) -> Result<Event, FieldError> {
    let message = Message::of(fields.clone())?;
    let (sender, event_chat) = (person::of_message(bot, &message)?, conversation::of_message(bot, &message)?);
    let is_own =
        sender.kind == SenderKind::Bot && message.from.as_ref().is_some_and(|from| from.id == bot.id);
    let mut event = super::bare(id, EventKind::Other("own".to_owned()), sender, event_chat);
    event.platform_message = Some(message.id.to_string());
    event.sent_at = message.edit_date.filter(|_| edited).or(message.date);
    event.forward = forward::of(bot, fields);
    if is_own {
        return Ok(event);
    }
    let notify_sender = event.from.kind == SenderKind::Person && !edited;
    match complete(bot, &mut event, &message, (edited, notify_sender), raw) {
        Ok(()) => Ok(event),
        Err(FieldError(field)) => {
            let raw = super::raw_event(Fields::of(raw, "").as_ref(), &field, raw);
            Ok(event.unreadable(raw, notify_sender))
        }
    }
}

/// Reads the contents of a message whose sender and chat are known.
fn complete(
    bot: &Bot,
    event: &mut Event,
    message: &Message<'_>,
    (edited, notify_sender): (bool, bool),
    raw: &str,
) -> Result<(), FieldError> {
    let fields = &message.fields;
    event.addressed |= quote::is_to_us(bot, message)?;
    event.kind = match content::of(fields)? {
        Content::Moved(to) => EventKind::Moved { to: to.to_string() },
        Content::Service(name) => EventKind::Other(name.to_owned()),
        Content::ForNoAgent(name) if notify_sender => {
            EventKind::Unreadable { kind: name.to_owned(), notify_sender, raw: None }
        }
        Content::ForNoAgent(name) => EventKind::Other(name.to_owned()),
        Content::Unknown(kind) => {
            let reason = format!("a message with {kind:?}, which this version does not know");
            let raw = RawEvent { kind: kind.clone(), reason, body: raw.as_bytes().to_vec() };
            EventKind::Unreadable { kind, notify_sender, raw: Some(raw) }
        }
        // A live location changes continuously. These edits are not messages.
        Content::Message(_) if edited && content::is_location(fields) => {
            EventKind::Other("live_location".to_owned())
        }
        Content::Message(content) => {
            event.quote = quote::of(bot, message);
            say(bot, event, content, edited)
        }
    };
    Ok(())
}

fn say(bot: &Bot, event: &mut Event, content: MessageContent, edited: bool) -> EventKind {
    event.attachments = content.files;
    event.album = content.album;
    event.links = content.links;
    let kind = if edited { EventKind::Edit } else { EventKind::Message };
    // Forwarded text neither mentions the bot nor contains commands.
    if event.forward.is_some() {
        event.text = content.text;
        return kind;
    }
    let result = mention::parse_addressing(bot, &content.text, &content.entities, content.is_caption);
    event.addressed |= result.mentions_bot;
    event.first_line = result.first_line;
    event.text = result.text;
    if result.for_other_bot { EventKind::Other("command_for_another_bot".to_owned()) } else { kind }
}
