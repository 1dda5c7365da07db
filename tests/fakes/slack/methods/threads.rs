//! What an app shows around messages: its status in a thread, suggested prompts, titles, and views.

use frontdesk_fakes::Params;
use serde_json::{Value, json};

use super::need;
use crate::answer::{Answer, Done, Refusal};
use crate::world::{Install, World};

/// How long a status is shown, and how long a trigger can be used.
const STATUS_MS: i64 = 120_000;
const TRIGGER_MS: i64 = 3_000;

/// Changes what a thread shows.
fn show(world: &mut World, install: &Install, params: &Params, change: &[(&str, Value)]) -> Answer {
    let thread = params.text("thread_ts").unwrap_or_default();
    let channel = world.joined(install, params.text("channel_id"))?;
    let id = channel.id.clone();
    if !thread.is_empty() && !channel.messages.contains_key(&thread) {
        return Err(Refusal::new("invalid_thread_ts"));
    }
    let state = channel.threads.entry(thread.clone()).or_insert_with(|| json!({}));
    for (name, value) in change {
        state[*name] = value.clone();
    }
    Done::about(json!({}), &id, &thread, false)
}

pub fn status(world: &mut World, install: &Install, params: &Params) -> Answer {
    need(params, "thread_ts")?;
    let status = params.text("status").unwrap_or_default();
    let messages = params.json("loading_messages")?.unwrap_or_default();
    if messages.as_array().is_some_and(|messages| messages.len() > 10) {
        return Err(Refusal::arguments("no more than 10 items allowed"));
    }
    let until = world.now_ms() + STATUS_MS;
    let status = if status.is_empty() { Value::Null } else { json!({"text": status, "until": until}) };
    show(world, install, params, &[("status", status), ("loading_messages", messages)])
}

pub fn prompts(world: &mut World, install: &Install, params: &Params) -> Answer {
    let prompts = params.json("prompts")?.unwrap_or_default();
    if prompts.as_array().is_none_or(|prompts| prompts.is_empty() || prompts.len() > 4) {
        return Err(Refusal::arguments("between 1 and 4 prompts"));
    }
    show(world, install, params, &[("prompts", prompts)])
}

pub fn title(world: &mut World, install: &Install, params: &Params) -> Answer {
    let title = need(params, "title")?;
    show(world, install, params, &[("title", title.into())])
}

pub fn rename(world: &mut World, install: &Install, params: &Params) -> Answer {
    title(world, install, params)
}

pub fn session(world: &mut World, install: &Install, params: &Params) -> Answer {
    let status = need(params, "status")?;
    if !["active", "processing", "suspended", "closed"].contains(&status.as_str()) {
        return Err(Refusal::arguments("unknown status"));
    }
    show(world, install, params, &[("session", status.into())])
}

impl World {
    /// A new trigger for what somebody did.
    pub fn trigger(&mut self) -> String {
        let id = format!("{}.{}", self.new_id(""), self.secret());
        let at = self.now_ms();
        self.triggers.insert(id.clone(), crate::world::Trigger { at, used: false });
        id
    }

    fn add_view(&mut self, install: &Install, params: &Params, id: String) -> Answer {
        let mut view =
            params.json("view")?.filter(Value::is_object).ok_or_else(|| Refusal::arguments("view"))?;
        if let Some(blocks) = self.read_blocks(view.get("blocks").cloned())? {
            view["blocks"] = blocks;
        }
        view["id"] = id.as_str().into();
        view["hash"] = self.secret().into();
        (view["team_id"], view["app_id"]) = (install.team.as_str().into(), install.app.as_str().into());
        view["bot_id"] = install.bot.as_str().into();
        view["root_view_id"] = id.as_str().into();
        for (name, empty) in
            [("private_metadata", json!("")), ("callback_id", json!("")), ("state", json!({"values": {}}))]
        {
            if view[name].is_null() {
                view[name] = empty;
            }
        }
        self.views.insert(id, view.clone());
        Done::with(json!({"view": view}))
    }
}

pub fn open_view(world: &mut World, install: &Install, params: &Params) -> Answer {
    let (id, now) = (need(params, "trigger_id")?, world.now_ms());
    let trigger = world.triggers.get_mut(&id).ok_or_else(|| Refusal::new("invalid_trigger_id"))?;
    if now - trigger.at > TRIGGER_MS {
        return Err(Refusal::new("expired_trigger_id"));
    }
    if std::mem::replace(&mut trigger.used, true) {
        return Err(Refusal::new("exchanged_trigger_id"));
    }
    let id = world.new_id("V0");
    world.add_view(install, params, id)
}

pub fn update_view(world: &mut World, install: &Install, params: &Params) -> Answer {
    let id = need(params, "view_id")?;
    let known = world.views.get(&id).ok_or_else(|| Refusal::new("not_found"))?;
    if params.text("hash").is_some_and(|hash| known["hash"] != hash.as_str()) {
        return Err(Refusal::new("hash_conflict"));
    }
    world.add_view(install, params, id)
}

/// The home page of one person.
pub fn publish_view(world: &mut World, install: &Install, params: &Params) -> Answer {
    let user = need(params, "user_id")?;
    if !world.users.contains_key(&user) {
        return Err(Refusal::new("user_not_found"));
    }
    let id = format!("VHOME{}{user}", install.app);
    match (params.text("hash"), world.views.get(&id)) {
        (Some(hash), Some(known)) if known["hash"] != hash.as_str() => Err(Refusal::new("hash_conflict")),
        _ => world.add_view(install, params, id),
    }
}
