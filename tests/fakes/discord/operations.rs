//! The operations of the API, named as in Discord's OpenAPI description.

mod answers;
mod channels;
mod commands;
mod compose;
mod identity;
mod messages;
mod reactions;
mod threads;

use percent_encoding::percent_decode_str;

use crate::answer::{Answer, Refusal};
use crate::requests::Request;
use crate::world::World;

pub use compose::snapshot;
pub use reactions::is_emoji;

type Step = fn(&mut World, &Request) -> Answer;

/// One operation: its name, its method, its path with `{}` for what varies, and what it does.
#[derive(Debug)]
pub struct Operation {
    pub name: &'static str,
    method: &'static str,
    pub path: &'static str,
    pub run: Step,
}

impl Operation {
    /// Whether it is for bots with a token. Answers to interactions have a token of their own in the path.
    pub fn needs_token(&self) -> bool {
        !self.path.starts_with("interactions/") && !self.path.starts_with("webhooks/")
    }
}

const fn op(name: &'static str, method: &'static str, path: &'static str, run: Step) -> Operation {
    Operation { name, method, path, run }
}

static OPERATIONS: [Operation; 46] = [
    op("get_gateway", "GET", "gateway", identity::gateway),
    op("get_bot_gateway", "GET", "gateway/bot", identity::bot_gateway),
    op("get_my_user", "GET", "users/@me", identity::me),
    op("get_my_application", "GET", "applications/@me", identity::application),
    op("get_my_oauth2_application", "GET", "oauth2/applications/@me", identity::application),
    op("list_my_guilds", "GET", "users/@me/guilds", identity::guilds),
    op("create_dm", "POST", "users/@me/channels", identity::create_dm),
    op("get_user", "GET", "users/{}", identity::user),
    op("get_guild", "GET", "guilds/{}", channels::guild),
    op("list_guild_channels", "GET", "guilds/{}/channels", channels::list),
    op("get_active_guild_threads", "GET", "guilds/{}/threads/active", channels::active_threads),
    op("list_guild_roles", "GET", "guilds/{}/roles", channels::roles),
    op("list_guild_emojis", "GET", "guilds/{}/emojis", channels::emojis),
    op("get_guild_member", "GET", "guilds/{}/members/{}", channels::member),
    op("get_channel", "GET", "channels/{}", channels::get),
    op("update_channel", "PATCH", "channels/{}", threads::update),
    op("delete_channel", "DELETE", "channels/{}", threads::delete),
    op("trigger_typing_indicator", "POST", "channels/{}/typing", channels::typing),
    op("list_messages", "GET", "channels/{}/messages", messages::list),
    op("create_message", "POST", "channels/{}/messages", messages::create),
    op("get_message", "GET", "channels/{}/messages/{}", messages::get),
    op("update_message", "PATCH", "channels/{}/messages/{}", messages::update),
    op("delete_message", "DELETE", "channels/{}/messages/{}", messages::delete),
    op("create_pin", "PUT", "channels/{}/messages/pins/{}", messages::pin),
    op("deprecated_create_pin", "PUT", "channels/{}/pins/{}", messages::pin),
    op("add_my_message_reaction", "PUT", "channels/{}/messages/{}/reactions/{}/@me", reactions::add),
    op("delete_my_message_reaction", "DELETE", "channels/{}/messages/{}/reactions/{}/@me", reactions::delete),
    op("create_thread_from_message", "POST", "channels/{}/messages/{}/threads", threads::on_message),
    op("create_thread", "POST", "channels/{}/threads", threads::create),
    op("join_thread", "PUT", "channels/{}/thread-members/@me", threads::join),
    op(
        "list_public_archived_threads",
        "GET",
        "channels/{}/threads/archived/public",
        channels::archived_threads,
    ),
    op("list_application_commands", "GET", "applications/{}/commands", commands::list),
    op("create_application_command", "POST", "applications/{}/commands", commands::create),
    op("bulk_set_application_commands", "PUT", "applications/{}/commands", commands::set),
    op("delete_application_command", "DELETE", "applications/{}/commands/{}", commands::delete),
    op(
        "list_guild_application_commands",
        "GET",
        "applications/{}/guilds/{}/commands",
        commands::list_in_guild,
    ),
    op(
        "create_guild_application_command",
        "POST",
        "applications/{}/guilds/{}/commands",
        commands::create_in_guild,
    ),
    op(
        "bulk_set_guild_application_commands",
        "PUT",
        "applications/{}/guilds/{}/commands",
        commands::set_in_guild,
    ),
    op("create_interaction_response", "POST", "interactions/{}/{}/callback", answers::first),
    op("execute_webhook", "POST", "webhooks/{}/{}", answers::follow_up),
    op("get_original_webhook_message", "GET", "webhooks/{}/{}/messages/@original", answers::get),
    op("update_original_webhook_message", "PATCH", "webhooks/{}/{}/messages/@original", answers::update),
    op("delete_original_webhook_message", "DELETE", "webhooks/{}/{}/messages/@original", answers::delete),
    op("get_webhook_message", "GET", "webhooks/{}/{}/messages/{}", answers::get),
    op("update_webhook_message", "PATCH", "webhooks/{}/{}/messages/{}", answers::update),
    op("delete_webhook_message", "DELETE", "webhooks/{}/{}/messages/{}", answers::delete),
];

/// The operation at this path, and what stands in its gaps. SDKs encode more than they must.
pub fn find(method: &str, path: &str) -> Result<(&'static Operation, Vec<String>), Refusal> {
    let names: Vec<String> =
        path.split('/').map(|name| percent_decode_str(name).decode_utf8_lossy().into_owned()).collect();
    let mut known = false;
    for operation in &OPERATIONS {
        let Some(gaps) = gaps(operation.path, &names) else { continue };
        if operation.method == method {
            return Ok((operation, gaps));
        }
        known = true;
    }
    Err(match known {
        true => Refusal::new(405, 0, "405: Method Not Allowed"),
        false => Refusal::new(404, 0, "404: Not Found"),
    })
}

fn gaps(path: &str, names: &[String]) -> Option<Vec<String>> {
    let expected: Vec<&str> = path.split('/').collect();
    let fits = expected.len() == names.len()
        && expected.iter().zip(names).all(|(expected, name)| *expected == "{}" || expected == name);
    let pairs = expected.iter().zip(names).filter(|(expected, _)| **expected == "{}");
    fits.then(|| pairs.map(|(_, name)| name.clone()).collect())
}
