//! `frontdesk dead-letters`: events that could not be read.

use clap::{Args, Subcommand};
use frontdesk_core::count::counted;

use super::client::Client;
use super::confirm::Confirm;
use super::list::{EntryNumber, List, OrList, Page};
use super::{Done, Remote, field, screen};

/// What follows `frontdesk dead-letters`.
pub type DeadLettersArgs = OrList<What, Page<EntryNumber>>;

#[derive(Subcommand)]
pub enum What {
    /// List events that could not be read, newest first
    List(Page<EntryNumber>),
    /// Show an event as it arrived; it may contain message text
    Show(One),
    /// Drop one event, or all of them, for good
    Drop(Which),
}

#[derive(Args)]
pub struct One {
    #[command(flatten)]
    remote: Remote,
    /// The event's id, as shown in the list
    id: EntryNumber,
}

#[derive(Args)]
pub struct Which {
    #[command(flatten)]
    remote: Remote,
    /// The event's id, as shown in the list
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    id: Option<EntryNumber>,
    /// Drop all of them
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    confirm: Confirm,
}

pub async fn dead_letters(args: DeadLettersArgs) -> Done {
    match args.what {
        None => list(args.list).await,
        Some(What::List(page)) => list(page).await,
        Some(What::Show(one)) => show(one).await,
        Some(What::Drop(which)) => discard(which).await,
    }
}

async fn list(page: Page<EntryNumber>) -> Done {
    let list = List {
        path: "/api/dead-letters".to_owned(),
        field: "dead_letters",
        header: &["ID", "SOURCE", "KIND", "RECEIVED", "BYTES", "REASON"],
        empty: "There are none: every event could be read.".to_owned(),
        row: |letter| {
            vec![
                field::text(letter, "id"),
                field::text(letter, "source"),
                field::text(letter, "kind"),
                field::ago(letter, "received"),
                field::text(letter, "size"),
                screen::brief(&field::text(letter, "reason"), 80),
            ]
        },
    };
    page.print(&list).await
}

async fn show(one: One) -> Done {
    let answer = Client::find(&one.remote)?.get(&format!("/api/dead-letters/{}", one.id)).await?;
    if one.remote.json {
        return screen::json(&answer);
    }
    let text = |name| field::text(&answer, name);
    screen::line(format!("{} {}: {}", text("source"), text("kind"), text("reason")))?;
    screen::line(screen::harmless(&text("body")))?;
    match answer["cut"].as_bool() {
        Some(true) => screen::line(format!("(shortened: {} bytes arrived)", text("size"))),
        _ => Ok(()),
    }
}

async fn discard(which: Which) -> Done {
    let (path, what) = match which.id {
        Some(id) => (format!("/api/dead-letters/{id}"), format!("this drops event {id} for good")),
        None => (
            "/api/dead-letters".to_owned(),
            "this drops all events that could not be read for good".to_owned(),
        ),
    };
    let client = Client::find(&which.remote)?;
    which.confirm.ask(&what)?;
    let answer = client.delete(&path).await?;
    which.remote.say(&answer, format!("Dropped {}.", counted(field::number(&answer, "dropped"), "event")))
}
