//! `frontdesk outbox`: outgoing messages.

use clap::{Args, Subcommand};
use frontdesk_core::id::OutId;
use serde_json::{Value, json};

use super::client::{Client, fresh_key};
use super::confirm::Confirm;
use super::list::{List, OrList, Page};
use super::{Done, Remote, field, screen};

/// What follows `frontdesk outbox`.
pub type OutboxArgs = OrList<What, ListArgs>;

#[derive(Subcommand)]
pub enum What {
    /// List outgoing messages, newest first
    List(ListArgs),
    /// Send a message again that was not delivered, or of which that is unknown
    Retry(One),
    /// Drop a message: it will not be sent
    Drop(Dropped),
}

/// The states of an outgoing message.
const STATES: [&str; 7] = ["queued", "streaming", "sending", "sent", "unknown", "dead", "dropped"];

#[derive(Args)]
pub struct ListArgs {
    #[command(flatten)]
    page: Page<OutId>,
    /// Only messages in this state
    #[arg(long, value_parser = STATES)]
    state: Option<String>,
}

#[derive(Args)]
pub struct One {
    #[command(flatten)]
    remote: Remote,
    /// The message's id, as shown in the list
    id: OutId,
}

#[derive(Args)]
pub struct Dropped {
    #[command(flatten)]
    one: One,
    #[command(flatten)]
    confirm: Confirm,
}

pub async fn outbox(args: OutboxArgs) -> Done {
    match args.what {
        None => list(args.list).await,
        Some(What::List(args)) => list(args).await,
        Some(What::Retry(one)) => change(one, "retry", "will be sent again").await,
        Some(What::Drop(Dropped { one, confirm })) => {
            Client::find(&one.remote)?;
            confirm.ask(&format!("{} will never be sent then", one.id))?;
            change(one, "drop", "will not be sent").await
        }
    }
}

async fn change(one: One, verb: &str, outcome: &str) -> Done {
    let id = one.id;
    let path = format!("/api/outbox/{id}/{verb}");
    let answer = Client::find(&one.remote)?.post(&path, &json!({}), &fresh_key()?).await?;
    one.remote.say(&answer, format!("{id} {outcome}."))
}

/// The state of a message, and until when quiet hours hold it.
fn state(part: &Value) -> String {
    let state = field::text(part, "state");
    match part["held_until"].as_str() {
        Some(until) => {
            format!("{state}, held until {}", until.get(..16).unwrap_or(until).replace('T', " ") + " UTC")
        }
        None => state,
    }
}

async fn list(args: ListArgs) -> Done {
    let path = match &args.state {
        Some(state) => format!("/api/outbox?state={state}"),
        None => "/api/outbox".to_owned(),
    };
    let list = List {
        path,
        field: "parts",
        header: &["ID", "TO", "STATE", "ATTEMPTS", "CREATED", "TEXT", "ERROR"],
        empty: match &args.state {
            Some(state) => format!("There are no outgoing messages in the state {state}."),
            None => "There are no outgoing messages.".to_owned(),
        },
        row: |part| {
            vec![
                field::text(part, "id"),
                field::text(part, "to"),
                state(part),
                field::text(part, "attempts"),
                field::ago(part, "created"),
                screen::brief(&field::text(part, "text"), 40),
                screen::brief(&field::text(part, "error"), 60),
            ]
        },
    };
    args.page.print(&list).await
}
