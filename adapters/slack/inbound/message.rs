//! Messages: new ones, edits, and what Slack calls a message although nobody has said anything.

use chrono::{DateTime, Utc};
use frontdesk_core::message::{Event, EventKind, FirstLine};
use serde_json::Value;

use super::conversation::{self, Kind};
use super::field::{Unread, need, text_of};
use super::{App, file, person, shared, text, typed, unused};

/// Subtypes of messages that somebody has written.
const SAID: [&str; 4] = ["file_share", "thread_broadcast", "me_message", "bot_message"];

/// Subtypes of messages that announce something.
const ANNOUNCED: [&str; 24] = [
    "assistant_app_thread",
    "bot_add",
    "bot_remove",
    "channel_archive",
    "channel_canvas_updated",
    "channel_convert_to_private",
    "channel_join",
    "channel_leave",
    "channel_name",
    "channel_posting_permissions",
    "channel_purpose",
    "channel_topic",
    "channel_unarchive",
    "ekm_access_denied",
    "group_join",
    "group_leave",
    "group_name",
    "group_purpose",
    "group_topic",
    "huddle_thread",
    "message_replied",
    "pinned_item",
    "reminder_add",
    "tombstone",
];

/// An event of the type `message`.
pub(super) fn event(app: &App, json: &Value, event: &Value) -> Result<Event, Unread> {
    let id = || need(json, "event_id");
    match text_of(event, "subtype") {
        Some("message_changed") => changed(app, id()?, event),
        Some("message_deleted") => deleted(app, id()?, event),
        Some(announced) if ANNOUNCED.contains(&announced) => unused(app, id()?, announced),
        Some(other) if !SAID.contains(&other) => unused(app, id()?, "unknown_subtype"),
        _ if person::is_ours(app, event) => unused(app, id()?, "own_message"),
        _ => said(app, event, event),
    }
}

/// A message has changed. It is an edit only if it has a new time of editing: previews, counts of replies, growing
/// answers and the tombstone of a deleted message come the same way.
fn changed(app: &App, id: &str, event: &Value) -> Result<Event, Unread> {
    let message = &event["message"];
    match text_of(message, "subtype") {
        Some("tombstone") => return deleted(app, id, event),
        Some(announced) if ANNOUNCED.contains(&announced) => return unused(app, id, announced),
        _ if person::is_ours(app, message) => return unused(app, id, "own_message"),
        _ => {}
    }
    let edited = text_of(&message["edited"], "ts");
    if edited.is_none() || edited == text_of(&event["previous_message"]["edited"], "ts") {
        return unused(app, id, "preview");
    }
    said(app, event, message)
}

/// A message was deleted, by its author or by an admin.
fn deleted(app: &App, id: &str, event: &Value) -> Result<Event, Unread> {
    let message = &event["previous_message"];
    if person::is_ours(app, message) {
        return unused(app, id, "own_message");
    }
    let Ok(was) = said(app, event, message) else { return unused(app, id, "message_deleted") };
    let id = format!("{}:{}:deleted", was.address.chat(), need(message, "ts")?);
    let mut deleted = Event::new(id, EventKind::Deleted, was.from, was.address, was.conversation);
    deleted.platform_message = was.platform_message;
    Ok(deleted)
}

/// What somebody has written. `event` names the channel; it is the message itself, except for an edit or a deletion.
pub(super) fn said(app: &App, event: &Value, message: &Value) -> Result<Event, Unread> {
    let (channel, ts) = (need(event, "channel")?, need(message, "ts")?);
    let from = person::author(app, message)?;
    let kind = Kind::of(text_of(event, "channel_type"), channel);
    let read = text::read(text_of(message, "text").unwrap_or_default(), &app.user);
    let in_thread = text_of(message, "thread_ts");
    let answers_us = message["parent_user_id"] == app.user.as_str();
    let addressed = kind == Kind::Private || read.mentioned || (in_thread.is_some() && answers_us);
    // A mention at the top of a channel opens a thread. With an agent view, so does each message at the top of a private chat.
    let opens = match kind {
        Kind::Private => app.opens_threads(),
        Kind::Several => false,
        Kind::Channel => read.mentioned,
    };
    let thread = in_thread.or(opens.then_some(ts));
    let place = conversation::place(app, kind, channel, thread, from.id.id())?;
    let edited = text_of(&message["edited"], "ts");
    let (id, event_kind) = match edited {
        Some(edited) => (format!("{channel}:{ts}:{edited}"), EventKind::Edit),
        None => (format!("{channel}:{ts}"), EventKind::Message),
    };
    let shared = shared::read(app, message)?;
    let files = file::all(message);
    let is_caption = !files.attachments.is_empty();
    let mut words = read.text;
    for more in [shared.words, files.words] {
        if !more.is_empty() {
            words = if words.is_empty() { more } else { format!("{words}\n{more}") };
        }
    }
    // If the sender has added nothing to a forwarded message, the text is the other author's.
    let (forward, quote) = match shared.forwarded {
        Some(forwarded) if words.is_empty() => {
            words.clone_from(&forwarded.quote.text);
            (Some(forwarded.forward), None)
        }
        Some(forwarded) => (None, Some(forwarded.quote)),
        None => (None, None),
    };
    let mut said = Event::new(id, event_kind, from, place.address, place.conversation);
    said.addressed = addressed;
    said.first_line = if is_caption || forward.is_some() { FirstLine::Formatted } else { read.first_line };
    said.text = match said.first_line {
        FirstLine::Formatted => words,
        _ => typed::command(&words, read.called).unwrap_or(words),
    };
    said.links = read.links;
    said.platform_message = Some(ts.to_owned());
    said.sent_at = time(edited.unwrap_or(ts));
    said.attachments = files.attachments;
    (said.forward, said.quote) = (forward, quote);
    Ok(said)
}

/// The time of a message: seconds, a dot and microseconds.
pub(crate) fn time(ts: &str) -> Option<DateTime<Utc>> {
    let (seconds, micros) = ts.split_once('.')?;
    DateTime::from_timestamp(seconds.parse().ok()?, micros.parse::<u32>().ok()?.checked_mul(1000)?)
}
