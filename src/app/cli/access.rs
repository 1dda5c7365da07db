//! `frontdesk access`: who may write.

use clap::{Args, Subcommand};
use frontdesk_core::address::Principal;
use serde_json::{Value, json};

use super::account::AccountArg;
use super::client::{Client, fresh_key, segment};
use super::{Done, Failure, Remote, field, screen, table};

#[derive(Args)]
pub struct AccessArgs {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Subcommand)]
enum What {
    /// List who may write, and whether the configuration or an admin allows it
    List(Remote),
    /// Allow a person by their id, in private chats or in one group
    #[command(after_help = "Examples:\n  frontdesk access allow telegram 123456789\n  \
                            frontdesk access allow telegram 123456789 --admin\n  \
                            frontdesk access allow telegram 123456789 --group -1001234567890")]
    Allow(Allow),
    /// Revoke a permission; waiting messages of the person are refused, and running turns are cancelled
    Revoke(Revoke),
    /// Ignore a person everywhere, also in open groups, whatever is granted to them
    Block(Somebody),
    /// End a block; what was granted before holds again
    Unblock(Somebody),
}

#[derive(Args)]
struct Somebody {
    #[command(flatten)]
    remote: Remote,
    #[command(flatten)]
    account: AccountArg,
    /// The channel, for example telegram; or one account of it, for example telegram@work
    channel: String,
    /// The person's id on the channel, not their name
    #[arg(allow_negative_numbers = true)]
    user: String,
}

#[derive(Args)]
pub struct Allow {
    #[command(flatten)]
    who: Somebody,
    /// Allow them in this group instead of in private chats
    #[arg(long, value_name = "ID", allow_negative_numbers = true, conflicts_with = "admin")]
    group: Option<String>,
    /// Make them an admin, who may write everywhere and manage the gateway from a chat
    #[arg(long)]
    admin: bool,
}

#[derive(Args)]
pub struct Revoke {
    #[command(flatten)]
    who: Somebody,
    /// Revoke the permission for this group only
    #[arg(long, value_name = "ID", allow_negative_numbers = true)]
    group: Option<String>,
}

pub async fn access(args: AccessArgs) -> Done {
    match args.what {
        None => list(&args.remote).await,
        Some(What::List(remote)) => list(&remote).await,
        Some(What::Allow(allow)) => allow.run().await,
        Some(What::Revoke(revoke)) => revoke.run().await,
        Some(What::Block(who)) => block(who, true).await,
        Some(What::Unblock(who)) => block(who, false).await,
    }
}

impl Allow {
    pub async fn run(self) -> Done {
        allow(self).await
    }
}

impl Revoke {
    pub async fn run(self) -> Done {
        revoke(self).await
    }
}

async fn allow(args: Allow) -> Done {
    let Allow { who, group, admin } = args;
    let account = who.account.named(&who.channel)?;
    let scope = match &group {
        Some(group) => format!("group:{group}"),
        None if admin => "admin".to_owned(),
        None => "dm".to_owned(),
    };
    let body =
        json!({"platform": account.channel(), "account": account.name(), "user": who.user, "scope": scope});
    let answer = Client::find(&who.remote)?.post("/api/access", &body, &fresh_key()?).await?;
    if who.remote.json {
        return screen::json(&answer);
    }
    let principal = field::text(&answer, "principal");
    let what = match &group {
        Some(group) => format!("may write in group {group}"),
        None if admin => "is an admin".to_owned(),
        None => "may write in private".to_owned(),
    };
    let when = if answer["new"] == false { "already" } else { "now" };
    screen::line(format!("{principal} {what} {when}."))
}

impl Somebody {
    fn principal(&self) -> Result<Principal, Failure> {
        let principal = Principal::at(&self.account.named(&self.channel)?, &self.user);
        principal.map_err(|error| Failure::usage(error.to_string()))
    }
}

async fn block(who: Somebody, blocked: bool) -> Done {
    let path = format!("/api/access/{}/block", segment(who.principal()?.as_str()));
    let client = Client::find(&who.remote)?;
    let answer = match blocked {
        true => client.post(&path, &json!({}), &fresh_key()?).await?,
        false => client.delete(&path).await?,
    };
    who.remote.say(&answer, field::text(&answer, "said"))
}

async fn revoke(args: Revoke) -> Done {
    let Revoke { who, group } = args;
    let principal = who.principal()?;
    let mut path = format!("/api/access/{}", segment(principal.as_str()));
    if let Some(group) = &group {
        path.push_str(&format!("?scope={}", segment(&format!("group:{group}"))));
    }
    let answer = Client::find(&who.remote)?.delete(&path).await?;
    who.remote.say(&answer, field::text(&answer, "said"))
}

async fn list(remote: &Remote) -> Done {
    let answer = Client::find(remote)?.get("/api/access").await?;
    if remote.json {
        return screen::json(&answer);
    }
    let people = field::list(&answer, "access").iter().map(|entry| {
        vec![
            field::account(entry, "platform"),
            field::text(entry, "user"),
            screen::brief(&field::text(entry, "shown"), 40),
            field::text(entry, "scope"),
            field::text(entry, "source"),
            field::text(entry, "by"),
            field::ago(entry, "created"),
        ]
    });
    let header = ["ACCOUNT", "USER", "NAME", "MAY", "SOURCE", "BY", "SINCE"];
    table::print(&header, people.collect(), "Nobody is allowed yet.")?;
    // The holder of the token is the admin of the web channel; every other channel needs a named one.
    let named = |entry: &Value| entry["scope"] == "admin" && entry["platform"] != "web";
    if !field::list(&answer, "access").iter().any(named) {
        screen::line("\nTo add the first admin of a channel: frontdesk access allow CHANNEL USER --admin")?;
    }
    configured(&answer)?;
    let blocked: Vec<Vec<String>> = field::list(&answer, "blocked")
        .iter()
        .map(|entry| {
            let by = field::text(entry, "by");
            vec![
                field::account(entry, "platform"),
                field::text(entry, "user"),
                by,
                field::ago(entry, "created"),
            ]
        })
        .collect();
    if !blocked.is_empty() {
        screen::line("")?;
        table::print(&["ACCOUNT", "BLOCKED", "BY", "SINCE"], blocked, "")?;
    }
    let chats: Vec<Vec<String>> = field::list(&answer, "chats")
        .iter()
        .map(|chat| {
            vec![
                field::text(chat, "chat"),
                if chat["allowed"] == true { "yes" } else { "" }.to_owned(),
                field::ago(chat, "muted_until"),
                field::text(chat, "by"),
            ]
        })
        .collect();
    if !chats.is_empty() {
        screen::line("")?;
        table::print(&["CHAT", "ALLOWED", "MUTED UNTIL", "BY"], chats, "")?;
    }
    for account in field::list(&answer, "stopped") {
        let (name, by) = (field::account(account, "channel"), field::text(account, "by"));
        screen::line(format!(
            "\n{name} was stopped by {}. To start it again: frontdesk gateway start {name}",
            screen::one_line(&by)
        ))?;
    }
    Ok(())
}

/// What the configuration allows to everybody, to roles and to programs, and who moderates.
fn configured(answer: &Value) -> Done {
    let row = |entry: &Value| {
        let id = field::text(entry, "id");
        let who = match entry["who"].as_str() {
            Some("everybody") => "everybody".to_owned(),
            Some("bot") => format!("bot {id}"),
            // Those of Slack say what they are: `usergroup:S1`, `team:T1`.
            Some("role") if !id.contains(':') => format!("role:{id}"),
            _ => id,
        };
        let scope = match entry["scope"].as_str() {
            Some(_) => field::text(entry, "scope"),
            None => "wherever a person may".to_owned(),
        };
        vec![field::account(entry, "platform"), who, field::text(entry, "may"), scope]
    };
    let rows: Vec<Vec<String>> = field::list(answer, "configured").iter().map(row).collect();
    if rows.is_empty() {
        return Ok(());
    }
    screen::line("\nThe configuration also allows:")?;
    table::print(&["ACCOUNT", "WHO", "MAY", "WHERE"], rows, "")
}
