//! Messages that end while they wait: somebody drops or stops them, or their author may not write any more.

use chrono::{DateTime, Utc};
use frontdesk_core::command::WaitingPlace;
use frontdesk_core::id::MessageId;
use rusqlite::params;

use crate::ask;
use crate::audit::{audit, done_or_unchanged};
use crate::fault::Outcome;
use crate::row::{Author, Dequeue, Dequeued, InboundRow, MessageState, Reason};
use crate::tx::Tx;
use crate::waiting::waiting_before;

/// A message that waits ends without a turn, and the button goes with which its sender could have dropped it. Returns whether
/// it waited.
pub(crate) fn ends_unanswered(
    tx: &Tx<'_>,
    message: MessageId,
    state: MessageState,
    reason: Option<Reason>,
    now: DateTime<Utc>,
) -> Outcome<bool> {
    let ended = tx.run(
        "UPDATE inbound SET state = ?2, reason = coalesce(?3, reason) WHERE id = ?1 AND state = 'waiting'",
        params![message.0, state.name(), reason.map(|reason| reason.to_string())],
    )?;
    tx.taken(ended);
    ask::withdraw_drop(tx, message, now)?;
    Ok(ended > 0)
}

/// Drops waiting messages of a command's session that were accepted before it: those of its sender, or with `any` those
/// of everybody.
pub(crate) fn dequeue(
    tx: &Tx<'_>,
    command: &InboundRow,
    what: Dequeue,
    any: bool,
    now: DateTime<Utc>,
) -> Outcome<Dequeued> {
    let mut chosen = waiting_before(tx, &command.session, command.id)?;
    match what {
        Dequeue::All => {}
        Dequeue::One(WaitingPlace::Place(place)) => {
            chosen = chosen.into_iter().skip(place.saturating_sub(1)).take(1).collect();
        }
        Dequeue::One(WaitingPlace::Message(id)) => chosen.retain(|waiting| waiting.pieces.contains(&id)),
    }
    let all = chosen.len();
    chosen.retain(|waiting| any || waiting.message.from.id == command.from.id);
    for id in chosen.iter().flat_map(|waiting| &waiting.pieces) {
        ends_unanswered(tx, *id, MessageState::Cancelled, None, now)?;
    }
    let of_others = u64::try_from(all - chosen.len()).unwrap_or(u64::MAX);
    let action = if what == Dequeue::All { "queue clear" } else { "queue drop" };
    let outcome = match of_others > 0 && chosen.is_empty() {
        true => "refused:not_author",
        false => done_or_unchanged(!chosen.is_empty()),
    };
    let author = Author { name: command.from.id.to_string(), via: "chat" };
    audit(tx, &author, action, command.session.as_str(), outcome, now)?;
    Ok(Dequeued { dropped: chosen, of_others })
}
