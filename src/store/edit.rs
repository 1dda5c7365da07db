//! Edits: the new text replaces a message that still waits, and is a new message after that.

use frontdesk_core::id::MessageId;
use rusqlite::params;

use crate::epoch::SessionState;
use crate::fault::Outcome;
use crate::insert::{Kept, NewRow, insert};
use crate::message::stored_links;
use crate::row::{Admitted, Batch, MessageState, Reason};
use crate::sql::int;
use crate::tx::Tx;

/// How many messages back an earlier version is searched. The edit of an older message is a new message.
const MAX_LOOKBACK: u32 = 50;

/// Whether the edit needs no answer of its own: its message still waits and has the new text now, or had the same text
/// already. The edit's row then records only that it was received, so that a redelivery of it is recognised.
pub(crate) fn noted(tx: &Tx<'_>, batch: &Batch, message: &Admitted, session: &SessionState) -> Outcome<bool> {
    let Some(edited) = &message.event.platform_message else { return Ok(false) };
    let (epoch, reason) = match waiting(tx, message, edited)? {
        Some((old, epoch)) => {
            tx.run(
                "UPDATE inbound SET body = ?2, links = ?3 WHERE id = ?1",
                params![old.0, message.text(), stored_links(&message.event.links)],
            )?;
            (epoch, Reason::MergedInto(old))
        }
        None if unchanged(tx, message, edited, session.epoch)? => (session.epoch, Reason::Unchanged),
        None => return Ok(false),
    };
    insert(tx, batch, message, NewRow::ended(MessageState::Superseded, reason, epoch, Kept::Nothing))?;
    Ok(true)
}

/// The message, if no turn has taken it yet.
fn waiting(tx: &Tx<'_>, message: &Admitted, edited: &str) -> Outcome<Option<(MessageId, u64)>> {
    tx.one(
        "SELECT id, epoch FROM inbound
         WHERE key = ?1 AND disposition = 'turn' AND state = 'waiting' AND principal = ?2 AND platform_message = ?3
         ORDER BY id DESC LIMIT 1",
        params![message.session.as_str(), message.event.from.id.as_str(), edited],
        |row| Ok((MessageId(row.get(0)?), crate::sql::count(row, 1)?)),
    )
}

/// Whether the newest version of the message that was received is this one. Compares texts as they were received: hooks
/// and edits of waiting messages change the body.
fn unchanged(tx: &Tx<'_>, message: &Admitted, edited: &str, epoch: u64) -> Outcome<bool> {
    let newest: Option<i64> = tx.one(
        "SELECT digest FROM inbound
         WHERE id IN (SELECT id FROM session_message WHERE key = ?1 AND epoch = ?2 ORDER BY id DESC LIMIT ?4)
           AND platform_message = ?3 ORDER BY id DESC LIMIT 1",
        params![message.session.as_str(), int(epoch), edited, MAX_LOOKBACK],
        |row| row.get(0),
    )?;
    Ok(newest == Some(message.digest()))
}
