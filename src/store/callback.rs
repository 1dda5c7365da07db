//! Callbacks: where it is posted what became of a message that a program did not wait for.

use chrono::{DateTime, TimeDelta, Utc};
use frontdesk_core::id::MessageId;
use rusqlite::params;

use crate::queue::WorkClass;
use crate::row::{CallbackResult, CallbackRow};
use crate::sql::{at, maybe_at, ms, small};
use crate::{Result, Store, StoreReader};

/// How long the row of a callback is kept.
const KEPT: TimeDelta = TimeDelta::days(30);

impl Store {
    /// Remembers where the end of a message is to be posted, signed for the holder of a token. A repetition changes nothing.
    pub async fn add_callback(
        &self,
        message: MessageId,
        url: String,
        token: String,
        now: DateTime<Utc>,
    ) -> Result<()> {
        self.write(WorkClass::Requests, move |tx| {
            tx.run(
                "INSERT INTO callback (message_id, url, token, state, tries, next_at, created_at)
                 VALUES (?1, ?2, ?3, 'waiting', 0, ?4, ?4) ON CONFLICT (message_id) DO NOTHING",
                params![message.0, url, token, ms(now)],
            )?;
            Ok(())
        })
        .await
    }

    /// Stores how a callback was posted.
    pub async fn callback_posted(&self, message: MessageId, result: CallbackResult) -> Result<()> {
        self.write(WorkClass::Requests, move |tx| {
            let (state, next, error) = match &result {
                CallbackResult::Sent => ("sent", None, None),
                CallbackResult::Later { at, error } => ("waiting", Some(ms(*at)), Some(error)),
                CallbackResult::Dead(error) => ("dead", None, Some(error)),
            };
            tx.run(
                "UPDATE callback SET state = ?2, next_at = coalesce(?3, next_at), error = ?4, tries = tries + 1
                 WHERE message_id = ?1 AND state = 'waiting'",
                params![message.0, state, next, error],
            )?;
            Ok(())
        })
        .await
    }

    /// Deletes the rows of old callbacks.
    pub async fn purge_callbacks(&self, now: DateTime<Utc>) -> Result<()> {
        self.write(WorkClass::Requests, move |tx| {
            tx.run("DELETE FROM callback WHERE created_at < ?1", [ms(now - KEPT)])?;
            Ok(())
        })
        .await
    }
}

impl StoreReader {
    /// The callbacks that are due, of messages that have ended or are gone; none that these tokens asked for. At most `most`.
    pub async fn callbacks_due(
        &self,
        now: DateTime<Utc>,
        without: Vec<String>,
        most: u32,
    ) -> Result<Vec<CallbackRow>> {
        self.read(move |sql| {
            sql.all_legible(
                "SELECT c.message_id, c.url, t.hash, c.tries, c.created_at, c.token
                 FROM callback c
                 LEFT JOIN inbound i ON i.id = c.message_id
                 LEFT JOIN token t ON t.name = c.token AND t.revoked_at IS NULL
                 WHERE c.state = 'waiting' AND c.next_at <= ?1 AND coalesce(i.state, '') NOT IN ('waiting', 'in_turn')
                   AND c.token NOT IN (SELECT value FROM json_each(?2))
                 ORDER BY c.next_at LIMIT ?3",
                params![ms(now), serde_json::Value::from(without).to_string(), most],
                |row| {
                    Ok(CallbackRow {
                        message: MessageId(row.get(0)?),
                        url: row.get(1)?,
                        key: row.get(2)?,
                        tries: small(row, 3)?,
                        created: at(row, 4)?,
                        token: row.get(5)?,
                    })
                },
            )
        })
        .await
    }

    /// When the next callback is due, if its message has ended by then; `None` if there is none.
    pub async fn next_callback(&self) -> Result<Option<DateTime<Utc>>> {
        self.read(|sql| {
            let next = "SELECT min(next_at) FROM callback WHERE state = 'waiting'";
            Ok(sql.one(next, [], |row| maybe_at(row, 0))?.flatten())
        })
        .await
    }
}
