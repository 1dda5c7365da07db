//! What was said near an agent and not to it: kept, bounded, for the session's next turn.

use frontdesk_core::id::TurnId;
use frontdesk_core::key::SessionKey;
use frontdesk_core::message::Manner;
use frontdesk_core::port::Aside;
use rusqlite::{Row, params};

use crate::fault::Outcome;
use crate::row::{Batch, Incoming};
use crate::sql::{at, ms};
use crate::tx::Tx;

/// Keeps one, and of its session the newest `most`. One that is known already changes nothing.
pub(crate) fn keep(tx: &Tx<'_>, batch: &Batch, message: &Incoming, most: u32) -> Outcome<()> {
    let key = message.session.as_str();
    let kept = tx.run(
        "INSERT INTO aside (source, event_id, key, principal, sender, manner, body, received_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT (source, event_id) DO NOTHING",
        params![
            batch.source.id,
            message.event_id,
            key,
            message.principal.as_str(),
            message.sender,
            message.manner.name(),
            message.text,
            ms(batch.received),
        ],
    )?;
    tx.overheard(kept);
    let over = tx.run(
        "DELETE FROM aside WHERE key = ?1 AND turn_id IS NULL
           AND id <= (SELECT id FROM aside WHERE key = ?1 AND turn_id IS NULL ORDER BY id DESC LIMIT 1 OFFSET ?2)",
        params![key, most],
    )?;
    tx.unheard(over);
    Ok(())
}

/// Gives what waits in a session to its new turn, oldest first.
pub(crate) fn bind(tx: &Tx<'_>, session: &SessionKey, turn: TurnId) -> Outcome<Vec<Aside>> {
    if tx.asides() == 0 {
        return Ok(Vec::new());
    }
    let bound = tx.run(
        "UPDATE aside SET turn_id = ?2 WHERE key = ?1 AND turn_id IS NULL",
        params![session.as_str(), turn.0],
    )?;
    tx.unheard(bound);
    if bound == 0 { Ok(Vec::new()) } else { of(tx, turn) }
}

/// What a turn was given.
pub(crate) fn of(tx: &Tx<'_>, turn: TurnId) -> Outcome<Vec<Aside>> {
    tx.all(
        "SELECT sender, manner, body, received_at FROM aside WHERE turn_id = ?1 ORDER BY id",
        [turn.0],
        aside,
    )
}

/// Forgets what waits in a session.
pub(crate) fn forget(tx: &Tx<'_>, session: &SessionKey) -> Outcome<()> {
    if tx.asides() > 0 {
        let gone = tx.run("DELETE FROM aside WHERE key = ?1 AND turn_id IS NULL", [session.as_str()])?;
        tx.unheard(gone);
    }
    Ok(())
}

fn aside(row: &Row<'_>) -> rusqlite::Result<Aside> {
    Ok(Aside {
        sender: row.get(0)?,
        manner: Manner::named(row.get_ref(1)?.as_str()?).unwrap_or_default(),
        text: row.get(2)?,
        received: at(row, 3)?,
    })
}
