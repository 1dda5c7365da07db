//! A message whose sender no longer waits for its answer.

use chrono::{DateTime, Utc};
use frontdesk_core::address::Address;
use frontdesk_core::delivery::Ending;
use frontdesk_core::id::{MessageId, TurnId};
use frontdesk_core::key::SessionKey;

use crate::dequeue::ends_unanswered;
use crate::fault::Outcome;
use crate::finish::cancel;
use crate::lease::is_orphan;
use crate::message::{inbound, inbound_columns};
use crate::queue::WorkClass;
use crate::row::{InboundRow, MessageState, TurnState};
use crate::turn::{OpenTurn, turn_columns};
use crate::tx::Tx;
use crate::{Result, Store};

/// The message, if it waits for its turn or has one.
const UNANSWERED: &str = concat!(
    "SELECT ",
    inbound_columns!(),
    " FROM inbound i WHERE i.id = ?1 AND i.disposition = 'turn' AND i.state IN ('waiting', 'in_turn')"
);

/// The open turn of a message.
const ITS_TURN: &str = concat!(
    "SELECT ",
    turn_columns!(),
    " FROM turn t JOIN inbound i ON i.turn_id = t.id WHERE i.id = ?1 AND t.state IN ('queued', 'running')"
);

/// Messages whose client was gone when their boot ended, the oldest first.
const LEFT_BEHIND: &str = concat!(
    "SELECT id FROM inbound WHERE state = 'waiting' AND ",
    is_orphan!("awaited_in"),
    " UNION ALL
     SELECT i.id FROM turn t JOIN inbound i ON i.turn_id = t.id
     WHERE t.state IN ('queued', 'running') AND i.state = 'in_turn' AND ",
    is_orphan!("i.awaited_in"),
    " ORDER BY 1 LIMIT ?1"
);

/// A cancelled message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Abandoned {
    /// Its session.
    pub session: SessionKey,
    /// Where its answer would have gone.
    pub address: Address,
    /// The turn that ran for it, whose agent must be told; `None` if it only waited.
    pub turn: Option<TurnId>,
}

impl Store {
    /// Cancels one message. `None` if it has ended already, or if its turn answers others as well.
    pub async fn cancel_message(&self, id: MessageId, now: DateTime<Utc>) -> Result<Option<Abandoned>> {
        self.write(WorkClass::Commands, move |tx| abandon(tx, id, now)).await
    }
}

/// Cancels at most so many messages of earlier boots whose clients are gone. Returns how many there were.
pub(crate) fn left_behind(tx: &Tx<'_>, most: u32, now: DateTime<Utc>) -> Outcome<usize> {
    let messages = tx.all(LEFT_BEHIND, [most], |row| row.get(0).map(MessageId))?;
    for message in &messages {
        // A turn that answers others as well goes on without its client.
        if abandon(tx, *message, now)?.is_none() {
            tx.run("UPDATE inbound SET awaited_in = NULL WHERE id = ?1", [message.0])?;
        }
    }
    Ok(messages.len())
}

fn abandon(tx: &Tx<'_>, id: MessageId, now: DateTime<Utc>) -> Outcome<Option<Abandoned>> {
    let Some(InboundRow { session, address, .. }) = tx.one(UNANSWERED, [id.0], inbound)? else {
        return Ok(None);
    };
    let Some(turn) = OpenTurn::find(tx, ITS_TURN, [id.0])? else {
        let waited = ends_unanswered(tx, id, MessageState::Cancelled, None, now)?;
        return Ok(waited.then_some(Abandoned { session, address, turn: None }));
    };
    if turn.messages != [id] {
        return Ok(None);
    }
    cancel(tx, &turn, Ending::Cancelled, None, now)?;
    let running = (turn.state == TurnState::Running).then_some(turn.id);
    Ok(Some(Abandoned { session, address, turn: running }))
}
