//! Reactions.

use frontdesk_core::message::{Event, EventKind};
use serde_json::Value;

use super::conversation::{self, Kind};
use super::field::{Unread, need, text_of};
use super::{App, emoji, person, unused};

/// Somebody has added a reaction or removed one. The kind of the chat is known only from the channel's id.
pub(super) fn event(app: &App, id: &str, event: &Value) -> Result<Event, Unread> {
    let item = &event["item"];
    let user = need(event, "user")?;
    if item["type"] != "message" {
        return unused(app, id, "reaction_to_a_file");
    }
    if user == app.user {
        return unused(app, id, "own_reaction");
    }
    let (channel, ts) = (need(item, "channel")?, need(item, "ts")?);
    let from = person::acting(app, &serde_json::json!({"id": user, "team_id": text_of(event, "user_team")}))?;
    let reactions = vec![emoji::shown(need(event, "reaction")?)];
    let (added, removed) =
        if event["type"] == "reaction_added" { (reactions, Vec::new()) } else { (Vec::new(), reactions) };
    let place = conversation::place(app, Kind::of(None, channel), channel, None, from.id.id())?;
    let kind = EventKind::Reaction { target: ts.to_owned(), added, removed };
    let mut reacted = Event::new(id, kind, from, place.address, place.conversation);
    // A reaction to one of our messages is for us.
    reacted.addressed = reacted.conversation.is_private() || event["item_user"] == app.user.as_str();
    reacted.platform_message = Some(ts.to_owned());
    Ok(reacted)
}
