//! Files: the results of fetching those that came with messages, and which files are still referred to.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use frontdesk_core::delivery::PostKind;
use frontdesk_core::id::{MessageId, OutId};
use frontdesk_core::key::SessionKey;
use frontdesk_core::message::Attachment;
use frontdesk_core::notice::Notice;
use rusqlite::{Row, params};

use crate::fault::Outcome;
use crate::message::{attachments, inbound, inbound_columns};
use crate::part::{Outgoing, read_file};
use crate::part_key::TextKey;
use crate::queue::WorkClass;
use crate::row::{InboundRow, MediaRow, OutgoingFile};
use crate::sql::{count, int, ms, nat, small};
use crate::tx::Tx;
use crate::upload::ALL_BYTES;
use crate::{Result, Store, StoreReader};

/// Why a file is not there any more.
const GONE: &str = "no longer kept";

/// The files of parts that have not been sent or may be sent again. Spelled out, so that each finds its own small index.
const OPEN_FILES: [&str; 2] = [
    "SELECT media FROM outbox WHERE media IS NOT NULL AND state IN ('queued', 'streaming', 'sending')",
    "SELECT media FROM outbox WHERE media IS NOT NULL AND state IN ('unknown', 'dead')",
];

/// The files of parts that clients fetch.
const SHOWN_FILES: &str = "SELECT media FROM outbox INDEXED BY outbox_media
    WHERE media IS NOT NULL AND seq IS NOT NULL AND state = 'sent' AND created_at >= ?1";

/// The files of open tasks, and of messages that wait for their turn.
const FILES_BEFORE_A_TURN: [&str; 2] = [
    "SELECT attachments FROM task WHERE attachments IS NOT NULL AND state IN ('queued', 'running')",
    "SELECT attachments FROM inbound INDEXED BY inbound_waiting WHERE attachments IS NOT NULL AND state = 'waiting'",
];

/// The files of messages whose turn has not noted yet where they lie.
const FILES_OF_TURNS: &str = "SELECT json_extract(f.value, '$.kept')
    FROM turn t INDEXED BY turn_open JOIN inbound i ON i.turn_id = t.id JOIN json_each(i.attachments) f
    WHERE t.state IN ('queued', 'running') AND i.attachments IS NOT NULL
      AND json_extract(f.value, '$.kept') IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM media m WHERE m.message_id = i.id AND m.n = f.key)";

impl Store {
    /// Files that came with messages were fetched, or could not be. Those of a message that was erased meanwhile get no
    /// row.
    pub async fn fetched(&self, rows: Vec<MediaRow>, now: DateTime<Utc>) -> Result<()> {
        self.write(WorkClass::Requests, move |tx| {
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

    /// A file that is known already came with another message: refers to it from that one as well. `None` if it is not
    /// known, or not there any more.
    pub async fn file_known(
        &self,
        message: MessageId,
        n: u32,
        unique: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<(String, u64)>> {
        let unique = unique.to_owned();
        self.write(WorkClass::Requests, move |tx| {
            let known = tx.one(
                "SELECT file, size, hash FROM media WHERE unique_id = ?1 AND file IS NOT NULL LIMIT 1",
                [&unique],
                |row| Ok((row.get::<_, String>(0)?, nat(row.get(1)?), row.get::<_, Option<Vec<u8>>>(2)?)),
            )?;
            let Some((file, size, hash)) = known else { return Ok(None) };
            name(tx, message, n, (&file, size), Some(&unique), hash.as_deref(), now)?;
            Ok(Some((file, size)))
        })
        .await
    }

    /// A file was fetched. If the same content is stored already, the row refers to that file, which is returned.
    pub async fn file_kept(
        &self,
        row: MediaRow,
        unique: Option<String>,
        hash: Vec<u8>,
        now: DateTime<Utc>,
    ) -> Result<Option<(String, u64)>> {
        self.write(WorkClass::Requests, move |tx| {
            let Ok((file, size)) = &row.got else { return Ok(None) };
            let same = tx.one(
                "SELECT file, size FROM media WHERE hash = ?1 AND file IS NOT NULL LIMIT 1",
                [&hash],
                |row| Ok((row.get::<_, String>(0)?, nat(row.get(1)?))),
            )?;
            let named = same.as_ref().map_or((file.as_str(), *size), |(file, size)| (file.as_str(), *size));
            name(tx, row.message, row.n, named, unique.as_deref(), Some(&hash), now)?;
            Ok(same.filter(|(same, _)| same != file))
        })
        .await
    }

    /// A file is missing on the disk: no row refers to it any more.
    pub async fn file_lost(&self, file: &str) -> Result<()> {
        let file = file.to_owned();
        self.write(WorkClass::Requests, move |tx| {
            let lost = "UPDATE media SET file = NULL, size = NULL, error = ?2 WHERE file = ?1";
            tx.run(lost, params![file, GONE]).map(drop)
        })
        .await
    }

    /// Counts bytes that are about to be fetched for the sender of a message, unless that would be more than `limit`
    /// on one day: then the person is told, once a day.
    pub async fn media_reserved(
        &self,
        message: MessageId,
        day: i64,
        bytes: u64,
        limit: u64,
        now: DateTime<Utc>,
    ) -> Result<bool> {
        self.write(WorkClass::Requests, move |tx| {
            let Some(row) = inbound_row(tx, message)? else { return Ok(true) };
            let used = "SELECT bytes FROM media_quota WHERE day = ?1 AND principal = ?2";
            let who = row.from.id.as_str();
            let used = tx.one(used, params![day, who], |row| count(row, 0))?.unwrap_or(0);
            if used.saturating_add(bytes) > limit {
                tell(tx, &row, &Notice::FilesOfTheDay, day, now)?;
                return Ok(false);
            }
            tx.run(
                "INSERT INTO media_quota (day, principal, bytes) VALUES (?1, ?2, ?3)
                 ON CONFLICT (day, principal) DO UPDATE SET bytes = bytes + ?3",
                params![day, who, int(bytes)],
            )?;
            Ok(true)
        })
        .await
    }

    /// Corrects the count: of the reserved bytes, this many were used.
    pub async fn media_settled(&self, message: MessageId, day: i64, reserved: u64, used: u64) -> Result<()> {
        self.write(WorkClass::Requests, move |tx| {
            tx.run(
                "UPDATE media_quota SET bytes = max(0, bytes - ?3 + ?4)
                 WHERE day = ?2 AND principal = (SELECT principal FROM inbound WHERE id = ?1)",
                params![message.0, day, int(reserved), int(used)],
            )
            .map(drop)
        })
        .await
    }

    /// There is no space for a file of this message: its sender is told, once a day.
    pub async fn media_full(&self, message: MessageId, day: i64, now: DateTime<Utc>) -> Result<()> {
        self.write(WorkClass::Requests, move |tx| match inbound_row(tx, message)? {
            Some(row) => tell(tx, &row, &Notice::FilesFull, day, now),
            None => Ok(()),
        })
        .await
    }

    /// Files are to be deleted; their rows stay and say so.
    pub async fn media_gone(&self, rows: Vec<(MessageId, u32)>) -> Result<()> {
        self.write(WorkClass::Sweep, move |tx| {
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
}

impl StoreReader {
    /// The results of fetching the files of some messages, in order.
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

    /// A file that came with a message of a session, the `n`-th of its attachments, and where it lies beneath the media
    /// root; that is `None` if it is not there.
    pub async fn attachment(
        &self,
        session: &SessionKey,
        message: MessageId,
        n: u32,
    ) -> Result<Option<(Option<String>, Attachment)>> {
        let session = session.clone();
        self.read(move |sql| {
            let of = "SELECT attachments FROM inbound WHERE id = ?1 AND key = ?2 AND attachments IS NOT NULL";
            let found = sql.one(of, params![message.0, session.as_str()], |row| row.get::<_, String>(0))?;
            let Some(file) = found.and_then(|json| attachments(&json).into_iter().nth(n as usize)) else {
                return Ok(None);
            };
            let stored = "SELECT file FROM media WHERE message_id = ?1 AND n = ?2";
            let stored = sql.one(stored, params![message.0, n], |row| row.get::<_, Option<String>>(0))?;
            Ok(Some((stored.unwrap_or_else(|| file.kept.clone()), file)))
        })
        .await
    }

    /// A file that was sent in a session.
    pub async fn sent_file(&self, session: &SessionKey, out: OutId) -> Result<Option<OutgoingFile>> {
        let session = session.clone();
        self.read(move |sql| {
            let of = "SELECT media FROM outbox WHERE id = ?1 AND key = ?2 AND media IS NOT NULL";
            let found = sql.one(of, params![out.0, session.as_str()], |row| row.get::<_, String>(0))?;
            Ok(found.and_then(|json| read_file(&json)))
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

    /// How many bytes all fetched and uploaded files have. Content that several messages share counts once.
    pub async fn media_bytes(&self) -> Result<u64> {
        self.read(|sql| Ok(sql.one(ALL_BYTES, [], |row| count(row, 0))?.unwrap_or(0))).await
    }

    /// The files of a conversation: those that came with its messages, and those that were sent in it.
    pub async fn session_files(&self, session: &SessionKey) -> Result<Vec<String>> {
        let session = session.clone();
        self.read(move |sql| {
            let mut files = sql.all(
                "SELECT m.file FROM session_message i JOIN media m ON m.message_id = i.id
                 WHERE i.key = ?1 AND m.file IS NOT NULL",
                [session.as_str()],
                |row| row.get::<_, String>(0),
            )?;
            files.extend(sql.all(
                "SELECT u.file FROM upload u JOIN session_message i ON i.id = u.message_id WHERE i.key = ?1",
                [session.as_str()],
                |row| row.get::<_, String>(0),
            )?);
            let out = sql.all(
                "SELECT media FROM outbox WHERE key = ?1 AND media IS NOT NULL",
                [session.as_str()],
                |row| row.get::<_, String>(0),
            )?;
            files.extend(out.iter().filter_map(|json| read_file(json)).map(|media| media.file));
            files.sort();
            files.dedup();
            Ok(files)
        })
        .await
    }

    /// Those of these files that a message refers to, an upload, a part that has not been sent or may be sent again, a part
    /// that clients have been shown since a time, or an open task.
    pub async fn files_in_use(&self, names: Vec<String>, shown_since: DateTime<Utc>) -> Result<Vec<String>> {
        self.read(move |sql| {
            let mut leaving = HashSet::new();
            for open in OPEN_FILES {
                let files = sql.all(open, [], |row| row.get::<_, String>(0))?;
                leaving.extend(files.iter().filter_map(|json| read_file(json)).map(|media| media.file));
            }
            let shown = sql.all(SHOWN_FILES, [ms(shown_since)], |row| row.get::<_, String>(0))?;
            leaving.extend(shown.iter().filter_map(|json| read_file(json)).map(|media| media.file));
            for waiting in FILES_BEFORE_A_TURN {
                for json in sql.all(waiting, [], |row| row.get::<_, String>(0))? {
                    leaving.extend(attachments(&json).into_iter().filter_map(|file| file.kept));
                }
            }
            leaving.extend(sql.all(FILES_OF_TURNS, [], |row| row.get::<_, String>(0))?);
            let mut used = Vec::new();
            for name in names {
                let kept = "SELECT 1 FROM media WHERE file = ?1 UNION ALL SELECT 1 FROM upload WHERE file = ?1 LIMIT 1";
                if leaving.contains(&name) || sql.one(kept, [&name], |_| Ok(()))?.is_some() {
                    used.push(name);
                }
            }
            Ok(used)
        })
        .await
    }
}

/// Refers to a file from an attachment of a message, unless the message was erased meanwhile.
fn name(
    tx: &Tx<'_>,
    message: MessageId,
    n: u32,
    (file, size): (&str, u64),
    unique: Option<&str>,
    hash: Option<&[u8]>,
    now: DateTime<Utc>,
) -> Outcome<()> {
    tx.run(
        "INSERT INTO media (message_id, n, file, size, error, fetched_at, unique_id, hash)
         SELECT id, ?2, ?3, ?4, NULL, ?5, ?6, ?7 FROM inbound
         WHERE id = ?1 AND (attachments IS NOT NULL OR quote IS NOT NULL)
         ON CONFLICT (message_id, n) DO UPDATE
         SET file = excluded.file, size = excluded.size, error = NULL, fetched_at = excluded.fetched_at,
             unique_id = excluded.unique_id, hash = excluded.hash",
        params![message.0, n, file, int(size), ms(now), unique, hash],
    )
    .map(drop)
}

/// Tells the sender of a message something about its files, once a day.
fn tell(tx: &Tx<'_>, row: &InboundRow, notice: &Notice, day: i64, now: DateTime<Utc>) -> Outcome<()> {
    let about = [row.id];
    let outgoing = Outgoing {
        turn: None,
        about: &about,
        session: Some(&row.session),
        address: &row.address,
        reply_to: row.platform_message.as_deref(),
        kind: PostKind::Notice,
        audience: None,
        now,
    };
    outgoing.notice_as(tx, &TextKey::daily(&row.from.id, notice.kind(), day), notice).map(drop)
}

fn inbound_row(tx: &Tx<'_>, message: MessageId) -> Outcome<Option<InboundRow>> {
    tx.one(concat!("SELECT ", inbound_columns!(), " FROM inbound i WHERE i.id = ?1"), [message.0], inbound)
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
