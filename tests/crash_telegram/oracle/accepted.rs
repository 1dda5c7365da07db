//! O1, O5: whatever a bot confirmed is accounted for, once, as it was said, where it belongs and in order.

use std::collections::{HashMap, HashSet};

use super::{Court, update_of};
use crate::book::{Act, Deed, Lot};
use crate::database::Inbound;

/// What stands in the place of a code.
const MASK: &str = "********";

impl<'a> Court<'a> {
    pub(super) fn accepted(&mut self) {
        let context_messages: HashSet<(i64, i64)> = self
            .e
            .database
            .context_messages
            .iter()
            .filter_map(|(source, event)| {
                Some((source.strip_prefix("telegram:")?.parse().ok()?, event.parse().ok()?))
            })
            .collect();
        let mut passed: HashMap<(i64, &str), i64> = HashMap::new();
        let acts = self.e.book.acts.iter();
        for act in acts {
            let confirmed = self.e.deliveries.get(&act.key()).is_some_and(|seen| seen.confirmed.is_some());
            if !confirmed {
                self.find(Some(act.key()), "O1: it was never confirmed".to_owned());
            }
            let (row, context_message) =
                (self.rows.get(&act.key()).copied(), context_messages.contains(&act.key()));
            let there = (row.map(|row| row.disposition.as_str()), context_message);
            let right = match (act.lot, there) {
                (Lot::Answered, (Some("turn"), false))
                | (Lot::Replied, (Some("command"), false))
                | (Lot::Overheard, (None, true))
                | (Lot::Heard, (Some("turn"), false) | (None, true)) => true,
                (Lot::Passed(kind), (None, false)) => {
                    *passed.entry((act.place.bot, kind)).or_default() += 1;
                    true
                }
                // Its message waited for it, or says the same already; see below.
                (Lot::Answered, (Some("refused"), false)) => act.deed == Deed::Edits,
                // By the times when they were let in; see `access`.
                (Lot::IfAllowed, (_, false)) => true,
                // The board is muted at times; see `access`.
                (Lot::Answered, (None, false)) => act.place.chat == crate::cast::BOARD,
                _ => false,
            };
            if !right {
                let lot = act.lot;
                self.find(Some(act.key()), format!("O1: {lot:?} was due, and it is {there:?}: {row:?}"));
            }
            if let Some(row) = row {
                self.as_it_was(act, row);
            }
        }
        for ((bot, kind), due) in passed {
            let key = (format!("telegram:{bot}"), kind.to_owned());
            let counted = self.e.database.passed.get(&key).copied().unwrap_or(0);
            // A batch that came again after a kill is counted again.
            if counted < due {
                self.find(
                    None,
                    format!("O1: {due} updates are {kind}, and {counted} were counted for bot {bot}"),
                );
            }
        }
        for row in &self.e.database.inbound {
            if self.act_of(row).is_none() {
                self.find(update_of(row), format!("O1: a row that nobody caused: {row:?}"));
            }
        }
        self.in_order();
    }

    /// A row says what was said, by whom and where; or nothing, where nothing may be kept.
    fn as_it_was(&mut self, act: &'a Act, row: &'a Inbound) {
        if row.principal != act.author() || row.address != act.place.address() {
            self.find(Some(act.key()), format!("O1: stored under another name or place: {row:?}"));
        }
        let wrong = match (row.disposition.as_str(), row.state.as_str(), row.reason.as_deref()) {
            ("refused", _, Some("pairing")) => (!row.body.is_empty()).then_some("a stranger's words"),
            ("refused", "superseded", Some(reason)) => self.not_an_edit(act, row, reason),
            // A code that was used is not kept.
            ("command", "answered", _) if is_about_a_code(&act.text) => {
                (row.body != MASK).then_some("a code")
            }
            ("turn" | "command", ..) => (row.body != self.last_words(act, row)).then_some("other words"),
            _ => Some("an odd row"),
        };
        if let Some(wrong) = wrong {
            self.find(Some(act.key()), format!("O1: {wrong}: {row:?}"));
        }
    }

    /// The text of a row, or of the last edit that was put in its place.
    fn last_words(&self, act: &'a Act, row: &Inbound) -> &'a str {
        let edit = self.edits.get(&row.id).and_then(|edit| self.act_of(edit));
        edit.map_or(act.text.as_str(), |edit| edit.text.as_str())
    }

    /// An edit without a turn of its own: its message waited for it, or says the same already.
    fn not_an_edit(&mut self, act: &Act, row: &Inbound, reason: &str) -> Option<&'static str> {
        if act.deed != Deed::Edits {
            return Some("superseded, and no edit");
        }
        if !row.body.is_empty() {
            return Some("superseded, with its words");
        }
        if reason == "unchanged" {
            let is_version = |other: &Act| other.place == act.place && other.message == act.message;
            let mut others = self.e.book.acts.iter().filter(|other| other.key() != act.key());
            let same = others.any(|other| is_version(other) && other.text == act.text);
            return (!same).then_some("not the same as before");
        }
        self.verdict.edited_in_place += 1;
        let target = super::put_into(row).and_then(|id| self.by_id.get(&id));
        let same = target.is_some_and(|target| {
            target.key == row.key && target.principal == row.principal && target.disposition == "turn"
        });
        // Another version of the same message, and not of another one.
        let original = target.and_then(|target| self.act_of(target)).map(|target| target.message);
        (!same || original != Some(act.message)).then_some("put in the place of something else")
    }

    /// O5: per conversation the rows stand in the order in which the updates were numbered.
    fn in_order(&mut self) {
        let mut last: HashMap<&str, (i64, i64)> = HashMap::new();
        let mut wrong = Vec::new();
        let mut acts: Vec<&Act> = self.e.book.acts.iter().filter(|act| !act.shuffled).collect();
        acts.sort_by_key(|act| act.key());
        for act in acts {
            let Some(row) = self.rows.get(&act.key()) else { continue };
            let (update, id) = last.get(row.key.as_str()).copied().unwrap_or_default();
            if row.id < id {
                wrong.push((
                    act.key(),
                    format!("O5: stored before update {update}, against the order of sending"),
                ));
            }
            last.insert(&row.key, (act.update, row.id));
        }
        for (update, what) in wrong {
            self.find(Some(update), what);
        }
    }
}

fn is_about_a_code(text: &str) -> bool {
    ["/gateway pair ", "/gateway deny "].iter().any(|start| text.starts_with(start))
}
