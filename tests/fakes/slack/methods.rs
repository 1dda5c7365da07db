//! The methods of the Web API, each with the scope that it needs and how often a minute it may be called.

pub mod chat;
mod conversations;
pub mod files;
mod people;
mod stream;
mod threads;

use frontdesk_fakes::Params;
use serde_json::{Value, json};

use crate::answer::{Answer, Done, Refusal};
use crate::channel::{Channel, Kind};
use crate::world::{Install, World};

type Run = fn(&mut World, &Install, &Params) -> Answer;

pub struct Method {
    pub name: &'static str,
    /// `{family}` stands for the type of the channel, as in `channels:history`.
    pub scope: &'static str,
    /// 0 for posts, which are limited by channel.
    pub per_minute: usize,
    pub run: Run,
}

const METHODS: &[(&str, &str, usize, Run)] = &[
    ("agents.sessions.rename", "chat:write", 50, threads::rename),
    ("agents.sessions.setStatus", "chat:write", 50, threads::session),
    ("api.test", "", 100, |_, _, _| Done::yes()),
    ("assistant.threads.setStatus", "chat:write", 600, threads::status),
    ("assistant.threads.setSuggestedPrompts", "assistant:write", 50, threads::prompts),
    ("assistant.threads.setTitle", "assistant:write", 50, threads::title),
    ("auth.test", "", 600, people::auth),
    ("bots.info", "users:read", 50, people::bot),
    ("chat.appendStream", "chat:write", 100, stream::append),
    ("chat.delete", "chat:write", 50, chat::delete),
    ("chat.postEphemeral", "chat:write", 100, chat::ephemeral),
    ("chat.postMessage", "chat:write", 0, chat::post),
    ("chat.startStream", "chat:write", 20, stream::start),
    ("chat.stopStream", "chat:write", 20, stream::stop),
    ("chat.update", "chat:write", 50, chat::update),
    ("conversations.history", "{family}:history", 50, conversations::history),
    ("conversations.info", "{family}:read", 50, conversations::info),
    ("conversations.join", "channels:join", 50, conversations::join),
    ("conversations.list", "channels:read", 20, conversations::list),
    ("conversations.members", "{family}:read", 100, conversations::members),
    ("conversations.open", "im:write", 50, conversations::open),
    ("conversations.replies", "{family}:history", 50, conversations::replies),
    ("files.completeUploadExternal", "files:write", 100, files::complete),
    ("files.getUploadURLExternal", "files:write", 100, files::upload_url),
    ("files.info", "files:read", 100, files::info),
    ("pins.add", "pins:write", 20, people::pin),
    ("pins.remove", "pins:write", 20, people::unpin),
    ("reactions.add", "reactions:write", 50, people::react),
    ("reactions.get", "reactions:read", 50, people::reactions),
    ("reactions.remove", "reactions:write", 20, people::unreact),
    ("team.info", "team:read", 50, people::team),
    ("usergroups.users.list", "usergroups:read", 20, people::group),
    ("users.conversations", "channels:read", 50, conversations::own),
    ("users.info", "users:read", 100, people::user),
    ("views.open", "", 100, threads::open_view),
    ("views.publish", "", 100, threads::publish_view),
    ("views.update", "", 100, threads::update_view),
];

pub fn find(name: &str) -> Option<Method> {
    let (name, scope, per_minute, run) = *METHODS.iter().find(|(known, ..)| *known == name)?;
    Some(Method { name, scope, per_minute, run })
}

/// The word that scopes have for the channel of a request.
pub fn family(world: &World, params: &Params) -> &'static str {
    let channel = params.text("channel").and_then(|id| world.channels.get(&id));
    channel.map_or(Kind::Channel, |channel| channel.kind).family()
}

/// A text that must be there.
fn need(params: &Params, name: &str) -> Result<String, Refusal> {
    let text = params.text(name).filter(|text| !text.is_empty());
    text.ok_or_else(|| Refusal::arguments(&format!("missing required field: {name}")))
}

impl World {
    /// A channel that this bot may know of.
    fn visible(&mut self, install: &Install, id: Option<String>) -> Result<&mut Channel, Refusal> {
        let id = id.ok_or_else(|| Refusal::new("channel_not_found"))?;
        let known = self.channels.get_mut(&id).filter(|known| {
            let is_here = known.team == install.team || known.shared.contains(&install.team);
            is_here && (known.kind == Kind::Channel || known.members.contains(&install.user))
        });
        known.ok_or_else(|| Refusal::new("channel_not_found"))
    }

    /// A channel that this bot is in.
    fn joined(&mut self, install: &Install, id: Option<String>) -> Result<&mut Channel, Refusal> {
        let user = install.user.clone();
        let channel = self.visible(install, id)?;
        if channel.members.contains(&user) { Ok(channel) } else { Err(Refusal::new("not_in_channel")) }
    }

    /// A channel that this bot may write to; a person's id means their private chat.
    fn writable(&mut self, install: &Install, id: Option<String>) -> Result<&mut Channel, Refusal> {
        let id = match id {
            Some(user) if self.users.contains_key(&user) => Some(self.direct(install, &user)),
            other => other,
        };
        let channel = self.joined(install, id)?;
        match () {
            () if channel.archived => Err(Refusal::new("is_archived")),
            () if channel.read_only => Err(Refusal::new("restricted_action_read_only_channel")),
            () => Ok(channel),
        }
    }
}

/// One page of a list, and the cursor of the next.
fn page(items: Vec<Value>, params: &Params, most: usize) -> Result<(Vec<Value>, Value), Refusal> {
    let limit = params.int("limit").and_then(|limit| usize::try_from(limit).ok()).filter(|limit| *limit > 0);
    let limit = limit.unwrap_or(100).min(most);
    let cursor = params.text("cursor").unwrap_or_default();
    let start = match cursor.strip_prefix("next:") {
        Some(start) => start.parse().map_err(|_| Refusal::new("invalid_cursor"))?,
        None if cursor.is_empty() => 0,
        None => return Err(Refusal::new("invalid_cursor")),
    };
    let more = items.len() > start + limit;
    let next = if more { format!("next:{}", start + limit) } else { String::new() };
    let items = items.into_iter().skip(start).take(limit).collect();
    Ok((items, json!({"next_cursor": next})))
}
