//! Dead letters: events that could not be read, as they arrived.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use frontdesk_core::key::SessionKey;
use frontdesk_core::message::RawEvent;
use rusqlite::{Row, params};

use crate::audit::{audit, done_or_unchanged};
use crate::fault::Outcome;
use crate::ids::Table;
use crate::queue::WorkClass;
use crate::row::{Author, Batch, DeadLetterRow};
use crate::sql::{at, int, maybe_parsed, ms, nat};
use crate::tx::Tx;
use crate::{Result, Store, StoreReader};

/// The most rows that are kept.
const ROWS: u64 = 1000;
/// The most bytes of one event that are kept.
const BYTES: usize = 64 * 1024;
/// The most bytes of all events together that are kept.
const TOTAL: u64 = 16 * 1024 * 1024;

impl Store {
    /// Deletes one dead letter, or all of them; returns how many there were.
    pub async fn dead_letters_dropped(
        &self,
        id: Option<i64>,
        author: &Author,
        now: DateTime<Utc>,
    ) -> Result<u64> {
        let author = author.clone();
        self.write(WorkClass::Requests, move |tx| {
            let gone = match id {
                Some(id) => tx.run("DELETE FROM dead_letter WHERE id = ?1", [id])?,
                None => tx.run("DELETE FROM dead_letter", [])?,
            };
            let which = id.map_or_else(|| "all".to_owned(), |id| id.to_string());
            audit(tx, &author, "dead letters drop", &which, done_or_unchanged(gone > 0), now)?;
            Ok(gone as u64)
        })
        .await
    }
}

impl StoreReader {
    /// Dead letters without their bytes, the newest first, before one of them or from the end.
    pub async fn dead_letters(&self, before: Option<i64>, limit: u32) -> Result<Vec<DeadLetterRow>> {
        self.read(move |sql| {
            sql.all(
                "SELECT id, source, event_id, key, kind, reason, size, received_at, NULL FROM dead_letter
                 WHERE id < ?1 ORDER BY id DESC LIMIT ?2",
                params![before.unwrap_or(i64::MAX), limit],
                letter,
            )
        })
        .await
    }

    /// One dead letter with its bytes.
    pub async fn dead_letter(&self, id: i64) -> Result<Option<DeadLetterRow>> {
        self.read(move |sql| {
            sql.one(
                "SELECT id, source, event_id, key, kind, reason, size, received_at, body FROM dead_letter
                 WHERE id = ?1",
                [id],
                letter,
            )
        })
        .await
    }
}

/// Stores an event that could not be read: as it arrived, or without its values if no session is given. A redelivery changes
/// nothing.
pub(crate) fn keep(
    tx: &Tx<'_>,
    batch: &Batch,
    event_id: &str,
    session: Option<&SessionKey>,
    raw: &RawEvent,
) -> Outcome<()> {
    // Without a session it is not known whether its sender may write.
    let body = if session.is_some() { Cow::Borrowed(&raw.body) } else { Cow::Owned(raw.shape()) };
    let body = &body[..body.len().min(BYTES)];
    let inserted = tx.run(
        "INSERT INTO dead_letter (id, source, event_id, key, kind, reason, body, kept, size, received_at)
         VALUES (?10, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (source, event_id) DO NOTHING",
        params![
            batch.source.id,
            event_id,
            session.map(|session| session.as_str()),
            raw.kind,
            raw.reason,
            body,
            int(body.len() as u64),
            int(raw.body.len() as u64),
            ms(batch.received.wall),
            tx.new_id(Table::DeadLetter)?,
        ],
    )?;
    if inserted > 0 { make_space(tx) } else { Ok(()) }
}

/// Deletes the oldest until the limits hold, and counts them.
fn make_space(tx: &Tx<'_>) -> Outcome<()> {
    loop {
        let (rows, bytes) = tx
            .one("SELECT count(*), coalesce(sum(kept), 0) FROM dead_letter", [], |row| {
                Ok((nat(row.get(0)?), nat(row.get(1)?)))
            })?
            .unwrap_or_default();
        if rows <= ROWS && bytes <= TOTAL {
            return Ok(());
        }
        let gone = tx.run("DELETE FROM dead_letter WHERE id = (SELECT min(id) FROM dead_letter)", [])?;
        tx.run("UPDATE counter SET n = n + ?1 WHERE name = 'dead_letters_deleted'", [int(gone as u64)])?;
    }
}

fn letter(row: &Row<'_>) -> rusqlite::Result<DeadLetterRow> {
    Ok(DeadLetterRow {
        id: row.get(0)?,
        source: row.get(1)?,
        event_id: row.get(2)?,
        session: maybe_parsed(row, 3)?,
        kind: row.get(4)?,
        reason: row.get(5)?,
        size: nat(row.get(6)?),
        received: at(row, 7)?,
        body: row.get::<_, Option<Vec<u8>>>(8)?.unwrap_or_default(),
    })
}
