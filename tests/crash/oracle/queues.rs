//! O2, O3: in whichever mode messages wait, each of them is answered once, interrupted by another one, or dropped by
//! somebody.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::Oracle;
use crate::agent::{AgentRecord, Step};
use crate::database::Inbound;
use crate::script::tags;

impl<'a> Oracle<'a> {
    pub(super) fn queues(&mut self) {
        let (mut answered, mut prompted) = (HashMap::new(), HashSet::new());
        for seen in &self.o.agents {
            let Some(turn) = self.o.database.turns.get(&seen.turn) else { continue };
            if !self.queues.contains(&turn.key) || !matches!(seen.step, Step::Prompt | Step::Steer) {
                continue;
            }
            if seen.step == Step::Prompt {
                prompted.extend(seen.tags.iter().map(String::as_str));
            }
            if turn.state == "done" && turn.attempt == seen.attempt {
                let known: &mut BTreeSet<&str> = answered.entry(turn.id).or_default();
                known.extend(seen.tags.iter().map(String::as_str));
                self.verdict.steered += usize::from(seen.step == Step::Steer);
            }
        }
        let rows = self.o.database.inbound.iter();
        let rows: Vec<&'a Inbound> =
            rows.filter(|row| row.disposition == "turn" && self.queues.contains(&row.key)).collect();
        let mut dropped: BTreeMap<&str, usize> = BTreeMap::new();
        for row in &rows {
            let row_tags = tags(&row.body);
            let in_turn = row.turn_id.and_then(|turn| answered.get(&turn));
            let wrong = match row.state.as_str() {
                "answered"
                    if !row_tags
                        .iter()
                        .all(|tag| in_turn.is_some_and(|known| known.contains(tag.as_str()))) =>
                {
                    Some("answered, and its agent never saw it")
                }
                "superseded" if !self.is_interrupted(row) => Some("interrupted by nothing"),
                "cancelled" if row_tags.iter().any(|tag| prompted.contains(tag.as_str())) => {
                    Some("dropped, and it reached the agent")
                }
                _ => None,
            };
            match row.state.as_str() {
                "superseded" => self.verdict.superseded += 1,
                "cancelled" => *dropped.entry(&row.key).or_default() += 1,
                _ => {}
            }
            if let Some(wrong) = wrong {
                self.report(Some(row.event()), format!("O2: {wrong}: {row:?}"));
            }
        }
        self.once(&answered);
        self.drops(&dropped);
    }

    /// O3: no message was answered in two turns.
    fn once(&mut self, answered: &HashMap<i64, BTreeSet<&str>>) {
        let mut turns: HashMap<&str, i64> = HashMap::new();
        let last = |turn: &i64| self.o.database.turns.get(turn).map(|turn| turn.attempt);
        let is_asked = |seen: &&AgentRecord| match seen.step {
            Step::Prompt => true,
            // What an attempt that was cut off has taken may be asked again.
            Step::Steer => last(&seen.turn) == Some(seen.attempt),
            _ => false,
        };
        let asked: Vec<&AgentRecord> = self.o.agents.iter().filter(is_asked).collect();
        for seen in asked.into_iter().filter(|seen| answered.contains_key(&seen.turn)) {
            // A press quotes the question, which has the tag of the message that led to it.
            let is_quoted =
                |tag: &&String| ["yes", "no"].iter().any(|made| seen.tags.contains(&format!("{tag}-{made}")));
            for tag in seen.tags.iter().filter(|tag| !is_quoted(tag)) {
                let first = *turns.entry(tag).or_insert(seen.turn);
                if first != seen.turn {
                    let event = self.event_of_turn(seen.turn);
                    self.report(event, format!("O3: {tag} was asked in t{first} and again: {seen:?}"));
                }
            }
        }
    }

    /// O3: each drop is in the audit and drops one message.
    fn drops(&mut self, dropped: &BTreeMap<&str, usize>) {
        for session in self.queues.clone() {
            let lines = self.o.database.audit.iter();
            let done = lines.filter(|line| {
                line.action == "queue drop" && line.subject == session && line.outcome == "done"
            });
            let (done, found) = (done.count(), dropped.get(session.as_str()).copied().unwrap_or(0));
            self.verdict.dropped += found;
            if done != found {
                self.report(
                    None,
                    format!("O3: {found} messages of {session} were dropped by {done} requests"),
                );
            }
        }
    }

    /// Whether a later message has interrupted the turn of this one.
    fn is_interrupted(&self, row: &Inbound) -> bool {
        let turn = self.turn_of(row).filter(|turn| turn.state == "superseded");
        let later =
            |other: &&Inbound| other.key == row.key && other.id > row.id && other.disposition == "turn";
        let chosen = || {
            let mut rows = self.o.database.inbound.iter();
            rows.any(|other| {
                other.key == row.key && other.disposition == "command" && other.body == "/queue interrupt"
            })
        };
        let mut rows = self.o.database.inbound.iter().filter(later);
        turn.is_some() && rows.any(|other| other.reason.as_deref() == Some("queue:interrupt") || chosen())
    }
}
