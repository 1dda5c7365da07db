//! O2: how messages ended.

use super::Court;
use crate::database::Inbound;
use crate::journal::Rule;
use crate::script::{Deed, Script};

impl Court<'_> {
    /// O2: each message ends in one visible state, and in the right one.
    pub(super) fn ends(&mut self) {
        for row in &self.e.database.inbound {
            let Some(sent) = self.sent_of(row) else { continue };
            let wrong = match (row.disposition.as_str(), row.state.as_str()) {
                ("turn", "answered") => self.answered(row),
                ("turn", "dead") => self.dead(row),
                ("turn", "cancelled") if sent.chat.rule == Rule::Stops => None,
                ("command", "answered") => self.replied(row),
                (disposition, state) => Some(format!("a {disposition} that is {state} ({:?})", row.reason)),
            };
            if let Some(wrong) = wrong {
                self.find(Some(&row.event), format!("O2: {wrong}"));
            }
        }
    }

    fn answered(&self, row: &Inbound) -> Option<String> {
        let Some(turn) = self.turn_of(row) else { return Some("answered without a turn".to_owned()) };
        let right = Script::read(&row.body).map(|script| script.answer());
        if turn.state != "done" {
            return Some(format!("answered, and its turn is {}", turn.state));
        }
        (turn.answer != right).then(|| format!("the answer is {:?}", turn.answer))
    }

    /// A message may die of its script, of two deaths, or after its tool had begun; and it says so.
    fn dead(&self, row: &Inbound) -> Option<String> {
        let Some(turn) = self.turn_of(row) else { return Some("dead without a turn".to_owned()) };
        let deed = Script::read(&row.body).map(|script| script.deed);
        let deaths = turn.attempt - turn.released;
        let fair = match turn.error.as_deref() {
            Some("agent_failed") => deed == Some(Deed::Fail),
            Some("agent_crashed") => deaths == 2 && !turn.acted,
            Some("interrupted") => turn.acted && matches!(deed, Some(Deed::Tool { .. })),
            _ => false,
        };
        if !fair {
            return Some(format!("dead without a good reason: {turn:?}"));
        }
        let told = self.e.database.outbox.iter().any(|out| {
            out.turn == Some(turn.id) && (out.kind == "notice" || out.body.ends_with("(interrupted, /retry)"))
        });
        (!told).then(|| "dead, and nobody was told".to_owned())
    }

    fn replied(&self, row: &Inbound) -> Option<String> {
        if row.turn.is_some() {
            return None;
        }
        let replies = self.e.database.outbox.iter().filter(|out| out.message == Some(row.id)).count();
        (replies != 1).then(|| format!("a command with {replies} replies"))
    }
}
