//! O2: how messages ended.

use super::Oracle;
use crate::database::{Inbound, Turn};
use crate::journal::Command;
use crate::script::Task;

/// Ends an answer that was interrupted.
const INTERRUPTED: [&str; 2] = ["(interrupted, /retry)", "(interrupted, !retry)"];

impl Oracle<'_> {
    /// O2: each message ends in one visible state, and in the right one.
    pub(super) fn endings(&mut self) {
        for row in &self.o.database.inbound {
            let event = self.event_of(row);
            if event.is_none() && self.ask_before(row).is_none() {
                continue;
            }
            let stops = event.is_some_and(|event| event.place.command == Command::Stop);
            let wrong = match (row.disposition.as_str(), row.state.as_str(), row.reason.as_deref()) {
                ("turn", "answered", _) => self.answered(row),
                ("turn", "dead", _) => self.dead(row),
                ("turn", "cancelled", _) if stops => None,
                // See `queues`.
                ("turn", "cancelled" | "superseded", _) if self.queues.contains(&row.key) => None,
                ("turn", "cancelled" | "refused", Some("revoked"))
                | ("command", "refused", Some("revoked")) => {
                    self.verdict.revoked += 1;
                    (!self.was_revoked(row)).then(|| "revoked, and no admin did that".to_owned())
                }
                ("command", "answered", _) => self.replied(row),
                ("answer", "answered", _) => None,
                ("refused", "refused", Some("pairing")) | ("refused", "superseded", _) => None,
                (disposition, state, reason) => Some(format!("a {disposition} is {state} ({reason:?})")),
            };
            if let Some(wrong) = wrong {
                self.report(Some(row.event()), format!("O2: {wrong}"));
            }
        }
    }

    fn answered(&self, row: &Inbound) -> Option<String> {
        let Some(turn) = self.turn_of(row) else { return Some("answered without a turn".to_owned()) };
        if turn.state != "done" {
            return Some(format!("answered, and its turn is {}", turn.state));
        }
        let right = self.script_of(turn.id).map(|script| script.answer());
        let is_right = match (&turn.answer, &right) {
            (Some(answer), Some(right)) => self.o.kind.is_same(right, answer),
            (answer, right) => answer == right,
        };
        (!is_right).then(|| format!("the answer is {:?}", turn.answer))
    }

    /// A message may die of its script, of two deaths of the agent, or after its tool began; and the chat says so.
    fn dead(&self, row: &Inbound) -> Option<String> {
        let Some(turn) = self.turn_of(row) else { return Some("dead without a turn".to_owned()) };
        if !self.died_rightly(turn) {
            return Some(format!("dead without a reason: {turn:?}"));
        }
        let mut parts = self.parts_of_turn.get(&turn.id).into_iter().flatten();
        let has_notice = parts
            .any(|part| part.kind == "notice" || INTERRUPTED.iter().any(|end| part.plain().ends_with(end)));
        (!has_notice).then(|| "dead, and the chat does not say so".to_owned())
    }

    /// Whether a turn that has no answer has died of its script, of two deaths of its agent, or after its tool began.
    pub(super) fn died_rightly(&self, turn: &Turn) -> bool {
        let task = self.script_of(turn.id).map(|script| script.task);
        let has_acted = turn.side_effect_at.is_some();
        match turn.error.as_deref() {
            Some("agent_failed") => task == Some(Task::Fail),
            Some("agent_crashed" | "gateway_killed") => turn.attempt - turn.released == 2 && !has_acted,
            Some("interrupted") => {
                has_acted && matches!(task, Some(Task::Tool { .. } | Task::Call | Task::Offer))
            }
            _ => false,
        }
    }

    fn replied(&self, row: &Inbound) -> Option<String> {
        // A /retry is carried out as a turn.
        if row.turn_id.is_some() {
            return None;
        }
        let parts = self.parts_of_message.get(&row.id).into_iter().flatten();
        let replies = parts.filter(|part| part.address == row.address).count();
        (replies != 1).then(|| format!("a command with {replies} replies"))
    }
}
