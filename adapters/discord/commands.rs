//! The commands that Discord offers when somebody types `/`.

use frontdesk_core::account::AccountId;
use frontdesk_core::command;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::CHANNEL;
use crate::error::Fault;
use crate::interactions::Interactions;
use crate::rest::{Request, Rest};

/// Types of options and contexts (Discord's documentation, Application Commands).
const TEXT: u8 = 3;
const IN_GUILDS: u8 = 0;
const WITH_THE_BOT: u8 = 1;

/// Registers the commands if they differ from those that Discord knows: for the whole application, because commands of a
/// guild do not exist in private chats. A failure is only logged: commands can be typed as text.
pub(crate) async fn register(rest: &Rest, interactions: &Interactions, account: &AccountId) {
    if let Err(fault) = attempt(rest, interactions).await {
        tracing::warn!(channel = CHANNEL, %account, %fault, "the commands were not registered");
    }
}

#[derive(Deserialize)]
struct Known {
    name: String,
    #[serde(default)]
    description: String,
}

async fn attempt(rest: &Rest, interactions: &Interactions) -> Result<(), Fault> {
    let application = interactions.application(rest).await?;
    let path = ["applications", application, "commands"];
    let known: Vec<Known> =
        rest.query(&Request::new("list_application_commands", Method::GET, &path)).await?;
    let mut known: Vec<(&str, &str)> =
        known.iter().map(|command| (command.name.as_str(), command.description.as_str())).collect();
    let mut wanted: Vec<(&str, &str)> = offered().map(|spec| (spec.name, spec.help)).collect();
    known.sort_unstable();
    wanted.sort_unstable();
    if known != wanted {
        let body: Vec<Value> = offered().map(description).collect();
        rest.json(&Request::new("bulk_set_application_commands", Method::PUT, &path), &body).await?;
    }
    Ok(())
}

/// Everyone sees them, so those for admins are left out.
fn offered() -> impl Iterator<Item = &'static command::Spec> {
    command::list().iter().filter(|spec| !spec.admin)
}

/// A command as Discord takes it. One with arguments has a single option that takes all of them.
fn description(spec: &command::Spec) -> Value {
    let arguments = spec.usage.split_once(' ').map(|(_, arguments)| arguments);
    let options: Vec<Value> = arguments
        .map(|arguments| {
            let required = !arguments.starts_with('[');
            json!({"type": TEXT, "name": "text", "description": arguments, "required": required})
        })
        .into_iter()
        .collect();
    json!({
        "name": spec.name, "type": 1, "description": spec.help, "options": options,
        "contexts": [IN_GUILDS, WITH_THE_BOT], "integration_types": [0],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
    }
}
