//! Lists that the gateway returns one page at a time, newest entry first.

use std::error::Error;
use std::fmt::{self, Display};
use std::str::FromStr;

use clap::{Args, Subcommand};
use serde_json::Value;

use super::client::{Client, limit};
use super::{Done, Remote, field, screen, table};

/// What follows a command that lists entries if nothing else is asked of it. `What` has the list as well, under its name.
#[derive(Args)]
pub struct OrList<What: Subcommand, List: Args> {
    #[command(subcommand)]
    pub what: Option<What>,
    #[command(flatten)]
    pub list: List,
}

/// The id of an entry, as the list shows it.
pub trait EntryId: Display + FromStr<Err: Error + Send + Sync> + Clone + Send + Sync + 'static {}

impl<Id: Display + FromStr<Err: Error + Send + Sync> + Clone + Send + Sync + 'static> EntryId for Id {}

/// The id of an entry of the audit or of an event that could not be read: a plain number.
#[derive(Debug, Clone, Copy)]
pub struct EntryNumber(i64);

/// Why a text is not such an id.
#[derive(Debug, thiserror::Error)]
#[error("this is not the id of an entry: write the number that the list shows, for example 42")]
pub struct NotANumber;

impl Display for EntryNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for EntryNumber {
    type Err = NotANumber;

    fn from_str(text: &str) -> Result<Self, NotANumber> {
        text.parse().map(Self).map_err(|_| NotANumber)
    }
}

/// Which part of a list to print.
#[derive(Args)]
pub struct Page<Id: EntryId> {
    #[command(flatten)]
    remote: Remote,
    /// Only entries older than this one, to see the next page
    #[arg(long, value_name = "ID", value_parser = Id::from_str)]
    before: Option<Id>,
    /// Maximum number of entries, from 1 to 200
    #[arg(long, default_value_t = 50, value_parser = limit())]
    limit: u32,
}

/// One kind of list: where the API returns it, and how it is printed.
pub struct List {
    /// The path of the API, with a query if only some entries are wanted.
    pub path: String,
    /// The field of the answer that holds the entries.
    pub field: &'static str,
    /// The header of the table.
    pub header: &'static [&'static str],
    /// Printed when there are no entries.
    pub empty: String,
    /// The cells of one entry.
    pub row: fn(&Value) -> Vec<String>,
}

impl<Id: EntryId> Page<Id> {
    /// Fetches a page of `list` and prints it.
    pub async fn print(&self, list: &List) -> Done {
        let joint = if list.path.contains('?') { '&' } else { '?' };
        let mut path = format!("{}{joint}limit={}", list.path, self.limit);
        if let Some(before) = &self.before {
            path.push_str(&format!("&before={before}"));
        }
        let answer = Client::find(&self.remote)?.get(&path).await?;
        if self.remote.json {
            return screen::json(&answer);
        }
        let entries = field::list(&answer, list.field);
        let empty = match &self.before {
            Some(before) => format!("There are no older entries than {before}."),
            None => list.empty.clone(),
        };
        table::print(list.header, entries.iter().map(list.row).collect(), &empty)?;
        match entries.last() {
            Some(last) if entries.len() >= self.limit as usize => {
                screen::line(format!("\nTo see older entries, add --before {}", field::text(last, "id")))
            }
            _ => Ok(()),
        }
    }
}
