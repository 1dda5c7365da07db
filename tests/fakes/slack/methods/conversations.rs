//! Channels: what there is, who is there, what was said.

use frontdesk_fakes::Params;
use serde_json::{Value, json};

use super::{need, page};
use crate::answer::{Answer, Done, Refusal};
use crate::channel::{Channel, Kind, Message};
use crate::world::{Install, World};

pub fn open(world: &mut World, install: &Install, params: &Params) -> Answer {
    if let Some(channel) = params.text("channel") {
        let channel = world.joined(install, Some(channel))?;
        return Done::with(json!({"no_op": true, "already_open": true, "channel": {"id": channel.id}}));
    }
    let users = need(params, "users")?;
    let users: Vec<&str> = users.split(',').map(str::trim).collect();
    for user in &users {
        match world.users.get(*user) {
            None => return Err(Refusal::new("user_not_found")),
            Some(user) if user["deleted"] == true => return Err(Refusal::new("user_disabled")),
            Some(known) if known["is_bot"] == true => return Err(Refusal::new("cannot_dm_bot")),
            Some(_) => {}
        }
    }
    let id = if let [user] = users.as_slice() {
        world.direct(install, user)
    } else {
        let id = world.new_id("G0");
        let mut channel = Channel::new(&id, &install.team, &format!("mpdm-{id}"), Kind::Mpim);
        channel.members.extend(users.iter().map(|user| (*user).to_owned()).chain([install.user.clone()]));
        world.channels.insert(id.clone(), channel);
        id
    };
    let full = world.channels.get(&id).filter(|_| params.flag("return_im"));
    let channel = full.map_or_else(|| json!({"id": id}), |channel| channel.to_json(&install.user));
    Done::with(json!({"channel": channel}))
}

pub fn info(world: &mut World, install: &Install, params: &Params) -> Answer {
    let channel = world.visible(install, params.text("channel"))?;
    let mut json = channel.to_json(&install.user);
    if params.flag("include_num_members") {
        json["num_members"] = channel.members.len().into();
    }
    Done::with(json!({"channel": json}))
}

fn listed(world: &World, install: &Install, params: &Params, only_own: bool) -> Answer {
    let types = params.text("types").unwrap_or_else(|| "public_channel".to_owned());
    let wanted = |channel: &&Channel| {
        let name = match channel.kind {
            Kind::Channel => "public_channel",
            Kind::Group => "private_channel",
            Kind::Im => "im",
            Kind::Mpim => "mpim",
        };
        let is_in = channel.members.contains(&install.user);
        let is_here = channel.team == install.team || channel.shared.contains(&install.team);
        types.split(',').any(|kind| kind.trim() == name)
            && is_here
            && (is_in || (channel.kind == Kind::Channel && !only_own))
            && !(channel.archived && params.flag("exclude_archived"))
    };
    let described = |channel: &Channel| {
        let mut json = channel.to_json(&install.user);
        json["num_members"] = channel.members.len().into();
        json
    };
    let channels = world.channels.values().filter(wanted).map(described);
    let (channels, next) = page(channels.collect(), params, 999)?;
    Done::with(json!({"channels": channels, "response_metadata": next}))
}

pub fn list(world: &mut World, install: &Install, params: &Params) -> Answer {
    listed(world, install, params, false)
}

pub fn own(world: &mut World, install: &Install, params: &Params) -> Answer {
    listed(world, install, params, true)
}

pub fn members(world: &mut World, install: &Install, params: &Params) -> Answer {
    let channel = world.visible(install, params.text("channel"))?;
    let members = channel.members.iter().map(|member| json!(member)).collect();
    let (members, next) = page(members, params, 999)?;
    Done::with(json!({"members": members, "response_metadata": next}))
}

pub fn join(world: &mut World, install: &Install, params: &Params) -> Answer {
    let channel = world.visible(install, params.text("channel"))?;
    match () {
        () if channel.kind != Kind::Channel => {
            return Err(Refusal::new("method_not_supported_for_channel_type"));
        }
        () if channel.archived => return Err(Refusal::new("is_archived")),
        () => channel.members.insert(install.user.clone()),
    };
    let json = channel.to_json(&install.user);
    Done::with(json!({"channel": json}))
}

/// The messages between `oldest` and `latest`, which count themselves only if `inclusive`.
fn between(messages: Vec<&Message>, params: &Params) -> Vec<Value> {
    let (oldest, latest) = (params.text("oldest"), params.text("latest"));
    let inclusive = params.flag("inclusive");
    let is_in = |message: &&&Message| {
        let ts = message.text("ts");
        let after = oldest.as_deref().is_none_or(|oldest| ts > oldest || (inclusive && ts == oldest));
        after && latest.as_deref().is_none_or(|latest| ts < latest || (inclusive && ts == latest))
    };
    messages.iter().filter(is_in).map(|message| shown(message, params)).collect()
}

/// A message as it is read later: its metadata only for who asks for it.
fn shown(message: &Message, params: &Params) -> Value {
    let mut value = message.value();
    if let Some(fields) = value.as_object_mut().filter(|_| !params.flag("include_all_metadata")) {
        fields.remove("metadata");
    }
    value
}

pub fn history(world: &mut World, install: &Install, params: &Params) -> Answer {
    let channel = world.joined(install, params.text("channel"))?;
    let shown = channel.messages.values().rev().filter(|message| message.is_in_channel()).collect();
    let (messages, next) = page(between(shown, params), params, 999)?;
    let more = next["next_cursor"] != "";
    Done::with(json!({"messages": messages, "has_more": more, "response_metadata": next}))
}

pub fn replies(world: &mut World, install: &Install, params: &Params) -> Answer {
    let ts = need(params, "ts")?;
    let channel = world.joined(install, params.text("channel"))?;
    let parent = channel.messages.get(&ts).ok_or_else(|| Refusal::new("thread_not_found"))?;
    let replies =
        channel.messages.values().filter(|message| message.only.is_none() && message.reply_in() == Some(&ts));
    let mut found = between(replies.collect(), params);
    found.insert(0, shown(parent, params));
    let (messages, next) = page(found, params, 999)?;
    let more = next["next_cursor"] != "";
    Done::with(json!({"messages": messages, "has_more": more, "response_metadata": next}))
}
