//! Accounts, workspaces, reactions and pins.

use frontdesk_fakes::Params;
use serde_json::{Value, json};

use super::need;
use crate::answer::{Answer, Done, Refusal};
use crate::world::{Install, World};

pub fn auth(world: &mut World, install: &Install, _: &Params) -> Answer {
    let team = world.teams.get(&install.team).cloned().unwrap_or_default();
    Done::with(json!({
        "url": team["url"], "team": team["name"], "user": world.users[&install.user]["name"],
        "team_id": install.team, "user_id": install.user, "bot_id": install.bot, "app_id": install.app,
        "is_enterprise_install": false,
    }))
}

pub fn team(world: &mut World, install: &Install, _: &Params) -> Answer {
    Done::with(json!({"team": world.teams.get(&install.team)}))
}

pub fn user(world: &mut World, install: &Install, params: &Params) -> Answer {
    let id = need(params, "user")?;
    let user = world.users.get(&id).ok_or_else(|| Refusal::new("user_not_found"))?;
    let team = user["team_id"].as_str().unwrap_or_default();
    // People of other workspaces are seen where a channel is shared with them.
    let is_met = team == install.team
        || world
            .channels
            .values()
            .any(|channel| channel.members.contains(&id) && channel.members.contains(&install.user));
    if !is_met {
        return Err(Refusal::new("user_not_visible"));
    }
    let mut user = user.clone();
    user["is_stranger"] = (team != install.team).into();
    Done::with(json!({"user": user}))
}

pub fn bot(world: &mut World, _: &Install, params: &Params) -> Answer {
    let id = need(params, "bot")?;
    let user = world.users.values().find(|user| user["profile"]["bot_id"] == id.as_str());
    let user = user.ok_or_else(|| Refusal::new("bot_not_found"))?;
    Done::with(json!({"bot": {
        "id": id, "user_id": user["id"], "app_id": user["profile"]["api_app_id"], "name": user["real_name"],
        "deleted": false,
    }}))
}

pub fn group(world: &mut World, _: &Install, params: &Params) -> Answer {
    let users = world.groups.get(&need(params, "usergroup")?);
    Done::with(json!({"users": users.ok_or_else(|| Refusal::new("no_such_subteam"))?}))
}

pub fn react(world: &mut World, install: &Install, params: &Params) -> Answer {
    reacts(world, install, params, true)
}

pub fn unreact(world: &mut World, install: &Install, params: &Params) -> Answer {
    reacts(world, install, params, false)
}

pub fn reactions(world: &mut World, install: &Install, params: &Params) -> Answer {
    let ts = need(params, "timestamp")?;
    let channel = world.visible(install, params.text("channel"))?;
    let (id, message) = (channel.id.clone(), channel.messages.get(&ts));
    let message = message.ok_or_else(|| Refusal::new("message_not_found"))?.value();
    Done::with(json!({"type": "message", "channel": id, "message": message}))
}

fn reacts(world: &mut World, install: &Install, params: &Params, on: bool) -> Answer {
    let (ts, name) = (need(params, "timestamp")?, need(params, "name")?);
    let id = world.joined(install, params.text("channel"))?.id.clone();
    let is_name = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-+':".contains(c));
    if !is_name {
        return Err(Refusal::new("invalid_name"));
    }
    world.react(&id, &ts, &install.user, &name, on).map_err(Refusal::new)?;
    Done::about(json!({}), &id, &ts, false)
}

impl World {
    /// Somebody adds or takes back a reaction; returns the number of the event.
    pub fn react(
        &mut self,
        channel: &str,
        ts: &str,
        user: &str,
        name: &str,
        on: bool,
    ) -> Result<i64, &'static str> {
        let known = self.channels.get_mut(channel).and_then(|channel| channel.messages.get_mut(ts));
        let message = known.ok_or("message_not_found")?;
        let author = message.text("user").to_owned();
        let mut reactions =
            message.fields.get("reactions").and_then(Value::as_array).cloned().unwrap_or_default();
        let mut users: Vec<Value> = Vec::new();
        if let Some(at) = reactions.iter().position(|reaction| reaction["name"] == name) {
            users = reactions.remove(at)["users"].as_array().cloned().unwrap_or_default();
        }
        match (on, users.iter().position(|known| known == user)) {
            (true, None) => users.push(user.into()),
            (true, Some(_)) => return Err("already_reacted"),
            (false, Some(at)) => drop(users.remove(at)),
            (false, None) => return Err("no_reaction"),
        }
        if !users.is_empty() {
            reactions.push(json!({"name": name, "count": users.len(), "users": users}));
        }
        message.set("reactions", reactions);
        Ok(self.tell(channel, json!({
            "type": if on { "reaction_added" } else { "reaction_removed" }, "user": user, "reaction": name,
            "item_user": author, "item": {"type": "message", "channel": channel, "ts": ts},
        })))
    }
}

pub fn pin(world: &mut World, install: &Install, params: &Params) -> Answer {
    pins(world, install, params, true)
}

pub fn unpin(world: &mut World, install: &Install, params: &Params) -> Answer {
    pins(world, install, params, false)
}

fn pins(world: &mut World, install: &Install, params: &Params, on: bool) -> Answer {
    let ts = need(params, "timestamp")?;
    let channel = world.joined(install, params.text("channel"))?;
    let id = channel.id.clone();
    let message = channel.messages.get_mut(&ts).ok_or_else(|| Refusal::new("message_not_found"))?;
    if message.fields.contains_key("pinned_to") == on {
        return Err(Refusal::new(if on { "already_pinned" } else { "no_pin" }));
    }
    if on {
        message.set("pinned_to", json!([id]))
    } else {
        drop(message.fields.remove("pinned_to"))
    }
    Done::about(json!({}), &id, &ts, false)
}
