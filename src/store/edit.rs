//! Edits and deletions: the new text replaces a message that still waits. After that it is a new message, a note for the next
//! turn, or nothing, as the configuration says. A deletion ends a message that still waits.

use chrono::{DateTime, Utc};
use frontdesk_core::id::MessageId;
use frontdesk_core::key::SessionKey;
use frontdesk_core::message::{Event, EventKind};
use rusqlite::params;

use crate::context_message;
use crate::dequeue::ends_unanswered;
use crate::epoch::{SessionState, session_state};
use crate::fault::Outcome;
use crate::insert::{Kept, NewRow, insert};
use crate::message::{edited_at, stored_links};
use crate::row::{Admitted, Batch, Disposition, LaterEdits, MessageState, Reason};
use crate::sql::{at, int};
use crate::tx::Tx;

/// How many messages back an earlier version is searched, in this conversation and in the one before. The edit of an older
/// message is a new message.
const BACK: u32 = 50;

/// Whether the event is a version of a message that needs no answer of its own. Its row then records only that it was
/// received, so that a redelivery of it is recognised.
pub(crate) fn noted(
    tx: &Tx<'_>,
    batch: &Batch,
    message: &Admitted,
    session: Option<&SessionState>,
) -> Outcome<bool> {
    let Some(id) = &message.event.platform_message else { return Ok(false) };
    let outdated = (session.map_or(0, |session| session.epoch), Reason::Outdated);
    let ended = match (&message.event.kind, &message.disposition, session) {
        (EventKind::Message, Disposition::Command, _) => is_deleted(tx, message, id)?.then_some(outdated),
        (EventKind::Message | EventKind::Edit, Disposition::Turn, _) if is_outdated(tx, message, id)? => {
            Some(outdated)
        }
        (EventKind::Edit, Disposition::Turn, Some(session)) => {
            edited(tx, batch, message, (id, session.epoch))?
        }
        _ => None,
    };
    let Some((epoch, reason)) = ended else { return Ok(false) };
    insert(tx, batch, message, NewRow::ended(MessageState::Superseded, reason, epoch, Kept::Nothing))?;
    Ok(true)
}

/// Whether its author has deleted the message.
fn is_deleted(tx: &Tx<'_>, message: &Admitted, id: &str) -> Outcome<bool> {
    let deletion = tx.one(
        "SELECT 1 FROM inbound
         WHERE key = ?1 AND platform_message = ?2 AND input_kind = 'edit' AND principal = ?3 AND place IS ?4
           AND reason = ?5
         LIMIT 1",
        params![
            message.session.as_str(),
            id,
            message.event.from.id.as_str(),
            place(message),
            Reason::Deleted.to_string()
        ],
        |_| Ok(()),
    )?;
    Ok(deletion.is_some())
}

/// Whether a newer version of the message is stored, or that it was deleted. A version that was refused, because of a limit
/// for example, does not count: its message is still to be answered. A platform that repeats what was not acknowledged repeats
/// it after later events, and the history of a chat shows messages as they are now.
fn is_outdated(tx: &Tx<'_>, message: &Admitted, id: &str) -> Outcome<bool> {
    let edited_at = edited_at(&message.event);
    if message.event.kind == EventKind::Edit && edited_at.is_none() {
        return is_deleted(tx, message, id);
    }
    let newer = tx.one(
        "SELECT 1 FROM inbound
         WHERE key = ?1 AND platform_message = ?2 AND input_kind = 'edit' AND principal = ?3 AND place IS ?4
           AND (?5 IS NULL OR edited_at > ?5) AND state <> 'refused'
         LIMIT 1",
        params![message.session.as_str(), id, message.event.from.id.as_str(), place(message), edited_at],
        |_| Ok(()),
    )?;
    Ok(newer.is_some())
}

/// The epoch and the reason of an edit without an answer of its own: its message still waits and has the new text now, had
/// the same text already, or later edits get no answer.
fn edited(
    tx: &Tx<'_>,
    batch: &Batch,
    message: &Admitted,
    (edited, epoch): (&str, u64),
) -> Outcome<Option<(u64, Reason)>> {
    if let Some((old, epoch)) = waiting(tx, message, edited)? {
        tx.run(
            "UPDATE inbound SET body = ?2, links = ?3 WHERE id = ?1",
            params![old.0, message.text(), stored_links(&message.event.links)],
        )?;
        return Ok(Some((epoch, Reason::MergedInto(old))));
    }
    let Some(earlier) = earlier(tx, message, edited, epoch)? else { return Ok(None) };
    Ok(later(tx, batch, message, &earlier)?.map(|reason| (epoch, reason)))
}

/// The session of the chat itself, where that is joined to another one: chats that share a session may have messages of the
/// same id.
fn place(message: &Admitted) -> Option<&str> {
    message.place.as_ref().map(SessionKey::as_str)
}

/// The author has deleted a message: if it waits, it ends. The row of the deletion stays, so that no version of the message is
/// answered that a platform delivers late, or once more.
pub(crate) fn deleted(tx: &Tx<'_>, batch: &Batch, message: &Admitted) -> Outcome<()> {
    let Some(deleted) = &message.event.platform_message else { return Ok(()) };
    if let Some((waiting, _)) = waiting(tx, message, deleted)? {
        ends_unanswered(tx, waiting, MessageState::Cancelled, None, batch.received.wall)?;
    }
    let epoch = session_state(tx, &message.session)?.map_or(0, |session| session.epoch);
    let row = NewRow::ended(MessageState::Superseded, Reason::Deleted, epoch, Kept::Nothing);
    insert(tx, batch, message, row).map(drop)
}

/// A message was deleted, and only its id is known: if it waits, it ends, whoever wrote it. Nothing is stored about that, as in
/// [`deleted`].
pub(crate) fn deleted_by_id(tx: &Tx<'_>, batch: &Batch, event: &Event) -> Outcome<()> {
    let Some(deleted) = &event.platform_message else { return Ok(()) };
    // The index of the source has its whole history, this one only what waits.
    let waiting = tx.all(
        "SELECT id FROM inbound INDEXED BY inbound_waiting
         WHERE state = 'waiting' AND disposition = 'turn' AND source = ?1 AND platform_message = ?2",
        params![batch.source.id, deleted],
        |row| row.get(0).map(MessageId),
    )?;
    for message in waiting {
        ends_unanswered(tx, message, MessageState::Cancelled, None, batch.received.wall)?;
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
           AND place IS ?4
         ORDER BY id DESC LIMIT 1",
        params![message.session.as_str(), message.event.from.id.as_str(), edited, place(message)],
        |row| Ok((MessageId(row.get(0)?), crate::sql::count(row, 1)?)),
    )
}

/// The versions of a message that were received before. The agent never got one that was refused.
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
               AND platform_message = ?3 AND place IS ?5 AND reason IS NOT 'outdated' AND state <> 'refused'
             ORDER BY id DESC",
            params![message.session.as_str(), int(epoch), edited, BACK, place(message)],
            |row| Ok((row.get::<_, i64>(0)?, at(row, 1)?)),
        )?);
    }
    let (Some((newest, _)), Some((_, first_received))) = (versions.first(), versions.last()) else {
        return Ok(None);
    };
    Ok(Some(Earlier { newest: *newest, first_received: *first_received }))
}
