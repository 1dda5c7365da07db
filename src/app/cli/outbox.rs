//! `frontdesk outbox`: what is on its way out.

use clap::{Args, Subcommand};
use frontdesk_core::id::OutId;
use serde_json::json;

use super::client::{self, Client, fresh_key, segment};
use super::{Done, Remote, field, screen, table};

#[derive(Args)]
pub struct OutboxArgs {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    list: List,
}

#[derive(Subcommand)]
enum What {
    /// List outgoing messages, the newest first
    List(List),
    /// Send a dead or unknown one once more
    Retry(One),
    /// Give one up
    Drop(One),
}

/// The states that one can be in.
const STATES: [&str; 7] = ["queued", "streaming", "sending", "sent", "unknown", "dead", "dropped"];

#[derive(Args)]
struct List {
    #[command(flatten)]
    remote: Remote,
    /// Only those in this state
    #[arg(long, value_parser = STATES)]
    state: Option<String>,
    /// Only those before this one: the next page
    #[arg(long, value_name = "ID")]
    before: Option<OutId>,
    /// At most so many (1 to 200)
    #[arg(long, default_value_t = 50, value_parser = client::limit())]
    limit: u32,
}

#[derive(Args)]
struct One {
    #[command(flatten)]
    remote: Remote,
    /// Its id, as the list shows it
    id: OutId,
}

pub async fn outbox(args: OutboxArgs) -> Done {
    match args.what {
        None => list(args.list).await,
        Some(What::List(args)) => list(args).await,
        Some(What::Retry(one)) => change(one, "retry", "will be sent once more").await,
        Some(What::Drop(one)) => change(one, "drop", "was given up").await,
    }
}

async fn change(one: One, verb: &str, done: &str) -> Done {
    let id = one.id;
    let path = format!("/api/outbox/{id}/{verb}");
    let answer = Client::find(&one.remote)?.post(&path, &json!({}), &fresh_key()?).await?;
    if one.remote.json { screen::json(&answer) } else { screen::line(format!("{id} {done}.")) }
}

async fn list(args: List) -> Done {
    let mut path = format!("/api/outbox?limit={}", args.limit);
    if let Some(state) = &args.state {
        path.push_str(&format!("&state={}", segment(state)));
    }
    if let Some(before) = args.before {
        path.push_str(&format!("&before={before}"));
    }
    let answer = Client::find(&args.remote)?.get(&path).await?;
    if args.remote.json {
        return screen::json(&answer);
    }
    let rows = field::list(&answer, "parts").iter().map(|part| {
        vec![
            field::text(part, "id"),
            field::text(part, "to"),
            field::text(part, "state"),
            field::text(part, "attempts"),
            field::ago(part, "created"),
            screen::brief(&field::text(part, "text"), 40),
            screen::brief(&field::text(part, "error"), 60),
        ]
    });
    let header = ["ID", "TO", "STATE", "TRIES", "CREATED", "TEXT", "ERROR"];
    table::print(&header, rows.collect(), "Nothing is on its way out.")
}
