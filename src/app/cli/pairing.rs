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
    #[command(override_usage = "frontdesk pairing approve [OPTIONS] [PLATFORM] <CODE>")]
    Approve(Coded),
    /// Refuse the person who has this code
    #[command(override_usage = "frontdesk pairing deny [OPTIONS] [PLATFORM] <CODE>")]
    Deny(Coded),
}

#[derive(Args)]
struct Coded {
    #[command(flatten)]
    remote: Remote,
    #[command(flatten)]
    account: AccountArg,
    /// The code that the bot gave the person; with the platform before it, only a code from there counts
    #[arg(value_names = ["PLATFORM", "CODE"], num_args = 1..=2, required = true)]
    words: Vec<String>,
}

impl Coded {
    /// The code, and the account that the request must have come from, if one is named.
    fn request(&self) -> Result<(&str, Value), Failure> {
        match self.words.as_slice() {
            [code] if !self.account.is_given() => Ok((code, json!({}))),
            [platform, code] => {
                let account = self.account.named(platform)?;
                Ok((code, json!({"platform": account.channel(), "account": account.name()})))
            }
            _ => Err(Failure::usage(
                "--account needs the platform before the code, for example: telegram ABCD2345 --account work",
            )),
        }
    }

    async fn post(&self, verb: &str) -> Result<Value, Failure> {
        let (code, account) = self.request()?;
        let path = format!("/api/pairing/{}/{verb}", segment(code));
        Client::find(&self.remote)?.post(&path, &account, &fresh_key()?).await
    }
}

pub async fn pairing(args: PairingArgs) -> Done {
    match args.what {
        What::List(remote) => list(&remote).await,
        What::Approve(coded) => {
            let answer = coded.post("approve").await?;
            coded.tell(&answer, "approved", "may write now and has been told")
        }
        What::Deny(coded) => {
            let answer = coded.post("deny").await?;
            coded.tell(&answer, "denied", "was refused")
        }
    }
}

impl Coded {
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
