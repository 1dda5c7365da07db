//! The oracles: what everybody saw against what is in the database. They are numbered as in the guarantees.

mod accepted;
mod access;
mod agents;
mod chats;
mod commands;
mod endings;
mod repeated;
mod traces;

use std::collections::HashMap;

use crate::book::Act;
use crate::database::{Inbound, Out, Turn};
use crate::evidence::Evidence;
use crate::moment::ms;
use crate::script::Script;

/// What must not be: whose story tells more (the bot and the update), and what it is.
#[derive(Debug, Clone)]
pub struct Violation {
    pub update: Option<(i64, i64)>,
    pub what: String,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Verdict {
    pub violations: Vec<Violation>,
    /// Posts that nobody needed, each explained by a kill or a lost answer.
    pub repeated: usize,
    /// Edits that found their message waiting.
    pub edited_in_place: usize,
    /// Messages that a revocation ended.
    pub revoked: usize,
}

/// Runs every oracle.
pub fn judge(evidence: &Evidence) -> Verdict {
    let mut court = Court {
        e: evidence,
        acts: evidence.book.acts.iter().map(|act| (act.key(), act)).collect(),
        rows: HashMap::new(),
        by_id: HashMap::new(),
        by_turn: HashMap::new(),
        edits: HashMap::new(),
        verdict: Verdict::default(),
    };
    for row in &evidence.database.inbound {
        court.by_id.insert(row.id, row);
        if let Some(turn) = row.turn {
            court.by_turn.entry(turn).or_default().push(row);
        }
        if let Some(target) = put_into(row) {
            court.edits.insert(target, row);
        }
        let Some(update) = update_of(row) else {
            court.find(None, format!("O1: a row of no update: {row:?}"));
            continue;
        };
        if let Some(twin) = court.rows.insert(update, row) {
            court.find(Some(update), format!("O1: two rows for one update: {twin:?}, {row:?}"));
        }
    }
    court.accepted();
    court.ends();
    court.commands();
    court.turns();
    court.prompts();
    court.order();
    court.access();
    court.chats();
    court.repeated();
    court.at_rest();
    court.traces();
    for wrong in &evidence.book.wrong {
        court.find(None, wrong.clone());
    }
    court.verdict
}

/// The bot and the update that a row is about.
fn update_of(row: &Inbound) -> Option<(i64, i64)> {
    Some((row.source.strip_prefix("telegram:")?.parse().ok()?, row.event.parse().ok()?))
}

/// The message in whose place an edit was put.
fn put_into(row: &Inbound) -> Option<i64> {
    row.reason.as_ref()?.strip_prefix("into:m")?.parse().ok()
}

struct Court<'a> {
    e: &'a Evidence,
    acts: HashMap<(i64, i64), &'a Act>,
    /// By bot and update.
    rows: HashMap<(i64, i64), &'a Inbound>,
    by_id: HashMap<i64, &'a Inbound>,
    by_turn: HashMap<i64, Vec<&'a Inbound>>,
    /// By the message in whose place it was put: the last edit.
    edits: HashMap<i64, &'a Inbound>,
    verdict: Verdict,
}

impl<'a> Court<'a> {
    fn find(&mut self, update: Option<(i64, i64)>, what: String) {
        self.verdict.violations.push(Violation { update, what });
    }

    fn act_of(&self, row: &Inbound) -> Option<&'a Act> {
        self.acts.get(&update_of(row)?).copied()
    }

    fn turn_of(&self, row: &Inbound) -> Option<&'a Turn> {
        self.e.database.turns.get(&row.turn?)
    }

    /// The rows that a turn took, the oldest first.
    fn rows_of(&self, turn: i64) -> &[&'a Inbound] {
        self.by_turn.get(&turn).map(Vec::as_slice).unwrap_or_default()
    }

    /// What a turn asked of the agent.
    fn script_of(&self, turn: i64) -> Option<Script> {
        let rows = self.rows_of(turn);
        Script::of(rows.iter().map(|row| row.body.as_str()), self.files_of(turn).len())
    }

    /// What the files of a turn hold.
    fn files_of(&self, turn: i64) -> Vec<String> {
        let rows = self.rows_of(turn);
        rows.iter().filter_map(|row| self.act_of(row)).flat_map(|act| act.files.clone()).collect()
    }

    /// The update that an outgoing part is about.
    fn update_about(&self, out: &Out) -> Option<(i64, i64)> {
        let by_turn = || self.rows_of(out.turn?).first().copied();
        let row = out.message.and_then(|id| self.by_id.get(&id).copied()).or_else(by_turn)?;
        update_of(row)
    }

    /// O6: nothing is left half done.
    fn at_rest(&mut self) {
        for turn in self.e.database.turns.values() {
            if matches!(turn.state.as_str(), "queued" | "running") {
                self.find(None, format!("O6: left behind: {turn:?}"));
            }
        }
        for out in &self.e.database.outbox {
            if matches!(out.state.as_str(), "queued" | "streaming" | "sending" | "unknown" | "dead") {
                self.find(self.update_about(out), format!("O6: left behind: {out:?}"));
            }
        }
        for row in &self.e.database.inbound {
            if matches!(row.state.as_str(), "waiting" | "in_turn") {
                self.find(update_of(row), "O6: left behind".to_owned());
            }
        }
    }

    /// Kills at or shortly before a moment do not count: a request may arrive a little after its sender has died.
    fn kills_between(&self, from: i64, to: i64) -> impl Iterator<Item = i64> {
        /// How much later.
        const SLACK: i64 = 100;
        let kills = self.e.book.kills.iter().map(|at| ms(*at));
        kills.filter(move |at| (from - SLACK..=to).contains(at))
    }
}
