//! The list of commands that a bot shows, by scope and language.

use frontdesk_fakes::Params;
use serde_json::{Value, json};

use crate::answer::{Answer, Done, Refusal};
use crate::world::World;

const MOST: usize = 100;
const SCOPES: &str = "default all_private_chats all_group_chats all_chat_administrators chat chat_administrators \
                      chat_member";

pub fn set(world: &mut World, bot: i64, params: &Params) -> Answer {
    let key = key(params)?;
    let Some(Value::Array(commands)) = params.json("commands")? else {
        return Err(Refusal::bad("can't parse BotCommands JSON object"));
    };
    if commands.len() > MOST {
        return Err(Refusal::bad("BOT_COMMANDS_TOO_MUCH"));
    }
    let commands = commands.iter().map(command).collect::<Result<Vec<_>, _>>()?;
    if let Some(bot) = world.bots.get_mut(&bot) {
        bot.commands.insert(key, Value::Array(commands));
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
    match scope["type"].as_str() {
        Some(kind) if SCOPES.split_whitespace().any(|known| known == kind) => {
            Ok((scope.to_string(), language))
        }
        _ => Err(Refusal::bad("can't parse BotCommandScope: unsupported type specified")),
    }
}

fn command(command: &Value) -> Result<Value, Refusal> {
    let name = command["command"].as_str().unwrap_or_default().trim();
    let name = name.strip_prefix('/').unwrap_or(name);
    let description = command["description"].as_str().unwrap_or_default().trim();
    for (field, text, most) in [("command", name, 32), ("command description", description, 256)] {
        if text.is_empty() {
            return Err(Refusal::bad(format!("{field} must be non-empty")));
        }
        if text.chars().count() > most {
            return Err(Refusal::bad(format!("{field} length must not exceed {most}")));
        }
    }
    if !name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_') {
        return Err(Refusal::bad("BOT_COMMAND_INVALID"));
    }
    Ok(json!({"command": name, "description": description}))
}
