//! O2: how messages ended.

use super::{Court, update_of};
use crate::cast::STAN;
use crate::database::Inbound;
use crate::script::Deed;

impl Court<'_> {
    /// O2: each message ends in one visible state, and in the right one.
    pub(super) fn ends(&mut self) {
        for row in &self.e.database.inbound {
            let Some(act) = self.act_of(row) else { continue };
            let wrong = match (row.disposition.as_str(), row.state.as_str(), row.reason.as_deref()) {
                ("turn", "answered", _) => self.answered(row),
                ("turn", "dead", _) => self.dead(row),
                ("turn", "cancelled", _) if act.person == STAN => None,
                ("turn", "cancelled" | "refused", Some("revoked"))
                | ("command", "refused", Some("revoked")) => {
                    self.verdict.revoked += 1;
                    self.revoked(row)
                }
                ("command", "answered", _) => self.replied(row),
                ("refused", "refused", Some("pairing")) | ("refused", "superseded", _) => None,
                (disposition, state, reason) => Some(format!("a {disposition} that is {state} ({reason:?})")),
            };
            if let Some(wrong) = wrong {
                self.find(update_of(row), format!("O2: {wrong}"));
            }
        }
    }

    fn answered(&self, row: &Inbound) -> Option<String> {
        let Some(turn) = self.turn_of(row) else { return Some("answered without a turn".to_owned()) };
        let right = self.script_of(turn.id).map(|script| script.answer());
        if turn.state != "done" {
            return Some(format!("answered, and its turn is {}", turn.state));
        }
        (turn.answer != right).then(|| format!("the answer is {:?}", turn.answer))
    }

    /// A message may die of its script, of two deaths, or after its tool had begun; and it says so.
    fn dead(&self, row: &Inbound) -> Option<String> {
        let Some(turn) = self.turn_of(row) else { return Some("dead without a turn".to_owned()) };
        let deed = self.script_of(turn.id).map(|script| script.deed);
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
            out.turn == Some(turn.id) && (out.kind == "notice" || out.body.contains("(interrupted, /retry)"))
        });
        (!told).then(|| "dead, and nobody was told".to_owned())
    }

    /// Only guests are shut out, and only when an admin did it.
    fn revoked(&self, row: &Inbound) -> Option<String> {
        let subject = format!("{} everything", row.principal);
        let shut =
            self.e.database.audit.iter().any(|line| {
                line.action == "revoke" && line.subject == subject && line.at + 200 >= row.received
            });
        (!shut).then(|| "revoked by nobody".to_owned())
    }

    fn replied(&self, row: &Inbound) -> Option<String> {
        let about = |out: &&crate::database::Out| out.message == Some(row.id) && out.address == row.address;
        let replies = self.e.database.outbox.iter().filter(about).count();
        (replies != 1).then(|| format!("a command with {replies} replies"))
    }
}
