//! Reactions of bots.

use crate::answer::{Answer, Done, Refusal};
use crate::permission::{ADD_REACTIONS, READ_MESSAGE_HISTORY};
use crate::requests::Request;
use crate::world::World;

/// How many kinds of reactions a message can have.
const MOST: usize = 20;

/// Whether a text can be a Unicode emoji: short, and none of it is a letter.
pub fn is_emoji(text: &str) -> bool {
    !text.is_ascii() && text.chars().count() <= 12 && !text.chars().any(char::is_alphabetic)
}

pub fn add(world: &mut World, request: &Request) -> Answer {
    let (channel, id) = (request.id(0)?, request.id(1)?);
    let emoji = request.name(2);
    world.needs(channel, request.bot, READ_MESSAGE_HISTORY)?;
    let message = world.message(channel, id)?;
    let known = message.reactions.iter().any(|(shown, _)| shown["name"] == emoji);
    let kinds = message.reactions.len();
    if world.channel(channel)?.is_archived() {
        return Err(Refusal::archived());
    }
    // An emoji that was not encoded is not recognised.
    if request.raw || !is_emoji(emoji) {
        return Err(Refusal::new(400, 10014, "Unknown Emoji"));
    }
    if !known {
        world.needs(channel, request.bot, ADD_REACTIONS)?;
        if kinds >= MOST {
            return Err(Refusal::new(400, 30010, "Maximum number of reactions reached (20)"));
        }
    }
    world.react(channel, id, request.bot, emoji, true);
    Ok(Done::nothing().about(id))
}

pub fn delete(world: &mut World, request: &Request) -> Answer {
    let (channel, id) = (request.id(0)?, request.id(1)?);
    world.needs(channel, request.bot, READ_MESSAGE_HISTORY)?;
    world.message(channel, id)?;
    if world.channel(channel)?.is_archived() {
        return Err(Refusal::archived());
    }
    match world.react(channel, id, request.bot, request.name(2), false) {
        true => Ok(Done::nothing().about(id)),
        false => Err(Refusal::new(400, 10014, "Unknown Emoji")),
    }
}
