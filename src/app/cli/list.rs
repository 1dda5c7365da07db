//! Lists that the gateway returns one page at a time, newest entry first.

use std::error::Error;
use std::fmt::Display;
use std::str::FromStr;

use clap::Args;
use serde_json::Value;

use super::client::{Client, limit};
use super::{Done, Remote, field, screen, table};

/// The id of an entry, as the list shows it.
pub trait EntryId: Display + FromStr<Err: Error + Send + Sync> + Clone + Send + Sync + 'static {}

impl<Id: Display + FromStr<Err: Error + Send + Sync> + Clone + Send + Sync + 'static> EntryId for Id {}

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
    pub empty: &'static str,
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
        table::print(list.header, entries.iter().map(list.row).collect(), list.empty)?;
        match entries.last() {
            Some(last) if entries.len() >= self.limit as usize => {
                screen::line(format!("\nTo see older entries, add --before {}", field::text(last, "id")))
            }
            _ => Ok(()),
        }
    }
}
