//! Searches the messages of all sessions and their answers. There is no index: a search reads the newest messages, a part of
//! them at a time, and says where it has ended.

use frontdesk_core::id::MessageId;
use rusqlite::{Row, params};

use crate::row::FoundMessage;
use crate::sql::{at, parsed};
use crate::{Result, StoreReader};

/// How many messages one search reads.
const READ: i64 = 20_000;

/// Messages for an agent whose text or answer has these words, the newest first. SQLite ignores the case of ASCII letters.
const FOUND: &str = "SELECT i.id, i.key, i.received_at, i.body, t.answer
    FROM inbound i LEFT JOIN turn t ON t.id = i.turn_id
    WHERE i.id < ?1 AND i.id >= ?2 AND i.disposition = 'turn'
      AND (?5 IS NULL OR substr(i.address, 1, length(?5)) = ?5)
      AND (i.body LIKE ?3 ESCAPE '\\' OR t.answer LIKE ?3 ESCAPE '\\')
    ORDER BY i.id DESC LIMIT ?4";

impl StoreReader {
    /// Messages before one of them whose text or answer has these words, the newest first, and where the search goes on;
    /// `None` if everything was read. `within` is how the addresses of the chats begin that are searched; `None` for all.
    pub async fn search(
        &self,
        words: &str,
        within: Option<&str>,
        before: Option<MessageId>,
        limit: u32,
    ) -> Result<(Vec<FoundMessage>, Option<MessageId>)> {
        let pattern = format!("%{}%", words.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_"));
        let within = within.map(str::to_owned);
        self.read(move |sql| {
            let newest = "SELECT coalesce(max(id), 0) FROM inbound";
            let newest = sql.one(newest, [], |row| row.get::<_, i64>(0))?.unwrap_or(0);
            let end = before.map_or(i64::MAX, |before| before.0).min(newest.saturating_add(1));
            let begin = end.saturating_sub(READ);
            let rows = sql.all(FOUND, params![end, begin, pattern, limit, within], found)?;
            let next = match rows.last() {
                Some(last) if rows.len() >= limit as usize => Some(last.message),
                _ => Some(MessageId(begin)).filter(|_| begin > 1),
            };
            Ok((rows, next))
        })
        .await
    }
}

fn found(row: &Row<'_>) -> rusqlite::Result<FoundMessage> {
    Ok(FoundMessage {
        message: MessageId(row.get(0)?),
        session: parsed(row, 1)?,
        received: at(row, 2)?,
        text: row.get(3)?,
        answer: row.get(4)?,
    })
}
