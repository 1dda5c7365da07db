//! `frontdesk gateway`: the requests of `/gateway` in a chat. They need the token from the home folder and no channel, so that
//! a channel that was stopped from a chat can be started again.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::access::{Allow, Revoke};
use super::client::{self, Client, fresh_key, segment};
use super::pairing::Coded;
use super::run::{self, RunArgs};
use super::{Done, Remote, config, field, screen, sessions, status, tasks};

#[derive(Args)]
pub struct GatewayArgs {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    run: RunArgs,
}

#[derive(Subcommand)]
enum What {
    /// Start a channel that was stopped; without one run the gateway here, like `run`
    Start(Start),
    /// Stop a channel, which takes no messages until it is started again; without one stop the gateway
    Stop(Stop),
    /// Stop the gateway and start it again; no accepted message is lost
    Restart(Remote),
    /// Show the state of the running gateway, first what is wrong
    Status(Remote),
    /// Allow the person who has this code; like `pairing approve`
    Pair(Coded),
    /// Refuse the person who has this code; like `pairing deny`
    Deny(Coded),
    /// Allow a person by their id; like `access allow`
    Allow(Allow),
    /// Revoke a permission; like `access revoke`
    Revoke(Revoke),
    /// List the sessions; like `sessions`
    Sessions(sessions::List),
    /// List the background tasks; like `tasks`
    Tasks(tasks::ListArgs),
    /// Print all values of the configuration in effect; like `config show`
    Config(config::Show),
}

#[derive(Args)]
struct Start {
    #[command(flatten)]
    remote: Remote,
    /// The channel, for example telegram; one account of it, for example telegram@work; or the port for a gateway that is
    /// started here
    channel: Option<String>,
}

#[derive(Args)]
struct Stop {
    #[command(flatten)]
    remote: Remote,
    /// The channel, for example telegram; or one account of it, for example telegram@work
    channel: Option<String>,
}

pub fn gateway(args: GatewayArgs) -> Done {
    let Some(what) = args.what else { return run::run(args.run) };
    match what {
        What::Start(start) => match (&start.channel, start.port()) {
            (Some(channel), None) => client::block_on(switch(&start.remote, channel, "start")),
            (_, port) => run::run(RunArgs::at(start.remote.home, port)),
        },
        What::Stop(stop) => client::block_on(async {
            match &stop.channel {
                Some(channel) => switch(&stop.remote, channel, "stop").await,
                None => end(&stop.remote, "stop").await,
            }
        }),
        What::Restart(remote) => client::block_on(end(&remote, "restart")),
        What::Status(remote) => client::block_on(status::status(remote)),
        What::Pair(coded) => client::block_on(coded.approve()),
        What::Deny(coded) => client::block_on(coded.deny()),
        What::Allow(allow) => client::block_on(allow.run()),
        What::Revoke(revoke) => client::block_on(revoke.run()),
        What::Sessions(list) => client::block_on(sessions::list(list)),
        What::Tasks(list) => client::block_on(tasks::list(list)),
        What::Config(show) => show.run(),
    }
}

impl Start {
    fn port(&self) -> Option<u16> {
        self.channel.as_ref()?.parse().ok()
    }
}

/// Stops or restarts the whole gateway.
async fn end(remote: &Remote, verb: &str) -> Done {
    let path = format!("/api/gateway/{verb}");
    let answer = Client::find(remote)?.post(&path, &json!({}), &fresh_key()?).await?;
    remote.say(&answer, field::text(&answer, "said"))
}

async fn switch(remote: &Remote, channel: &str, verb: &str) -> Done {
    let path = format!("/api/channel/{}/{verb}", segment(channel));
    let answer = Client::find(remote)?.post(&path, &json!({}), &fresh_key()?).await?;
    if remote.json {
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
