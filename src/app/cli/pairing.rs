//! `frontdesk pairing`: strangers who ask to be let in.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::client::{Client, fresh_key, segment};
use super::place::Account;
use super::{Done, Failure, Remote, field, screen, table};

#[derive(Args)]
pub struct PairingArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// List those who wait; their codes are theirs alone to tell
    List(Remote),
    /// Let in whoever has this code
    Approve(Coded),
    /// Refuse whoever has this code
    Deny(Coded),
}

#[derive(Args)]
struct Coded {
    #[command(flatten)]
    remote: Remote,
    #[command(flatten)]
    account: Account,
    /// The code that the person was given, and the platform on which, if only that one is meant
    #[arg(value_names = ["PLATFORM", "CODE"], num_args = 1..=2, required = true)]
    words: Vec<String>,
}

impl Coded {
    /// The code, and the place that the request must have come from.
    fn asked(&self) -> Result<(&str, Value), Failure> {
        match self.words.as_slice() {
            [code] if !self.account.is_said() => Ok((code, json!({}))),
            [platform, code] => {
                let account = self.account.of(platform)?;
                Ok((code, json!({"platform": account.channel(), "account": account.name()})))
            }
            _ => Err(Failure::usage("--account needs the platform before the code: telegram ABCD2345")),
        }
    }

    async fn post(&self, verb: &str) -> Result<Value, Failure> {
        let (code, place) = self.asked()?;
        let path = format!("/api/pairing/{}/{verb}", segment(code));
        Client::find(&self.remote)?.post(&path, &place, &fresh_key()?).await
    }
}

pub async fn pairing(args: PairingArgs) -> Done {
    match args.what {
        What::List(remote) => list(&remote).await,
        What::Approve(coded) => {
            let answer = coded.post("approve").await?;
            coded.tell(&answer, "approved", "may speak now, and was told so")
        }
        What::Deny(coded) => {
            let answer = coded.post("deny").await?;
            coded.tell(&answer, "denied", "was refused")
        }
    }
}

impl Coded {
    fn tell(&self, answer: &Value, verb: &str, sentence: &str) -> Done {
        if self.remote.json {
            return screen::json(answer);
        }
        let who = &answer[verb];
        let (principal, shown) = (field::text(who, "principal"), field::text(who, "shown"));
        let shown = if shown.is_empty() { String::new() } else { format!(" ({})", screen::one_line(&shown)) };
        screen::line(format!("{principal}{shown} {sentence}."))
    }
}

async fn list(remote: &Remote) -> Done {
    let answer = Client::find(remote)?.get("/api/pairing").await?;
    if remote.json {
        return screen::json(&answer);
    }
    let rows = field::list(&answer, "requests").iter().map(|request| {
        vec![
            field::text(request, "platform"),
            field::text(request, "account"),
            field::text(request, "user"),
            screen::brief(&field::text(request, "shown"), 40),
            field::ago(request, "asked"),
            field::ago(request, "expires"),
        ]
    });
    let header = ["PLATFORM", "ACCOUNT", "USER", "CALLS THEMSELVES", "ASKED", "EXPIRES"];
    table::print(&header, rows.collect(), "Nobody waits to be let in.")
}
