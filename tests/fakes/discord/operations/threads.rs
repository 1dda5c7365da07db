//! Threads: on a message, without one, and posts in a forum.

use serde_json::{Value, json};

use super::compose::Draft;
use crate::answer::{Answer, Done, Refusal};
use crate::guild::{Channel, Thread, kind};
use crate::id::Id;
use crate::message::{self, Message, flag};
use crate::permission::{
    CREATE_PUBLIC_THREADS, MANAGE_THREADS, READ_MESSAGE_HISTORY, SEND_MESSAGES, VIEW_CHANNEL,
};
use crate::requests::Request;
use crate::session::intent;
use crate::world::World;

const LONGEST_NAME: usize = 100;
const MINUTES: [u64; 4] = [60, 1440, 4320, 10080];

/// The name and the minutes that a request asks for.
fn wanted(request: &Request) -> Result<(String, u64), Refusal> {
    let name = request.body.text("name").filter(|name| !name.trim().is_empty());
    let name = name.ok_or_else(|| Refusal::required("name"))?;
    if name.chars().count() > LONGEST_NAME {
        return Err(Refusal::too_long("name", LONGEST_NAME));
    }
    let minutes = request.body.fields.get("auto_archive_duration").and_then(Value::as_u64).unwrap_or(1440);
    if !MINUTES.contains(&minutes) {
        let words = "Value must be one of {60, 1440, 4320, 10080}.";
        return Err(Refusal::form("auto_archive_duration", "BASE_TYPE_CHOICES", words));
    }
    Ok((name.to_owned(), minutes))
}

pub fn on_message(world: &mut World, request: &Request) -> Answer {
    let (channel, id) = (request.id(0)?, request.id(1)?);
    world.needs(channel, request.bot, CREATE_PUBLIC_THREADS | READ_MESSAGE_HISTORY)?;
    let (name, minutes) = wanted(request)?;
    world.message(channel, id)?;
    if world.channels.contains_key(&id) {
        return Err(Refusal::new(400, 160004, "A thread has already been created for this message"));
    }
    world.start_thread(channel, id, request.bot, &name, minutes);
    Ok(Done { status: 201, ..Done::with(world.channel(id)?.to_json()) })
}

pub fn create(world: &mut World, request: &Request) -> Answer {
    let channel = request.id(0)?;
    let is_forum = world.channel(channel)?.is_forum();
    world.needs(channel, request.bot, if is_forum { SEND_MESSAGES } else { CREATE_PUBLIC_THREADS })?;
    let (name, minutes) = wanted(request)?;
    if !is_forum {
        let id = world.new_id();
        world.start_thread(channel, id, request.bot, &name, minutes);
        return Ok(Done { status: 201, ..Done::with(world.channel(id)?.to_json()) });
    }
    let tags = request.body.fields.get("applied_tags").and_then(Value::as_array).map_or(0, Vec::len);
    if world.channel(channel)?.needs_tag && tags == 0 {
        return Err(Refusal::new(400, 40067, "A tag is required to create a forum post in this channel"));
    }
    let first = request.body.fields.get("message").and_then(Value::as_object);
    let draft = Draft::of_fields(first.ok_or_else(|| Refusal::required("message"))?, &request.body.files)?;
    let id = world.new_id();
    // Checked before anything is made, in the forum, whose permissions are the post's.
    let mut message = Message::new(id, channel, request.bot, world.user_json(request.bot));
    world.write(&mut message, &draft)?;
    message.channel = id;
    message.set("channel_id", json!(id));
    world.start_thread(channel, id, request.bot, &name, minutes);
    world.post(message.clone());
    let mut json = world.channel(id)?.to_json();
    json["message"] = world.message_json(&message);
    Ok(Done { status: 201, ..Done::with(json).posted(id) })
}

pub fn join(world: &mut World, request: &Request) -> Answer {
    let id = request.id(0)?;
    world.needs(id, request.bot, VIEW_CHANNEL)?;
    if world.channel(id)?.is_archived() { Err(Refusal::archived()) } else { Ok(Done::nothing()) }
}

pub fn update(world: &mut World, request: &Request) -> Answer {
    let id = request.id(0)?;
    world.needs(id, request.bot, VIEW_CHANNEL)?;
    let flag = |name: &str| request.body.fields.get(name).and_then(Value::as_bool);
    let Some(thread) = world.channel(id)?.thread.clone() else { return Err(Refusal::no_permission()) };
    let manages = world.may(id, request.bot) & MANAGE_THREADS != 0;
    let opens = request.body.fields.len() == 1 && flag("archived") == Some(false) && !thread.locked;
    if !manages && thread.owner != request.bot && !opens {
        return Err(Refusal::no_permission());
    }
    if !manages && thread.locked {
        return Err(Refusal::new(400, 160005, "Thread is locked"));
    }
    if thread.archived && flag("archived") != Some(false) {
        return Err(Refusal::archived());
    }
    if let Some(name) = request.body.text("name") {
        world.channel_mut(id)?.name = name.to_owned();
    }
    world.change_thread(id, |thread| {
        thread.archived = flag("archived").unwrap_or(thread.archived);
        thread.locked = flag("locked").unwrap_or(thread.locked);
    });
    Ok(Done::with(world.channel(id)?.to_json()))
}

pub fn delete(world: &mut World, request: &Request) -> Answer {
    let id = request.id(0)?;
    world.needs(id, request.bot, MANAGE_THREADS)?;
    let json = world.channel(id)?.to_json();
    world.delete_channel(id);
    Ok(Done::with(json))
}

impl World {
    /// Makes a thread. One on a message has the message's id.
    pub fn start_thread(&mut self, parent: Id, id: Id, owner: Id, name: &str, minutes: u64) {
        let Some(channel) = self.channels.get(&parent) else { return };
        let (guild, started, is_forum) =
            (channel.guild, channel.messages.get(&id).cloned(), channel.is_forum());
        let kind = if channel.kind == kind::ANNOUNCEMENT { 10 } else { kind::PUBLIC_THREAD };
        let now = self.now_ms();
        let thread =
            Thread { owner, archived: false, locked: false, minutes, archive_ms: now, created_ms: now };
        let made =
            Channel { parent: Some(parent), thread: Some(thread), ..Channel::new(id, kind, guild, name) };
        self.channels.insert(id, made);
        self.tell_thread(id, "THREAD_CREATE", true);
        let Some(message) = started else {
            if !is_forum {
                self.notice_thread(parent, id, owner, name);
            }
            return;
        };
        let json = self.channels.get(&id).map(Channel::to_json).unwrap_or_default();
        self.rewrite(parent, id, |message| {
            message.set("flags", message.flags() | flag::HAS_THREAD);
            message.set("thread", json);
        });
        let starter = self.new_id();
        let mut starter = Message::new(starter, id, message.author, self.user_json(message.author));
        starter.set("type", message::kind::THREAD_STARTER);
        let reference = json!({"type": 0, "message_id": id, "channel_id": parent, "guild_id": guild});
        starter.set("message_reference", reference);
        self.post(starter);
    }

    /// The parent of a thread that stands on no message says that there is one.
    fn notice_thread(&mut self, parent: Id, thread: Id, owner: Id, name: &str) {
        let id = self.new_id();
        let mut notice = Message::new(id, parent, owner, self.user_json(owner));
        notice.set("type", 18);
        notice.set("content", name);
        notice.set("message_reference", json!({"type": 0, "channel_id": thread}));
        self.post(notice);
    }

    /// Changes a thread and tells the bots of it.
    pub fn change_thread(&mut self, id: Id, change: impl FnOnce(&mut Thread)) {
        let now = self.now_ms();
        let Some(thread) = self.channels.get_mut(&id).and_then(|channel| channel.thread.as_mut()) else {
            return;
        };
        let before = thread.archived;
        change(thread);
        if thread.archived != before {
            thread.archive_ms = now;
        }
        self.tell_thread(id, "THREAD_UPDATE", false);
    }

    /// Deletes a channel or a thread and tells the bots of it.
    pub fn delete_channel(&mut self, id: Id) {
        let Some(channel) = self.channels.get(&id) else { return };
        let (json, is_thread) = (channel.to_json(), channel.thread.is_some());
        let gone = json!({"id": id, "guild_id": json["guild_id"], "parent_id": json["parent_id"], "type": json["type"]});
        match is_thread {
            true => self.tell(id, "THREAD_DELETE", (intent::GUILDS, intent::GUILDS), &gone),
            false => self.tell(id, "CHANNEL_DELETE", (intent::GUILDS, intent::GUILDS), &json),
        }
        self.channels.retain(|known, channel| *known != id && channel.parent != Some(id));
    }

    fn tell_thread(&mut self, id: Id, event: &str, new: bool) {
        let Some(channel) = self.channels.get(&id) else { return };
        let mut json = channel.to_json();
        if new {
            json["newly_created"] = json!(true);
        }
        self.tell(id, event, (intent::GUILDS, intent::GUILDS), &json);
    }
}
