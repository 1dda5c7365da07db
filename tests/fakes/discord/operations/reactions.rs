//! Reactions of bots.

use serde_json::{Value, json};

use crate::answer::{Answer, Done, Refusal};
use crate::id::Id;
use crate::permission::{ADD_REACTIONS, READ_MESSAGE_HISTORY};
use crate::requests::Request;
use crate::world::World;

/// How many kinds of reactions a message can have.
const MOST: usize = 20;

/// Whether a text can be a Unicode emoji: short, and none of it is a letter.
pub fn is_emoji(text: &str) -> bool {
    !text.is_ascii() && text.chars().count() <= 12 && !text.chars().any(char::is_alphabetic)
}

/// An emoji of a guild, written `name:id`.
fn of_guild(world: &World, written: &str) -> Option<Value> {
    let (name, id) = written.split_once(':')?;
    let id: Id = id.parse().ok()?;
    let mut known = world.guilds.values().flat_map(|guild| &guild.emojis);
    let found = known.find(|emoji| emoji.0 == id)?;
    (found.1 == name).then(|| json!({"id": id, "name": name}))
}

pub fn add(world: &mut World, request: &Request) -> Answer {
    let (channel, id) = (request.id(0)?, request.id(1)?);
    let emoji = request.name(2);
    world.needs(channel, request.bot, READ_MESSAGE_HISTORY)?;
    let message = world.message(channel, id)?;
    let written = of_guild(world, emoji);
    let known =
        message.reactions.iter().any(|(shown, _)| shown["name"] == emoji || Some(shown) == written.as_ref());
    let kinds = message.reactions.len();
    if world.channel(channel)?.is_archived() {
        return Err(Refusal::archived());
    }
    // An emoji that was not encoded is not recognised.
    if request.raw || !is_emoji(emoji) && written.is_none() {
        return Err(Refusal::new(400, 10014, "Unknown Emoji"));
    }
    if !known {
        world.needs(channel, request.bot, ADD_REACTIONS)?;
        if kinds >= MOST {
            return Err(Refusal::new(400, 30010, "Maximum number of reactions reached (20)"));
        }
    }
    world.react(
        channel,
        id,
        request.bot,
        written.unwrap_or_else(|| json!({"id": null, "name": emoji})),
        true,
    );
    Ok(Done::nothing().about(id))
}

pub fn delete(world: &mut World, request: &Request) -> Answer {
    let (channel, id) = (request.id(0)?, request.id(1)?);
    world.needs(channel, request.bot, READ_MESSAGE_HISTORY)?;
    world.message(channel, id)?;
    if world.channel(channel)?.is_archived() {
        return Err(Refusal::archived());
    }
    let emoji = of_guild(world, request.name(2));
    let emoji = emoji.unwrap_or_else(|| json!({"id": null, "name": request.name(2)}));
    match world.react(channel, id, request.bot, emoji, false) {
        true => Ok(Done::nothing().about(id)),
        false => Err(Refusal::new(400, 10014, "Unknown Emoji")),
    }
}
