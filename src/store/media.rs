//! Files: what became of those that came, and which are still anybody's.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use frontdesk_core::id::MessageId;
use frontdesk_core::key::SessionKey;
use frontdesk_core::message::FileKind;
use rusqlite::{Row, params};
use serde_json::{Value, json};

use crate::message::text;
use crate::queue::Line;
use crate::row::{MediaRow, OutMedia};
use crate::sql::{int, ms, nat, small};
use crate::{Result, Store};

/// Why a file is not there any more.
const GONE: &str = "no longer kept";

impl Store {
    /// Files that came with messages were fetched, or could not be. Those of a message that was erased meanwhile
    /// are nobody's.
    pub async fn fetched(&self, rows: Vec<MediaRow>, now: DateTime<Utc>) -> Result<()> {
        self.write(Line::House, move |tx| {
            for MediaRow { message, n, got } in &rows {
                let (file, error) = (got.as_ref().ok(), got.as_ref().err());
                tx.run(
                    "INSERT INTO media (message_id, n, file, size, error, fetched_at)
                     SELECT id, ?2, ?3, ?4, ?5, ?6 FROM inbound
                     WHERE id = ?1 AND (attachments IS NOT NULL OR quote IS NOT NULL)
                     ON CONFLICT (message_id, n) DO UPDATE
                     SET file = excluded.file, size = excluded.size, error = excluded.error,
                         fetched_at = excluded.fetched_at",
                    params![
                        message.0,
                        n,
                        file.map(|(name, _)| name),
                        file.map(|(_, size)| int(*size)),
                        error,
                        ms(now)
                    ],
                )?;
            }
            Ok(())
        })
        .await
    }

    /// What became of the files of some messages, in order.
    pub async fn media(&self, messages: &[MessageId]) -> Result<Vec<MediaRow>> {
        let messages = messages.to_vec();
        self.read(move |sql| {
            let mut rows = Vec::new();
            for message in &messages {
                rows.extend(sql.all(
                    "SELECT message_id, n, file, size, error FROM media WHERE message_id = ?1 ORDER BY n",
                    [message.0],
                    media,
                )?);
            }
            Ok(rows)
        })
        .await
    }

    /// Files that have been kept since before a time, the oldest first.
    pub async fn media_older(&self, before: DateTime<Utc>, limit: u32) -> Result<Vec<MediaRow>> {
        self.read(move |sql| {
            sql.all(
                "SELECT message_id, n, file, size, error FROM media WHERE file IS NOT NULL AND fetched_at < ?1
                 ORDER BY fetched_at LIMIT ?2",
                params![ms(before), limit],
                media,
            )
        })
        .await
    }

    /// Files were deleted; that they were there stays known.
    pub async fn media_gone(&self, rows: Vec<(MessageId, u32)>) -> Result<()> {
        self.write(Line::Sweep, move |tx| {
            for (message, n) in &rows {
                tx.run(
                    "UPDATE media SET file = NULL, size = NULL, error = ?3 WHERE message_id = ?1 AND n = ?2",
                    params![message.0, n, GONE],
                )?;
            }
            Ok(())
        })
        .await
    }

    /// The files of a conversation: those that came with its messages, and those that went out in it.
    pub async fn session_files(&self, session: &SessionKey) -> Result<Vec<String>> {
        let session = session.clone();
        self.read(move |sql| {
            let mut files = sql.all(
                "SELECT m.file FROM inbound i JOIN media m ON m.message_id = i.id
                 WHERE i.key = ?1 AND m.file IS NOT NULL",
                [session.as_str()],
                |row| row.get::<_, String>(0),
            )?;
            let out = sql.all(
                "SELECT media FROM outbox WHERE key = ?1 AND media IS NOT NULL",
                [session.as_str()],
                |row| row.get::<_, String>(0),
            )?;
            files.extend(out.iter().filter_map(|json| carried(json)).map(|media| media.file));
            files.sort();
            files.dedup();
            Ok(files)
        })
        .await
    }

    /// Which of these files belong to a message, or to a part that has not been sent (or may be sent again).
    pub async fn files_in_use(&self, names: Vec<String>) -> Result<Vec<String>> {
        self.read(move |sql| {
            let mut leaving = HashSet::new();
            // Spelled out, so that each finds its own small index.
            for open in [
                "SELECT media FROM outbox WHERE media IS NOT NULL AND state IN ('queued', 'streaming', 'sending')",
                "SELECT media FROM outbox WHERE media IS NOT NULL AND state IN ('unknown', 'dead')",
            ] {
                let files = sql.all(open, [], |row| row.get::<_, String>(0))?;
                leaving.extend(files.iter().filter_map(|json| carried(json)).map(|media| media.file));
            }
            let mut used = Vec::new();
            for name in names {
                let kept = "SELECT 1 FROM media WHERE file = ?1 LIMIT 1";
                if leaving.contains(&name) || sql.one(kept, [&name], |_| Ok(()))?.is_some() {
                    used.push(name);
                }
            }
            Ok(used)
        })
        .await
    }
}

pub(crate) fn media(row: &Row<'_>) -> rusqlite::Result<MediaRow> {
    let (file, size) = (row.get::<_, Option<String>>(2)?, row.get::<_, Option<i64>>(3)?);
    let error: Option<String> = row.get(4)?;
    Ok(MediaRow {
        message: MessageId(row.get(0)?),
        n: small(row, 1)?,
        got: file
            .map(|name| (name, size.map_or(0, nat)))
            .ok_or_else(|| error.unwrap_or_else(|| GONE.to_owned())),
    })
}

/// A file on its way out, as its row says it. What stands beneath it is the row's own text.
pub(crate) fn stored(media: &OutMedia) -> String {
    let OutMedia { file, name, mime, kind, caption: _, after: _ } = media;
    json!({"file": file, "name": name, "mime": mime, "kind": kind.name()}).to_string()
}

/// The same, read back; without a caption.
pub(crate) fn carried(json: &str) -> Option<OutMedia> {
    let media: Value = serde_json::from_str(json)
        .inspect_err(|error| tracing::error!(%error, "a stored file on its way out cannot be read"))
        .ok()?;
    Some(OutMedia {
        file: text(&media, "file")?,
        name: text(&media, "name")?,
        mime: text(&media, "mime"),
        kind: text(&media, "kind").and_then(|kind| FileKind::named(&kind)).unwrap_or_default(),
        caption: None,
        after: Vec::new(),
    })
}
