//! Answers to interactions: the first within three seconds, further ones for a quarter of an hour.

use serde_json::{Map, Value, json};

use super::compose::Draft;
use crate::answer::{Answer, Done, Refusal};
use crate::id::Id;
use crate::interaction::{Interaction, kind};
use crate::message::{self, Message, flag};
use crate::requests::Request;
use crate::time;
use crate::world::World;

/// Types of first answers.
const MESSAGE: u64 = 4;
const DEFERRED: u64 = 5;
const DEFERRED_UPDATE: u64 = 6;
const UPDATE: u64 = 7;
const CHOICES: u64 = 8;
const MODAL: u64 = 9;

const MOST_CHOICES: usize = 25;
const LONGEST_TITLE: usize = 45;

pub fn first(world: &mut World, request: &Request) -> Answer {
    let interaction = world.unanswered(request.id(0)?, request.name(1))?.clone();
    let callback = request.body.fields.get("type").and_then(Value::as_u64).unwrap_or_default();
    let empty = Map::new();
    let data = request.body.fields.get("data").and_then(Value::as_object).unwrap_or(&empty);
    let fits = match callback {
        MESSAGE | DEFERRED => interaction.kind != kind::AUTOCOMPLETE,
        DEFERRED_UPDATE | UPDATE => interaction.message.is_some(),
        CHOICES => interaction.kind == kind::AUTOCOMPLETE,
        MODAL => matches!(interaction.kind, kind::COMMAND | kind::COMPONENT),
        _ => false,
    };
    if !fits {
        return Err(Refusal::form(
            "type",
            "BASE_TYPE_CHOICES",
            "This callback type is not valid for the interaction.",
        ));
    }
    let draft = Draft::of_fields(data, &request.body.files)?;
    let hidden = draft.flags.unwrap_or_default() & flag::EPHEMERAL != 0;
    let mut made = None;
    match callback {
        MESSAGE => made = Some(world.answer(&interaction, &draft, hidden, false)?),
        DEFERRED => made = Some(world.answer(&interaction, &Draft::default(), hidden, true)?),
        UPDATE => made = world.update_carrier(&interaction, &draft)?,
        DEFERRED_UPDATE => made = interaction.message,
        CHOICES if data.get("choices").and_then(Value::as_array).map_or(0, Vec::len) > MOST_CHOICES => {
            return Err(Refusal::too_long("data.choices", MOST_CHOICES));
        }
        CHOICES => {}
        _ => check_modal(data)?,
    }
    if let Some(known) = world.interactions.get_mut(&interaction.id) {
        known.answer = Some((callback, json!(data)));
        known.thinking = callback == DEFERRED;
        known.original = made;
        known.messages.extend(made.filter(|_| matches!(callback, MESSAGE | DEFERRED)));
    }
    let shown = made.and_then(|id| world.message(interaction.channel, id).ok());
    let shown = shown.map_or(Value::Null, |message| world.message_json(message));
    let done = match request.flag("with_response") {
        true => Done::with(json!({
            "interaction": {
                "id": interaction.id, "type": interaction.kind, "response_message_id": made,
                "response_message_loading": callback == DEFERRED, "response_message_ephemeral": hidden,
            },
            "resource": {"type": callback, "message": shown},
        })),
        false => Done::nothing(),
    };
    Ok(Done { message: made, posted: callback == MESSAGE, ..done })
}

fn check_modal(data: &Map<String, Value>) -> Result<(), Refusal> {
    let title = data.get("title").and_then(Value::as_str).unwrap_or_default().chars().count();
    if !(1..=LONGEST_TITLE).contains(&title) {
        return Err(Refusal::too_long("data.title", LONGEST_TITLE));
    }
    let components = data.get("components").and_then(Value::as_array).map_or(0, Vec::len);
    if (1..=5).contains(&components) { Ok(()) } else { Err(Refusal::too_long("data.components", 5)) }
}

pub fn follow_up(world: &mut World, request: &Request) -> Answer {
    let interaction = world.by_token(request.id(0)?, request.name(1))?.clone();
    let draft = Draft::of(&request.body)?;
    // The first one after a deferred answer takes its place.
    if let Some(original) = interaction.original.filter(|_| interaction.thinking) {
        return edit(world, &interaction, original, &draft);
    }
    let hidden = draft.flags.unwrap_or_default() & flag::EPHEMERAL != 0;
    let id = world.answer(&interaction, &draft, hidden, false)?;
    if let Some(known) = world.interactions.get_mut(&interaction.id) {
        known.messages.push(id);
    }
    let message = world.message(interaction.channel, id)?;
    Ok(Done::with(world.message_json(message)).posted(id))
}

pub fn get(world: &mut World, request: &Request) -> Answer {
    let (interaction, id) = named(world, request)?;
    let message = world.message(interaction.channel, id)?;
    Ok(Done::with(world.message_json(message)))
}

pub fn update(world: &mut World, request: &Request) -> Answer {
    let (interaction, id) = named(world, request)?;
    edit(world, &interaction, id, &Draft::of(&request.body)?)
}

pub fn delete(world: &mut World, request: &Request) -> Answer {
    let (interaction, id) = named(world, request)?;
    world.remove(interaction.channel, id).ok_or_else(|| Refusal::unknown(10008, "Message"))?;
    if let Some(known) =
        world.interactions.get_mut(&interaction.id).filter(|known| known.original == Some(id))
    {
        known.thinking = false;
    }
    Ok(Done::nothing().about(id))
}

/// The message in the path, which is one of the interaction's.
fn named(world: &World, request: &Request) -> Result<(Interaction, Id), Refusal> {
    let interaction = world.by_token(request.id(0)?, request.name(1))?.clone();
    let id = if request.names.len() > 2 { Some(request.id(2)?) } else { interaction.original };
    let own = id.filter(|id| interaction.messages.contains(id) || interaction.original == Some(*id));
    Ok((interaction, own.ok_or_else(|| Refusal::unknown(10008, "Message"))?))
}

fn edit(world: &mut World, interaction: &Interaction, id: Id, draft: &Draft) -> Answer {
    if world.channel(interaction.channel)?.is_archived() {
        return Err(Refusal::new(500, 0, "500: Internal Server Error"));
    }
    let mut message = world.message(interaction.channel, id)?.clone();
    let was_thinking = message.flags() & flag::LOADING != 0;
    message.set("flags", message.flags() & !flag::LOADING);
    world.write(&mut message, draft)?;
    if !was_thinking {
        message.set("edited_timestamp", time::written(world.now_ms()));
    }
    world.rewrite(interaction.channel, id, |known| *known = message.clone());
    if let Some(known) = world.interactions.get_mut(&interaction.id).filter(|_| was_thinking) {
        known.thinking = false;
    }
    Ok(Done { posted: was_thinking, ..Done::with(world.message_json(&message)).about(id) })
}

impl World {
    /// Puts a message of an answer into the channel; a deferred one says that the bot is thinking.
    fn answer(
        &mut self,
        interaction: &Interaction,
        draft: &Draft,
        hidden: bool,
        thinking: bool,
    ) -> Result<Id, Refusal> {
        let id = self.new_id();
        let mut message =
            Message::new(id, interaction.channel, interaction.bot, self.user_json(interaction.bot));
        message.webhook = true;
        message.only_for = Some(interaction.user).filter(|_| hidden);
        let refers = interaction.original.or(interaction.message);
        let kind = if refers.is_some() { message::kind::REPLY } else { message::kind::COMMAND };
        message.set("type", kind);
        if let Some(target) = refers {
            let reference = json!({"type": 0, "message_id": target, "channel_id": interaction.channel});
            message.set("message_reference", reference);
        }
        message.set("webhook_id", json!(interaction.bot));
        message.set("application_id", json!(interaction.bot));
        message.set("interaction_metadata", self.interaction_metadata(interaction));
        if hidden {
            message.set("flags", flag::EPHEMERAL);
        }
        if thinking {
            message.set("flags", message.flags() | flag::LOADING);
        } else {
            self.write(&mut message, draft)?;
        }
        self.post(message);
        Ok(id)
    }

    /// Changes the message whose button was pressed.
    fn update_carrier(&mut self, interaction: &Interaction, draft: &Draft) -> Result<Option<Id>, Refusal> {
        let Some(id) = interaction.message else { return Ok(None) };
        let mut message = self.message(interaction.channel, id)?.clone();
        self.write(&mut message, draft)?;
        message.set("edited_timestamp", time::written(self.now_ms()));
        self.rewrite(interaction.channel, id, |known| *known = message.clone());
        Ok(Some(id))
    }
}
