//! O3: what agents do with the gateway's tools.

use std::collections::HashMap;

use super::Oracle;
use crate::agent::model::sent_by_tool;
use crate::agent::{AgentRecord, Kind, Step};
use crate::script::{Script, Task};

impl Oracle<'_> {
    /// O3: what a tool sends is there once for each turn that called it, and only there.
    pub(super) fn sent_by_tools(&mut self) {
        let mut sent: HashMap<&str, usize> = HashMap::new();
        let asked = self.o.database.ask_parts.iter().filter(|part| part.act == "post");
        for part in self.o.database.parts.iter().chain(asked) {
            *sent.entry(part.plain()).or_default() += 1;
        }
        let mut called: HashMap<String, (usize, bool)> = HashMap::new();
        for turn in self.o.database.turns.values() {
            let script = self.script_of(turn.id).filter(|_| turn.key.starts_with("agent:main:"));
            let Some(text) = script.and_then(|script| self.sends(&script)) else { continue };
            let (turns, is_done) = called.entry(text).or_default();
            *turns += 1;
            // A model calls it in any case. A program may be refused: then it has no record.
            *is_done |= turn.state == "done" && self.o.kind == Kind::OpenAi;
        }
        for (text, (turns, is_done)) in called {
            let there = sent.get(text.as_str()).copied().unwrap_or(0);
            if there > turns || (is_done && there == 0) {
                self.report(None, format!("O3: {text:?} was sent {there} times by a tool in {turns} turns"));
            }
        }
        for seen in &self.o.agents {
            self.keeps_its_word(seen);
        }
    }

    /// What the tool of a script sends, if it sends something.
    fn sends(&self, script: &Script) -> Option<String> {
        match (self.o.kind, &script.task) {
            (Kind::OpenAi, Task::Tool { .. }) => Some(sent_by_tool(&script.tag)),
            (Kind::Program, Task::Call | Task::Offer) => Some(script.sent()),
            _ => None,
        }
    }

    /// O1: what a tool has told its agent is so.
    fn keeps_its_word(&mut self, seen: &AgentRecord) {
        let mut scripts = self.rows_of(seen.turn).iter().filter_map(|row| Script::read(row.question()));
        let Some(script) = scripts.find(|script| script.tag == seen.tag) else { return };
        let database = &self.o.database;
        let holds = match (seen.step, &seen.choice) {
            (Step::Tool, Some(id)) => {
                let mut parts = database.parts.iter().chain(&database.ask_parts);
                parts.any(|part| format!("o{}", part.id) == *id && part.plain() == script.sent())
            }
            (Step::Change, _) => {
                let mut edits = database.changes.iter().filter(|part| part.act == "edit");
                edits.any(|part| part.state == "sent" && part.plain() == script.edited())
            }
            _ => true,
        };
        if !holds {
            self.report(self.event_of_turn(seen.turn), format!("O1: a tool's word does not hold: {seen:?}"));
        }
    }
}
