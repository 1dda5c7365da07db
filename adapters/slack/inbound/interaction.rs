//! Buttons, slash commands and the button that stops an answer.

use frontdesk_core::message::{Event, EventKind, FirstLine};
use serde_json::Value;

use super::conversation::{self, Kind, Place};
use super::field::{Unread, list, need, text_of};
use super::message::time;
use super::{App, person, typed, unused};
use crate::reference::Reference;

/// A button was pressed, a view was submitted, a shortcut was used. Only buttons of our questions mean something here.
pub(super) fn event(app: &App, json: &Value) -> Result<Event, Unread> {
    let id = need(json, "trigger_id")?;
    match need(json, "type")? {
        "block_actions" => button(app, id, json),
        known @ ("view_submission" | "view_closed" | "shortcut" | "message_action" | "block_suggestion") => {
            unused(app, id, known)
        }
        _ => Err(Unread("type")),
    }
}

fn button(app: &App, id: &str, json: &Value) -> Result<Event, Unread> {
    let action = list(json, "actions").first().ok_or(Unread("actions"))?;
    let chosen = text_of(action, "value").or(text_of(&action["selected_option"], "value"));
    // Links, pickers of dates and people, and buttons of a home page or a view.
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

/// A slash command. `/status` and others belong to Slack, so one command of the app carries all of ours: `/frontdesk
/// status`. What begins with no command of ours is a message to the agent.
pub(super) fn command(app: &App, json: &Value) -> Result<Event, Unread> {
    let (id, channel) = (need(json, "trigger_id")?, need(json, "channel_id")?);
    need(json, "command")?;
    let user = serde_json::json!({"id": need(json, "user_id")?, "name": text_of(json, "user_name")});
    let from = person::acting(app, &user)?;
    let text = typed::after_slash(text_of(json, "text").unwrap_or_default().trim());
    // Slash commands say no thread, and cannot be used in one.
    let kind = match text_of(json, "channel_name") {
        Some("directmessage") => Kind::Private,
        Some(name) if name.starts_with("mpdm-") => Kind::Several,
        _ => Kind::of(None, channel),
    };
    let Place { address, conversation } = conversation::place(app, kind, channel, None, from.id.id())?;
    let mut typed = Event::new(id, EventKind::Message, from, address, conversation);
    typed.addressed = true;
    typed.first_line = FirstLine::Plain;
    typed.text = text;
    typed.platform_message =
        text_of(json, "response_url").map(|url| Reference::Response(url.to_owned()).to_string());
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
