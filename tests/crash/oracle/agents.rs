//! O3, O5: what the agents saw.

use std::collections::{HashMap, HashSet};

use super::{Court, SLACK};
use crate::agent::Seen;
use crate::journal::{Rule, Sent};
use crate::script::{Deed, Script};

impl Court<'_> {
    /// O3: one turn for one event, and no more attempts than deaths explain.
    pub(super) fn turns(&mut self) {
        for turn in self.e.database.turns.values() {
            let rows = self.by_turn.get(&turn.id).cloned().unwrap_or_default();
            let [row] = rows.as_slice() else {
                self.find(None, format!("O3: {turn:?} is for {} messages", rows.len()));
                continue;
            };
            if turn.attempt - turn.released > 2 {
                self.find(Some(&row.event), format!("O3: {} attempts", turn.attempt));
            }
            let deaths_by_script = match Script::read(&row.body).map(|script| script.deed) {
                Some(Deed::Flaky) => 1,
                Some(Deed::Poison) => 2,
                _ => 0,
            };
            let from = turn.created.unsigned_abs().saturating_sub(SLACK);
            let to = turn.finished.map_or(u64::MAX, i64::unsigned_abs).saturating_add(SLACK);
            let kills = self.e.book.kills.iter().filter(|at| (from..=to).contains(*at)).count();
            if turn.attempt - 1 > i64::try_from(kills).unwrap_or(i64::MAX) + deaths_by_script {
                let what = format!("O3: {} attempts and {kills} kills in its time", turn.attempt);
                self.find(Some(&row.event), what);
            }
        }
    }

    /// O3: what the agents saw. A prompt once per attempt, a tool once, and nothing after the tool.
    pub(super) fn prompts(&mut self) {
        let mut attempts: HashSet<(&str, &str, u32)> = HashSet::new();
        let mut turns_of: HashMap<&str, HashSet<&str>> = HashMap::new();
        let mut tools: HashMap<(&str, &str), &Seen> = HashMap::new();
        let events: HashMap<&str, &Sent> = self
            .e
            .book
            .sent
            .values()
            .filter_map(|sent| Some((sent.script.as_ref()?.tag.as_str(), sent)))
            .collect();
        for seen in self.e.agents {
            let Some(sent) = events.get(seen.tag.as_str()) else {
                self.find(None, format!("O3: the agent saw something that nobody sent: {seen:?}"));
                continue;
            };
            let event = Some(sent.event.as_str());
            if !attempts.insert((&seen.what, &seen.turn, seen.attempt)) {
                self.find(event, format!("O3: the same {} twice: {seen:?}", seen.what));
            }
            let turns = turns_of.entry(&seen.tag).or_default();
            turns.insert(&seen.turn);
            if turns.len() > 1 && sent.chat.rule != Rule::Retries {
                self.find(event, format!("O3: two turns for one message: {turns:?}"));
            }
            if seen.what == "tool" {
                if tools.insert((&seen.tag, &seen.turn), seen).is_some() {
                    self.find(event, format!("O3: the tool ran twice: {seen:?}"));
                }
                let turn = number(&seen.turn).and_then(|id| self.e.database.turns.get(&id));
                if turn.is_none_or(|turn| !turn.acted) {
                    self.find(event, format!("O3: the tool ran without a record: {turn:?}"));
                }
            }
        }
        for seen in self.e.agents.iter().filter(|seen| seen.what == "prompt") {
            let tool = tools.get(&(seen.tag.as_str(), seen.turn.as_str()));
            if tool.is_some_and(|tool| seen.attempt > tool.attempt) {
                let event = events.get(seen.tag.as_str()).map(|sent| sent.event.as_str());
                self.find(event, format!("O3: run again after its tool had begun: {seen:?}"));
            }
        }
        for turn in self.e.database.turns.values().filter(|turn| turn.state == "done") {
            let name = format!("t{}", turn.id);
            let attempt = u32::try_from(turn.attempt).unwrap_or(0);
            if !attempts.contains(&("prompt", &name, attempt)) {
                self.find(None, format!("O3: answered by nobody: {turn:?}"));
            }
        }
    }

    /// O5: per session the agent saw the messages, and the answers came, in the order of acceptance. Only the
    /// attempt that was answered counts: the line of a killed one may come late.
    pub(super) fn order(&mut self) {
        let mut last: HashMap<&str, i64> = HashMap::new();
        for seen in self.e.agents.iter().filter(|seen| seen.what == "prompt") {
            let Some(turn) = number(&seen.turn).and_then(|id| self.e.database.turns.get(&id)) else {
                continue;
            };
            if turn.state != "done" || turn.attempt != i64::from(seen.attempt) {
                continue;
            }
            let Some(row) = self.by_turn.get(&turn.id).and_then(|rows| rows.first()).copied() else {
                continue;
            };
            // A /retry is a command first, and has its place in the queue only when it has been carried out.
            if self.sent_of(row).is_none_or(|sent| sent.text == "/retry") {
                continue;
            }
            let last = last.entry(&turn.key).or_insert(0);
            if row.id < *last {
                self.find(Some(&row.event), format!("O5: the agent saw it after {last}"));
            }
            *last = row.id.max(*last);
        }
        let mut last: HashMap<&str, (i64, i64)> = HashMap::new();
        for out in self.e.database.outbox.iter().filter(|out| out.kind == "answer") {
            let (Some(key), Some(turn), Some(seq)) = (&out.key, out.turn, out.seq) else { continue };
            let Some(row) = self.by_turn.get(&turn).and_then(|rows| rows.first()).copied() else { continue };
            if self.sent_of(row).is_none_or(|sent| sent.text == "/retry") {
                continue;
            }
            let (id, number) = last.get(key.as_str()).copied().unwrap_or_default();
            if (row.id < id) != (seq < number) {
                self.find(
                    Some(&row.event),
                    format!("O5: its answer has seq {seq}, after that of m{id} with {number}"),
                );
            }
            last.insert(key, (row.id, seq));
        }
    }
}

fn number(turn: &str) -> Option<i64> {
    turn.strip_prefix('t')?.parse().ok()
}
