//! O3, O5: what the agent saw.

use std::collections::{HashMap, HashSet};

use super::{Court, update_of};
use crate::agent::Seen;
use crate::book::{Act, Lot};
use crate::script::Deed;

impl Court<'_> {
    /// O3: one turn for one event (or for the pieces of one album), and no more attempts than deaths explain.
    pub(super) fn turns(&mut self) {
        for turn in self.e.database.turns.values() {
            let rows = self.rows_of(turn.id).to_vec();
            let Some(first) = rows.first() else {
                // A revocation gives the messages of others back.
                if turn.state != "cancelled" {
                    self.find(None, format!("O3: {turn:?} is for no message"));
                }
                continue;
            };
            let album = first.album.is_some() && rows.iter().all(|row| row.album == first.album);
            if rows.len() > 1 && !album {
                self.find(update_of(first), format!("O3: {turn:?} is for {} messages", rows.len()));
            }
            if turn.attempt - turn.released > 2 {
                self.find(update_of(first), format!("O3: {} attempts", turn.attempt));
            }
            let own = match self.script_of(turn.id).map(|script| script.deed) {
                Some(Deed::Flaky) => 1,
                Some(Deed::Poison) => 2,
                _ => 0,
            };
            let from = first.received;
            let kills = i64::try_from(self.kills_between(from, i64::MAX).count()).unwrap_or(i64::MAX);
            if turn.attempt - 1 > kills + own {
                self.find(
                    update_of(first),
                    format!("O3: {} attempts without a death: {turn:?}", turn.attempt),
                );
            }
        }
    }

    /// O3: what reached the agent was said there by somebody who may, reached it in one turn, with the right files,
    /// and its tool ran once and after its record.
    pub(super) fn prompts(&mut self) {
        let by_tag: HashMap<&str, &Act> = self
            .e
            .book
            .acts
            .iter()
            .filter_map(|act| Some((act.script.as_ref()?.tag.as_str(), act)))
            .collect();
        let mut attempts: HashSet<(&str, &str, u32)> = HashSet::new();
        let mut turns_of: HashMap<&str, &str> = HashMap::new();
        let mut tools: HashMap<(&str, &str), &Seen> = HashMap::new();
        for seen in &self.e.agents {
            let Some(id) = number(&seen.turn).filter(|id| self.e.database.turns.contains_key(id)) else {
                self.find(None, format!("O3: the agent saw a turn that is not there: {seen:?}"));
                continue;
            };
            let rows = self.rows_of(id).to_vec();
            let update = rows.first().and_then(|row| update_of(row));
            if !attempts.insert((&seen.what, &seen.turn, seen.attempt)) {
                self.find(update, format!("O3: the same {} twice: {seen:?}", seen.what));
            }
            // A turn of several files has no tag of its own.
            if seen.tag != "files" && *turns_of.entry(&seen.tag).or_insert(&seen.turn) != seen.turn {
                self.find(update, format!("O3: two turns for one message: {seen:?}"));
            }
            if !rows.is_empty() && self.script_of(id).is_none_or(|script| script.tag != seen.tag) {
                self.find(update, format!("O3: the agent was asked something else: {seen:?}"));
            }
            if seen.what == "prompt" && !rows.is_empty() && seen.files != self.files_of(id) {
                self.find(update, format!("O3: files: {seen:?} for {:?}", self.files_of(id)));
            }
            if rows.iter().any(|row| row.key != seen.session) {
                self.find(update, format!("O3: asked in the wrong session: {seen:?}"));
            }
            self.may_reach(&by_tag, seen, update);
            if seen.what == "tool" {
                if tools.insert((&seen.tag, &seen.turn), seen).is_some() {
                    self.find(update, format!("O3: the tool ran twice: {seen:?}"));
                }
                if !self.e.database.turns[&id].acted {
                    self.find(update, format!("O3: the tool ran without a record: {seen:?}"));
                }
            }
        }
        for seen in self.e.agents.iter().filter(|seen| seen.what == "prompt") {
            let tool = tools.get(&(seen.tag.as_str(), seen.turn.as_str()));
            if tool.is_some_and(|tool| seen.attempt > tool.attempt) {
                self.find(None, format!("O3: run again after its tool had begun: {seen:?}"));
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

    /// All that stands in a prompt was said in that place, by people who are heard there.
    fn may_reach(&mut self, by_tag: &HashMap<&str, &Act>, seen: &Seen, update: Option<(i64, i64)>) {
        let place = update.and_then(|update| self.acts.get(&update)).map(|act| act.place.clone());
        for tag in &seen.tags {
            let wrong = match by_tag.get(tag.as_str()) {
                // The end of what is quoted is cut off.
                None if by_tag
                    .iter()
                    .any(|(whole, act)| whole.starts_with(tag) && place.as_ref() == Some(&act.place)) =>
                {
                    None
                }
                None => Some("something that nobody said"),
                Some(act) if matches!(act.lot, Lot::Passed(_)) => {
                    Some("the words of somebody who is not heard")
                }
                Some(act) if place.as_ref().is_some_and(|place| *place != act.place) => {
                    Some("words of another chat")
                }
                Some(_) => None,
            };
            if let Some(wrong) = wrong {
                self.find(update, format!("O3: {wrong} reached the agent: {tag} in {seen:?}"));
            }
        }
    }

    /// O5: per session the agent saw the messages in the order of acceptance. Only the attempt that was answered
    /// counts: the line of a killed one may come late.
    pub(super) fn order(&mut self) {
        let mut last: HashMap<&str, i64> = HashMap::new();
        for seen in self.e.agents.iter().filter(|seen| seen.what == "prompt") {
            let Some(turn) = number(&seen.turn).and_then(|id| self.e.database.turns.get(&id)) else {
                continue;
            };
            if turn.state != "done" || turn.attempt != i64::from(seen.attempt) {
                continue;
            }
            let Some(row) = self.rows_of(turn.id).first().copied() else { continue };
            let last = last.entry(&row.key).or_insert(0);
            if row.id < *last {
                self.find(update_of(row), format!("O5: the agent saw it after m{last}"));
            }
            *last = row.id.max(*last);
        }
    }
}

fn number(turn: &str) -> Option<i64> {
    turn.strip_prefix('t')?.parse().ok()
}
