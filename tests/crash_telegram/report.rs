//! What a run was, in numbers.

use std::time::Duration;

use frontdesk_botapi::Outcome;

use crate::book::{Deed, Lot};
use crate::evidence::Evidence;
use crate::oracle::Verdict;

/// How often each kind of moment must have been hit in 300 kills.
const HITS: u64 = 20;
/// The same for moments that are short.
const RARE_HITS: u64 = 4;

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
    pub fetching: u64,
    /// Just after an admin's command was brought.
    pub at_command: u64,
    /// With a command that was accepted and not carried out.
    pub open_command: u64,
    pub slowest_start: Duration,
}

impl Tally {
    /// Moments that were not hit often enough to say that they were tested.
    pub fn too_few(&self) -> Vec<String> {
        let all = [
            ("open accept", self.open_accept, HITS),
            ("running turn", self.running_turn, HITS),
            ("streaming answer", self.streaming, HITS),
            ("open post", self.open_post, HITS),
            ("file on its way", self.fetching, RARE_HITS),
            ("admin's command", self.at_command, RARE_HITS),
        ];
        all.into_iter()
            .map(|(name, hits, needed)| (name, hits, needed * self.kills / 300))
            .filter(|(_, hits, needed)| hits < needed)
            .map(|(name, hits, needed)| {
                format!("only {hits} kills hit: {name} (at least {needed} are needed)")
            })
            .collect()
    }

    /// The table.
    pub fn print(&self, e: &Evidence, verdict: &Verdict, took: Duration) {
        fn row(name: &str, value: impl ToString) {
            println!("  {name:<34}{:>8}", value.to_string());
        }
        let database = &e.database;
        let rows = |disposition: &str, state: &str| {
            database.inbound.iter().filter(|row| row.disposition == disposition && row.state == state).count()
        };
        let turns = |state: &str| database.turns.values().filter(|turn| turn.state == state).count();
        let acts = |is: fn(&Deed) -> bool| e.book.acts.iter().filter(|act| is(&act.deed)).count();
        let audits = |action: &str| {
            database.audit.iter().filter(|line| line.action == action && line.outcome == "done").count()
        };
        println!();
        row("kills", self.kills);
        row("  before it was ready", self.while_starting);
        row("  while it stopped", self.while_stopping);
        row("  with an open accept", self.open_accept);
        row("  with a running turn", self.running_turn);
        row("  with a streaming answer", self.streaming);
        row("  with an open post", self.open_post);
        row("  with a file on its way", self.fetching);
        row("  after an admin's command", self.at_command);
        row("  with an open command", self.open_command);
        row("updates", e.deliveries.len());
        row(
            "  brought more than once",
            e.deliveries.values().filter(|seen| seen.delivered.len() > 1).count(),
        );
        row("  messages", acts(|deed| *deed == Deed::Says));
        row("  with files", acts(|deed| matches!(deed, Deed::Brings | Deed::BringsPiece)));
        row("  edits", acts(|deed| *deed == Deed::Edits));
        row("    of a message that waited", verdict.edited_in_place);
        row("  buttons", acts(|deed| *deed == Deed::Presses));
        row("  reactions", acts(|deed| *deed == Deed::Reacts));
        row("  commands", acts(|deed| *deed == Deed::Commands));
        let shut = e
            .book
            .acts
            .iter()
            .filter(|act| matches!(act.lot, Lot::Passed(name) if name.starts_with("denied")));
        row("  from people who are not heard", shut.count());
        row("messages answered", rows("turn", "answered"));
        row("  interrupted after a tool", turns("interrupted"));
        row("  dead with a notice", turns("dead"));
        row("  cancelled by /stop", rows("turn", "cancelled"));
        row("  ended by a revocation", verdict.revoked);
        row("commands carried out", rows("command", "answered"));
        row("strangers who asked", rows("refused", "refused"));
        row("  let in / refused", format!("{} / {}", audits("approve"), audits("deny")));
        row("grants / revocations", format!("{} / {}", audits("grant"), audits("revoke")));
        row("turns", database.turns.len());
        row("  resumed", database.turns.values().filter(|turn| turn.attempt > 1).count());
        row("overheard", database.context_messages.len());
        row("parts stored", database.outbox.len());
        row("  tried more than once", database.outbox.iter().filter(|out| out.attempts > 1).count());
        row("posts", e.posts().count());
        row("  that nobody needed", verdict.repeated);
        row("requests without an answer", e.calls.iter().filter(|call| call.lost).count());
        row("requests refused", e.calls.iter().filter(|call| !call.is_done() && !call.lost).count());
        let unchanged = e.calls.iter().filter(|call| match &call.outcome {
            Outcome::Refused(_, why) => why.contains("message is not modified"),
            _ => false,
        });
        row("  edits that changed nothing", unchanged.count());
        row("slowest start to ready (ms)", self.slowest_start.as_millis());
        row("total (s)", took.as_secs());
    }
}
