//! The menu of commands, by scope and language.

use serde_json::{Value, json};

use crate::answer::{Answer, Done, Refusal};
use crate::params::Params;
use crate::world::World;

const MOST: usize = 100;

pub fn set(world: &mut World, bot: i64, params: &Params) -> Answer {
    let key = key(params)?;
    let Some(Value::Array(commands)) = params.json("commands")? else {
        return Err(Refusal::bad("can't parse BotCommands JSON object"));
    };
    if commands.len() > MOST {
        return Err(Refusal::bad("BOT_COMMANDS_TOO_MUCH"));
    }
    let kept: Result<Vec<Value>, Refusal> = commands.iter().map(command).collect();
    let kept = kept?;
    if let Some(bot) = world.bots.get_mut(&bot) {
        match kept.is_empty() {
            true => bot.commands.remove(&key),
            false => bot.commands.insert(key, Value::Array(kept)),
        };
    }
    Ok(Done::yes())
}

pub fn get(world: &mut World, bot: i64, params: &Params) -> Answer {
    let key = key(params)?;
    let commands = world.bots.get(&bot).and_then(|bot| bot.commands.get(&key));
    Ok(Done::with(commands.unwrap_or(&json!([]))))
}

pub fn delete(world: &mut World, bot: i64, params: &Params) -> Answer {
    let key = key(params)?;
    if let Some(bot) = world.bots.get_mut(&bot) {
        bot.commands.remove(&key);
    }
    Ok(Done::yes())
}

fn key(params: &Params) -> Result<(String, String), Refusal> {
    let scope = params.json("scope")?.unwrap_or_else(|| json!({"type": "default"}));
    let language = params.text("language_code").unwrap_or_default();
    let two = language.len() == 2 && language.bytes().all(|letter| letter.is_ascii_lowercase());
    if !language.is_empty() && !two {
        return Err(Refusal::bad("BOT_COMMAND_LANGUAGE_CODE_INVALID"));
    }
    let known = [
        "default",
        "all_private_chats",
        "all_group_chats",
        "all_chat_administrators",
        "chat",
        "chat_administrators",
        "chat_member",
    ];
    match scope["type"].as_str() {
        Some(kind) if known.contains(&kind) => Ok((scope.to_string(), language)),
        _ => Err(Refusal::bad("can't parse BotCommandScope: unsupported type specified")),
    }
}

fn command(command: &Value) -> Result<Value, Refusal> {
    let name = command["command"].as_str().unwrap_or_default().trim();
    let name = name.strip_prefix('/').unwrap_or(name);
    let description = command["description"].as_str().unwrap_or_default().trim();
    if name.is_empty() {
        return Err(Refusal::bad("command must be non-empty"));
    }
    if name.chars().count() > 32 {
        return Err(Refusal::bad("command length must not exceed 32"));
    }
    if description.is_empty() {
        return Err(Refusal::bad("command description must be non-empty"));
    }
    if description.chars().count() > 256 {
        return Err(Refusal::bad("command description length must not exceed 256"));
    }
    if !name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_') {
        return Err(Refusal::bad("BOT_COMMAND_INVALID"));
    }
    Ok(json!({"command": name, "description": description}))
}
