//! The commands that Discord offers when somebody types `/`.

use std::collections::BTreeSet;

use frontdesk_core::account::AccountId;
use frontdesk_core::command;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::CHANNEL;
use crate::error::Fault;
use crate::interactions::Interactions;
use crate::rest::{Request, Rest};

/// Types of commands and options, and contexts (Discord's documentation, Application Commands).
const TYPED: u8 = 1;
const TEXT: u8 = 3;
const IN_GUILDS: u8 = 0;
const WITH_THE_BOT: u8 = 1;

/// Registers the commands if they differ from those that Discord knows: for the whole application, because commands of a
/// guild do not exist in private chats. A failure is only logged: commands can be typed as text.
pub(crate) async fn register(rest: &Rest, interactions: &Interactions, account: &AccountId) {
    if let Err(fault) = attempt(rest, interactions).await {
        tracing::warn!(channel = CHANNEL, %account, %fault, "the commands were not registered, so Discord does not offer them behind `/`; they can be typed behind the bot's name, and the next connection tries again");
    }
}

/// What is set of a command, as far as it can be compared with what Discord knows: Discord leaves out what is empty, and adds
/// fields of its own.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
struct Known {
    name: String,
    #[serde(rename = "type", default = "typed")]
    kind: u8,
    #[serde(default)]
    description: String,
    options: Option<Vec<KnownOption>>,
    contexts: Option<BTreeSet<u8>>,
    integration_types: Option<BTreeSet<u8>>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
struct KnownOption {
    name: String,
    #[serde(rename = "type")]
    kind: u8,
    #[serde(default)]
    description: String,
    #[serde(default)]
    required: bool,
}

/// A command without a type is one that is typed.
fn typed() -> u8 {
    TYPED
}

async fn attempt(rest: &Rest, interactions: &Interactions) -> Result<(), Fault> {
    let application = interactions.application(rest).await?;
    let path = ["applications", application, "commands"];
    let known: Vec<Value> =
        rest.query(&Request::new("list_application_commands", Method::GET, &path)).await?;
    let wanted: Vec<Value> = offered().map(description).collect();
    if comparable(&known).is_none_or(|known| Some(known) != comparable(&wanted)) {
        rest.json(&Request::new("bulk_set_application_commands", Method::PUT, &path), &wanted).await?;
    }
    Ok(())
}

/// The commands in order. `None` if one is of a kind that is never set here.
fn comparable(commands: &[Value]) -> Option<BTreeSet<Known>> {
    let read = |command: &Value| {
        let mut known = Known::deserialize(command).ok()?;
        known.options = known.options.filter(|options| !options.is_empty());
        Some(known)
    };
    commands.iter().map(read).collect()
}

/// Everyone sees all of them: whom Discord counts as an administrator has nothing to do with the admins of the gateway, which
/// refuses everybody else.
fn offered() -> impl Iterator<Item = &'static command::Spec> {
    command::list().iter()
}

/// A command as Discord takes it. One with arguments has a single option that takes all of them. Without any, the command
/// for admins lists what it takes.
fn description(spec: &command::Spec) -> Value {
    let arguments = spec.usage.split_once(' ').map(|(_, arguments)| arguments);
    let options: Vec<Value> = arguments
        .map(|arguments| {
            let required = !arguments.starts_with('[') && !spec.admin;
            json!({"type": TEXT, "name": "text", "description": arguments, "required": required})
        })
        .into_iter()
        .collect();
    json!({
        "name": spec.name, "type": TYPED, "description": spec.help, "options": options,
        "contexts": [IN_GUILDS, WITH_THE_BOT], "integration_types": [0],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_differs_in_whatever_is_set_and_not_in_what_discord_adds() {
        let wanted: Vec<Value> = offered().map(description).collect();
        let changed = |change: &dyn Fn(&mut Value)| {
            let mut known = wanted.clone();
            known.reverse();
            known.iter_mut().for_each(change);
            comparable(&known) == comparable(&wanted)
        };
        let adds = |command: &mut Value| {
            for (name, value) in [("id", json!("7")), ("version", json!("8")), ("nsfw", json!(false))] {
                command[name] = value;
            }
            command["contexts"].as_array_mut().unwrap().reverse();
            if command["options"] == json!([]) {
                command.as_object_mut().unwrap().remove("options");
            }
            for option in command.get_mut("options").and_then(Value::as_array_mut).into_iter().flatten() {
                if option["required"] == false {
                    option.as_object_mut().unwrap().remove("required");
                }
            }
        };
        assert!(changed(&adds));
        for (name, value) in [
            ("description", json!("other")),
            ("options", json!([])),
            ("contexts", json!([IN_GUILDS])),
            ("integration_types", json!([0, 1])),
            ("type", json!(2)),
        ] {
            assert!(!changed(&|command| command[name] = value.clone()), "{name}");
        }
        assert_ne!(comparable(&wanted[1..]), comparable(&wanted));
    }

    #[test]
    fn discord_takes_every_command() {
        for command in offered().map(description) {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let name = text(&command["name"]);
            let plain = name.chars().all(|c| c.is_ascii_lowercase());
            assert!(plain && (1..=32).contains(&name.len()), "{name}");
            for described in [&command].into_iter().chain(command["options"].as_array().unwrap()) {
                assert!((1..=100).contains(&text(&described["description"]).chars().count()), "{described}");
            }
        }
        let options = |name: &str| {
            offered().find(|spec| spec.name == name).map(description).unwrap()["options"].clone()
        };
        assert_eq!(options("stop"), json!([]));
        assert_eq!(options("steer")[0]["required"], true);
        assert_eq!(options("new")[0]["required"], false);
        assert_eq!(options("gateway")[0]["required"], false);
    }
}
