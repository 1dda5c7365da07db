//! The numbers of a run.

mod work;

use std::collections::BTreeMap;
use std::fmt::Display;
use std::time::Duration;

use crate::channel::KillPoint;
use crate::database::Turn;
use crate::journal::{Action, Event, Expected};
use crate::observed::{Call, CallKind, Observed};
use crate::oracle::Verdict;

/// How many of 300 kills must hit each kill point at least, so that it counts as tested.
const LEAST: u64 = 20;
/// How many of 300 kills must hit each kill point that lasts only a short time.
const LEAST_SHORT: u64 = 4;

/// Counted while the test runs.
#[derive(Debug, Default)]
pub struct Counts {
    pub kills: u64,
    pub reloads: u64,
    /// Reloads of a wrong configuration.
    pub refused_reloads: u64,
    pub while_starting: u64,
    pub while_stopping: u64,
    /// Kills at a kill point of a channel.
    pub kill_points: BTreeMap<(&'static str, KillPoint), u64>,
    pub running: u64,
    pub streaming: u64,
    pub sending: u64,
    pub fetching: u64,
    pub open_command: u64,
    pub asking: u64,
    /// Kills during background tasks, runs of jobs, posts to web servers, and events of other programs.
    pub tasks: u64,
    pub runs: u64,
    pub webhooks: u64,
    pub events: u64,
    pub slowest_start: Duration,
    /// What was done in the background, by name, with the least of it that 300 kills need.
    pub work: Vec<(&'static str, u64, u64)>,
}

impl Counts {
    fn at(&self, channel: &'static str, point: KillPoint) -> u64 {
        self.kill_points.get(&(channel, point)).copied().unwrap_or(0)
    }

    /// The kill points that were not hit often enough.
    pub fn too_few(&self) -> Vec<String> {
        let all = [
            ("open accept (web)", self.at("web", KillPoint::Accept), LEAST),
            ("open accept (telegram)", self.at("telegram", KillPoint::Accept), LEAST),
            ("delivery (discord)", self.at("discord", KillPoint::Accept), LEAST_SHORT),
            ("delivery (slack)", self.at("slack", KillPoint::Accept), LEAST_SHORT),
            ("post (slack)", self.at("slack", KillPoint::Post), LEAST_SHORT),
            ("streaming answer (web)", self.at("web", KillPoint::Streaming), LEAST),
            ("streaming answer (telegram)", self.streaming, LEAST),
            ("running turn", self.running, LEAST),
            ("open post", self.sending, LEAST),
            ("file being fetched", self.fetching, LEAST_SHORT),
            ("admin's command", self.at("telegram", KillPoint::Command), LEAST_SHORT),
            ("open question", self.asking, LEAST_SHORT),
            ("press of a button", self.at("telegram", KillPoint::Press), LEAST_SHORT),
            ("open request (background)", self.at("background", KillPoint::Accept), LEAST),
            ("running background task", self.tasks, LEAST),
            ("run of a job", self.runs, LEAST),
            ("event under way", self.events, LEAST),
            ("post to a web server", self.webhooks, LEAST_SHORT),
        ];
        let all = all.into_iter().map(|(name, hits, least)| (name, hits, least * self.kills / 300));
        let few = all.filter(|(_, hits, least)| hits < least);
        let few = few.map(|(name, hits, least)| {
            format!("only {hits} kills hit: {name} (at least {least} are needed)")
        });
        let work = self.work.iter().map(|(name, found, least)| (name, found, least * self.kills / 300));
        let rare = work.filter(|(_, found, least)| *found < least);
        let rare =
            rare.map(|(name, found, least)| format!("only {found} {name} (at least {least} are needed)"));
        few.chain(rare).collect()
    }

    /// Counts what was done in the background.
    pub fn count_work(&mut self, observed: &Observed) {
        self.work = work::counts(observed);
    }

    pub fn print(&self, observed: &Observed, verdict: &Verdict, took: Duration) {
        println!();
        rows(&[("reloads", self.reloads), ("  of a wrong configuration", self.refused_reloads)]);
        row("kills", self.kills);
        for ((channel, point), hits) in &self.kill_points {
            row(&format!("  at {point:?} ({channel})"), hits);
        }
        rows(&[
            ("  before it was ready", self.while_starting),
            ("  while it stopped", self.while_stopping),
            ("  with a running turn", self.running),
            ("  with a growing message", self.streaming),
            ("  with an open post", self.sending),
            ("  with a file being fetched", self.fetching),
            ("  with an open command", self.open_command),
            ("  with an open question", self.asking),
            ("  with a running background task", self.tasks),
            ("  with a run of a job", self.runs),
            ("  with an event under way", self.events),
            ("  with a post to a web server", self.webhooks),
        ]);
        print_events(observed);
        print_outcomes(observed, verdict);
        work::print(observed, verdict);
        row("slowest start to ready (ms)", self.slowest_start.as_millis());
        row("total (s)", took.as_secs());
    }
}

/// What the clients did.
fn print_events(observed: &Observed) {
    let events = &observed.journal.events;
    let count = |is: &dyn Fn(&Event) -> bool| events.iter().filter(|event| is(event)).count();
    let action = |action: Action| count(&|event| event.action == action);
    rows(&[
        ("events", events.len()),
        ("  of web clients", count(&|event| event.place.source.starts_with("web:"))),
        ("  of telegram users", count(&|event| event.place.source.starts_with("telegram:"))),
        ("  of discord users", count(&|event| event.place.source.starts_with("discord:"))),
        ("  of slack users", count(&|event| event.place.source.starts_with("slack:"))),
        ("  read in a history", count(&|event| event.from_history)),
        ("  handed over more than once", count(&|event| event.delivered.len() > 1)),
        ("  messages", action(Action::Message)),
        ("  with files", action(Action::File) + action(Action::AlbumPart)),
        ("  edits", action(Action::Edit)),
        ("  buttons", action(Action::Button)),
        ("  reactions", action(Action::Reaction)),
        ("  commands on platforms", action(Action::Command)),
        ("  dropped", count(&|event| matches!(event.expected, Expected::Dropped(_)))),
        ("operators' sends", observed.journal.operator_sends.len()),
    ]);
    row("deltas shown", observed.journal.deltas);
}

/// What became of it.
fn print_outcomes(observed: &Observed, verdict: &Verdict) {
    let (database, calls) = (&observed.database, &observed.calls);
    let inbound = |disposition: &str, state: &str| {
        database.inbound.iter().filter(|row| row.disposition == disposition && row.state == state).count()
    };
    let turns = |is: &dyn Fn(&Turn) -> bool| database.turns.values().filter(|turn| is(turn)).count();
    let audits = |action: &str| {
        database.audit.iter().filter(|line| line.action == action && line.outcome == "done").count()
    };
    let calls = |is: &dyn Fn(&Call) -> bool| calls.iter().filter(|call| is(call)).count();
    let changed_nothing = |why: &String| why.contains("message is not modified");
    rows(&[
        ("lost with a session", verdict.lost),
        ("messages answered", inbound("turn", "answered")),
        ("  interrupted after a tool", turns(&|turn| turn.state == "interrupted")),
        ("  dead with a notice", turns(&|turn| turn.state == "dead")),
        ("  cancelled by /stop", inbound("turn", "cancelled")),
        ("  ended by a revocation", verdict.revoked),
        ("  interrupted by another message", verdict.superseded),
        ("  dropped while they waited", verdict.dropped),
        ("  taken into an answer", verdict.steered),
        (
            "messages of agents' tools",
            observed
                .agents
                .iter()
                .filter(|seen| seen.choice.as_deref().is_some_and(|id| id.starts_with('o')))
                .count(),
        ),
        ("changes of agents' tools", database.changes.len()),
        ("  edited while they waited", verdict.edited_in_place),
        ("commands carried out", inbound("command", "answered")),
        ("users who asked for pairing", inbound("refused", "refused")),
        ("  approved", audits("approve")),
        ("  denied", audits("deny")),
        ("grants", audits("grant")),
        ("revocations", audits("revoke")),
        ("turns", database.turns.len()),
        ("  resumed", turns(&|turn| turn.attempt > 1)),
        ("context messages", database.context.len()),
        ("parts stored", database.parts.len()),
        ("  tried more than once", database.parts.iter().filter(|part| part.attempts > 1).count()),
        ("posts", calls(&|call| call.kind == CallKind::Post)),
        ("  posted twice, explained", verdict.duplicates),
        ("requests without a response", calls(&|call| call.lost)),
        ("requests refused", calls(&|call| call.refused.is_some() && !call.lost)),
        ("  edits that changed nothing", calls(&|call| call.refused.as_ref().is_some_and(changed_nothing))),
    ]);
}

fn rows<T: Display>(rows: &[(&str, T)]) {
    rows.iter().for_each(|(name, value)| row(name, value));
}

fn row(name: &str, value: impl Display) {
    println!("  {name:<34}{value:>12}");
}
