//! Converts messages and edits to events.

use chrono::{DateTime, Utc};
use frontdesk_core::message::{Conversation, Event, EventKind, RawEvent, SenderKind};
use frontdesk_kit::json::{FieldError, Fields};
use serenity::model::channel::{MessageFlags, MessageType};

use super::conversation::EventPlace;
use super::{Bot, Places, content, conversation, forward, person, quote};

/// How a message has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Created,
    Updated,
    /// From the history of a channel, where it names no guild: the message, or its last change.
    History {
        in_guild: bool,
        is_edit: bool,
    },
}

impl Way {
    fn is_edit(self) -> bool {
        matches!(self, Way::Updated | Way::History { is_edit: true, .. })
    }
}

/// The event of a new message.
pub(super) fn created(
    bot: &Bot,
    places: &Places,
    message: &Fields<'_>,
    raw: &str,
) -> Result<Option<Event>, FieldError> {
    event(bot, places, message, raw, Way::Created)
}

/// The event of a changed message. Without a time of editing only a preview was added, or a pin.
pub(super) fn updated(
    bot: &Bot,
    places: &Places,
    message: &Fields<'_>,
    raw: &str,
) -> Result<Option<Event>, FieldError> {
    if !was_edited(message) {
        return Ok(None);
    }
    event(bot, places, message, raw, Way::Updated)
}

fn was_edited(message: &Fields<'_>) -> bool {
    message.maybe::<String>("edited_timestamp").is_some()
}

/// The events of a message that was missed, or whose last change was: which of both is found out where they are stored,
/// because their ids are those that they would have had.
pub(super) fn from_history(
    bot: &Bot,
    places: &Places,
    message: &Fields<'_>,
    raw: &str,
    in_guild: bool,
) -> Result<Vec<Event>, FieldError> {
    let way = |is_edit| Way::History { in_guild, is_edit };
    let mut events: Vec<Event> = event(bot, places, message, raw, way(false))?.into_iter().collect();
    if was_edited(message) {
        events.extend(event(bot, places, message, raw, way(true))?);
    }
    Ok(events)
}

fn event(
    bot: &Bot,
    places: &Places,
    message: &Fields<'_>,
    raw: &str,
    way: Way,
) -> Result<Option<Event>, FieldError> {
    let flags = MessageFlags::from_bits_truncate(message.maybe("flags").unwrap_or_default());
    // What only one person sees looks like a private message.
    if flags.contains(MessageFlags::EPHEMERAL) {
        return Ok(None);
    }
    let sender = person::of_message(bot, message)?;
    if sender.id.id() == bot.id {
        return Ok(None);
    }
    let id: String = message.need("id")?;
    let channel: String = message.need("channel_id")?;
    let in_guild = match way {
        Way::History { in_guild, .. } => in_guild,
        Way::Created | Way::Updated => message.has("guild_id"),
    };
    let place: EventPlace = match in_guild {
        true => conversation::in_guild(bot, places, &channel)?,
        false => conversation::private(bot, &channel, sender.id.id())?,
    };
    let edited = message.maybe::<String>("edited_timestamp").filter(|_| way.is_edit());
    let event_id = edited.as_ref().map_or_else(|| id.clone(), |edited| format!("{id}/{edited}"));
    let mut event = super::bare(&event_id, EventKind::Other("system_message".to_owned()), sender, place);
    event.platform_message = Some(id);
    event.sent_at = edited.or_else(|| message.maybe("timestamp")).as_deref().and_then(time);
    match complete(bot, places, &mut event, message, raw, (way, &channel)) {
        Ok(()) => Ok(Some(event)),
        Err(FieldError(field)) => {
            let kind = if way.is_edit() { "message_update" } else { "message_create" };
            Ok(Some(event.unreadable(super::raw_event(kind, &field, raw), way == Way::Created)))
        }
    }
}

/// Reads the contents of a message whose sender and place are known.
fn complete(
    bot: &Bot,
    places: &Places,
    event: &mut Event,
    message: &Fields<'_>,
    raw: &str,
    (way, channel): (Way, &str),
) -> Result<(), FieldError> {
    if !is_from_somebody(message)? {
        return Ok(());
    }
    say((bot, places), event, message, raw, way)?;
    if bot.answers_in_threads
        && matches!(event.conversation, Conversation::Channel { .. })
        && places.has_threads(channel)
        && content::mentions(bot, places, message)?
    {
        // The thread on a message has its id.
        let thread = event.platform_message.clone().unwrap_or_default();
        event.address = bot.address(channel, Some(&thread))?;
        event.conversation = Conversation::Thread { chat: channel.to_owned(), thread };
    }
    Ok(())
}

/// Whether it is a message, an answer, or a program's answer to a command. Everything else is written by Discord itself,
/// and kinds that are not known yet are treated so too.
fn is_from_somebody(message: &Fields<'_>) -> Result<bool, FieldError> {
    let kind =
        u8::try_from(message.need::<u64>("type")?).map_or(MessageType::Unknown(u8::MAX), MessageType::from);
    Ok(matches!(
        kind,
        MessageType::Regular
            | MessageType::InlineReply
            | MessageType::ChatInputCommand
            | MessageType::ContextMenuCommand
    ))
}

fn say(
    (bot, places): (&Bot, &Places),
    event: &mut Event,
    message: &Fields<'_>,
    raw: &str,
    way: Way,
) -> Result<(), FieldError> {
    event.kind = if way.is_edit() { EventKind::Edit } else { EventKind::Message };
    let passed_on = forward::snapshot(message)?;
    let found = match &passed_on {
        Some(snapshot) => {
            let (channel, id): (String, String) = (message.need("channel_id")?, message.need("id")?);
            content::of_snapshot(bot, places, snapshot, &channel, &id)?
        }
        None => content::of(bot, places, message, event.from.kind != SenderKind::Person)?,
    };
    if passed_on.is_some() {
        // Discord does not name the author.
        event.forward = Some(forward::author());
    } else {
        event.quote = quote::of(bot, places, message);
        let asks_us = event.quote.as_ref().is_some_and(|quote| quote.ours);
        event.addressed |= asks_us || content::mentions(bot, places, message)?;
        event.first_line = found.first_line;
    }
    if found.is_empty() {
        let kind = "empty_message".to_owned();
        let reason = "a message without a text, a file or anything else that this version knows".to_owned();
        let raw = RawEvent { kind: kind.clone(), reason, body: raw.as_bytes().to_vec() };
        event.kind = EventKind::Unreadable { kind, notify_sender: way == Way::Created, raw: Some(raw) };
    }
    event.text = found.text;
    event.links = found.links;
    event.attachments = found.files;
    Ok(())
}

/// A time as Discord writes it. Only for display.
fn time(written: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(written).ok().map(|at| at.with_timezone(&Utc))
}
