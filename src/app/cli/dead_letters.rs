//! `frontdesk dead-letters`: events that could not be read.

use clap::{Args, Subcommand};

use super::client::{self, Client};
use super::{Done, Remote, field, screen, table};

#[derive(Args)]
pub struct DeadLettersArgs {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    list: List,
}

#[derive(Subcommand)]
enum What {
    /// List events that could not be read, the newest first
    List(List),
    /// Show one as it arrived; it may hold what people said
    Show(One),
    /// Delete one, or all of them
    Drop(Which),
}

#[derive(Args)]
struct List {
    #[command(flatten)]
    remote: Remote,
    /// Only those before this one: the next page
    #[arg(long, value_name = "ID")]
    before: Option<i64>,
    /// At most so many (1 to 200)
    #[arg(long, default_value_t = 50, value_parser = client::limit())]
    limit: u32,
}

#[derive(Args)]
struct One {
    #[command(flatten)]
    remote: Remote,
    /// Its id, as the list shows it
    id: i64,
}

#[derive(Args)]
struct Which {
    #[command(flatten)]
    remote: Remote,
    /// Its id, as the list shows it
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    id: Option<i64>,
    /// All of them
    #[arg(long)]
    all: bool,
}

pub async fn dead_letters(args: DeadLettersArgs) -> Done {
    match args.what {
        None => list(args.list).await,
        Some(What::List(args)) => list(args).await,
        Some(What::Show(one)) => show(one).await,
        Some(What::Drop(which)) => discard(which).await,
    }
}

async fn list(args: List) -> Done {
    let mut path = format!("/api/dead-letters?limit={}", args.limit);
    if let Some(before) = args.before {
        path.push_str(&format!("&before={before}"));
    }
    let answer = Client::find(&args.remote)?.get(&path).await?;
    if args.remote.json {
        return screen::json(&answer);
    }
    let rows = field::list(&answer, "dead_letters").iter().map(|letter| {
        vec![
            field::text(letter, "id"),
            field::text(letter, "source"),
            field::text(letter, "kind"),
            field::ago(letter, "received"),
            field::text(letter, "size"),
            screen::brief(&field::text(letter, "reason"), 80),
        ]
    });
    let header = ["ID", "SOURCE", "KIND", "RECEIVED", "BYTES", "REASON"];
    table::print(&header, rows.collect(), "Every event could be read.")
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
        Some(true) => screen::line(format!("(cut: {} bytes arrived)", text("size"))),
        _ => Ok(()),
    }
}

async fn discard(which: Which) -> Done {
    let path = match which.id {
        Some(id) => format!("/api/dead-letters/{id}"),
        None => "/api/dead-letters".to_owned(),
    };
    let answer = Client::find(&which.remote)?.delete(&path).await?;
    if which.remote.json {
        return screen::json(&answer);
    }
    match field::number(&answer, "dropped") {
        1 => screen::line("1 event was deleted."),
        n => screen::line(format!("{n} events were deleted.")),
    }
}
