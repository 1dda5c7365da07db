//! Transcripts of recordings that came with messages.

use std::collections::BTreeMap;

use frontdesk_core::id::MessageId;
use frontdesk_core::key::SessionKey;
use rusqlite::params;

use crate::queue::WorkClass;
use crate::sql::small;
use crate::{Result, Store, StoreReader};

/// The transcripts of a message, as JSON by their places. In a statement with a table `inbound i`.
macro_rules! transcripts_column {
    () => {
        "(SELECT json_group_object(CAST(m.n AS TEXT), m.transcript) FROM media m
          WHERE m.message_id = i.id AND m.transcript IS NOT NULL)"
    };
}

pub(crate) use transcripts_column;

impl Store {
    /// A recording was transcribed: wherever the file is named in this session, it has this transcript.
    pub async fn transcribed(&self, session: &SessionKey, file: &str, transcript: String) -> Result<()> {
        let (session, file) = (session.clone(), file.to_owned());
        self.write(WorkClass::Requests, move |tx| {
            tx.run(
                "UPDATE media SET transcript = ?3
                 WHERE file = ?2 AND transcript IS NULL
                   AND (SELECT key FROM inbound WHERE id = message_id) = ?1",
                params![session.as_str(), file, transcript],
            )
            .map(drop)
        })
        .await
    }
}

impl StoreReader {
    /// The transcripts of the files of some messages, by message and by place among its files.
    pub async fn transcripts(&self, messages: &[MessageId]) -> Result<BTreeMap<(MessageId, u32), String>> {
        let messages = messages.to_vec();
        self.read(move |sql| {
            let mut all = BTreeMap::new();
            for message in messages {
                let of = "SELECT n, transcript FROM media WHERE message_id = ?1 AND transcript IS NOT NULL";
                let found = sql.all(of, [message.0], |row| Ok((small(row, 0)?, row.get::<_, String>(1)?)))?;
                all.extend(found.into_iter().map(|(n, transcript)| ((message, n), transcript)));
            }
            Ok(all)
        })
        .await
    }

    /// The transcript that a file has in a session already.
    pub async fn transcript(&self, session: &SessionKey, file: &str) -> Result<Option<String>> {
        let (session, file) = (session.clone(), file.to_owned());
        self.read(move |sql| {
            sql.one(
                "SELECT transcript FROM media
                 WHERE file = ?2 AND transcript IS NOT NULL
                   AND (SELECT key FROM inbound WHERE id = message_id) = ?1
                 LIMIT 1",
                params![session.as_str(), file],
                |row| row.get(0),
            )
        })
        .await
    }
}

/// Transcripts as [`transcripts_column`] reads them, without those of a quoted message's files.
pub(crate) fn read(json: &str, files: usize) -> BTreeMap<u32, String> {
    let all: BTreeMap<u32, String> = serde_json::from_str(json).unwrap_or_else(|error| {
        tracing::warn!(%error, "stored transcripts cannot be read");
        BTreeMap::new()
    });
    let own = |n: u32| usize::try_from(n).is_ok_and(|n| n < files);
    all.into_iter().filter(|(n, _)| own(*n)).collect()
}
