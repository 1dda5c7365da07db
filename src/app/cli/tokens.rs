//! `frontdesk tokens`: who may use the API and the page, and what for.

use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::client::{Client, fresh_key, segment};
use super::confirm::Confirm;
use super::list::OrList;
use super::{Done, Remote, field, screen, table};

#[derive(Subcommand)]
pub enum What {
    /// List the tokens; their secrets are not shown
    List(List),
    /// Make a token and print its secret, which is shown only now
    #[command(
        after_help = "Scopes: chat talks to agents in chats of its own and sees only those; app does the same for users of a program, \
                      whom it names in each request; read sees everything and changes nothing; admin may do everything.\n\n\
                      Examples:\n  frontdesk tokens add anna --scope chat\n  frontdesk tokens add shop --scope app\n  \
                      frontdesk tokens add grafana --scope read --expires 90d"
    )]
    Add(Add),
    /// Replace the secret of a token and print the new one; the old one is refused at once
    Rotate(Rotate),
    /// Revoke a token at once: its connections close, and what its holder has open ends
    Revoke(Revoke),
}

pub type TokensArgs = OrList<What, List>;

#[derive(Args)]
pub struct List {
    #[command(flatten)]
    remote: Remote,
}

#[derive(Args)]
pub struct Add {
    #[command(flatten)]
    remote: Remote,
    /// Its name, which is also the name of its holder; it can never be used for another one
    name: String,
    /// What the token may be used for
    #[arg(long, value_parser = ["chat", "app", "read", "admin"])]
    scope: String,
    /// After what time it is refused, for example 12h or 90d [default: never]
    #[arg(long, value_name = "TIME", value_parser = span)]
    expires: Option<Duration>,
}

#[derive(Args)]
pub struct Rotate {
    #[command(flatten)]
    remote: Remote,
    /// The name of the token
    name: String,
    /// After what time the new secret is refused, for example 12h or 90d [default: never]
    #[arg(long, value_name = "TIME", value_parser = span)]
    expires: Option<Duration>,
}

#[derive(Args)]
pub struct Revoke {
    #[command(flatten)]
    remote: Remote,
    /// The name of the token
    name: String,
    #[command(flatten)]
    confirm: Confirm,
}

pub async fn tokens(args: TokensArgs) -> Done {
    match args.what {
        None => list(&args.list.remote).await,
        Some(What::List(args)) => list(&args.remote).await,
        Some(What::Add(args)) => add(args).await,
        Some(What::Rotate(args)) => rotate(args).await,
        Some(What::Revoke(args)) => revoke(args).await,
    }
}

async fn list(remote: &Remote) -> Done {
    let answer = Client::find(remote)?.get("/api/tokens").await?;
    if remote.json {
        return screen::json(&answer);
    }
    let row = |token: &Value| {
        vec![
            field::text(token, "name"),
            field::text(token, "holder"),
            field::text(token, "scope"),
            field::text(token, "state"),
            field::ago(token, "created"),
            field::text(token, "by"),
            field::ago(token, "last_used"),
            field::ago(token, "expires"),
        ]
    };
    let rows = field::list(&answer, "tokens").iter().map(row).collect();
    table::print(
        &["NAME", "PERSON", "SCOPE", "STATE", "MADE", "BY", "LAST USED", "EXPIRES"],
        rows,
        "There are no tokens.",
    )
}

async fn add(args: Add) -> Done {
    let body =
        json!({"name": args.name, "scope": args.scope, "expires_s": args.expires.map(|time| time.as_secs())});
    let answer = Client::find(&args.remote)?.post("/api/tokens", &body, &fresh_key()?).await?;
    secret(&args.remote, &answer)
}

async fn rotate(args: Rotate) -> Done {
    let body = json!({"expires_s": args.expires.map(|time| time.as_secs())});
    let path = format!("/api/tokens/{}/rotate", segment(&args.name));
    let answer = Client::find(&args.remote)?.post(&path, &body, &fresh_key()?).await?;
    secret(&args.remote, &answer)
}

/// Prints the secret alone on standard output, so that a script can keep it; everything else goes to standard error.
fn secret(remote: &Remote, answer: &Value) -> Done {
    if remote.json {
        return screen::json(answer);
    }
    screen::line(field::text(answer, "token"))?;
    screen::note(
        "This is shown only now. Send it as `Authorization: Bearer TOKEN`, or enter it on the page.",
    );
    Ok(())
}

async fn revoke(args: Revoke) -> Done {
    let client = Client::find(&args.remote)?;
    let name = &args.name;
    args.confirm.ask(&format!("this revokes {name} for good, and what its holder has open ends"))?;
    let answer = client.delete(&format!("/api/tokens/{}", segment(&args.name))).await?;
    if args.remote.json {
        return screen::json(&answer);
    }
    let (running, waiting) = (field::number(&answer, "running"), field::number(&answer, "waiting"));
    screen::line(format!(
        "Revoked: {}. Ended: {running} running answers, {waiting} waiting messages.",
        args.name
    ))
}

/// A span such as `90d`, `12h`, `30m` or `45s`.
pub fn span(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is not a time: write a number with d, h, m or s, for example 90d");
    let unit = text.chars().last().ok_or_else(wrong)?;
    let seconds: u64 = match unit {
        'd' => 86_400,
        'h' => 3600,
        'm' => 60,
        's' => 1,
        _ => return Err(wrong()),
    };
    let number: u64 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
    match number.checked_mul(seconds) {
        Some(seconds @ 1..) => Ok(Duration::from_secs(seconds)),
        _ => Err(wrong()),
    }
}
