//! O2, O5: what the web clients were shown.

use std::collections::{BTreeMap, HashMap};

use super::Oracle;
use crate::database::Part;

/// The addresses whose parts are durable frames and not messages on a platform.
pub(super) const WEB: &str = "web:";

impl Oracle<'_> {
    /// O2: the clients have read every frame that the database holds, and no others.
    pub(super) fn frames(&mut self) {
        let nothing = BTreeMap::new();
        let mut numbers: HashMap<&str, u64> = HashMap::new();
        for part in &self.o.database.parts {
            let (Some(key), Some(seq)) = (&part.key, part.seq) else { continue };
            *numbers.entry(key).or_default() += 1;
            let kind = if part.kind == "answer" { "done" } else { "message" };
            match self.o.journal.frames.get(key).unwrap_or(&nothing).get(&seq) {
                None => self.report(self.event_about(part), format!("O2: {key} never showed {part:?}")),
                Some(frame) if frame.kind != kind || frame.text != part.body => {
                    self.report(self.event_about(part), format!("O2: {key} showed {frame:?} for {part:?}"));
                }
                Some(_) => {}
            }
            if self.right_answer(part).is_some_and(|right| !self.o.kind.is_same(&right, &part.body)) {
                self.report(self.event_about(part), format!("O2: another answer: {part:?}"));
            }
        }
        for session in &self.o.database.sessions {
            let (key, last) = (session.key.as_str(), session.seq);
            let found = numbers.get(key).copied().unwrap_or(0);
            if found != last {
                self.report(None, format!("O2: {key} stands at seq {last} and has {found} frames"));
            }
        }
        let places: HashMap<&str, String> = self
            .o
            .journal
            .events
            .iter()
            .map(|event| (event.place.name.as_str(), event.place.session()))
            .collect();
        for (key, frames) in &self.o.journal.frames {
            let last = frames.keys().next_back().copied().unwrap_or(0);
            let stored = self.o.database.sessions.iter().find(|session| session.key == *key);
            if stored.is_none_or(|session| session.seq < last) {
                self.report(None, format!("O2: {key} showed seq {last}, which is not in the database"));
            }
            for tag in frames.values().flat_map(|frame| &frame.tags) {
                let place = tag.split('-').nth(1).and_then(|name| places.get(name));
                if place != Some(key) {
                    self.report(None, format!("O2: {key} showed {tag}, which was sent elsewhere"));
                }
            }
        }
    }

    /// The right text of an answer; `None` for other parts.
    fn right_answer(&self, part: &Part) -> Option<String> {
        let turn = self.o.database.turns.get(&part.turn_id?)?;
        if turn.state != "done" || part.kind != "answer" {
            return None;
        }
        self.script_of(turn.id).map(|script| script.answer())
    }

    /// O5: the answers of a session are numbered in the order in which their messages were accepted.
    pub(super) fn order_of_frames(&mut self) {
        let mut last: HashMap<&str, (i64, u64)> = HashMap::new();
        for part in self.o.database.parts.iter().filter(|part| part.kind == "answer") {
            let (Some(key), Some(turn), Some(seq)) = (&part.key, part.turn_id, part.seq) else { continue };
            let Some(row) = self.rows_of(turn).first().copied() else { continue };
            let (id, number) = last.get(key.as_str()).copied().unwrap_or_default();
            if (row.id < id) != (seq < number) {
                let what = format!("O5: its answer has seq {seq}, and that of m{id} has {number}");
                self.report(Some(row.event()), what);
            }
            last.insert(key, (row.id, seq));
        }
    }
}
