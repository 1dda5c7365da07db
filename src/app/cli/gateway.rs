//! `frontdesk gateway`: starts and stops channels. It needs the token from the home folder and no channel, so that a
//! channel that was stopped from a chat can be started again.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::client::{self, Client, fresh_key, segment};
use super::run::{self, RunArgs};
use super::{Done, Remote, field, screen, status};

#[derive(Args)]
pub struct GatewayArgs {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    run: RunArgs,
}

#[derive(Subcommand)]
enum What {
    /// Start a channel that was stopped
    Start(Channel),
    /// Stop a channel: it takes no messages until it is started again, also after a restart of the gateway
    Stop(Channel),
    /// Show the state of the running gateway
    Status(Remote),
}

#[derive(Args)]
struct Channel {
    #[command(flatten)]
    remote: Remote,
    /// The channel, for example telegram; or one account of it, for example telegram@work
    channel: String,
}

pub fn gateway(args: GatewayArgs) -> Done {
    match args.what {
        None => run::run(args.run),
        Some(What::Start(channel)) => client::block_on(switch(channel, "start")),
        Some(What::Stop(channel)) => client::block_on(switch(channel, "stop")),
        Some(What::Status(remote)) => client::block_on(status::status(remote)),
    }
}

async fn switch(args: Channel, verb: &str) -> Done {
    let path = format!("/api/channel/{}/{verb}", segment(&args.channel));
    let answer = Client::find(&args.remote)?.post(&path, &json!({}), &fresh_key()?).await?;
    if args.remote.json {
        return screen::json(&answer);
    }
    let state = if answer["stopped"] == true { "stopped" } else { "started" };
    for account in field::list(&answer, "accounts") {
        let name = field::account(account, "channel");
        screen::line(match !field::list(&answer, "changed").contains(account) {
            true => format!("{name} was {state} already."),
            false => format!("{name} is {state}."),
        })?;
    }
    match answer.get("warning").and_then(Value::as_str) {
        Some(warning) => screen::line(screen::harmless(warning)),
        None => Ok(()),
    }
}
