//! What a run was, in numbers.

use std::time::Duration;

use crate::database::Database;
use crate::journal::Book;

/// How often each kind of moment must have been hit in 300 kills.
const HITS: u64 = 20;

/// Counted while it runs.
#[derive(Debug, Default)]
pub struct Tally {
    pub kills: u64,
    pub while_starting: u64,
    pub while_stopping: u64,
    pub open_accept: u64,
    pub running_turn: u64,
    pub streaming: u64,
    pub open_post: u64,
    pub slowest_start: Duration,
    pub duplicates: usize,
    pub later: u64,
    pub lost: usize,
    pub deltas: u64,
}

impl Tally {
    /// Moments that were not hit often enough to say that they were tested.
    pub fn too_few(&self) -> Vec<String> {
        let needed = self.kills * HITS / 300;
        [
            ("open accept", self.open_accept),
            ("running turn", self.running_turn),
            ("streaming answer", self.streaming),
        ]
        .into_iter()
        .filter(|(_, hits)| *hits < needed)
        .map(|(name, hits)| format!("only {hits} kills hit: {name} (at least {needed} are needed)"))
        .collect()
    }

    /// The table.
    pub fn print(&self, book: &Book, database: &Database, took: Duration) {
        let row = |name: &str, value: String| println!("  {name:<34}{value:>8}");
        let states = |state: &str| database.inbound.iter().filter(|row| row.state == state).count();
        let turns = |state: &str| database.turns.values().filter(|turn| turn.state == state).count();
        let resumed = database.turns.values().filter(|turn| turn.attempt > 1).count();
        let again = book.sent.values().filter(|sent| sent.at.len() > 1).count();
        let accepted = book.sent.values().filter(|sent| sent.accepted.is_some()).count();
        println!();
        row("kills", self.kills.to_string());
        row("  before it was ready", self.while_starting.to_string());
        row("  while it stopped", self.while_stopping.to_string());
        row("  with an open accept", self.open_accept.to_string());
        row("  with a running turn", self.running_turn.to_string());
        row("  with a streaming answer", self.streaming.to_string());
        row("  with an open post", self.open_post.to_string());
        row("messages sent", book.sent.len().to_string());
        row("  said again after a cut", again.to_string());
        row("  accepted", accepted.to_string());
        row("  answered", states("answered").to_string());
        row("  interrupted after a tool", turns("interrupted").to_string());
        row("  dead with a notice", turns("dead").to_string());
        row("  cancelled by /stop", states("cancelled").to_string());
        row("turns", database.turns.len().to_string());
        row("  resumed", resumed.to_string());
        row("pieces seen", self.deltas.to_string());
        row("operator's sends", book.dispatches.len().to_string());
        row(
            "platform: parts stored",
            database.outbox.iter().filter(|out| out.seq.is_none()).count().to_string(),
        );
        row("platform: duplicate posts", self.duplicates.to_string());
        row("platform: responses lost", self.lost.to_string());
        row("platform: said later", self.later.to_string());
        row("slowest start to ready (ms)", self.slowest_start.as_millis().to_string());
        row("total (s)", took.as_secs().to_string());
    }
}
