//! Edits and deletions: the new text replaces a message that still waits. After that it is a new message, a note for the next
//! turn, or nothing, as the configuration says. A deletion ends a message that still waits.

use chrono::{DateTime, Utc};
use frontdesk_core::id::MessageId;
use rusqlite::params;

use crate::context_message;
use crate::dequeue::ends_unanswered;
use crate::epoch::SessionState;
use crate::fault::Outcome;
use crate::insert::{Kept, NewRow, insert};
use crate::message::stored_links;
use crate::row::{Admitted, Batch, LaterEdits, MessageState, Reason};
use crate::sql::{at, int};
use crate::tx::Tx;

/// How many messages back an earlier version is searched, in this conversation and in the one before. The edit of an older
/// message is a new message.
const BACK: u32 = 50;

/// Whether the edit needs no answer of its own: its message still waits and has the new text now, had the same text
/// already, or later edits get no answer. The edit's row then records only that it was received, so that a redelivery of
/// it is recognised.
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
        None => {
            let Some(earlier) = earlier(tx, message, edited, session.epoch)? else { return Ok(false) };
            let Some(reason) = later(tx, batch, message, &earlier)? else { return Ok(false) };
            (session.epoch, reason)
        }
    };
    insert(tx, batch, message, NewRow::ended(MessageState::Superseded, reason, epoch, Kept::Nothing))?;
    Ok(true)
}

/// The author has deleted a message: if it waits, it ends. Nothing is stored about that, because a redelivery changes
/// nothing.
pub(crate) fn deleted(tx: &Tx<'_>, batch: &Batch, message: &Admitted) -> Outcome<()> {
    let Some(deleted) = &message.event.platform_message else { return Ok(()) };
    if let Some((waiting, _)) = waiting(tx, message, deleted)? {
        ends_unanswered(tx, waiting, MessageState::Cancelled, None, batch.received.wall)?;
    }
    Ok(())
}

/// The edit of a message that does not wait any more; `None` if it is a message of its own.
fn later(tx: &Tx<'_>, batch: &Batch, message: &Admitted, earlier: &Earlier) -> Outcome<Option<Reason>> {
    if earlier.newest == message.digest() {
        return Ok(Some(Reason::Unchanged));
    }
    let is_late =
        message.edits.max_age.is_some_and(|most| batch.received.wall - earlier.first_received > most);
    Ok(match message.edits.later {
        _ if is_late => Some(Reason::EditIgnored),
        LaterEdits::Ignored => Some(Reason::EditIgnored),
        LaterEdits::Noted { most } => {
            context_message::keep(tx, batch, message, most)?;
            Some(Reason::EditNoted)
        }
        LaterEdits::Answered => None,
    })
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

/// The versions of a message that were received before.
struct Earlier {
    /// The digest of the newest one, as it was received: hooks and edits of waiting messages change the body.
    newest: i64,
    /// When the first one was accepted.
    first_received: DateTime<Utc>,
}

fn earlier(tx: &Tx<'_>, message: &Admitted, edited: &str, epoch: u64) -> Outcome<Option<Earlier>> {
    let mut versions = Vec::new();
    for epoch in [Some(epoch), epoch.checked_sub(1)].into_iter().flatten() {
        versions.extend(tx.all(
            "SELECT digest, received_at FROM inbound
             WHERE id IN (SELECT id FROM session_message WHERE key = ?1 AND epoch = ?2 ORDER BY id DESC LIMIT ?4)
               AND platform_message = ?3 ORDER BY id DESC",
            params![message.session.as_str(), int(epoch), edited, BACK],
            |row| Ok((row.get::<_, i64>(0)?, at(row, 1)?)),
        )?);
    }
    let (Some((newest, _)), Some((_, first_received))) = (versions.first(), versions.last()) else {
        return Ok(None);
    };
    Ok(Some(Earlier { newest: *newest, first_received: *first_received }))
}
