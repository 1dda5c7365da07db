//! The last resort: rows whose end cannot be stored are marked dead. Nothing is rendered and no content of a row is read,
//! so that no content can make this fail.

use chrono::{DateTime, Utc};
use frontdesk_core::id::{MessageId, OutId, TurnId};
use frontdesk_core::notice::Failure;
use rusqlite::params;

use crate::album;
use crate::delivery::{done, held, open};
use crate::fault::Outcome;
use crate::queue::WorkClass;
use crate::row::{Claim, Fenced, OutboxState, Reason};
use crate::sql::ms;
use crate::tx::Tx;
use crate::{Result, Store, ask, job, task};

impl Store {
    /// A turn whose end cannot be stored is dead, and its messages with it. What it had streamed stays in the
    /// chat as it is. Its address is to be woken: parts may have waited behind the streamed one.
    pub async fn mark_turn_dead(&self, claim: Claim<TurnId>, now: DateTime<Utc>) -> Result<Fenced<()>> {
        self.write(WorkClass::Turns, move |tx| {
            let held = "SELECT 1 FROM turn WHERE id = ?1 AND fence = ?2 AND state = 'running'";
            match tx.one(held, [claim.id.0, claim.fence], |_| Ok(()))? {
                Some(()) => turn(tx, claim.id, now).map(Fenced::Done),
                None => Ok(Fenced::Stale),
            }
        })
        .await
    }

    /// A part whose end cannot be stored is dead, without a notice about the gap. Returns whether its address
    /// has an open part left.
    pub async fn mark_part_dead(
        &self,
        claim: Claim<OutId>,
        error: String,
        now: DateTime<Utc>,
    ) -> Result<Fenced<bool>> {
        self.write(WorkClass::Outbox, move |tx| {
            let Some(address) = held(tx, claim)? else { return Ok(Fenced::Stale) };
            for id in album::under_claim(tx, claim, &address)? {
                done(tx, id, OutboxState::Dead, &error, now)?;
            }
            open(tx, &address).map(Fenced::Done)
        })
        .await
    }

    /// A command that cannot be answered is dead. Stale when it does not wait any more.
    pub async fn mark_command_dead(&self, id: MessageId) -> Result<Fenced<()>> {
        self.write(WorkClass::Commands, move |tx| {
            let marked_dead = tx.run(
                "UPDATE inbound SET state = 'dead', reason = ?2
                 WHERE id = ?1 AND disposition = 'command' AND state = 'waiting'",
                params![id.0, Reason::Failed(Failure::Internal).to_string()],
            )?;
            tx.taken(marked_dead);
            Ok(Fenced::if_changed(marked_dead))
        })
        .await
    }
}

/// A turn that is open, whoever holds it.
pub(crate) fn turn(tx: &Tx<'_>, id: TurnId, now: DateTime<Utc>) -> Outcome<()> {
    let (why, at) = (Reason::Failed(Failure::Internal).to_string(), ms(now));
    tx.run(
        "UPDATE turn SET state = 'dead', error = ?2, finished_at = ?3, owner = NULL WHERE id = ?1",
        params![id.0, why, at],
    )?;
    tx.run(
        "UPDATE inbound SET state = 'dead', reason = ?2 WHERE turn_id = ?1 AND state = 'in_turn'",
        params![id.0, why],
    )?;
    tx.run(
        "UPDATE outbox SET state = 'dropped', error = ?2, done_at = ?3, owner = NULL
         WHERE turn_id = ?1 AND state = 'streaming'",
        params![id.0, why, at],
    )?;
    ask::forget(tx, id, now)?;
    task::turn_is_dead(tx, id, now)?;
    job::turn_is_dead(tx, id, now)
}
