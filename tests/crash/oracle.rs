//! The oracles: what everybody saw against what is in the database.

mod agents;
mod endings;
mod outside;

use std::collections::HashMap;

use crate::agent::Seen;
use crate::database::{Database, Inbound, Turn};
use crate::journal::{Book, Rule, Sent, Way};
use crate::platform::Took;

/// A request may reach the platform a little after the daemon that wrote it was killed.
const SLACK: u64 = 100;

/// Everything that is compared.
pub struct Evidence<'a> {
    pub book: &'a Book,
    pub database: &'a Database,
    pub agents: &'a [Seen],
    pub took: &'a [Took],
    pub messages: &'a HashMap<String, (String, String)>,
}

/// What must not be: whose story tells more, and what it is.
#[derive(Debug, Clone)]
pub struct Violation {
    pub event: Option<String>,
    pub what: String,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Verdict {
    pub violations: Vec<Violation>,
    /// Parts that the platform has more than once, each explained by a kill or a lost response.
    pub duplicates: usize,
}

/// Runs every oracle.
pub fn judge(evidence: &Evidence<'_>) -> Verdict {
    let mut court =
        Court { e: evidence, rows: HashMap::new(), by_turn: HashMap::new(), verdict: Verdict::default() };
    for row in &evidence.database.inbound {
        court.rows.insert((row.source.split(':').next().unwrap_or_default(), row.event.as_str()), row);
        if let Some(turn) = row.turn {
            court.by_turn.entry(turn).or_default().push(row);
        }
    }
    court.accepted();
    court.ends();
    court.turns();
    court.prompts();
    court.order();
    court.web();
    court.lab();
    court.duplicates();
    court.dispatches();
    court.epochs();
    court.at_rest();
    for wrong in &evidence.book.wrong {
        court.find(None, wrong.clone());
    }
    court.verdict
}

struct Court<'a> {
    e: &'a Evidence<'a>,
    /// By channel and event id.
    rows: HashMap<(&'a str, &'a str), &'a Inbound>,
    by_turn: HashMap<i64, Vec<&'a Inbound>>,
    verdict: Verdict,
}

impl<'a> Court<'a> {
    fn find(&mut self, event: Option<&str>, what: String) {
        self.verdict.violations.push(Violation { event: event.map(str::to_owned), what });
    }

    fn row_of(&self, sent: &Sent) -> Option<&'a Inbound> {
        let channel = if sent.chat.way == Way::Lab { "lab" } else { "web" };
        self.rows.get(&(channel, sent.event.as_str())).copied()
    }

    fn sent_of(&self, row: &Inbound) -> Option<&'a Sent> {
        self.e.book.sent.get(&row.event)
    }

    fn turn_of(&self, row: &Inbound) -> Option<&'a Turn> {
        self.e.database.turns.get(&row.turn?)
    }

    fn rule(&self, key: &str) -> Rule {
        let sent = self.e.book.sent.values().find(|sent| sent.chat.session() == key);
        sent.map_or(Rule::Strict, |sent| sent.chat.rule)
    }

    /// O1: whatever was accepted is there, once, as it was sent, in the order in which it was sent.
    fn accepted(&mut self) {
        let mut last: HashMap<&str, i64> = HashMap::new();
        for event in &self.e.book.order {
            let Some(sent) = self.e.book.sent.get(event) else { continue };
            let Some(row) = self.row_of(sent) else {
                if sent.accepted.is_some() {
                    self.find(Some(event), "O1: accepted and lost".to_owned());
                }
                continue;
            };
            if sent.accepted.is_none() {
                self.find(Some(event), "O1: stored, and nobody was told".to_owned());
            }
            if let Some((_, Some(message))) = &sent.accepted
                && *message != format!("m{}", row.id)
            {
                self.find(Some(event), format!("O1: accepted as {message} and stored as m{}", row.id));
            }
            // A /retry takes the words of the message that it runs again.
            if (row.body != sent.text && sent.text != "/retry") || row.key != sent.chat.session() {
                self.find(Some(event), format!("O1: stored as something else: {row:?}"));
            }
            let last = last.entry(sent.chat.name.as_str()).or_insert(0);
            if row.id < *last {
                self.find(
                    Some(event),
                    format!("O5: stored as {} after {last}, against the order of sending", row.id),
                );
            }
            *last = row.id;
        }
        for row in &self.e.database.inbound {
            if self.sent_of(row).is_none() {
                self.find(None, format!("O1: a row that nobody sent: {row:?}"));
            }
        }
    }

    /// O7: each `/new` begins one epoch, and every message belongs to the one of its time.
    fn epochs(&mut self) {
        let mut now: HashMap<&str, i64> = HashMap::new();
        let mut began: HashMap<&str, i64> = HashMap::new();
        for row in &self.e.database.inbound {
            let first = !now.contains_key(row.key.as_str());
            let epoch = now.entry(&row.key).or_insert(1);
            if row.body == "/new" && row.disposition == "command" && !first {
                *epoch += 1;
                *began.entry(&row.key).or_default() += 1;
            }
            let expected = *epoch;
            if row.epoch != expected {
                self.find(Some(&row.event), format!("O7: in epoch {} instead of {expected}", row.epoch));
            }
        }
        for key in self.e.database.seqs.keys() {
            let expected = began.get(key.as_str()).copied().unwrap_or(0);
            let found = self.e.database.renewed.get(key).copied().unwrap_or(0);
            if expected != found {
                let rule = self.rule(key);
                self.find(None, format!("O7: {key} ({rule:?}) began {found} epochs for {expected} /new"));
            }
        }
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
                self.find(self.event_of(out), format!("O6: left behind: {out:?}"));
            }
        }
        for row in &self.e.database.inbound {
            if matches!(row.state.as_str(), "waiting" | "in_turn") {
                self.find(Some(&row.event), "O6: left behind".to_owned());
            }
        }
    }
}
