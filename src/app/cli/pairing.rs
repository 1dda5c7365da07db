//! `frontdesk pairing`: unknown senders who ask for access.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::account::AccountArg;
use super::client::{Client, fresh_key, segment};
use super::{Done, Failure, Remote, field, screen, table};

#[derive(Args)]
pub struct PairingArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// List the people who ask for access; their codes are not shown
    List(Remote),
    /// Allow the person who has this code
    Approve(Coded),
    /// Refuse the person who has this code
    Deny(Coded),
}

#[derive(Args)]
#[command(allow_missing_positional = true)]
pub struct Coded {
    #[command(flatten)]
    remote: Remote,
    #[command(flatten)]
    account: AccountArg,
    /// The channel, for example telegram: only a code from there is accepted then
    channel: Option<String>,
    /// The code that the bot gave the person
    #[arg(required = true)]
    code: String,
}

impl Coded {
    /// The account that the request must have come from, if one is named.
    fn from(&self) -> Result<Value, Failure> {
        match &self.channel {
            None if !self.account.is_given() => Ok(json!({})),
            Some(channel) => {
                let account = self.account.named(channel)?;
                Ok(json!({"platform": account.channel(), "account": account.name()}))
            }
            None => Err(Failure::usage(
                "--account needs the channel before the code, for example: telegram ABCD2345 --account work",
            )),
        }
    }

    async fn post(&self, verb: &str) -> Result<Value, Failure> {
        let account = self.from()?;
        let path = format!("/api/pairing/{}/{verb}", segment(&self.code));
        Client::find(&self.remote)?.post(&path, &account, &fresh_key()?).await
    }
}

pub async fn pairing(args: PairingArgs) -> Done {
    match args.what {
        What::List(remote) => list(&remote).await,
        What::Approve(coded) => coded.approve().await,
        What::Deny(coded) => coded.deny().await,
    }
}

impl Coded {
    pub async fn approve(&self) -> Done {
        let answer = self.post("approve").await?;
        self.tell(&answer, "approved", "may write now and has been told")
    }

    pub async fn deny(&self) -> Done {
        let answer = self.post("deny").await?;
        self.tell(&answer, "denied", "was refused")
    }

    fn tell(&self, answer: &Value, verb: &str, sentence: &str) -> Done {
        let who = &answer[verb];
        let (principal, shown) = (field::text(who, "principal"), field::text(who, "shown"));
        let shown = if shown.is_empty() { String::new() } else { format!(" ({})", screen::one_line(&shown)) };
        self.remote.say(answer, format!("{principal}{shown} {sentence}."))
    }
}

async fn list(remote: &Remote) -> Done {
    let answer = Client::find(remote)?.get("/api/pairing").await?;
    if remote.json {
        return screen::json(&answer);
    }
    let rows = field::list(&answer, "requests").iter().map(|request| {
        vec![
            field::account(request, "platform"),
            field::text(request, "user"),
            screen::brief(&field::text(request, "shown"), 40),
            field::ago(request, "asked"),
            field::ago(request, "expires"),
        ]
    });
    let header = ["ACCOUNT", "USER", "NAME", "ASKED", "EXPIRES"];
    table::print(&header, rows.collect(), "Nobody asks for access.")
}
