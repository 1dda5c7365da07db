//! Guilds and channels, as a bot looks at them.

use serde_json::{Value, json};

use crate::answer::{Answer, Done, Refusal};
use crate::guild::{Channel, Guild};
use crate::id::Id;
use crate::permission::{READ_MESSAGE_HISTORY, SEND_MESSAGES, SEND_MESSAGES_IN_THREADS, VIEW_CHANNEL};
use crate::requests::Request;
use crate::time;
use crate::world::World;

/// The guild in the path, if the bot is a member.
fn own_guild<'w>(world: &'w World, request: &Request) -> Result<&'w Guild, Refusal> {
    let guild = world.guilds.get(&request.id(0)?).ok_or_else(|| Refusal::unknown(10004, "Guild"))?;
    let member = guild.members.contains_key(&request.bot);
    if member { Ok(guild) } else { Err(Refusal::no_access()) }
}

pub fn guild(world: &mut World, request: &Request) -> Answer {
    Ok(Done::with(own_guild(world, request)?.to_json()))
}

pub fn roles(world: &mut World, request: &Request) -> Answer {
    Ok(Done::with(own_guild(world, request)?.roles_json()))
}

pub fn emojis(world: &mut World, request: &Request) -> Answer {
    Ok(Done::with(own_guild(world, request)?.emojis_json()))
}

pub fn list(world: &mut World, request: &Request) -> Answer {
    let guild = own_guild(world, request)?.id;
    let channels =
        world.channels.values().filter(|channel| channel.guild == Some(guild) && channel.thread.is_none());
    let channels: Vec<Value> = channels.map(Channel::to_json).collect();
    Ok(Done::with(json!(channels)))
}

pub fn active_threads(world: &mut World, request: &Request) -> Answer {
    let guild = own_guild(world, request)?.id;
    let wanted = |thread: &&Channel| thread.guild == Some(guild) && !thread.is_archived();
    Ok(threads(world, request.bot, wanted, usize::MAX))
}

pub fn archived_threads(world: &mut World, request: &Request) -> Answer {
    let parent = request.id(0)?;
    world.needs(parent, request.bot, READ_MESSAGE_HISTORY)?;
    let most = request.number("limit").and_then(|limit| usize::try_from(limit).ok()).unwrap_or(50);
    let before = request.query.get("before").cloned();
    let wanted = |thread: &&Channel| {
        let at = thread.thread.as_ref().map(|thread| time::written(thread.archive_ms));
        let is_before = before.is_none() || at < before;
        thread.parent == Some(parent) && thread.is_archived() && is_before
    };
    Ok(threads(world, request.bot, wanted, most))
}

/// Threads, the last archived one first.
fn threads(world: &World, bot: Id, wanted: impl Fn(&&Channel) -> bool, most: usize) -> Done {
    let visible =
        |thread: &&Channel| thread.thread.is_some() && world.may(thread.id, bot) & VIEW_CHANNEL != 0;
    let mut found: Vec<&Channel> = world.channels.values().filter(visible).filter(wanted).collect();
    found.sort_by_key(|thread| std::cmp::Reverse(thread.thread.as_ref().map(|thread| thread.archive_ms)));
    let has_more = found.len() > most;
    let threads: Vec<Value> = found.into_iter().take(most).map(Channel::to_json).collect();
    Done::with(json!({"threads": threads, "members": [], "has_more": has_more}))
}

pub fn member(world: &mut World, request: &Request) -> Answer {
    let id = request.id(1)?;
    let member = own_guild(world, request)?.members.get(&id);
    let mut member = member.ok_or_else(|| Refusal::unknown(10007, "Member"))?.to_json();
    member["user"] = world.user_json(id);
    Ok(Done::with(member))
}

pub fn get(world: &mut World, request: &Request) -> Answer {
    let id = request.id(0)?;
    world.needs(id, request.bot, VIEW_CHANNEL)?;
    Ok(Done::with(world.channel_json(world.channel(id)?)))
}

pub fn typing(world: &mut World, request: &Request) -> Answer {
    let id = request.id(0)?;
    let is_thread = world.channel(id)?.thread.is_some();
    world.needs(id, request.bot, if is_thread { SEND_MESSAGES_IN_THREADS } else { SEND_MESSAGES })?;
    Ok(Done::nothing())
}
