//! The commands that a bot registers, for all its chats or for one guild.

use serde_json::{Value, json};

use crate::answer::{Answer, Done, Refusal};
use crate::id::Id;
use crate::requests::Request;
use crate::world::World;

const MOST: usize = 100;
const MOST_OPTIONS: usize = 25;
const LONGEST_NAME: usize = 32;
const LONGEST_DESCRIPTION: usize = 100;

pub fn list(world: &mut World, request: &Request) -> Answer {
    registered(world, request, None)
}

pub fn list_in_guild(world: &mut World, request: &Request) -> Answer {
    registered(world, request, Some(request.id(1)?))
}

pub fn set(world: &mut World, request: &Request) -> Answer {
    replace(world, request, None)
}

pub fn set_in_guild(world: &mut World, request: &Request) -> Answer {
    replace(world, request, Some(request.id(1)?))
}

pub fn create(world: &mut World, request: &Request) -> Answer {
    upsert(world, request, None)
}

pub fn create_in_guild(world: &mut World, request: &Request) -> Answer {
    upsert(world, request, Some(request.id(1)?))
}

pub fn delete(world: &mut World, request: &Request) -> Answer {
    allowed(world, request, None)?;
    let id = request.id(1)?;
    let bot = world.bot(request.bot).ok_or_else(Refusal::unauthorized)?;
    let before = bot.commands.len();
    bot.commands.retain(|(_, command)| command["id"] != json!(id));
    if bot.commands.len() == before {
        Err(Refusal::unknown(10063, "application command"))
    } else {
        Ok(Done::nothing())
    }
}

/// An application registers only its own commands, in guilds where it is.
fn allowed(world: &World, request: &Request, guild: Option<Id>) -> Result<(), Refusal> {
    if request.id(0)? != request.bot {
        return Err(Refusal::new(
            403,
            20012,
            "You are not authorized to perform this action on this application",
        ));
    }
    let Some(guild) = guild else { return Ok(()) };
    let member = world.guilds.get(&guild).is_some_and(|guild| guild.members.contains_key(&request.bot));
    if member { Ok(()) } else { Err(Refusal::no_access()) }
}

fn registered(world: &mut World, request: &Request, guild: Option<Id>) -> Answer {
    allowed(world, request, guild)?;
    let bot = world.bot(request.bot).ok_or_else(Refusal::unauthorized)?;
    let own = bot.commands.iter().filter(|(known, _)| *known == guild);
    Ok(Done::with(own.map(|(_, command)| command.clone()).collect()))
}

fn replace(world: &mut World, request: &Request, guild: Option<Id>) -> Answer {
    allowed(world, request, guild)?;
    let list = request.body.fields.get("list").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut named = Vec::new();
    for (n, command) in list.iter().enumerate() {
        check(command, &format!("{n}."))?;
        let name = (command["name"].clone(), command["type"].as_u64().unwrap_or(1));
        if named.contains(&name) {
            let words = "Application command names must be unique";
            return Err(Refusal::form(&n.to_string(), "APPLICATION_COMMANDS_DUPLICATE_NAME", words));
        }
        named.push(name);
    }
    if named.iter().filter(|(_, kind)| *kind == 1).count() > MOST {
        return Err(Refusal::new(400, 30032, "Maximum number of application commands reached (100)"));
    }
    let kept: Vec<Value> =
        list.iter().map(|command| world.registered(request.bot, guild, command).0).collect();
    let bot = world.bot(request.bot).ok_or_else(Refusal::unauthorized)?;
    bot.commands.retain(|(known, _)| *known != guild);
    bot.commands.extend(kept.iter().map(|command| (guild, command.clone())));
    Ok(Done::with(json!(kept)))
}

fn upsert(world: &mut World, request: &Request, guild: Option<Id>) -> Answer {
    allowed(world, request, guild)?;
    let command = Value::Object(request.body.fields.clone());
    check(&command, "")?;
    let (command, known) = world.registered(request.bot, guild, &command);
    let bot = world.bot(request.bot).ok_or_else(Refusal::unauthorized)?;
    bot.commands.retain(|(_, other)| other["id"] != command["id"]);
    bot.commands.push((guild, command.clone()));
    Ok(Done { status: if known { 200 } else { 201 }, ..Done::with(command) })
}

fn check(command: &Value, path: &str) -> Result<(), Refusal> {
    let is_slash = command["type"].as_u64().unwrap_or(1) == 1;
    check_name(command, path, is_slash)?;
    let options = command["options"].as_array().map(Vec::as_slice).unwrap_or_default();
    if options.len() > MOST_OPTIONS {
        return Err(Refusal::too_long(&format!("{path}options"), MOST_OPTIONS));
    }
    let mut optional = false;
    for (n, option) in options.iter().enumerate() {
        let path = format!("{path}options.{n}.");
        check_name(option, &path, true)?;
        let required = option["required"] == true;
        if required && optional {
            let words = "Required options must be placed before non-required options";
            return Err(Refusal::form(&path, "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", words));
        }
        optional |= !required;
    }
    Ok(())
}

fn check_name(named: &Value, path: &str, is_slash: bool) -> Result<(), Refusal> {
    let text = |name: &str| named[name].as_str().unwrap_or_default();
    let letter = |c: char| c.is_alphanumeric() && !c.is_uppercase() || "-_'".contains(c);
    let (name, length) = (text("name"), text("name").chars().count());
    if length == 0 || length > LONGEST_NAME || is_slash && !name.chars().all(letter) {
        let words = "Command name is invalid";
        return Err(Refusal::form(&format!("{path}name"), "APPLICATION_COMMAND_INVALID_NAME", words));
    }
    if is_slash && !(1..=LONGEST_DESCRIPTION).contains(&text("description").chars().count()) {
        let words = "Must be between 1 and 100 in length.";
        return Err(Refusal::form(&format!("{path}description"), "BASE_TYPE_BAD_LENGTH", words));
    }
    Ok(())
}

impl World {
    /// A command as it is kept, and whether its name was known.
    fn registered(&mut self, bot: Id, guild: Option<Id>, command: &Value) -> (Value, bool) {
        let kind = command["type"].as_u64().unwrap_or(1);
        let same = |(known, other): &&(Option<Id>, Value)| {
            *known == guild && other["name"] == command["name"] && other["type"] == kind
        };
        let known = self.bot(bot).and_then(|bot| bot.commands.iter().find(same));
        let known = known.and_then(|(_, command)| Id::read(&command["id"]));
        let id = known.unwrap_or_else(|| self.new_id());
        let mut kept = json!({
            "description": "", "options": [], "default_member_permissions": null, "nsfw": false, "contexts": null,
            "integration_types": [0], "name_localizations": null, "description_localizations": null,
        });
        for (name, value) in command.as_object().into_iter().flatten() {
            kept[name] = value.clone();
        }
        let version = self.new_id();
        for (name, value) in [
            ("id", json!(id)),
            ("application_id", json!(bot)),
            ("type", json!(kind)),
            ("version", json!(version)),
        ] {
            kept[name] = value;
        }
        if let Some(guild) = guild {
            kept["guild_id"] = json!(guild);
        }
        (kept, known.is_some())
    }
}
