//! Converts what Slack sends to events. Nothing here waits, makes calls or logs.
//!
//! The JSON is read leniently: an odd field costs what it says and nothing else, because an SDK's types would lose a
//! whole message over it.

mod conversation;
pub(crate) mod emoji;
mod field;
mod file;
mod interaction;
mod message;
mod person;
mod reaction;
mod shared;
mod text;
mod typed;

use chrono::{DateTime, Utc};
use frontdesk_core::account::AccountId;
use frontdesk_core::address::{Address, AddressError};
use frontdesk_core::message::{Event, EventKind, RawEvent, Sender, Source};
use serde_json::Value;

pub use conversation::DmSessions;
pub(crate) use conversation::Kind;
use conversation::Place;
use field::{Unread, need, text_of};
pub(crate) use message::time;
pub(crate) use person::{is_of_another_team, is_of_team};

use crate::CHANNEL;

/// Known events that the gateway does not use.
const NOT_OURS: [&str; 18] = [
    "agent_session_title_changed",
    "app_context_changed",
    "app_home_opened",
    "app_uninstalled",
    "assistant_thread_context_changed",
    "assistant_thread_started",
    "channel_archive",
    "channel_rename",
    "channel_unarchive",
    "file_shared",
    "link_shared",
    "member_joined_channel",
    "member_left_channel",
    "message_metadata_posted",
    "pin_added",
    "pin_removed",
    "tokens_revoked",
    "user_change",
];

/// Events that only apps with an agent view get.
const OF_AGENT_VIEW: [&str; 3] =
    ["agent_session_stopped", "agent_session_title_changed", "app_context_changed"];

/// The app's own identity in a workspace, and what decides how its events are understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    /// The account in the configuration.
    pub account: AccountId,
    /// The id of the app.
    pub app: String,
    /// The workspace.
    pub team: String,
    /// The organisation of the workspace, if it has one.
    pub enterprise: Option<String>,
    /// The user id of the app's bot.
    pub user: String,
    /// The `bot_id` of the bot's messages.
    pub bot: String,
    /// What counts as one conversation in a private chat.
    pub dm_sessions: DmSessions,
    /// Whether the app has an agent view, where each message at the top of a private chat opens a thread.
    pub has_agent_view: bool,
    /// Whether people of other organisations may reach the gateway, as in channels that are shared with them.
    pub externals: bool,
    /// Whether guests of the workspace may reach the gateway.
    pub guests: bool,
}

impl App {
    /// The source of the app's events in this workspace.
    pub fn source(&self) -> Source {
        Source { id: format!("{CHANNEL}:{}/{}", self.team, self.app), account: self.account.clone() }
    }

    /// Whether each message at the top of a private chat opens a thread.
    fn opens_threads(&self) -> bool {
        match self.dm_sessions {
            DmSessions::Auto | DmSessions::Chat => self.has_agent_view,
            DmSessions::Thread => true,
        }
    }

    fn address(&self, chat: &str, thread: Option<&str>) -> Result<Address, AddressError> {
        Address::at(&self.account, chat, thread)
    }
}

/// What Slack has sent: the payload of an envelope, or the body of a request.
#[derive(Debug, Clone, Copy)]
pub enum Payload<'a> {
    /// From the Events API: a JSON text.
    Event(&'a str),
    /// A button, a view or a shortcut: a JSON text.
    Interaction(&'a str),
    /// A slash command: its fields as a JSON object. Over HTTP they come as a form.
    Command(&'a str),
}

/// Converts a payload. Nothing is dropped: what is unreadable becomes an event that says so. An error means that our own
/// account's name cannot be part of an address.
pub fn parse(app: &App, payload: Payload<'_>) -> Result<Event, AddressError> {
    let (Payload::Event(raw) | Payload::Interaction(raw) | Payload::Command(raw)) = payload;
    let json: Value = serde_json::from_str(raw).unwrap_or_default();
    let read = match payload {
        Payload::Event(_) => event(app, &json),
        Payload::Interaction(_) => interaction::event(app, &json),
        Payload::Command(_) => interaction::command(app, &json),
    };
    let read = read.or_else(|Unread(field)| {
        let kind = text_of(&json["event"], "type").or(text_of(&json, "type")).filter(|kind| is_plain(kind));
        let raw = RawEvent {
            kind: kind.unwrap_or("unknown").to_owned(),
            reason: format!("{field} is missing or cannot be read"),
            body: raw.as_bytes().to_vec(),
        };
        let id = text_of(&json, "event_id").or(text_of(&json, "trigger_id")).map(str::to_owned);
        match whose(app, &json) {
            Ok((from, Place { address, conversation })) => {
                let id = id.unwrap_or_else(|| raw.name());
                let kind = EventKind::Other(String::new());
                Ok(Event::new(id, kind, from, address, conversation).unreadable(raw, false))
            }
            Err(_) => Event::undecodable(&app.source(), id, raw),
        }
    });
    read.map(|event| if is_outsider(app, &json, &event) { shut_out(event, OUTSIDER) } else { event })
}

/// The sender and the place of a payload whose contents cannot be read.
fn whose(app: &App, json: &Value) -> Result<(Sender, Place), Unread> {
    let event = &json["event"];
    let message = if event["message"].is_object() { &event["message"] } else { event };
    let from = person::author(app, message).or_else(|_| person::acting(app, &json["user"]))?;
    let channel =
        text_of(event, "channel").or(text_of(&json["channel"], "id")).or(text_of(json, "channel_id"));
    let channel = channel.ok_or(Unread("channel"))?;
    let kind = Kind::of(text_of(event, "channel_type"), channel);
    let place = conversation::place(app, kind, channel, text_of(message, "thread_ts"), from.id.id())?;
    Ok((from, place))
}

/// Whether the sender belongs to another organisation, and such people are not let in. The ids of people from another workspace
/// of the same organisation look the same, but Slack does not call their channels externally shared.
fn is_outsider(app: &App, json: &Value, event: &Event) -> bool {
    let is_own = app.enterprise.is_some() && json["is_ext_shared_channel"] == false;
    !app.externals && person::is_of_another_team(event.from.id.id()) && !is_own
}

/// The event in a channel of this kind, and in this thread.
pub(crate) fn at(app: &App, event: Event, kind: Kind, thread: Option<&str>) -> Event {
    match conversation::place(app, kind, event.address.chat(), thread, event.from.id.id()) {
        Ok(Place { address, conversation }) => Event { address, conversation, ..event },
        Err(_) => event,
    }
}

/// The names under which messages of people who are not let in are counted.
pub(crate) const OUTSIDER: &str = "from_another_organisation";
pub(crate) const GUEST: &str = "from_a_guest";

/// The event of somebody who is not let in, without its contents: it is counted and not stored.
pub(crate) fn shut_out(event: Event, why: &str) -> Event {
    let kind = EventKind::Other(why.to_owned());
    Event::new(event.id, kind, event.from, event.address, event.conversation)
}

/// A message that was read from a channel's history.
#[derive(Debug)]
pub(crate) struct Missed {
    pub message: Event,
    /// Its last edit.
    pub edit: Option<Event>,
}

/// Converts a message of a channel's history; `None` if it announces something and nobody has written it.
pub(crate) fn missed(
    app: &App,
    channel: &str,
    kind: Kind,
    message: &Value,
) -> Result<Option<Missed>, AddressError> {
    let mut event = message.clone();
    event["channel"] = channel.into();
    event["channel_type"] = kind.name().into();
    let read = |event: &Value| {
        let json = serde_json::json!({"event": event, "event_id": "missed", "type": "event_callback"});
        parse(app, Payload::Event(&json.to_string()))
    };
    let edit = if event["edited"].is_object() { Some(read(&event)?) } else { None };
    event["edited"] = Value::Null;
    let message = read(&event)?;
    let edit = edit.filter(|edit| edit.kind == EventKind::Edit);
    Ok((message.kind == EventKind::Message).then_some(Missed { message, edit }))
}

/// The workspaces that a payload is for. A socket receives the payloads of all workspaces in which the app is installed.
pub fn teams(raw: &str) -> Vec<String> {
    let json: Value = serde_json::from_str(raw).unwrap_or_default();
    let authorized = json["authorizations"].as_array().into_iter().flatten();
    let named = authorized.filter_map(|one| text_of(one, "team_id"));
    let outer =
        text_of(&json, "team_id").or(text_of(&json["team"], "id")).or(text_of(&json["user"], "team_id"));
    let mut teams: Vec<String> = named.chain(outer).map(str::to_owned).collect();
    teams.sort_unstable();
    teams.dedup();
    teams
}

/// Whether a payload shows that the app has an agent view.
pub(crate) fn shows_agent_view(payload: Payload<'_>) -> bool {
    let Payload::Event(raw) = payload else { return false };
    // This avoids parsing most payloads.
    if !OF_AGENT_VIEW.iter().any(|kind| raw.contains(kind)) {
        return false;
    }
    let json: Value = serde_json::from_str(raw).unwrap_or_default();
    text_of(&json["event"], "type").is_some_and(|kind| OF_AGENT_VIEW.contains(&kind))
}

/// A chat or a thread that somebody has opened to write to the app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Opened {
    pub channel: String,
    /// The thread of an assistant; in an agent view there is none before the first message.
    pub thread: Option<String>,
}

/// The chat or the thread that somebody has opened to write to the app; `None` if the payload is about something else.
pub(crate) fn opened(payload: Payload<'_>) -> Option<Opened> {
    let Payload::Event(raw) = payload else { return None };
    if !raw.contains("assistant_thread_started") && !raw.contains("app_home_opened") {
        return None;
    }
    let json: Value = serde_json::from_str(raw).ok()?;
    let (event, thread) = (&json["event"], &json["event"]["assistant_thread"]);
    let text = |value: &Value, name| text_of(value, name).map(str::to_owned);
    match text_of(event, "type")? {
        "assistant_thread_started" => {
            Some(Opened { channel: text(thread, "channel_id")?, thread: text(thread, "thread_ts") })
        }
        "app_home_opened" if event["tab"] == "messages" => {
            Some(Opened { channel: text(event, "channel")?, thread: None })
        }
        _ => None,
    }
}

/// The type of the notice that Slack withholds events. It comes once a minute, and contains no event.
const WITHHELD: &str = "app_rate_limited";

/// The minute in which Slack has begun to withhold events; `None` if the payload is about something else.
pub(crate) fn withheld(payload: Payload<'_>) -> Option<DateTime<Utc>> {
    let Payload::Event(raw) = payload else { return None };
    if !raw.contains(WITHHELD) {
        return None;
    }
    let json: Value = serde_json::from_str(raw).ok()?;
    let minute = json["minute_rate_limited"].as_i64().filter(|_| json["type"] == WITHHELD);
    DateTime::from_timestamp(minute?, 0)
}

/// Converts an event of the Events API.
fn event(app: &App, json: &Value) -> Result<Event, Unread> {
    if json["type"] == WITHHELD {
        let minute = json["minute_rate_limited"].as_i64().ok_or(Unread("minute_rate_limited"))?;
        return unused(app, &format!("{WITHHELD}/{minute}"), WITHHELD);
    }
    let event = &json["event"];
    let kind = need(event, "type")?;
    match kind {
        "message" => message::event(app, json, event),
        // The same message also arrives as `message`. Both become events with the same id.
        "app_mention" => message::said(app, event, event),
        "reaction_added" | "reaction_removed" => reaction::event(app, need(json, "event_id")?, event),
        "agent_session_stopped" => interaction::stop(app, need(json, "event_id")?, event),
        known if NOT_OURS.contains(&known) => unused(app, need(json, "event_id")?, known),
        _ => Err(Unread("event.type")),
    }
}

/// An event that the gateway only counts.
fn unused(app: &App, id: &str, kind: &str) -> Result<Event, Unread> {
    let Place { address, conversation } = conversation::unknown(app)?;
    let from = person::unknown(app)?;
    Ok(Event::new(id, EventKind::Other(kind.to_owned()), from, address, conversation))
}

/// Whether a word is safe as a label of a metric.
fn is_plain(word: &str) -> bool {
    word.len() <= 60 && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

#[cfg(test)]
mod tests;
