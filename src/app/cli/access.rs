//! `frontdesk access`: who may speak.

use clap::{Args, Subcommand};
use frontdesk_core::address::Principal;
use serde_json::{Value, json};

use super::client::{Client, fresh_key, segment};
use super::place::Account;
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
    /// List who may speak, by the configuration and by admins
    List(Remote),
    /// Let somebody in by their id, in private unless a group is named
    #[command(after_help = "Examples:\n  frontdesk access allow telegram 123456789\n  \
                            frontdesk access allow telegram 123456789 --admin\n  \
                            frontdesk access allow telegram 123456789 --group -1001234567890")]
    Allow(Allow),
    /// Take back what somebody was granted; what waits of theirs is refused, what runs is cancelled
    Revoke(Revoke),
}

#[derive(Args)]
struct Somebody {
    #[command(flatten)]
    remote: Remote,
    #[command(flatten)]
    account: Account,
    /// The platform: telegram
    platform: String,
    /// The platform's own id of the person, never a name
    #[arg(allow_negative_numbers = true)]
    user: String,
}

#[derive(Args)]
struct Allow {
    #[command(flatten)]
    who: Somebody,
    /// In this group instead of in private
    #[arg(long, value_name = "ID", allow_negative_numbers = true, conflicts_with = "admin")]
    group: Option<String>,
    /// As an admin, who may also let others in from the chat
    #[arg(long)]
    admin: bool,
}

#[derive(Args)]
struct Revoke {
    #[command(flatten)]
    who: Somebody,
    /// In this group alone
    #[arg(long, value_name = "ID", allow_negative_numbers = true)]
    group: Option<String>,
}

pub async fn access(args: AccessArgs) -> Done {
    match args.what {
        None => list(&args.remote).await,
        Some(What::List(remote)) => list(&remote).await,
        Some(What::Allow(args)) => allow(args).await,
        Some(What::Revoke(args)) => revoke(args).await,
    }
}

async fn allow(args: Allow) -> Done {
    let Allow { who, group, admin } = args;
    let account = who.account.of(&who.platform)?;
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
        Some(group) => format!("may speak in group {group}"),
        None if admin => "is an admin".to_owned(),
        None => "may write in private".to_owned(),
    };
    let when = if answer["new"] == false { "already" } else { "now" };
    screen::line(format!("{principal} {what} {when}."))
}

async fn revoke(args: Revoke) -> Done {
    let Revoke { who, group } = args;
    let principal = Principal::at(&who.account.of(&who.platform)?, &who.user);
    let principal = principal.map_err(|error| Failure::usage(error.to_string()))?;
    let mut path = format!("/api/access/{}", segment(principal.as_str()));
    if let Some(group) = &group {
        path.push_str(&format!("?scope={}", segment(&format!("group:{group}"))));
    }
    let answer = Client::find(&who.remote)?.delete(&path).await?;
    if who.remote.json {
        return screen::json(&answer);
    }
    screen::line(screen::harmless(&field::text(&answer, "said")))
}

async fn list(remote: &Remote) -> Done {
    let answer = Client::find(remote)?.get("/api/access").await?;
    if remote.json {
        return screen::json(&answer);
    }
    let people = field::list(&answer, "access").iter().map(|entry| {
        vec![
            field::text(entry, "platform"),
            field::text(entry, "account"),
            field::text(entry, "user"),
            screen::brief(&field::text(entry, "shown"), 40),
            field::text(entry, "scope"),
            field::text(entry, "source"),
            field::text(entry, "by"),
            field::ago(entry, "created"),
        ]
    });
    let header = ["PLATFORM", "ACCOUNT", "USER", "NAME THEN", "WHERE", "FROM", "BY", "SINCE"];
    table::print(&header, people.collect(), "Nobody was let in.")?;
    // A token's holder administers the web channel; on a platform somebody must be named.
    let named = |entry: &Value| entry["scope"] == "admin" && entry["platform"] != "web";
    if !field::list(&answer, "access").iter().any(named) {
        screen::line(
            "\nTo make the first admin of a platform: frontdesk access allow PLATFORM USER --admin",
        )?;
    }
    let chats: Vec<Vec<String>> = field::list(&answer, "chats")
        .iter()
        .map(|chat| {
            vec![
                field::text(chat, "chat"),
                if chat["allowed"] == true { "served" } else { "" }.to_owned(),
                field::ago(chat, "muted_until"),
                field::text(chat, "by"),
            ]
        })
        .collect();
    if !chats.is_empty() {
        screen::line("")?;
        table::print(&["CHAT", "", "MUTED UNTIL", "BY"], chats, "")?;
    }
    for account in field::list(&answer, "stopped") {
        screen::line(format!(
            "\n{} is disconnected by {}.",
            field::account(account),
            screen::one_line(&field::text(account, "by"))
        ))?;
    }
    Ok(())
}
