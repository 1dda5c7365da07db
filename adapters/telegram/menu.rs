//! The command menu that Telegram shows.

use frontdesk_core::account::AccountId;
use frontdesk_core::command;
use serde::Deserialize;
use teloxide_core::payloads::{GetMyCommands, SetMyCommands};
use teloxide_core::types::BotCommand;

use crate::CHANNEL;
use crate::api::Api;
use crate::error::Fault;

#[derive(Deserialize, PartialEq)]
struct Entry {
    command: String,
    description: String,
}

/// Sends the menu to Telegram if it differs from the current one. Everyone sees it, so it leaves out admins' commands.
/// A failure is only logged: a bot works without a menu.
pub(crate) async fn write(api: &Api, account: &AccountId) {
    if let Err(fault) = attempt(api).await {
        tracing::warn!(channel = CHANNEL, %account, %fault, "the command menu was not updated");
    }
}

async fn attempt(api: &Api) -> Result<(), Fault> {
    let wanted: Vec<(&str, &str)> =
        command::list().iter().filter(|spec| !spec.admin).map(|spec| (spec.name, spec.help)).collect();
    let shown: Vec<Entry> = api.query(&GetMyCommands::new()).await?;
    let shown = shown.iter().map(|entry| (entry.command.as_str(), entry.description.as_str()));
    if !shown.eq(wanted.iter().copied()) {
        let commands: Vec<BotCommand> =
            wanted.into_iter().map(|(name, help)| BotCommand::new(name, help)).collect();
        api.invoke(&SetMyCommands::new(commands)).await?;
    }
    Ok(())
}
