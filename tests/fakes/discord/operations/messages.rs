//! Messages of bots in channels.

use serde_json::{Value, json};

use super::compose::Draft;
use crate::answer::{Answer, Done, Refusal};
use crate::guild::{Channel, kind};
use crate::id::Id;
use crate::message::{self, Message};
use crate::permission::{
    MANAGE_MESSAGES, MANAGE_THREADS, PIN_MESSAGES, READ_MESSAGE_HISTORY, SEND_MESSAGES,
    SEND_MESSAGES_IN_THREADS, VIEW_CHANNEL,
};
use crate::requests::Request;
use crate::time;
use crate::world::World;

/// The time in which a nonce is known ("the past few minutes").
const NONCE_MS: i64 = 5 * 60 * 1000;

pub fn list(world: &mut World, request: &Request) -> Answer {
    let id = request.id(0)?;
    world.needs(id, request.bot, VIEW_CHANNEL)?;
    let limit = request.number("limit").unwrap_or(50);
    if !(1..=100).contains(&limit) {
        let words = "int value should be between 1 and 100 (inclusive).";
        return Err(Refusal::form("limit", "NUMBER_TYPE_MAX", words));
    }
    if world.may(id, request.bot) & READ_MESSAGE_HISTORY == 0 {
        return Ok(Done::with(json!([])));
    }
    let limit = usize::try_from(limit).unwrap_or_default();
    let at = |name| request.number(name).map(Id);
    let channel = world.channel(id)?;
    let visible = |message: &&Message| message.only_for.is_none();
    let older = |than: Id| channel.messages.range(..than).rev().map(|(_, message)| message).filter(visible);
    let newer = |than: Id| {
        channel
            .messages
            .range(than..)
            .map(|(_, message)| message)
            .filter(visible)
            .filter(move |message| message.id != than)
    };
    // Newest first, whichever end of the gap they are taken from.
    let found: Vec<&Message> = if let Some(after) = at("after") {
        let mut found: Vec<&Message> = newer(after).take(limit).collect();
        found.reverse();
        found
    } else if let Some(around) = at("around") {
        let mut found: Vec<&Message> = newer(around).take(limit / 2).collect();
        found.reverse();
        found.extend(channel.messages.get(&around).filter(visible));
        found.extend(older(around).take(limit / 2));
        found
    } else {
        older(at("before").unwrap_or(Id(u64::MAX))).take(limit).collect()
    };
    let found: Vec<Value> = found.into_iter().map(|message| world.message_json(message)).collect();
    Ok(Done::with(json!(found)))
}

pub fn get(world: &mut World, request: &Request) -> Answer {
    let (channel, id) = (request.id(0)?, request.id(1)?);
    world.needs(channel, request.bot, READ_MESSAGE_HISTORY)?;
    let message = world.message(channel, id)?;
    Ok(Done::with(world.message_json(message)))
}

pub fn create(world: &mut World, request: &Request) -> Answer {
    let channel = request.id(0)?;
    world.writable(channel, request.bot)?;
    let draft = Draft::of(&request.body)?;
    let nonce = draft.nonce.clone();
    if let Some(nonce) = nonce.clone().filter(|_| draft.enforce_nonce)
        && let Some(known) = world.known_nonce(request.bot, &nonce)
    {
        return Ok(Done::with(world.message_json(known)).about(known.id));
    }
    let id = world.new_id();
    let mut message = Message::new(id, channel, request.bot, world.user_json(request.bot));
    world.refer(&mut message, &draft)?;
    world.write(&mut message, &draft)?;
    if let Some(nonce) = nonce {
        message.set("nonce", nonce.clone());
        world.nonces.insert((request.bot, nonce), (channel, id));
    }
    world.open(channel);
    world.post(message.clone());
    Ok(Done::with(world.message_json(&message)).posted(id))
}

pub fn update(world: &mut World, request: &Request) -> Answer {
    let (channel, id) = (request.id(0)?, request.id(1)?);
    let mut message = changeable(world, request)?;
    if message.author != request.bot {
        return Err(Refusal::new(403, 50005, "Cannot edit a message authored by another user"));
    }
    world.write(&mut message, &Draft::of(&request.body)?)?;
    message.set("edited_timestamp", time::written(world.now_ms()));
    world.rewrite(channel, id, |known| *known = message.clone());
    Ok(Done::with(world.message_json(&message)).about(id))
}

pub fn delete(world: &mut World, request: &Request) -> Answer {
    let message = changeable(world, request)?;
    if message.author != request.bot {
        if world.channel(message.channel)?.kind == kind::DM {
            return Err(Refusal::new(403, 50003, "Cannot execute action on a DM channel"));
        }
        world.needs(message.channel, request.bot, MANAGE_MESSAGES)?;
    }
    world.remove(message.channel, message.id);
    Ok(Done::nothing().about(message.id))
}

pub fn pin(world: &mut World, request: &Request) -> Answer {
    let message = changeable(world, request)?;
    world.needs(message.channel, request.bot, PIN_MESSAGES)?;
    if message.fields.get("pinned") != Some(&json!(true)) {
        world.rewrite(message.channel, message.id, |known| known.set("pinned", true));
        let id = world.new_id();
        let mut notice = Message::new(id, message.channel, request.bot, world.user_json(request.bot));
        notice.set("type", message::kind::PIN);
        notice.set("message_reference", json!({"channel_id": message.channel, "message_id": message.id}));
        world.post(notice);
    }
    Ok(Done::nothing().about(message.id))
}

/// The message in the path, if its thread is not archived.
fn changeable(world: &World, request: &Request) -> Result<Message, Refusal> {
    let (channel, id) = (request.id(0)?, request.id(1)?);
    world.needs(channel, request.bot, VIEW_CHANNEL)?;
    let message = world.message(channel, id)?.clone();
    // Only the interaction that it answers reaches a message that one person sees.
    if message.only_for.is_some() {
        return Err(Refusal::unknown(10008, "Message"));
    }
    if world.channel(channel)?.is_archived() { Err(Refusal::archived()) } else { Ok(message) }
}

impl World {
    /// Whether a bot can write into a channel.
    pub fn writable(&self, id: Id, bot: Id) -> Result<(), Refusal> {
        let channel = self.channel(id)?;
        if let Some((_, person)) = channel.between {
            let blocks = self.users.get(&person).is_some_and(|user| user.blocks);
            let refusal = Refusal::new(403, 50007, "Cannot send messages to this user");
            return if blocks { Err(refusal) } else { self.needs(id, bot, SEND_MESSAGES) };
        }
        let Some(thread) = &channel.thread else {
            self.needs(id, bot, SEND_MESSAGES)?;
            let words = "Cannot message this thread until after the post author has sent an initial message.";
            return if channel.is_forum() { Err(Refusal::new(400, 40058, words)) } else { Ok(()) };
        };
        self.needs(id, bot, SEND_MESSAGES_IN_THREADS)?;
        if thread.locked && self.may(id, bot) & MANAGE_THREADS == 0 {
            return Err(Refusal::new(400, 160005, "Thread is locked"));
        }
        Ok(())
    }

    /// An archived thread opens when somebody writes in it.
    pub fn open(&mut self, id: Id) {
        let is_archived = self.channels.get(&id).is_some_and(Channel::is_archived);
        if is_archived {
            self.change_thread(id, |thread| thread.archived = false);
        }
    }

    fn known_nonce(&self, author: Id, nonce: &str) -> Option<&Message> {
        let (channel, id) = self.nonces.get(&(author, nonce.to_owned()))?;
        let is_young = self.now_ms() - id.ms() <= NONCE_MS;
        self.message(*channel, *id).ok().filter(|_| is_young)
    }
}
