//! The numbers of a run.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::channel::Moment;
use crate::journal::{Action, Event, Expected};
use crate::observed::Observed;
use crate::oracle::Verdict;

/// How many of 300 kills must hit each moment at least, so that it counts as tested.
const LEAST: u64 = 20;
/// The same for short moments.
const LEAST_SHORT: u64 = 4;

/// Counted while the test runs.
#[derive(Debug, Default)]
pub struct Counts {
    pub kills: u64,
    pub while_starting: u64,
    pub while_stopping: u64,
    /// Kills at a moment of a channel.
    pub moments: BTreeMap<(&'static str, Moment), u64>,
    pub running: u64,
    pub streaming: u64,
    pub sending: u64,
    pub fetching: u64,
    pub open_command: u64,
    pub slowest_start: Duration,
}

impl Counts {
    fn at(&self, channel: &'static str, moment: Moment) -> u64 {
        self.moments.get(&(channel, moment)).copied().unwrap_or(0)
    }

    /// The moments that were not hit often enough.
    pub fn too_few(&self) -> Vec<String> {
        let all = [
            ("open accept (web)", self.at("web", Moment::Accept), LEAST),
            ("open accept (telegram)", self.at("telegram", Moment::Accept), LEAST),
            ("streaming answer (web)", self.at("web", Moment::Streaming), LEAST),
            ("streaming answer (telegram)", self.streaming, LEAST),
            ("running turn", self.running, LEAST),
            ("open post", self.sending, LEAST),
            ("file being fetched", self.fetching, LEAST_SHORT),
            ("admin's command", self.at("telegram", Moment::Command), LEAST_SHORT),
        ];
        let all = all.into_iter().map(|(name, hits, least)| (name, hits, least * self.kills / 300));
        let few = all.filter(|(_, hits, least)| hits < least);
        few.map(|(name, hits, least)| format!("only {hits} kills hit: {name} (at least {least} are needed)"))
            .collect()
    }

    pub fn print(&self, observed: &Observed, verdict: &Verdict, took: Duration) {
        println!();
        row("kills", self.kills);
        row("  before it was ready", self.while_starting);
        row("  while it stopped", self.while_stopping);
        for ((channel, moment), hits) in &self.moments {
            row(&format!("  at {moment:?} ({channel})"), hits);
        }
        row("  with a running turn", self.running);
        row("  with a growing message", self.streaming);
        row("  with an open post", self.sending);
        row("  with a file being fetched", self.fetching);
        row("  with an open command", self.open_command);
        print_events(observed);
        print_outcomes(observed, verdict);
        row("slowest start to ready (ms)", self.slowest_start.as_millis());
        row("total (s)", took.as_secs());
    }
}

/// What the clients did.
fn print_events(observed: &Observed) {
    let events = &observed.journal.events;
    let count = |is: &dyn Fn(&Event) -> bool| events.iter().filter(|event| is(event)).count();
    let action = |action: Action| count(&|event| event.action == action);
    row("events", events.len());
    for channel in ["web:", "telegram:"] {
        row(&format!("  {channel}"), count(&|event| event.place.source.starts_with(channel)));
    }
    row("  handed over more than once", count(&|event| event.delivered.len() > 1));
    row("  messages", action(Action::Message));
    row("  with files", action(Action::File) + action(Action::AlbumPart));
    row("  edits", action(Action::Edit));
    row("  buttons", action(Action::Button));
    row("  reactions", action(Action::Reaction));
    row("  commands on platforms", action(Action::Command));
    row("  dropped", count(&|event| matches!(event.expected, Expected::Dropped(_))));
    row("operators' sends", observed.journal.operator_sends.len());
    row("deltas shown", observed.journal.deltas);
}

/// What became of it.
fn print_outcomes(observed: &Observed, verdict: &Verdict) {
    let (database, calls) = (&observed.database, &observed.calls);
    let rows = |disposition: &str, state: &str| {
        database.inbound.iter().filter(|row| row.disposition == disposition && row.state == state).count()
    };
    let turns = |state: &str| database.turns.values().filter(|turn| turn.state == state).count();
    let audits = |action: &str| {
        database.audit.iter().filter(|line| line.action == action && line.outcome == "done").count()
    };
    row("messages answered", rows("turn", "answered"));
    row("  interrupted after a tool", turns("interrupted"));
    row("  dead with a notice", turns("dead"));
    row("  cancelled by /stop", rows("turn", "cancelled"));
    row("  ended by a revocation", verdict.revoked);
    row("  edited while they waited", verdict.edited_in_place);
    row("commands carried out", rows("command", "answered"));
    row("users who asked for pairing", rows("refused", "refused"));
    row("  approved / denied", format!("{} / {}", audits("approve"), audits("deny")));
    row("grants / revocations", format!("{} / {}", audits("grant"), audits("revoke")));
    row("turns", database.turns.len());
    row("  resumed", database.turns.values().filter(|turn| turn.attempt > 1).count());
    row("context messages", database.context.len());
    row("parts stored", database.parts.len());
    row("  tried more than once", database.parts.iter().filter(|part| part.attempts > 1).count());
    row("posts", observed.posts().count());
    row("  posted twice, explained", verdict.duplicates);
    row("requests without a response", calls.iter().filter(|call| call.lost).count());
    let refused = |call: &&std::sync::Arc<crate::observed::Call>| call.refused.is_some() && !call.lost;
    row("requests refused", calls.iter().filter(refused).count());
    let same = |why: &String| why.contains("message is not modified");
    row(
        "  edits that changed nothing",
        calls.iter().filter(|call| call.refused.as_ref().is_some_and(same)).count(),
    );
}

fn row(name: &str, value: impl ToString) {
    println!("  {name:<34}{:>12}", value.to_string());
}
