//! Messages and commands that were accepted and are refused later, at the head of their lane.

use chrono::{DateTime, Utc};
use frontdesk_core::id::{MessageId, TurnId};
use frontdesk_core::message::Refusal;
use frontdesk_core::notice::Notice;
use rusqlite::params;

use crate::part::Outgoing;
use crate::queue::WorkClass;
use crate::row::{Claim, Fenced, Reason};
use crate::turn::OpenTurn;
use crate::{Result, Store};

impl Store {
    /// One message of a running turn is refused; the turn goes on with the others. The person gets the notice, if there is
    /// one.
    pub async fn message_refused(
        &self,
        message: MessageId,
        claim: Claim<TurnId>,
        reason: Refusal,
        notice: Option<Notice>,
        now: DateTime<Utc>,
    ) -> Result<Fenced<()>> {
        self.write(WorkClass::Turns, move |tx| {
            let Some(turn) = OpenTurn::held(tx, claim)? else { return Ok(Fenced::Stale) };
            let refused = tx.run(
                "UPDATE inbound SET state = 'refused', reason = ?3
                 WHERE id = ?1 AND turn_id = ?2 AND state = 'in_turn'",
                params![message.0, turn.id.0, Reason::Refused(reason).to_string()],
            )?;
            if refused == 1
                && let Some(notice) = &notice
            {
                let about = [message];
                let outgoing = Outgoing { about: &about, ..turn.outgoing(now) };
                outgoing.notice(tx, message, notice)?;
            }
            Ok(Fenced::if_changed(refused))
        })
        .await
    }

    /// A waiting command is refused without a notice, because its sender has no access any more.
    pub async fn command_refused(&self, id: MessageId, reason: Refusal) -> Result<Fenced<()>> {
        self.write(WorkClass::Commands, move |tx| {
            let refused = tx.run(
                "UPDATE inbound SET state = 'refused', reason = ?2
                 WHERE id = ?1 AND disposition = 'command' AND state = 'waiting'",
                params![id.0, Reason::Refused(reason).to_string()],
            )?;
            tx.taken(refused);
            Ok(Fenced::if_changed(refused))
        })
        .await
    }
}
