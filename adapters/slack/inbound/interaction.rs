//! Buttons, slash commands, shortcuts, and the button that stops an answer.

use frontdesk_core::message::{Event, EventKind, FirstLine, Forward, ForwardKind, SenderKind};
use serde_json::Value;

use super::conversation::{self, Kind, Place};
use super::field::{Unread, list, need, text_of};
use super::message::time;
use super::{App, file, person, shared, text, typed, unused};
use crate::reference::Reference;

/// The `callback_id` of the shortcut that gives a message to the agent (`manifest.json`).
const ASK: &str = "ask";

/// A button was pressed, a view was submitted, a shortcut was used.
pub(super) fn event(app: &App, json: &Value) -> Result<Event, Unread> {
    let id = need(json, "trigger_id")?;
    match need(json, "type")? {
        "block_actions" => button(app, id, json),
        "shortcut" => shortcut(app, id, json),
        "message_action" => message_shortcut(app, id, json),
        known @ ("view_submission" | "view_closed" | "block_suggestion") => unused(app, id, known),
        _ => Err(Unread("type")),
    }
}

fn button(app: &App, id: &str, json: &Value) -> Result<Event, Unread> {
    let action = list(json, "actions").first().ok_or(Unread("actions"))?;
    let chosen = text_of(action, "value").or(text_of(&action["selected_option"], "value"));
    // Links and pickers have no value.
    let Some(data) = chosen else { return unused(app, id, "action_without_a_value") };
    let container = &json["container"];
    let Some(channel) = text_of(container, "channel_id").or(text_of(&json["channel"], "id")) else {
        return unused(app, id, "action_outside_of_a_channel");
    };
    let target = text_of(container, "message_ts");
    let from = person::acting(app, &json["user"])?;
    let thread = text_of(container, "thread_ts").or(text_of(&json["message"], "thread_ts"));
    let place = conversation::place(app, Kind::of(None, channel), channel, thread, from.id.id())?;
    let kind = EventKind::Button { target: target.map(str::to_owned) };
    let mut pressed = Event::new(id, kind, from, place.address, place.conversation);
    pressed.addressed = true;
    pressed.text = data.to_owned();
    pressed.platform_message = target.map(str::to_owned);
    pressed.sent_at = text_of(action, "action_ts").and_then(time);
    Ok(pressed)
}

/// A global shortcut: a command of the gateway, for the private chat of the person who used it.
fn shortcut(app: &App, id: &str, json: &Value) -> Result<Event, Unread> {
    let Some(text) = text_of(json, "callback_id").and_then(typed::named) else {
        return unused(app, id, "shortcut");
    };
    let from = person::acting(app, &json["user"])?;
    // Only the person is known; the adapter opens their chat.
    let chat = format!("@{}", from.id.id());
    let place = conversation::place(app, Kind::Private, &chat, None, from.id.id())?;
    let mut used = Event::new(id, EventKind::Message, from, place.address, place.conversation);
    used.addressed = true;
    used.first_line = FirstLine::Plain;
    used.text = text;
    Ok(used)
}

/// A message that somebody gives to the agent with the shortcut in its menu. It counts as forwarded by the person who used the
/// shortcut, so no command is read in it. The answer goes into the thread of the message.
fn message_shortcut(app: &App, id: &str, json: &Value) -> Result<Event, Unread> {
    if text_of(json, "callback_id") != Some(ASK) {
        return unused(app, id, "message_action");
    }
    let (message, channel) = (&json["message"], need(&json["channel"], "id")?);
    let ts = text_of(json, "message_ts").or(text_of(message, "ts")).ok_or(Unread("message_ts"))?;
    let from = person::acting(app, &json["user"])?;
    let kind = kind_by_name(text_of(&json["channel"], "name"), channel);
    let opens = kind == Kind::Channel || (kind == Kind::Private && app.opens_threads());
    let thread = text_of(message, "thread_ts").or(opens.then_some(ts));
    let place = conversation::place(app, kind, channel, thread, from.id.id())?;
    let read = text::read(text_of(message, "text").unwrap_or_default(), &app.user);
    let files = file::all(message);
    let words = [read.text, shared::read(app, message)?.words, files.words];
    let words: Vec<String> = words.into_iter().filter(|words| !words.is_empty()).collect();
    let mut asked = Event::new(id, EventKind::Message, from, place.address, place.conversation);
    asked.addressed = true;
    asked.first_line = FirstLine::Formatted;
    asked.text = words.join("\n");
    asked.links = read.links;
    asked.attachments = files.attachments;
    if asked.text.is_empty() && asked.attachments.is_empty() {
        return unused(app, id, "message_action_without_words");
    }
    asked.forward = Some(match person::author(app, message) {
        Ok(author) => {
            let kind = if author.kind == SenderKind::Bot { ForwardKind::Bot } else { ForwardKind::Person };
            Forward { kind, id: Some(author.id), name: author.name }
        }
        Err(_) => Forward { kind: ForwardKind::Unknown, id: None, name: None },
    });
    asked.platform_message = response(json);
    Ok(asked)
}

/// The address at which the person can be answered, even in a channel to which the app was not invited.
fn response(json: &Value) -> Option<String> {
    text_of(json, "response_url").map(|url| Reference::Response(url.to_owned()).to_string())
}

/// The kind of a channel by its name.
fn kind_by_name(name: Option<&str>, channel: &str) -> Kind {
    match name {
        Some("directmessage") => Kind::Private,
        Some(name) if name.starts_with("mpdm-") => Kind::Several,
        _ => Kind::of(None, channel),
    }
}

/// A slash command. Slack has its own `/status` and others, so the app has one command for all of the gateway's:
/// `/frontdesk status`. Any other text is a message to the agent.
pub(super) fn command(app: &App, json: &Value) -> Result<Event, Unread> {
    let (id, channel) = (need(json, "trigger_id")?, need(json, "channel_id")?);
    need(json, "command")?;
    let user = serde_json::json!({"id": need(json, "user_id")?, "name": text_of(json, "user_name")});
    let from = person::acting(app, &user)?;
    let text = typed::after_slash(text_of(json, "text").unwrap_or_default().trim());
    // Slash commands cannot be used in threads, and name none.
    let kind = kind_by_name(text_of(json, "channel_name"), channel);
    let Place { address, conversation } = conversation::place(app, kind, channel, None, from.id.id())?;
    let mut typed = Event::new(id, EventKind::Message, from, address, conversation);
    typed.addressed = true;
    typed.first_line = FirstLine::Plain;
    typed.text = text;
    typed.platform_message = response(json);
    Ok(typed)
}

/// Somebody has pressed the button that Slack shows beside a growing answer.
pub(super) fn stop(app: &App, id: &str, event: &Value) -> Result<Event, Unread> {
    let channel = need(event, "channel")?;
    let user = serde_json::json!({"id": need(event, "user")?});
    let from = person::acting(app, &user)?;
    let kind = Kind::of(text_of(event, "channel_type"), channel);
    let place = conversation::place(app, kind, channel, text_of(event, "thread_ts"), from.id.id())?;
    let mut stop = Event::new(id, EventKind::Message, from, place.address, place.conversation);
    stop.addressed = true;
    stop.first_line = FirstLine::Plain;
    stop.text = "/stop".to_owned();
    Ok(stop)
}
