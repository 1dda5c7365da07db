//! The messages of some people leave a turn that also has messages of others.

use chrono::{DateTime, Utc};
use frontdesk_core::delivery::Ending;
use frontdesk_core::id::{MessageId, TurnId};
use frontdesk_core::notice::Notice;

use crate::fault::Outcome;
use crate::finish::cancel;
use crate::part::Outgoing;
use crate::row::Reason;
use crate::turn::OpenTurn;
use crate::tx::Tx;

/// Cancels a turn for `leaving`. The `others` wait again, unless the agent has acted already: then their authors get a
/// notice and may have them run again.
pub(crate) fn leave(
    tx: &Tx<'_>,
    turn: &mut OpenTurn,
    leaving: Vec<MessageId>,
    others: &[MessageId],
    reason: Option<Reason>,
    now: DateTime<Utc>,
) -> Outcome<()> {
    if turn.acted.is_none() {
        give_back(tx, turn.id, others)?;
    }
    turn.messages = leaving;
    let is_told = cancel(tx, turn, Ending::Cancelled, reason, now)?;
    if turn.acted.is_some() && !others.is_empty() {
        for id in others {
            tx.run("UPDATE inbound SET reason = NULL WHERE id = ?1", [id.0])?;
        }
        if !is_told {
            interrupted(tx, turn, others, now)?;
        }
    }
    Ok(())
}

/// The messages wait again, and the context messages of the turn with them.
fn give_back(tx: &Tx<'_>, turn: TurnId, others: &[MessageId]) -> Outcome<()> {
    for id in others {
        tx.run("UPDATE inbound SET state = 'waiting', turn_id = NULL WHERE id = ?1", [id.0])?;
    }
    tx.queued(others.len());
    if !others.is_empty() {
        tx.run("UPDATE context_message SET turn_id = NULL WHERE turn_id = ?1", [turn.0])?;
    }
    Ok(())
}

/// Tells the authors of these messages that the turn was interrupted.
fn interrupted(tx: &Tx<'_>, turn: &OpenTurn, others: &[MessageId], now: DateTime<Utc>) -> Outcome<()> {
    let so_far = turn.so_far.clone().unwrap_or_default();
    let outgoing = Outgoing { about: others, ..turn.outgoing(now) };
    outgoing.notice(tx, turn.id, &Notice::Interrupted { so_far }).map(drop)
}
