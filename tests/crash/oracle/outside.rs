//! O2, O4, O5: what readers and the platform were shown.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{Court, SLACK};
use crate::database::Out;
use crate::platform::Took;
use crate::script::Script;

impl<'a> Court<'a> {
    /// O2: what the database holds for the readers of the web channel, they have read: every number once.
    pub(super) fn web(&mut self) {
        let nothing = BTreeMap::new();
        let mut numbers: HashMap<&str, u64> = HashMap::new();
        for out in &self.e.database.outbox {
            let (Some(key), Some(seq)) = (&out.key, out.seq) else { continue };
            let seq = seq.unsigned_abs();
            *numbers.entry(key).or_default() += 1;
            let event = self.event_of(out);
            let kind = if out.kind == "answer" { "done" } else { "message" };
            match self.e.book.frames.get(key).unwrap_or(&nothing).get(&seq) {
                None => self.find(event, format!("O2: {key} never showed seq {seq}: {}", out.body)),
                Some(frame) if frame.kind != kind || frame.text != out.body => {
                    self.find(event, format!("O2: {key} showed {frame:?} for {out:?}"));
                }
                Some(_) => {}
            }
            let right = self.right_answer(out);
            if right.is_some_and(|right| right != out.body) {
                self.find(event, format!("O2: {key} was answered {:?}", out.body));
            }
        }
        for (key, last) in &self.e.database.seqs {
            if numbers.get(key.as_str()).copied().unwrap_or(0) != *last && key.contains(":web:") {
                self.find(
                    None,
                    format!("O2: {key} stands at seq {last} and has {:?} lines", numbers.get(key.as_str())),
                );
            }
        }
        for (key, frames) in &self.e.book.frames {
            let last = frames.keys().next_back().copied().unwrap_or(0);
            if last > self.e.database.seqs.get(key).copied().unwrap_or(0) {
                self.find(None, format!("O2: {key} showed seq {last}, which is not in the database"));
            }
        }
    }

    pub(super) fn event_of(&self, out: &Out) -> Option<&'a str> {
        let by_turn =
            || self.by_turn.get(&out.turn?).and_then(|rows| rows.first()).map(|row| row.event.as_str());
        let by_message = || {
            let row = self.e.database.inbound.iter().find(|row| Some(row.id) == out.message)?;
            Some(row.event.as_str())
        };
        by_turn().or_else(by_message)
    }

    /// The answer that belongs there, for an answered turn of a script.
    fn right_answer(&self, out: &Out) -> Option<String> {
        let turn = self.e.database.turns.get(&out.turn?)?;
        if turn.state != "done" || out.kind != "answer" {
            return None;
        }
        let row = self.by_turn.get(&turn.id)?.first()?;
        Script::read(&row.body).map(|script| script.answer())
    }

    /// Whether it is the beginning of an answer that `/stop` cut off before the platform had any of it: there
    /// is nothing to finish.
    fn never_begun(&self, out: &Out) -> bool {
        let turn = out.turn.and_then(|id| self.e.database.turns.get(&id));
        out.state == "dropped" && out.platform.is_none() && turn.is_some_and(|turn| turn.state == "cancelled")
    }

    /// O2, O5: the platform has every part, whole, and got them in order.
    pub(super) fn lab(&mut self) {
        // A message that grows has its place from its first post on: what is said meanwhile comes below it.
        let mut first: HashMap<&str, usize> = HashMap::new();
        for (place, took) in self.e.took.iter().enumerate() {
            first.entry(&took.key).or_insert(place);
        }
        let mut last: HashMap<&str, usize> = HashMap::new();
        let mut whole: BTreeMap<i64, String> = BTreeMap::new();
        for out in self.e.database.outbox.iter().filter(|out| out.address.starts_with("lab:")) {
            let event = self.event_of(out);
            if self.never_begun(out) {
                continue;
            }
            if out.state != "sent" {
                self.find(event, format!("O2: a part is {}: {out:?}", out.state));
                continue;
            }
            let there = out.platform.as_ref().and_then(|id| self.e.messages.get(id));
            if there.is_none_or(|(chat, text)| format!("lab:{chat}") != out.address || *text != out.body) {
                self.find(event, format!("O2: the platform shows {there:?} for {out:?}"));
            }
            if let (Some(turn), "answer") = (out.turn, out.kind.as_str()) {
                whole.entry(turn).or_default().push_str(&out.body);
            }
            let Some(place) = first.get(out.part.as_str()).copied() else { continue };
            let last = last.entry(&out.address).or_insert(0);
            if place < *last {
                self.find(event, format!("O5: it arrived before an older part: {out:?}"));
            }
            *last = place;
        }
        for (turn, text) in whole {
            let rows = self.by_turn.get(&turn).cloned().unwrap_or_default();
            let done = self.e.database.turns.get(&turn).is_some_and(|turn| turn.state == "done");
            let (Some(row), true) = (rows.first(), done) else { continue };
            let Some(script) = Script::read(&row.body) else { continue };
            if solid(&text) != solid(&script.answer()) {
                self.find(Some(&row.event), format!("O2: the parts do not make the answer: {text:?}"));
            }
        }
        for row in self.e.database.inbound.iter().filter(|row| row.source.starts_with("lab:")) {
            let done = self.turn_of(row).is_some_and(|turn| turn.state == "done");
            if done && !self.e.database.outbox.iter().any(|out| out.turn == row.turn) {
                self.find(Some(&row.event), "O2: answered without a part".to_owned());
            }
        }
    }

    /// O4: a part that the platform took again needs a lost response, or a kill in between; and a kill explains
    /// one part per chat.
    pub(super) fn duplicates(&mut self) {
        let rows: HashMap<&str, &Out> =
            self.e.database.outbox.iter().map(|out| (out.part.as_str(), out)).collect();
        let mut last: HashMap<&str, &Took> = HashMap::new();
        let mut used: HashSet<(u64, &str)> = HashSet::new();
        // In the order of the repetitions each takes the earliest kill that is left: if any choice explains
        // all of them, this one does.
        for two in self.e.took.iter().filter(|took| !took.edit) {
            let Some(one) = last.insert(&two.key, two) else { continue };
            self.verdict.duplicates += 1;
            if one.lost {
                continue;
            }
            let row = rows.get(two.key.as_str());
            let address = row.map_or("", |row| row.address.as_str());
            let window = one.at.saturating_sub(SLACK)..=two.at;
            let kills = self.e.book.kills.iter().filter(|at| window.contains(at));
            if !kills.into_iter().any(|kill| used.insert((*kill, address))) {
                let what =
                    format!("O4: {} was posted again without a reason of its own: {one:?}, {two:?}", two.key);
                self.find(row.and_then(|row| self.event_of(row)), what);
            }
        }
    }

    /// What was handed to `/api/send` is there once.
    pub(super) fn dispatches(&mut self) {
        for (key, (text, taken)) in &self.e.book.dispatches {
            let rows = self.e.database.outbox.iter().filter(|out| out.body == *text).count();
            if *taken && rows != 1 {
                self.find(None, format!("O1: send {key} was taken and is there {rows} times"));
            }
        }
    }
}

/// Where an answer is cut, white space may go.
fn solid(text: &str) -> String {
    text.split_whitespace().collect()
}
