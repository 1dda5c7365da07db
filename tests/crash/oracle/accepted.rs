//! O1, O5: every acknowledged event is stored once, as it was sent, where it belongs and in the order of sending.

use std::collections::{HashMap, HashSet};

use super::{Oracle, edited_message};
use crate::database::Inbound;
use crate::journal::{Action, Event, Expected, event_key};

/// Stands in the database in place of a pairing code.
const MASK: &str = "********";

impl<'a> Oracle<'a> {
    pub(super) fn accepted(&mut self) {
        let context = self.o.database.context.iter();
        let context: HashSet<String> =
            context.map(|event| event_key(&event.source, &event.event_id)).collect();
        let mut dropped: HashMap<(&str, &str), i64> = HashMap::new();
        for event in &self.o.journal.events {
            let key = event.key();
            if event.accepted.is_none() {
                self.report(Some(key.clone()), "O1: it was never acknowledged".to_owned());
            }
            let row = self.rows.get(&key).copied();
            let found = (row.map(|row| row.disposition.as_str()), context.contains(&key));
            let right = match (event.expected, found) {
                (Expected::Turn, (Some("turn"), false))
                | (Expected::Command, (Some("command"), false))
                | (Expected::Retry, (Some("turn" | "command"), false))
                | (Expected::Context, (None, true))
                | (Expected::TurnOrContext, (Some("turn"), false) | (None, true)) => true,
                (Expected::Dropped(kind), (None, false)) => {
                    let due = i64::from(!event.may_be_lost);
                    *dropped.entry((&event.place.source, kind)).or_default() += due;
                    true
                }
                // A version of a message that needs no answer; see `not_a_turn`.
                (Expected::Turn, (Some("refused"), false)) => true,
                // That depends on the time; see `access`.
                (Expected::IfAllowed, (_, false)) => true,
                // The question may have expired; see `asks`.
                (Expected::Press, (Some("answer" | "turn") | None, false)) => true,
                (Expected::Turn, (None, false)) => event.place.muted_at_times,
                _ => false,
            };
            if row.is_none() && event.may_be_lost {
                self.verdict.lost += 1;
            } else if !right {
                let expected = event.expected;
                self.report(Some(key), format!("O1: {expected:?} expected, {found:?} found: {row:?}"));
            }
            if let Some(row) = row {
                self.stored(event, row);
            }
        }
        for ((source, kind), due) in dropped {
            let rows = self.o.database.dropped.iter();
            let counted: i64 =
                rows.filter(|row| row.source == source && row.kind == kind).map(|row| row.n).sum();
            // A batch that is delivered again after a kill is counted again.
            if counted < due {
                self.report(None, format!("O1: {due} events of {source} are {kind}, and {counted} counted"));
            }
        }
        // See `tasks` and `jobs` for those that they are about.
        for row in self.o.database.inbound.iter().filter(|row| !row.is_work()) {
            let follows =
                || self.ask_before(row).is_some_and(|ask| ask.follows().as_ref() == Some(&row.body));
            if self.event_of(row).is_none() && !follows() {
                self.report(Some(row.event()), format!("O1: a row that nobody sent: {row:?}"));
            }
        }
        self.order_of_rows();
    }

    /// A row holds what was sent, by whom and where; or no text, where none may be kept.
    fn stored(&mut self, event: &'a Event, row: &'a Inbound) {
        if row.principal != event.author || row.address != event.place.address {
            self.report(Some(event.key()), format!("O1: another author or address: {row:?}"));
        }
        if row.key != event.place.session() {
            self.report(Some(event.key()), format!("O1: another session: {row:?}"));
        }
        if event.accepted_as.as_ref().is_some_and(|message| *message != format!("m{}", row.id)) {
            let accepted = &event.accepted_as;
            self.report(Some(event.key()), format!("O1: accepted as {accepted:?} and stored as m{}", row.id));
        }
        let wrong = match (row.disposition.as_str(), row.state.as_str(), row.reason.as_deref()) {
            ("refused", _, Some("pairing")) => (!row.body.is_empty()).then_some("text of an unknown user"),
            ("refused", "superseded", Some(reason)) => self.not_a_turn(event, row, reason),
            // A pairing code is not kept.
            ("command", "answered", _) if has_code(&event.text) => (row.body != MASK).then_some("a code"),
            ("answer", "answered", _) => (row.body != event.text).then_some("another answer"),
            // A /retry may hold the text of the message that it runs again.
            ("turn" | "command", ..) if event.expected == Expected::Retry => None,
            ("turn", ..) if event.from_history && self.was_edited_to(event, &row.body) => None,
            ("turn" | "command", ..) => (row.body != self.last_text(event, row)).then_some("another text"),
            _ => Some("an unexpected row"),
        };
        if let Some(wrong) = wrong {
            self.report(Some(event.key()), format!("O1: {wrong}: {row:?}"));
        }
    }

    /// The text of a message, or of the last edit that replaced it while it waited.
    fn last_text(&self, event: &'a Event, row: &Inbound) -> &'a str {
        let edit = self.edits.get(&row.id).and_then(|edit| self.event_of(edit));
        edit.map_or(event.text.as_str(), |edit| edit.text.as_str())
    }

    /// Whether a message that was read in the history of its chat has this text by an edit.
    fn was_edited_to(&self, event: &Event, text: &str) -> bool {
        let is_version = |other: &&Event| other.place == event.place && other.message == event.message;
        let mut versions = self.o.journal.events.iter().filter(is_version);
        versions.any(|other| other.action == Action::Edit && other.text == text)
    }

    /// A version of a message without a turn of its own: it arrived after a newer one, or is an edit whose message waited or
    /// has this text already.
    fn not_a_turn(&mut self, event: &Event, row: &Inbound, reason: &str) -> Option<&'static str> {
        if !row.body.is_empty() {
            return Some("superseded, with its text");
        }
        if reason == "outdated" {
            let mut others = self.o.journal.events.iter().filter(|other| {
                other.action == Action::Edit && other.place == event.place && other.message == event.message
            });
            let is_stored =
                |other: &Event| self.rows.get(&other.key()).is_some_and(|newer| newer.id < row.id);
            let is_newer = others.any(|other| other.order > event.order && is_stored(other));
            return (!is_newer).then_some("there is no newer version");
        }
        if event.action != Action::Edit {
            return Some("superseded, and not an edit");
        }
        if reason == "unchanged" {
            let is_version = |other: &Event| other.place == event.place && other.message == event.message;
            let mut others = self.o.journal.events.iter().filter(|other| other.id != event.id);
            let same = others.any(|other| is_version(other) && other.text == event.text);
            let is_read = |other: &Event| {
                other.from_history && self.rows.get(&other.key()).is_some_and(|row| row.body == event.text)
            };
            let mut others = self.o.journal.events.iter().filter(|other| is_version(other));
            return (!same && !others.any(is_read)).then_some("it is not the text that was there");
        }
        self.verdict.edited_in_place += 1;
        let target = edited_message(row).and_then(|id| self.by_id.get(&id));
        let same = target.is_some_and(|target| {
            target.key == row.key && target.principal == row.principal && target.disposition == "turn"
        });
        let original = target.and_then(|target| self.event_of(target)).map(|target| target.message);
        (!same || original != Some(event.message)).then_some("it replaced the text of another message")
    }

    /// O5: the rows of a session stand in the order in which their events were sent. Programs and people do not wait for each
    /// other. What arrived after a newer version of its message has no effect.
    fn order_of_rows(&mut self) {
        let mut last: HashMap<(&str, &str), (&str, i64)> = HashMap::new();
        let mut events: Vec<&'a Event> =
            self.o.journal.events.iter().filter(|event| !event.may_be_stored_later()).collect();
        events.sort_by_key(|event| (&event.place.source, event.order));
        for event in events {
            let row = self.rows.get(&event.key()).copied();
            let Some(row) = row.filter(|row| row.reason.as_deref() != Some("outdated")) else { continue };
            let by = (row.source.as_str(), row.key.as_str());
            let (before, id) = last.get(&by).copied().unwrap_or_default();
            if row.id < id {
                self.report(Some(event.key()), format!("O5: stored before {before}, which was sent earlier"));
            }
            last.insert(by, (&event.id, row.id));
        }
    }

    /// O1: what `/api/send` took goes to the right chat, once.
    pub(super) fn operator_sends(&mut self) {
        for (key, send) in &self.o.journal.operator_sends {
            let parts = self.o.database.parts.iter();
            let found = parts.filter(|part| part.body == send.text && part.address == send.address).count();
            if send.taken && found != 1 {
                self.report(None, format!("O1: send {key} was taken and is there {found} times"));
            }
        }
    }
}

fn has_code(text: &str) -> bool {
    ["/gateway pair ", "/gateway deny "].iter().any(|start| text.starts_with(start))
}
